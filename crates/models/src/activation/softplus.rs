//! The smooth rectifier.

use burn::tensor::Tensor;
use burn::tensor::activation::log_sigmoid;
use emberlab_fused as fused;
use emberlab_kernels::{self as kernels, exp, ln_1p, sigmoid};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ActivationFunction;
use super::sigmoid::sigmoid_by_operations;

/// `ln(1 + exp(x))`, without the jump of 2e-9 that PyTorch's threshold of 20 makes.
///
/// # Source
/// Dugas et al. 2001; `torch.nn.functional.softplus`
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Softplus {}

impl ActivationFunction for Softplus {
    fn is_non_decreasing(&self) -> bool {
        true
    }

    fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        kernels::map(
            x,
            #[inline(always)]
            |x| {
                let positive = if x < 0.0 { 0.0 } else { x };
                positive + ln_1p(exp(-x.abs()))
            },
            // ln(1 + exp(x)) = -ln(sigmoid(-x)), which never overflows.
            |x| log_sigmoid(x.neg()).neg(),
        )
    }

    /// The derivative is `sigmoid(x)`.
    fn backward<const D: usize>(&self, delta: Tensor<D>, x: Tensor<D>) -> Tensor<D> {
        kernels::zip(
            delta,
            x,
            #[inline(always)]
            |delta, x| delta * sigmoid(x),
            |delta, x| delta * sigmoid_by_operations(x),
        )
    }

    fn fused(&self) -> Option<fused::Activation> {
        Some(fused::Activation::Softplus)
    }
}
