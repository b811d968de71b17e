//! The rectified linear unit with a slope below zero.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_kernels as kernels;
use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ActivationFunction;

/// `x` above zero, else `alpha x`; gradient `alpha` at 0.
///
/// # Source
/// Maas et al. 2013; `torch.nn.functional.leaky_relu`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LeakyRelu {
    /// Slope at and below zero.
    pub alpha: f64,
}

impl Default for LeakyRelu {
    fn default() -> Self {
        Self { alpha: 0.01 }
    }
}

impl ActivationFunction for LeakyRelu {
    fn validate(&self, key: &str) -> Result<(), Problem> {
        Problem::unless_finite(self.alpha, format!("{key}.alpha"))
    }

    fn is_non_decreasing(&self) -> bool {
        self.alpha >= 0.0
    }

    fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let alpha = self.alpha as f32;
        kernels::map(
            x,
            #[inline(always)]
            move |x| if x <= 0.0 { alpha * x } else { x },
            |x| {
                // Burn's own has gradient 1 at zero.
                let below = x.clone().lower_equal_elem(0.0);
                let scaled = x.clone().mul_scalar(self.alpha);
                x.mask_where(below, scaled)
            },
        )
    }

    /// The derivative is 1 where `x > 0`, else `alpha`; at NaN it is `alpha` too, as in PyTorch.
    fn backward<const D: usize>(&self, delta: Tensor<D>, x: Tensor<D>) -> Tensor<D> {
        let alpha = self.alpha as f32;
        kernels::zip(
            delta,
            x,
            #[inline(always)]
            move |delta, x| if x > 0.0 { delta } else { alpha * delta },
            |delta, x| {
                let above = x.greater_elem(0.0);
                let scaled = delta.clone().mul_scalar(self.alpha);
                scaled.mask_where(above, delta)
            },
        )
    }

    fn fused(&self) -> Option<fused::Activation> {
        Some(fused::Activation::LeakyRelu { alpha: self.alpha })
    }
}
