//! The rectified linear unit.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use emberlab_fused as fused;
use emberlab_kernels as kernels;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ActivationFunction, Saves};

/// `max(x, 0)`; gradient 0 at 0.
///
/// # Source
/// Nair and Hinton 2010; `torch.nn.functional.relu`
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Relu {}

impl ActivationFunction for Relu {
    fn saves(&self) -> Saves {
        Saves::Output
    }

    fn is_non_decreasing(&self) -> bool {
        true
    }

    fn can_die(&self) -> bool {
        true
    }

    fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        // This comparison, unlike a maximum, leaves NaN as it is.
        kernels::map(
            x,
            #[inline(always)]
            |x| if x < 0.0 { 0.0 } else { x },
            relu,
        )
    }

    /// The derivative is 1 where `y > 0`, else 0.
    fn backward<const D: usize>(&self, delta: Tensor<D>, y: Tensor<D>) -> Tensor<D> {
        kernels::zip(
            delta,
            y,
            #[inline(always)]
            |delta, y| if y <= 0.0 { 0.0 } else { delta },
            |delta, y| delta.mask_fill(y.lower_equal_elem(0.0), 0.0),
        )
    }

    fn fused(&self) -> Option<fused::Activation> {
        Some(fused::Activation::Relu)
    }
}
