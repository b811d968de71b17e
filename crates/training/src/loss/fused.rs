//! The losses of logits with their gradients as single passes over the host's memory.

// What is given back are tensors, which are large.
#![allow(clippy::result_large_err)]

use burn::tensor::Tensor;
use emberlab_kernels::{Numbers, exp, holds, ln_1p, zip, zip_to_both};

use super::LossConfig;

/// Two tensors: outputs and targets, or losses and their gradients by the outputs.
type Pair = (Tensor<2>, Tensor<2>);

/// The losses before they are reduced.
///
/// # Shapes
/// - as those of [`LossConfig::forward`]; the result `[batch, 1]` for the cross-entropy, else like the outputs
///
/// # Errors
/// Outputs and targets, if they are not in the host's memory or there is no pass for the loss.
pub(super) fn forward(
    loss: &LossConfig,
    outputs: Tensor<2>,
    targets: Tensor<2>,
) -> Result<Tensor<2>, Pair> {
    match loss {
        LossConfig::BceWithLogits { .. } => zip(outputs, targets, |z, y| {
            bce_with_logits(z, y, exp(-z.abs()))
        }),
        LossConfig::CrossEntropy { .. } => {
            cross_entropy(outputs, targets).map(|(losses, _)| losses)
        }
        _ => Err((outputs, targets)),
    }
}

/// The losses before they are reduced, and the gradient of their sum by the outputs.
///
/// # Shapes
/// - as those of [`forward`]; the gradient like the outputs
///
/// # Errors
/// As [`forward`].
pub(super) fn forward_backward(
    loss: &LossConfig,
    outputs: Tensor<2>,
    targets: Tensor<2>,
) -> Result<Pair, Pair> {
    match loss {
        LossConfig::BceWithLogits { .. } => zip_to_both(outputs, targets, |z, y| {
            let decay = exp(-z.abs());
            let above = 1.0 / (1.0 + decay); // σ(|z|)
            let sigmoid = if z < 0.0 { decay * above } else { above };
            (bce_with_logits(z, y, decay), sigmoid - y)
        }),
        LossConfig::CrossEntropy { .. } => cross_entropy(outputs, targets),
        _ => Err((outputs, targets)),
    }
}

/// `max(z, 0) − z y + ln(1 + exp(−|z|))`, of the exponential.
#[inline(always)]
fn bce_with_logits(z: f32, y: f32, decay: f32) -> f32 {
    let positive_part = if z < 0.0 { 0.0 } else { z };
    positive_part - z * y + ln_1p(decay)
}

/// `ln Σ exp(z) − z_target` of each row, its maximum subtracted first, and the softmax less the targets.
fn cross_entropy(outputs: Tensor<2>, targets: Tensor<2>) -> Result<Pair, Pair> {
    let [batch, num_classes] = outputs.dims();
    let fits = targets.dims() == outputs.dims() && num_classes > 0;
    if !fits || !holds(&outputs) || !holds(&targets) {
        return Err((outputs, targets));
    }
    let (mut outputs, mut targets) = (Numbers::take(outputs), Numbers::take(targets));
    let mut losses = Vec::with_capacity(batch);
    let rows = outputs.as_mut_slice().chunks_mut(num_classes);
    for (row, targets) in rows.zip(targets.as_slice().chunks(num_classes)) {
        let maximum = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut of_target = 0.0;
        for (z, y) in row.iter_mut().zip(targets) {
            *z -= maximum;
            of_target += *z * y;
        }
        losses.push(-of_target);
    }
    for z in outputs.as_mut_slice() {
        *z = exp(*z);
    }
    let rows = targets.as_mut_slice().chunks_mut(num_classes);
    let exponentials = outputs.as_slice().chunks(num_classes);
    for ((row, exponentials), loss) in rows.zip(exponentials).zip(&mut losses) {
        let sum: f32 = exponentials.iter().sum();
        *loss += sum.ln();
        for (y, exponential) in row.iter_mut().zip(exponentials) {
            *y = exponential / sum - *y;
        }
    }
    let losses = Numbers::new(losses, [batch, 1]).into_tensor();
    Ok((losses, targets.into_tensor()))
}
