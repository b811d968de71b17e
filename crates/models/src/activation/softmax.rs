//! Softmax.

use burn::tensor::Tensor;
use burn::tensor::activation::softmax;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ActivationFunction, Saves};

/// `exp(x) / sum(exp(x))` over the last dimension.
///
/// # Source
/// `torch.softmax`
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Softmax {}

impl ActivationFunction for Softmax {
    fn saves(&self) -> Saves {
        Saves::Output
    }

    fn is_elementwise(&self) -> bool {
        false
    }

    fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        softmax(x, D - 1)
    }

    /// The Jacobian of a row is `diag(y) - y yᵀ`.
    fn backward<const D: usize>(&self, delta: Tensor<D>, y: Tensor<D>) -> Tensor<D> {
        let mean = (delta.clone() * y.clone()).sum_dim(D - 1);
        (delta - mean) * y
    }
}
