//! Losses of one row and their gradient by its outputs, inside the kernel.

use cubecl::prelude::*;

use super::activation::Curve;
use super::layout::{Error, Layout};
use super::math::{Four, exp, ln_1p, ln_1p_of_any, sigmoid, tanh};

/// The number of components of the last vector of outputs that are outputs.
pub(super) fn tail(d_out: usize) -> usize {
    (d_out - 1) % 4 + 1
}

/// Sets the components behind the first `count` to zero.
#[cube]
pub(super) fn first_components(vector: Four, #[comptime] count: usize) -> Four {
    let mut kept = vector;
    #[unroll]
    for component in 0..4usize {
        if comptime!(component >= count) {
            kept.insert(component, 0.0);
        }
    }
    kept
}

/// The sum of the components.
#[cube]
pub(super) fn sum_of(vector: Four) -> f32 {
    (vector.extract(0usize) + vector.extract(1usize))
        + (vector.extract(2usize) + vector.extract(3usize))
}

/// The losses of outputs `y` for targets `t`, and their derivatives by the outputs.
#[cube]
pub(super) fn element_losses(y: Four, t: Four, #[comptime] error: Error) -> (Four, Four) {
    let zero = Four::new(0.0);
    let one = Four::new(1.0);
    match comptime!(error) {
        Error::BceWithLogits => (logit_loss(y, t), sigmoid(y) - t),
        Error::Mse => {
            let difference = y - t;
            (difference * difference, difference + difference)
        }
        Error::Mae => {
            let difference = y - t;
            let sign = select_many(difference.less_than(&zero), -one, difference);
            (
                difference.abs(),
                select_many(difference.greater_than(&zero), one, sign),
            )
        }
        Error::Huber { delta } => {
            let delta = Four::new(comptime!(delta.value()));
            let difference = y - t;
            let distance = difference.abs();
            let near = select_many(distance.greater_than(&delta), delta, distance);
            let low = select_many(difference.less_than(&-delta), -delta, difference);
            (
                near * near * Four::new(0.5) + (distance - near) * delta,
                select_many(difference.greater_than(&delta), delta, low),
            )
        }
        Error::Hinge => {
            let sign = t + t - one;
            let missing = one - sign * y;
            let is_enough = missing.less_equal(&zero);
            (
                select_many(is_enough, zero, missing),
                select_many(is_enough, zero, -sign),
            )
        }
        Error::Focal { gamma, alpha } => {
            let gamma = Four::new(comptime!(gamma.value()));
            let alpha = comptime!(alpha.value());
            let sign = t + t - one;
            let by_class =
                t * Four::new(comptime!(2.0 * alpha - 1.0)) + Four::new(comptime!(1.0 - alpha));
            let cross_entropy = logit_loss(y, t);
            // The logarithm of the probability of the wrong class.
            let log_wrong = -(cross_entropy + sign * y);
            let wrong = exp(log_wrong);
            let weight = by_class * exp(log_wrong * gamma);
            let slope = (one - wrong) * cross_entropy * gamma + wrong;
            (weight * cross_entropy, -(weight * slope * sign))
        }
        Error::WeightedBceWithLogits { more } => {
            // The loss of class 1 counts `1 + more` times.
            let more = t * Four::new(comptime!(more.value()));
            let cross_entropy = logit_loss(y, t);
            let of_class_1 = logit_loss(y, one);
            let share = sigmoid(y);
            (
                cross_entropy + more * of_class_1,
                share - t + more * (share - one),
            )
        }
        Error::LogCosh => {
            let difference = y - t;
            let distance = difference.abs();
            let rest = ln_1p(exp(-(distance + distance)));
            let ln_2 = Four::new(comptime!(std::f32::consts::LN_2));
            (distance + (rest - ln_2), tanh(difference))
        }
        Error::Quantile { tilt } => {
            let tilt = Four::new(comptime!(tilt.value()));
            let half = Four::new(0.5);
            let missing = t - y;
            let low = select_many(missing.less_than(&zero), -half, missing);
            let half_sign = select_many(missing.greater_than(&zero), half, low);
            (missing.abs() * half + tilt * missing, -half_sign - tilt)
        }
        Error::Poisson => {
            let rate = exp(y);
            (rate - t * y, rate - t)
        }
        // One loss for all outputs of a row: see `row_loss`.
        Error::CrossEntropy | Error::KlDivergence => (zero, zero),
    }
}

/// Binary cross-entropy of logits.
#[cube]
fn logit_loss(y: Four, t: Four) -> Four {
    let zero = Four::new(0.0);
    let positive = select_many(y.less_than(&zero), zero, y);
    positive - y * t + ln_1p(exp(-y.abs()))
}

