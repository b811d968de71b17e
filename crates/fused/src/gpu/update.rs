//! The update rules of optimisers inside the kernel.

use cubecl::prelude::*;

use super::layout::{Bound, Decays, Layout, Rule};
use super::math::Four;

/// Moves four neighbouring parameters one step along their gradient.
///
/// `rate` holds the learning rate and what follows from it and from the step: see `rate_numbers`. `factor` scales the
/// gradient. Only the first `count` parameters exist, and the others stay zero.
#[cube]
pub(super) fn update(
    memory: &mut [Four],
    at: usize,
    place: usize,
    gradient: Four,
    rate: Four,
    factor: f32,
    is_weight: bool,
    count: usize,
    #[comptime] layout: Layout,
) {
    let weights = memory[at + place];
    let mut g = penalized(gradient, weights, is_weight, layout.clone());
    match comptime!(layout.bound) {
        Some(Bound::Value(value)) => {
            let value = Four::new(comptime!(value.value()));
            g = select_many(g.greater_than(&value), value, g);
            g = select_many(g.less_than(&-value), -value, g);
        }
        Some(Bound::Norm(_)) => g *= Four::new(factor),
        None => {}
    }
    if comptime!(layout.weight_decay.value() != 0.0) {
        g += weights * Four::new(comptime!(layout.weight_decay.value()));
    }
    // The buffers lie behind the weights, each laid out like the parameters.
    let first = at + comptime!(layout.weights) + place;
    let second = first + comptime!(layout.parameters);
    let mut old_first = Four::new(0.0);
    let mut old_second = Four::new(0.0);
    if comptime!(layout.num_buffers > 0) {
        old_first = memory[first];
    }
    if comptime!(layout.num_buffers > 1) {
        old_second = memory[second];
    }
    let (moved, new_first, new_second) = moved(
        weights,
        g,
        old_first,
        old_second,
        rate,
        comptime!(layout.rule),
    );
    if comptime!(layout.num_buffers > 0) {
        memory[first] = new_first;
    }
    if comptime!(layout.num_buffers > 1) {
        memory[second] = new_second;
    }
    let mut kept = moved;
    #[unroll]
    for component in 0..4usize {
        let value = select(
            component < count,
            moved.extract(component),
            weights.extract(component),
        );
        kept.insert(component, value);
    }
    memory[at + place] = kept;
}

/// The gradients of four weights with that of the penalty, `l1 sign(w) + l2 w`. Parameters that are no weights have none.
#[cube]
#[allow(clippy::single_match)] // kernels know no `if let`
pub(super) fn penalized(
    gradient: Four,
    weights: Four,
    is_weight: bool,
    #[comptime] layout: Layout,
) -> Four {
    let mut g = gradient;
    match comptime!(layout.penalty) {
        Some(factors) => {
            if is_weight {
                let zero = Four::new(0.0);
                let l1 = Four::new(comptime!(factors[0].value()));
                let l2 = Four::new(comptime!(factors[1].value()));
                let signs = select_many(weights.greater_than(&zero), l1, -l1);
                let signs = select_many(weights.equal(&zero), zero, signs);
                g += signs + l2 * weights;
            }
        }
        None => {}
    }
    g
}

/// Four neighbouring parameters after a step along the gradient `g`, and the new numbers of the optimiser's buffers. A
/// rule with fewer than two buffers leaves the others as they are.
///
/// `rate` holds the learning rate and what follows from it and from the step: see `rate_numbers`.
#[cube]
pub(super) fn moved(
    weights: Four,
    gradient: Four,
    first: Four,
    second: Four,
    rate: Four,
    #[comptime] rule: Rule,
) -> (Four, Four, Four) {
    let g = gradient;
    let learning_rate = Four::new(rate.extract(0usize));
    match comptime!(rule) {
        Rule::Sgd { momentum, nesterov } => {
            if comptime!(momentum.value() > 0.0) {
                let momentum = Four::new(comptime!(momentum.value()));
                let velocity = first * momentum + g;
                let direction = if comptime!(nesterov) {
                    g + velocity * momentum
                } else {
                    velocity
                };
                (weights - direction * learning_rate, velocity, second)
            } else {
                (weights - g * learning_rate, first, second)
            }
        }
        Rule::Adam {
            decays,
            is_decoupled,
        } => {
            let (mean, square, root) = means_and_root(first, second, g, rate, decays);
            let direction = mean * Four::new(rate.extract(1usize)) / root;
            let kept = if comptime!(is_decoupled) {
                weights * Four::new(rate.extract(3usize))
            } else {
                weights
            };
            (kept - direction, mean, square)
        }
        Rule::NAdam { decays } => {
            let (mean, square, root) = means_and_root(first, second, g, rate, decays);
            let ahead =
                g * Four::new(rate.extract(1usize)) + mean * Four::new(rate.extract(3usize));
            (weights - ahead / root, mean, square)
        }
        Rule::AdaGrad { epsilon } => {
            let sum = first + g * g;
            let root = sum.sqrt() + Four::new(comptime!(epsilon.value()));
            (weights - g * learning_rate / root, sum, second)
        }
        Rule::RmsProp {
            alpha,
            rest,
            epsilon,
            momentum,
        } => {
            let square = first * Four::new(comptime!(alpha.value()))
                + g * g * Four::new(comptime!(rest.value()));
            let scaled = g / (square.sqrt() + Four::new(comptime!(epsilon.value())));
            if comptime!(momentum.value() > 0.0) {
                let velocity = second * Four::new(comptime!(momentum.value())) + scaled;
                (weights - velocity * learning_rate, square, velocity)
            } else {
                (weights - scaled * learning_rate, square, second)
            }
        }
    }
}

/// The means of gradients and of their squares after a step, and the denominator of the step.
#[cube]
fn means_and_root(
    mean: Four,
    square: Four,
    g: Four,
    rate: Four,
    #[comptime] decays: Decays,
) -> (Four, Four, Four) {
    let mean = mean * Four::new(comptime!(decays.beta_1.value()))
        + g * Four::new(comptime!(decays.rest_1.value()));
    let square = square * Four::new(comptime!(decays.beta_2.value()))
        + g * g * Four::new(comptime!(decays.rest_2.value()));
    let root = square.sqrt() / Four::new(rate.extract(2usize))
        + Four::new(comptime!(decays.epsilon.value()));
    (mean, square, root)
}
