//! Stochastic gradient descent.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Rule, check_share, exactly};

/// Stochastic gradient descent, with momentum if wanted. `torch.optim.SGD` without dampening.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    /// Share of the last update that is added to the next one.
    pub momentum: f64,
    /// Whether to look ahead along the momentum (Nesterov); needs `momentum`.
    pub nesterov: bool,
    /// Factor of the L2 penalty, which is added to the gradient.
    pub weight_decay: f64,
}

impl Rule for Sgd {
    /// The velocity, if there is momentum.
    fn num_buffers(&self) -> usize {
        usize::from(self.momentum > 0.0)
    }

    /// `v ← μ v + g`; the direction is `lr v`, or `lr (g + μ v)` with Nesterov.
    fn direction(
        &self,
        gradient: Tensor<1>,
        buffers: Vec<Tensor<1>>,
        learning_rate: f64,
        _step: u64,
    ) -> (Tensor<1>, Vec<Tensor<1>>) {
        let [velocity] = exactly(buffers);
        let velocity = velocity.mul_scalar(self.momentum) + gradient.clone();
        let direction = match self.nesterov {
            true => gradient + velocity.clone().mul_scalar(self.momentum),
            false => velocity.clone(),
        };
        (direction.mul_scalar(learning_rate), vec![velocity])
    }

    fn penalty(&self) -> f64 {
        self.weight_decay
    }

    fn validate(&self) -> Result<(), Problem> {
        check_share("momentum", self.momentum)?;
        Problem::unless_not_negative(self.weight_decay, "weight_decay")?;
        Problem::unless(
            !self.nesterov || self.momentum > 0.0,
            "nesterov",
            self.nesterov,
            "false unless `momentum` is above 0",
        )
    }

    fn fused(&self) -> Option<fused::Optimizer> {
        Some(fused::Optimizer::Sgd {
            momentum: self.momentum,
            nesterov: self.nesterov,
            weight_decay: self.weight_decay,
        })
    }
}
