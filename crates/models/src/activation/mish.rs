//! Mish.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_kernels::{self as kernels, exp, sigmoid};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ActivationFunction;
use super::sigmoid::sigmoid_by_operations;

/// From here on `tanh(softplus(x))` is 1 in f32, while the square of `exp(x)` is far from overflowing.
const BOUND_F32: f32 = 20.0;

/// The same for f64, and for f32 by Burn's operations.
const BOUND: f64 = 40.0;

/// `x tanh(softplus(x))`.
///
/// # Source
/// Misra 2019, <https://arxiv.org/abs/1908.08681>; `torch.nn.functional.mish`
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mish {}

impl ActivationFunction for Mish {
    fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        kernels::map(
            x,
            #[inline(always)]
            |x| x * tanh_of_softplus(x),
            |x| x.clone() * tanh_of_softplus_by_operations(x),
        )
    }

    /// The derivative is `t + x sigmoid(x) (1 - t²)` with `t = tanh(softplus(x))`.
    fn backward<const D: usize>(&self, delta: Tensor<D>, x: Tensor<D>) -> Tensor<D> {
        kernels::zip(
            delta,
            x,
            #[inline(always)]
            |delta, x| {
                let tanh = tanh_of_softplus(x);
                delta * (tanh + x * sigmoid(x) * (1.0 - tanh * tanh))
            },
            |delta, x| {
                let tanh = tanh_of_softplus_by_operations(x.clone());
                let rest = (tanh.clone() * tanh.clone()).neg().add_scalar(1.0);
                let slope = tanh + x.clone() * sigmoid_by_operations(x) * rest;
                delta * slope
            },
        )
    }

    fn fused(&self) -> Option<fused::Activation> {
        Some(fused::Activation::Mish)
    }
}

/// `((1 + eˣ)² − 1) / ((1 + eˣ)² + 1)`.
#[inline(always)]
fn tanh_of_softplus(x: f32) -> f32 {
    let exponential = exp(if x > BOUND_F32 { BOUND_F32 } else { x });
    let excess = exponential * (exponential + 2.0);
    excess / (excess + 2.0)
}

fn tanh_of_softplus_by_operations<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let exponential = x.clamp_max(BOUND).exp();
    let excess = exponential.clone() * exponential.add_scalar(2.0);
    excess.clone() / excess.add_scalar(2.0)
}
