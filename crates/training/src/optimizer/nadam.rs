//! Adam with Nesterov momentum.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Rule, check_share, exactly};

/// Adam that looks ahead along its momentum, which grows with the steps. `torch.optim.NAdam`; Dozat 2016,
/// <https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NAdam {
    /// Decay of the mean of gradients.
    pub beta_1: f64,
    /// Decay of the mean of squared gradients.
    pub beta_2: f64,
    /// Added to the denominator.
    pub epsilon: f64,
    /// How soon the momentum grows from half of `beta_1` to all of it; zero keeps the half.
    pub momentum_decay: f64,
    /// Factor of the L2 penalty, which is added to the gradient.
    pub weight_decay: f64,
}

impl Default for NAdam {
    fn default() -> Self {
        Self {
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            momentum_decay: 0.004,
            weight_decay: 0.0,
        }
    }
}

impl Rule for NAdam {
    /// The mean of the gradients, and that of their squares.
    fn num_buffers(&self) -> usize {
        2
    }

    /// `m ← β₁ m + (1 − β₁) g`, `v ← β₂ v + (1 − β₂) g²`; the direction is `lr (a g + b m) / (√v̂ + ε)` with the
    /// factors of [`nadam_factors`](fused::nadam_factors) and `v̂ = v / (1 − β₂ᵗ)`.
    fn direction(
        &self,
        gradient: Tensor<1>,
        buffers: Vec<Tensor<1>>,
        learning_rate: f64,
        step: u64,
    ) -> (Tensor<1>, Vec<Tensor<1>>) {
        let [mean, square] = exactly(buffers);
        let mean = mean.mul_scalar(self.beta_1) + gradient.clone().mul_scalar(1.0 - self.beta_1);
        let new_square = (gradient.clone() * gradient.clone()).mul_scalar(1.0 - self.beta_2);
        let square = square.mul_scalar(self.beta_2) + new_square;
        let root = (1.0 - self.beta_2.powf(step as f64)).sqrt();
        let root = square.clone().sqrt().div_scalar(root);
        let (of_gradient, of_mean) = fused::nadam_factors(self.beta_1, self.momentum_decay, step);
        let ahead = gradient.mul_scalar(learning_rate * of_gradient)
            + mean.clone().mul_scalar(learning_rate * of_mean);
        (ahead / root.add_scalar(self.epsilon), vec![mean, square])
    }

    fn penalty(&self) -> f64 {
        self.weight_decay
    }

    fn validate(&self) -> Result<(), Problem> {
        check_share("beta_1", self.beta_1)?;
        check_share("beta_2", self.beta_2)?;
        Problem::unless_not_negative(self.epsilon, "epsilon")?;
        Problem::unless_not_negative(self.momentum_decay, "momentum_decay")?;
        Problem::unless_not_negative(self.weight_decay, "weight_decay")
    }

    fn fused(&self) -> Option<fused::Optimizer> {
        Some(fused::Optimizer::NAdam {
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            epsilon: self.epsilon,
            momentum_decay: self.momentum_decay,
            weight_decay: self.weight_decay,
        })
    }
}
