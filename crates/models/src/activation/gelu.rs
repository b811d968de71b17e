//! The Gaussian error linear unit.

use std::f64::consts::FRAC_1_SQRT_2;

use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_kernels::{self as kernels, erf, exp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ActivationFunction;

/// 1 / √(2π), the normal density at zero.
const FRAC_1_SQRT_2PI: f64 = 0.398_942_280_401_432_7;

/// `x Φ(x)` with the exact normal distribution function, not the approximation by tanh.
///
/// # Source
/// Hendrycks and Gimpel 2016, <https://arxiv.org/abs/1606.08415>; `torch.nn.functional.gelu`
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gelu {}

impl ActivationFunction for Gelu {
    fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        kernels::map(
            x,
            #[inline(always)]
            |x| x * normal_distribution(x),
            |x| {
                // Burn's own has the gradient of the approximation by tanh on some devices.
                let half = x.clone().mul_scalar(0.5);
                half.clone() + half * x.mul_scalar(FRAC_1_SQRT_2).erf()
            },
        )
    }

    /// The derivative is `Φ(x) + x φ(x)` with the normal density `φ`.
    fn backward<const D: usize>(&self, delta: Tensor<D>, x: Tensor<D>) -> Tensor<D> {
        kernels::zip(
            delta,
            x,
            #[inline(always)]
            |delta, x| {
                let density = FRAC_1_SQRT_2PI as f32 * exp(-(0.5 * x * x));
                delta * (normal_distribution(x) + x * density)
            },
            |delta, x| {
                let distribution = x.clone().mul_scalar(FRAC_1_SQRT_2).erf();
                let distribution = distribution.add_scalar(1.0).mul_scalar(0.5);
                let density = (x.clone() * x.clone()).mul_scalar(-0.5).exp();
                let density = density.mul_scalar(FRAC_1_SQRT_2PI);
                delta * (distribution + x * density)
            },
        )
    }

    fn fused(&self) -> Option<fused::Activation> {
        Some(fused::Activation::Gelu)
    }
}

/// `Φ(x)`: `(1 + erf(x / √2)) / 2`.
#[inline(always)]
fn normal_distribution(x: f32) -> f32 {
    0.5 + 0.5 * erf(x * FRAC_1_SQRT_2 as f32)
}
