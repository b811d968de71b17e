//! The identity.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ActivationFunction, Saves};

/// `x`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Linear {}

impl ActivationFunction for Linear {
    fn saves(&self) -> Saves {
        Saves::Nothing
    }

    fn is_non_decreasing(&self) -> bool {
        true
    }

    fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        x
    }

    fn backward<const D: usize>(&self, delta: Tensor<D>, _: Tensor<D>) -> Tensor<D> {
        delta
    }

    fn fused(&self) -> Option<fused::Activation> {
        Some(fused::Activation::Linear)
    }
}
