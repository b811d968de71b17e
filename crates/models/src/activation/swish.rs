//! Swish, PyTorch's SiLU.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_kernels::{self as kernels, sigmoid};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ActivationFunction;
use super::sigmoid::sigmoid_by_operations;

/// `x sigmoid(x)`, PyTorch's SiLU.
///
/// # Source
/// Ramachandran et al. 2017, <https://arxiv.org/abs/1710.05941>; `torch.nn.functional.silu`
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Swish {}

impl ActivationFunction for Swish {
    fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        kernels::map(
            x,
            #[inline(always)]
            |x| x * sigmoid(x),
            |x| x.clone() * sigmoid_by_operations(x),
        )
    }

    /// The derivative is `σ (1 + x (1 - σ))` with `σ = sigmoid(x)`.
    fn backward<const D: usize>(&self, delta: Tensor<D>, x: Tensor<D>) -> Tensor<D> {
        kernels::zip(
            delta,
            x,
            #[inline(always)]
            |delta, x| {
                let sigmoid = sigmoid(x);
                delta * (sigmoid * (1.0 + x * (1.0 - sigmoid)))
            },
            |delta, x| {
                let sigmoid = sigmoid_by_operations(x.clone());
                let opposite = sigmoid.clone().neg().add_scalar(1.0);
                let slope = (x * opposite).add_scalar(1.0) * sigmoid;
                delta * slope
            },
        )
    }

    fn fused(&self) -> Option<fused::Activation> {
        Some(fused::Activation::Swish)
    }
}
