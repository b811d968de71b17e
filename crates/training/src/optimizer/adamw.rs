//! Adam with decoupled weight decay.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Adam, Rule};

/// Adam with decoupled weight decay. `torch.optim.AdamW`; Loshchilov and Hutter 2019, algorithm 2.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdamW {
    /// Decay of the mean of gradients.
    pub beta_1: f64,
    /// Decay of the mean of squared gradients.
    pub beta_2: f64,
    /// Added to the denominator.
    pub epsilon: f64,
    /// Share of each parameter that is removed per unit of learning rate.
    pub weight_decay: f64,
}

impl Default for AdamW {
    fn default() -> Self {
        Self {
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.01,
        }
    }
}

impl Rule for AdamW {
    /// The mean of the gradients, and that of their squares.
    fn num_buffers(&self) -> usize {
        2
    }

    fn direction(
        &self,
        gradient: Tensor<1>,
        buffers: Vec<Tensor<1>>,
        learning_rate: f64,
        step: u64,
    ) -> (Tensor<1>, Vec<Tensor<1>>) {
        self.as_adam()
            .direction(gradient, buffers, learning_rate, step)
    }

    /// None: the weight decay of AdamW is no penalty.
    fn penalty(&self) -> f64 {
        0.0
    }

    fn decoupled_decay(&self) -> f64 {
        self.weight_decay
    }

    fn validate(&self) -> Result<(), Problem> {
        self.as_adam().validate()
    }

    fn fused(&self) -> Option<fused::Optimizer> {
        Some(fused::Optimizer::Adam {
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            epsilon: self.epsilon,
            weight_decay: self.penalty(),
            decoupled_decay: self.decoupled_decay(),
        })
    }
}

impl AdamW {
    /// The same hyperparameters: steps and ranges are those of Adam.
    fn as_adam(&self) -> Adam {
        Adam {
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            epsilon: self.epsilon,
            weight_decay: self.weight_decay,
        }
    }
}
