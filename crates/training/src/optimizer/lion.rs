//! Lion.

use burn::tensor::Tensor;
use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Rule, check_share, exactly};

/// Lion: every parameter moves by the learning rate, along the sign of a mean of gradients. Chen et al. 2023,
/// <https://arxiv.org/abs/2302.06675>, algorithm 2.
///
/// Steps are longer than Adam's, so the authors take a learning rate three to ten times smaller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Lion {
    /// Share of the mean of gradients in the step; the new gradient has the rest.
    pub beta_1: f64,
    /// Decay of the mean of gradients.
    pub beta_2: f64,
    /// Share of each parameter that is removed per unit of learning rate.
    pub weight_decay: f64,
}

impl Default for Lion {
    fn default() -> Self {
        Self {
            beta_1: 0.9,
            beta_2: 0.99,
            weight_decay: 0.0,
        }
    }
}

impl Rule for Lion {
    /// The mean of the gradients.
    fn num_buffers(&self) -> usize {
        1
    }

    /// The direction is `lr sign(β₁ m + (1 − β₁) g)`; then `m ← β₂ m + (1 − β₂) g`.
    fn direction(
        &self,
        gradient: Tensor<1>,
        buffers: Vec<Tensor<1>>,
        learning_rate: f64,
        _step: u64,
    ) -> (Tensor<1>, Vec<Tensor<1>>) {
        let [mean] = exactly(buffers);
        let mixed =
            |beta: f64| mean.clone().mul_scalar(beta) + gradient.clone().mul_scalar(1.0 - beta);
        let step = mixed(self.beta_1);
        // Burn's sign of NaN is zero, which would hide that a training has failed.
        let sign = step.clone().sign().mask_where(step.clone().is_nan(), step);
        let direction = sign.mul_scalar(learning_rate);
        (direction, vec![mixed(self.beta_2)])
    }

    /// None: the weight decay of Lion is no penalty.
    fn penalty(&self) -> f64 {
        0.0
    }

    fn decoupled_decay(&self) -> f64 {
        self.weight_decay
    }

    fn validate(&self) -> Result<(), Problem> {
        check_share("beta_1", self.beta_1)?;
        check_share("beta_2", self.beta_2)?;
        Problem::unless_not_negative(self.weight_decay, "weight_decay")
    }
}
