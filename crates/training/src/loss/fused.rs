//! The losses of logits with their gradients as single passes over the host's memory.

// What is given back are tensors, which are large.
#![allow(clippy::result_large_err)]

use burn::tensor::Tensor;
use emberlab_kernels::{Numbers, exp, is_on_host, ln_1p, zip, zip_to_both};

use super::LossConfig;

/// Two tensors: outputs and targets, or losses and their gradients by the outputs.
type Pair = (Tensor<2>, Tensor<2>);

/// The losses before they are reduced.
///
/// # Shapes
/// - as those of [`LossConfig::forward`]; the result `[batch, 1]` for the cross-entropy, else like the outputs
///
/// `operations` computes them where no fused kernel applies.
pub(super) fn forward(
    loss: &LossConfig,
    outputs: Tensor<2>,
    targets: Tensor<2>,
    operations: impl FnOnce(Tensor<2>, Tensor<2>) -> Tensor<2>,
) -> Tensor<2> {
    match loss {
        LossConfig::BceWithLogits { .. } => {
            let fused = |z: f32, y| bce_with_logits(z, y, exp(-z.abs()));
            zip(outputs, targets, fused, operations)
        }
        LossConfig::CrossEntropy { .. } => match cross_entropy(outputs, targets) {
            Ok((losses, _)) => losses,
            Err((outputs, targets)) => operations(outputs, targets),
        },
        _ => operations(outputs, targets),
    }
}

/// The losses before they are reduced, and the gradient of their sum by the outputs.
///
/// # Shapes
/// - as those of [`forward`]; the gradient like the outputs
///
/// `operations` computes them where no fused kernel applies.
pub(super) fn forward_backward(
    loss: &LossConfig,
    outputs: Tensor<2>,
    targets: Tensor<2>,
    operations: impl FnOnce(Tensor<2>, Tensor<2>) -> Pair,
) -> Pair {
    match loss {
        LossConfig::BceWithLogits { .. } => {
            let fused = |z: f32, y| {
                let decay = exp(-z.abs());
                let above = 1.0 / (1.0 + decay); // σ(|z|)
                let sigmoid = if z < 0.0 { decay * above } else { above };
                (bce_with_logits(z, y, decay), sigmoid - y)
            };
            zip_to_both(outputs, targets, fused, operations)
        }
        LossConfig::CrossEntropy { .. } => cross_entropy(outputs, targets)
            .unwrap_or_else(|(outputs, targets)| operations(outputs, targets)),
        _ => operations(outputs, targets),
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
    if !fits || !is_on_host(&outputs) || !is_on_host(&targets) {
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
