//! The exponential linear unit.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use emberlab_fused as fused;
use emberlab_kernels::{self as kernels, exp};
use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ActivationFunction, Saves};

/// `x` above zero, else `alpha (exp(x) - 1)`; gradient `alpha` at 0.
///
/// # Source
/// Clevert et al. 2015, <https://arxiv.org/abs/1511.07289>; `torch.nn.functional.elu`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Elu {
    /// Minus the value far below zero.
    pub alpha: f64,
}

impl Default for Elu {
    fn default() -> Self {
        Self { alpha: 1.0 }
    }
}

impl ActivationFunction for Elu {
    fn validate(&self, key: &str) -> Result<(), Problem> {
        Problem::unless_finite(self.alpha, format!("{key}.alpha"))
    }

    /// The output is enough for `alpha = 1`, where the derivative below zero is `y + 1`.
    fn saves(&self) -> Saves {
        match self.alpha == 1.0 {
            true => Saves::Output,
            false => Saves::Input,
        }
    }

    fn is_non_decreasing(&self) -> bool {
        self.alpha >= 0.0
    }

    fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let alpha = self.alpha as f32;
        kernels::map(
            x,
            #[inline(always)]
            move |x| if x > 0.0 { x } else { alpha * (exp(x) - 1.0) },
            |x| elu_by_operations(x, self.alpha),
        )
    }

    /// The derivative is 1 where `x > 0`, else `alpha exp(x)`, which is `y + 1` for `alpha = 1`.
    fn backward<const D: usize>(&self, delta: Tensor<D>, saved: Tensor<D>) -> Tensor<D> {
        if self.alpha == 1.0 {
            return kernels::zip(
                delta,
                saved,
                #[inline(always)]
                move |delta, y| delta * if y > 0.0 { 1.0 } else { y + 1.0 },
                |delta, y| delta * y.clamp_max(0.0).add_scalar(1.0),
            );
        }
        let alpha = self.alpha as f32;
        kernels::zip(
            delta,
            saved,
            #[inline(always)]
            move |delta, x| delta * if x > 0.0 { 1.0 } else { alpha * exp(x) },
            |delta, x| {
                let above = x.clone().greater_elem(0.0);
                let slope = x.clamp_max(0.0).exp().mul_scalar(self.alpha);
                delta * slope.mask_fill(above, 1.0)
            },
        )
    }

    fn fused(&self) -> Option<fused::Activation> {
        Some(fused::Activation::Elu { alpha: self.alpha })
    }
}

/// Adds both branches, each of which is constant where the other holds. `exp` never sees a positive number, so
/// neither values nor gradients overflow. At 0 `clamp_max` passes the gradient on, and `relu` does not.
pub(super) fn elu_by_operations<const D: usize>(x: Tensor<D>, alpha: f64) -> Tensor<D> {
    let below = x.clone().clamp_max(0.0).exp().sub_scalar(1.0);
    let below = match alpha == 1.0 {
        true => below,
        false => below.mul_scalar(alpha),
    };
    relu(x) + below
}
