//! AdaGrad.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Rule, exactly};

/// AdaGrad: each parameter's step is divided by the root of the sum of all its squared gradients.
/// `torch.optim.Adagrad` without its own decay of the learning rate, which is a schedule's task; Duchi et al. 2011,
/// <https://jmlr.org/papers/v12/duchi11a.html>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdaGrad {
    /// Added to the denominator.
    pub epsilon: f64,
    /// Factor of the L2 penalty, which is added to the gradient.
    pub weight_decay: f64,
}

impl Default for AdaGrad {
    fn default() -> Self {
        Self {
            epsilon: 1e-10,
            weight_decay: 0.0,
        }
    }
}

impl Rule for AdaGrad {
    /// The sum of the squared gradients.
    fn num_buffers(&self) -> usize {
        1
    }

    /// `s ← s + g²`; the direction is `lr g / (√s + ε)`.
    fn direction(
        &self,
        gradient: Tensor<1>,
        buffers: Vec<Tensor<1>>,
        learning_rate: f64,
        _step: u64,
    ) -> (Tensor<1>, Vec<Tensor<1>>) {
        let [sum] = exactly(buffers);
        let sum = sum + gradient.clone() * gradient.clone();
        let root = sum.clone().sqrt().add_scalar(self.epsilon);
        (gradient.mul_scalar(learning_rate) / root, vec![sum])
    }

    fn penalty(&self) -> f64 {
        self.weight_decay
    }

    fn validate(&self) -> Result<(), Problem> {
        Problem::unless_not_negative(self.epsilon, "epsilon")?;
        Problem::unless_not_negative(self.weight_decay, "weight_decay")
    }

    fn fused(&self) -> Option<fused::Optimizer> {
        Some(fused::Optimizer::AdaGrad {
            epsilon: self.epsilon,
            weight_decay: self.weight_decay,
        })
    }
}
