//! The logistic function.

use burn::tensor::activation::{log_sigmoid, sigmoid};
use burn::tensor::{DType, Tensor};
use emberlab_fused as fused;
use emberlab_kernels as kernels;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ActivationFunction, Saves};

/// `1 / (1 + exp(-x))`, in (0, 1).
///
/// # Source
/// `torch.sigmoid`
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sigmoid {}

impl ActivationFunction for Sigmoid {
    fn saves(&self) -> Saves {
        Saves::Output
    }

    fn is_non_decreasing(&self) -> bool {
        true
    }

    /// `4 y (1 - y)`: the slope is largest at 0, where it is 1/4.
    fn relative_slope(&self, y: f64) -> Option<f64> {
        Some(4.0 * y * (1.0 - y))
    }

    fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        kernels::map(x, kernels::sigmoid, sigmoid_by_operations)
    }

    /// The derivative is `y (1 - y)`.
    fn backward<const D: usize>(&self, delta: Tensor<D>, y: Tensor<D>) -> Tensor<D> {
        kernels::zip(
            delta,
            y,
            #[inline(always)]
            |delta, y| delta * (y * (1.0 - y)),
            |delta, y| {
                let opposite = y.clone().neg().add_scalar(1.0);
                delta * (y * opposite)
            },
        )
    }

    fn fused(&self) -> Option<fused::Activation> {
        Some(fused::Activation::Sigmoid)
    }
}

/// The logistic function at the tensor's own precision.
pub(super) fn sigmoid_by_operations<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    match x.dtype() {
        // Some devices compute Burn's sigmoid of f64 tensors in f32, but not its logarithm.
        DType::F64 => log_sigmoid(x).exp(),
        _ => sigmoid(x),
    }
}
