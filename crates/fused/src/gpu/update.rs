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
    let learning_rate = Four::new(rate.extract(0usize));
    let moved = match comptime!(layout.rule) {
        Rule::Sgd { momentum, nesterov } => {
            if comptime!(momentum.value() > 0.0) {
                let momentum = Four::new(comptime!(momentum.value()));
                let velocity = memory[first] * momentum + g;
                memory[first] = velocity;
                if comptime!(nesterov) {
                    g += velocity * momentum;
                } else {
                    g = velocity;
                }
            }
            weights - g * learning_rate
        }
        Rule::Adam {
            decays,
            is_decoupled,
        } => {
            let (mean, root) = mean_and_root(memory, first, second, g, rate, decays);
            let direction = mean * Four::new(rate.extract(1usize)) / root;
            if comptime!(is_decoupled) {
                weights * Four::new(rate.extract(3usize)) - direction
            } else {
                weights - direction
            }
        }
        Rule::NAdam { decays } => {
            let (mean, root) = mean_and_root(memory, first, second, g, rate, decays);
            let ahead =
                g * Four::new(rate.extract(1usize)) + mean * Four::new(rate.extract(3usize));
            weights - ahead / root
        }
        Rule::AdaGrad { epsilon } => {
            let sum = memory[first] + g * g;
            memory[first] = sum;
            let root = sum.sqrt() + Four::new(comptime!(epsilon.value()));
            weights - g * learning_rate / root
        }
        Rule::RmsProp {
            alpha,
            rest,
            epsilon,
            momentum,
        } => {
            let square = memory[first] * Four::new(comptime!(alpha.value()))
                + g * g * Four::new(comptime!(rest.value()));
            memory[first] = square;
            g /= square.sqrt() + Four::new(comptime!(epsilon.value()));
            if comptime!(momentum.value() > 0.0) {
                let velocity = memory[second] * Four::new(comptime!(momentum.value())) + g;
                memory[second] = velocity;
                g = velocity;
            }
            weights - g * learning_rate
        }
    };
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

/// Moves the means of gradients and of their squares, and gives the first and the denominator of the step.
#[cube]
fn mean_and_root(
    memory: &mut [Four],
    first: usize,
    second: usize,
    g: Four,
    rate: Four,
    #[comptime] decays: Decays,
) -> (Four, Four) {
    let mean = memory[first] * Four::new(comptime!(decays.beta_1.value()))
        + g * Four::new(comptime!(decays.rest_1.value()));
    let square = memory[second] * Four::new(comptime!(decays.beta_2.value()))
        + g * g * Four::new(comptime!(decays.rest_2.value()));
    memory[first] = mean;
    memory[second] = square;
    let root = square.sqrt() / Four::new(rate.extract(2usize))
        + Four::new(comptime!(decays.epsilon.value()));
    (mean, root)
}