/// `t ln t` of probabilities; 0 for 0.
#[cube]
pub(super) fn times_own_log(t: Four) -> Four {
    let mut products = Four::new(0.0);
    #[unroll]
    for component in 0..4usize {
        let t = t.extract(component);
        // ln t = −ln (1 + (1 / t − 1))
        let product = -(t * ln_1p_of_any(1.0 / t - 1.0));
        products.insert(component, select(t > 0.0, product, 0.0));
    }
    products
}

/// The loss of one row, multiplied by its weight; the gradient by the linear outputs takes the place of the outputs.
///
/// `row` is the place of the row's record. The gradient is multiplied by `scale`.
#[cube]
pub(super) fn row_loss(
    data: &[Four],
    records: &mut [Four],
    row: usize,
    target: usize,
    ahead: &mut Array<Four>,
    scale: f32,
    #[comptime] turn: usize,
    #[comptime] layout: Layout,
    #[comptime] is_training: bool,
) -> f32 {
    let output = comptime!(layout.layers[layout.layers.len() - 1].clone());
    let vectors = comptime!(output.out_vectors);
    let tail = comptime!(tail(output.d_out));
    let mut weight = 1.0f32;
    if comptime!(layout.has_sample_weights) {
        let vector = comptime!(output.out_vectors).runtime();
        weight = target_of(
            data,
            target,
            ahead,
            vector,
            turn,
            layout.clone(),
            is_training,
        )
        .extract(0usize);
    }
    let mut total = 0.0f32;
    let mut shift = 0.0f32;
    let mut sum = 1.0f32;
    if comptime!(layout.error.is_of_softmax()) {
        // The first largest output, and the exponentials of the others.
        shift = records[row + comptime!(output.values)].extract(0usize);
        let mut best = 0usize;
        #[unroll(vectors <= 4)]
        for vector in 0..vectors {
            let y = records[row + comptime!(output.values) + vector];
            #[unroll]
            for component in 0..4usize {
                let class = vector * 4 + component;
                let value = y.extract(component);
                if class < comptime!(output.d_out) && value > shift {
                    shift = value;
                    best = class;
                }
            }
        }
        let mut others = 0.0f32;
        #[unroll(vectors <= 4)]
        for vector in 0..vectors {
            let y = records[row + comptime!(output.values) + vector];
            let exponentials = exp(y - Four::new(shift));
            #[unroll]
            for component in 0..4usize {
                let class = vector * 4 + component;
                let is_other = class < comptime!(output.d_out) && class != best;
                others += select(is_other, exponentials.extract(component), 0.0);
            }
        }
        total = ln_1p_of_any(others);
        sum = 1.0 + others;
    }
    #[unroll(vectors <= 4)]
    for vector in 0..vectors {
        let y = records[row + comptime!(output.values) + vector];
        let t = target_of(
            data,
            target,
            ahead,
            vector,
            turn,
            layout.clone(),
            is_training,
        );
        let (mut loss, mut gradient) = if comptime!(layout.error.is_of_softmax()) {
            let shifted = y - Four::new(shift);
            let mut loss = -(shifted * t);
            if comptime!(layout.error == Error::KlDivergence) {
                loss += times_own_log(t);
            }
            (loss, exp(shifted) / Four::new(sum) - t)
        } else {
            element_losses(y, t, comptime!(layout.error))
        };
        if vector == comptime!(vectors - 1) {
            loss = first_components(loss, tail);
            gradient = first_components(gradient, tail);
        }
        total += sum_of(loss);
        if comptime!(is_training) {
            gradient *= Four::new(scale * weight);
            if comptime!(output.curve != Curve::Linear) {
                gradient *= records[row + comptime!(output.normal) + vector];
            }
            records[row + comptime!(output.delta) + vector] = gradient;
        }
    }
    total * weight
}

/// A vector of a row's targets, or behind them the weight of its loss: from the registers that were loaded ahead in
/// training, if there are any, or from `target`, its place in the data.
#[cube]
pub(super) fn target_of(
    data: &[Four],
    target: usize,
    ahead: &mut Array<Four>,
    vector: usize,
    #[comptime] turn: usize,
    #[comptime] layout: Layout,
    #[comptime] is_training: bool,
) -> Four {
    if comptime!(is_training && layout.targets_ahead() > 0) {
        ahead[comptime!(turn * layout.target_vectors()) + vector]
    } else {
        data[target + vector]
    }
}

/// Stores the loss of a row behind the gradient by its outputs.
#[cube]
pub(super) fn store_loss(records: &mut [Four], row: usize, loss: f32, #[comptime] layout: Layout) {
    let output = comptime!(layout.layers[layout.layers.len() - 1].clone());
    let last = row + comptime!(output.delta + (output.d_out + 1).div_ceil(4) - 1);
    let mut vector = Four::new(0.0);
    if comptime!(!output.d_out.is_multiple_of(4)) {
        vector = records[last];
    }
    vector.insert(3usize, loss);
    records[last] = vector;
}
