//! The hyperbolic tangent.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_kernels as kernels;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ActivationFunction, Saves};

/// `tanh(x)`, in (-1, 1).
///
/// # Source
/// `torch.tanh`
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tanh {}

impl ActivationFunction for Tanh {
    fn saves(&self) -> Saves {
        Saves::Output
    }

    fn is_non_decreasing(&self) -> bool {
        true
    }

    /// `1 - y²`: the slope is largest at 0, where it is 1.
    fn relative_slope(&self, y: f64) -> Option<f64> {
        Some(1.0 - y * y)
    }

    fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        kernels::map(x, kernels::tanh, Tensor::tanh)
    }

    /// The derivative is `1 - y²`.
    fn backward<const D: usize>(&self, delta: Tensor<D>, y: Tensor<D>) -> Tensor<D> {
        kernels::zip(
            delta,
            y,
            #[inline(always)]
            |delta, y| delta * (1.0 - y * y),
            |delta, y| {
                let slope = (y.clone() * y).neg().add_scalar(1.0);
                delta * slope
            },
        )
    }

    fn fused(&self) -> Option<fused::Activation> {
        Some(fused::Activation::Tanh)
    }
}
