//! Gradient clipping over all parameters at once, as PyTorch does it.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A bound on gradients.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum GradientClipping {
    /// Every element into `[-value, value]`. `torch.nn.utils.clip_grad_value_`.
    Value(f64),
    /// All gradients scaled together so that their joint 2-norm is at most this.
    /// `torch.nn.utils.clip_grad_norm_`; Pascanu et al. 2013, algorithm 1.
    Norm(f64),
}

impl GradientClipping {
    /// Checks that the bound is positive.
    ///
    /// # Errors
    /// [`Problem`] if it is not.
    pub fn validate(&self) -> Result<(), Problem> {
        let (key, bound) = match self {
            Self::Value(v) => ("training.gradient_clipping.value", *v),
            Self::Norm(n) => ("training.gradient_clipping.norm", *n),
        };
        Problem::unless_positive(bound, key)
    }

    /// The bound in the plan of a training by fused kernels.
    pub(crate) fn fused(self) -> fused::Clipping {
        match self {
            Self::Value(value) => fused::Clipping::Value(value),
            Self::Norm(norm) => fused::Clipping::Norm(norm),
        }
    }

    /// The gradients of a stack of networks, clipped separately for each network.
    pub fn clip_stack<M: Module>(
        &self,
        module: &M,
        gradients: GradientsParams,
        num_replicas: usize,
    ) -> GradientsParams {
        let factor = match self {
            Self::Value(_) => None,
            Self::Norm(max_norm) => {
                let mut squares = SumOfSquares {
                    gradients: &gradients,
                    num_replicas,
                    total: None,
                };
                module.visit(&mut squares);
                // PyTorch's formula, its 1e-6 included.
                squares.total.map(|total| {
                    total
                        .sqrt()
                        .add_scalar(1e-6)
                        .recip()
                        .mul_scalar(*max_norm)
                        .clamp_max(1.0)
                })
            }
        };
        let mut clip = Clip {
            clipping: *self,
            factor,
            gradients,
            clipped: GradientsParams::new(),
        };
        module.visit(&mut clip);
        clip.clipped
    }
}

struct SumOfSquares<'a> {
    gradients: &'a GradientsParams,
    num_replicas: usize,
    /// `[num_replicas]`
    total: Option<Tensor<1>>,
}

impl ModuleVisitor for SumOfSquares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            let squares = gradient.clone() * gradient;
            let square = match self.num_replicas {
                1 => squares.sum(),
                n => {
                    let each: Tensor<2> = squares.flatten::<1>(0, D - 1).reshape([n as i64, -1]);
                    each.sum_dim(1).squeeze_dim(1)
                }
            };
            self.total = Some(match self.total.take() {
                Some(total) => total + square,
                None => square,
            });
        }
    }
}

struct Clip {
    clipping: GradientClipping,
    /// Shape `[num_replicas]`, on the device: reading it would stall a GPU.
    factor: Option<Tensor<1>>,
    gradients: GradientsParams,
    clipped: GradientsParams,
}

impl ModuleVisitor for Clip {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else {
            return;
        };
        let clipped = match (self.clipping, &self.factor) {
            (GradientClipping::Value(bound), _) => gradient.clamp(-bound, bound),
            (GradientClipping::Norm(_), Some(factor)) => {
                let mut shape = [1; D];
                shape[0] = factor.dims()[0];
                gradient * factor.clone().reshape(shape)
            }
            (GradientClipping::Norm(_), None) => gradient,
        };
        self.clipped.register(param.id, clipped);
    }
}
