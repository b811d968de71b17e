//! The scaled exponential linear unit.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_kernels::{self as kernels, exp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::elu::elu_by_operations;
use super::{ActivationFunction, Saves};

const ALPHA: f64 = 1.673_263_242_354_377_2;
const SCALE: f64 = 1.050_700_987_355_480_5;

/// ELU scaled so that activations keep mean 0 and variance 1 from layer to layer.
///
/// # Source
/// Klambauer et al. 2017, <https://arxiv.org/abs/1706.02515>; `torch.nn.functional.selu`
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Selu {}

impl ActivationFunction for Selu {
    fn saves(&self) -> Saves {
        Saves::Output
    }

    fn is_non_decreasing(&self) -> bool {
        true
    }

    fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let (alpha, scale) = (ALPHA as f32, SCALE as f32);
        kernels::map(
            x,
            #[inline(always)]
            move |x| scale * if x > 0.0 { x } else { alpha * (exp(x) - 1.0) },
            |x| elu_by_operations(x, ALPHA).mul_scalar(SCALE),
        )
    }

    /// The derivative is `scale` where `y > 0`, else `scale alpha exp(x) = y + scale alpha`.
    fn backward<const D: usize>(&self, delta: Tensor<D>, y: Tensor<D>) -> Tensor<D> {
        let (scale, shift) = (SCALE as f32, (SCALE * ALPHA) as f32);
        kernels::zip(
            delta,
            y,
            #[inline(always)]
            move |delta, y| delta * if y > 0.0 { scale } else { y + shift },
            |delta, y| {
                let above = y.clone().greater_elem(0.0);
                let slope = y.add_scalar(SCALE * ALPHA);
                delta * slope.mask_fill(above, SCALE)
            },
        )
    }

    fn fused(&self) -> Option<fused::Activation> {
        Some(fused::Activation::Selu)
    }
}
