//! RMSprop.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Rule, check_share, exactly};

/// RMSprop: each parameter's step is divided by the root mean square of its gradients. `torch.optim.RMSprop`;
/// Hinton's lecture 6e.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RmsProp {
    /// Decay of the mean of squared gradients.
    pub alpha: f64,
    /// Added to the denominator.
    pub epsilon: f64,
    /// Share of the last update that is added to the next one.
    pub momentum: f64,
    /// Factor of the L2 penalty, which is added to the gradient.
    pub weight_decay: f64,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self {
            alpha: 0.99,
            epsilon: 1e-8,
            momentum: 0.0,
            weight_decay: 0.0,
        }
    }
}

impl Rule for RmsProp {
    /// The mean of squared gradients, and the velocity if there is momentum.
    fn num_buffers(&self) -> usize {
        1 + usize::from(self.momentum > 0.0)
    }

    /// `s ← α s + (1 − α) g²`, `u = g / (√s + ε)`; the direction is `lr u`, or `lr v` with `v ← μ v + u`.
    fn direction(
        &self,
        gradient: Tensor<1>,
        buffers: Vec<Tensor<1>>,
        learning_rate: f64,
        _step: u64,
    ) -> (Tensor<1>, Vec<Tensor<1>>) {
        let scale = |gradient: Tensor<1>, square: Tensor<1>| {
            let new_square = (gradient.clone() * gradient.clone()).mul_scalar(1.0 - self.alpha);
            let square = square.mul_scalar(self.alpha) + new_square;
            let scaled = gradient / square.clone().sqrt().add_scalar(self.epsilon);
            (scaled, square)
        };
        if self.momentum == 0.0 {
            let [square] = exactly(buffers);
            let (scaled, square) = scale(gradient, square);
            return (scaled.mul_scalar(learning_rate), vec![square]);
        }
        let [square, velocity] = exactly(buffers);
        let (scaled, square) = scale(gradient, square);
        let velocity = velocity.mul_scalar(self.momentum) + scaled;
        let direction = velocity.clone().mul_scalar(learning_rate);
        (direction, vec![square, velocity])
    }

    fn penalty(&self) -> f64 {
        self.weight_decay
    }

    fn validate(&self) -> Result<(), Problem> {
        check_share("alpha", self.alpha)?;
        Problem::unless_not_negative(self.epsilon, "epsilon")?;
        check_share("momentum", self.momentum)?;
        Problem::unless_not_negative(self.weight_decay, "weight_decay")
    }

    fn fused(&self) -> Option<fused::Optimizer> {
        Some(fused::Optimizer::RmsProp {
            alpha: self.alpha,
            epsilon: self.epsilon,
            momentum: self.momentum,
            weight_decay: self.weight_decay,
        })
    }
}
