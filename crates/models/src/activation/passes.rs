//! Activations with their ways back as single passes over the host's memory.

// What is given back are tensors, which are large.
#![allow(clippy::result_large_err)]

use burn::tensor::Tensor;
use emberlab_host::{exp, ln_1p, map, sigmoid, tanh, zip};

use super::{Activation, SELU_ALPHA, SELU_SCALE};

/// From here on `tanh(softplus(x))` is 1 in floating point; its exponential stays far from infinity.
const MISH_BOUND: f32 = 20.0;

/// [`Activation::forward`].
///
/// # Errors
/// The tensor itself, if it is not in the host's memory or there is no pass for the function.
pub(super) fn forward<const D: usize>(
    activation: &Activation,
    x: Tensor<D>,
) -> Result<Tensor<D>, Tensor<D>> {
    match *activation {
        Activation::Sigmoid => map(x, sigmoid),
        Activation::Tanh => map(x, tanh),
        // Comparisons that leave NaN as it is.
        Activation::Relu => map(x, |x| if x < 0.0 { 0.0 } else { x }),
        Activation::LeakyRelu { alpha } => {
            let alpha = alpha as f32;
            map(x, |x| if x <= 0.0 { alpha * x } else { x })
        }
        Activation::Elu { alpha } => {
            let alpha = alpha as f32;
            map(x, |x| if x > 0.0 { x } else { alpha * (exp(x) - 1.0) })
        }
        Activation::Swish => map(x, |x| x * sigmoid(x)),
        Activation::Selu => {
            let (alpha, scale) = (SELU_ALPHA as f32, SELU_SCALE as f32);
            map(x, |x| {
                scale * if x > 0.0 { x } else { alpha * (exp(x) - 1.0) }
            })
        }
        Activation::Softplus => map(x, |x| {
            let positive = if x < 0.0 { 0.0 } else { x };
            positive + ln_1p(exp(-x.abs()))
        }),
        Activation::Mish => map(x, |x| x * tanh_of_softplus(x)),
        Activation::Linear | Activation::Gelu | Activation::Softmax => Err(x),
    }
}

/// [`Activation::backward`] of what was kept.
///
/// # Errors
/// `delta` and what was kept, if they are not in the host's memory or there is no pass for the function.
pub(super) fn backward<const D: usize>(
    activation: &Activation,
    delta: Tensor<D>,
    kept: Tensor<D>,
) -> Result<Tensor<D>, (Tensor<D>, Tensor<D>)> {
    match *activation {
        // Of the output y.
        Activation::Sigmoid => zip(delta, kept, |delta, y| delta * (y * (1.0 - y))),
        Activation::Tanh => zip(delta, kept, |delta, y| delta * (1.0 - y * y)),
        Activation::Relu => zip(delta, kept, |delta, y| if y <= 0.0 { 0.0 } else { delta }),
        Activation::Elu { alpha: 1.0 } => zip(delta, kept, |delta, y| {
            delta * if y > 0.0 { 1.0 } else { y + 1.0 }
        }),
        Activation::Selu => {
            let (scale, shift) = (SELU_SCALE as f32, (SELU_SCALE * SELU_ALPHA) as f32);
            zip(delta, kept, |delta, y| {
                delta * if y > 0.0 { scale } else { y + shift }
            })
        }
        // Of the input x.
        Activation::LeakyRelu { alpha } => {
            let alpha = alpha as f32;
            zip(
                delta,
                kept,
                // NaN has the slope below zero, as in PyTorch.
                |delta, x| if x > 0.0 { delta } else { alpha * delta },
            )
        }
        Activation::Elu { alpha } => {
            let alpha = alpha as f32;
            zip(delta, kept, |delta, x| {
                delta * if x > 0.0 { 1.0 } else { alpha * exp(x) }
            })
        }
        Activation::Swish => zip(delta, kept, |delta, x| {
            let sigmoid = sigmoid(x);
            delta * (sigmoid * (1.0 + x * (1.0 - sigmoid)))
        }),
        Activation::Softplus => zip(delta, kept, |delta, x| delta * sigmoid(x)),
        Activation::Mish => zip(delta, kept, |delta, x| {
            let tanh = tanh_of_softplus(x);
            delta * (tanh + x * sigmoid(x) * (1.0 - tanh * tanh))
        }),
        Activation::Linear | Activation::Gelu | Activation::Softmax => Err((delta, kept)),
    }
}

/// `((1 + eˣ)² − 1) / ((1 + eˣ)² + 1)`.
#[inline(always)]
fn tanh_of_softplus(x: f32) -> f32 {
    let exponential = exp(if x > MISH_BOUND { MISH_BOUND } else { x });
    let excess = exponential * (exponential + 2.0);
    excess / (excess + 2.0)
}
