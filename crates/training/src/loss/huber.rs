//! The Huber loss.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LossFunction, OutputKind, Pair, TargetKind};

/// Squared error near zero, absolute error beyond `delta`. `torch.nn.HuberLoss`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Huber {
    /// Where the loss turns from squared to absolute, in units of the target; positive.
    pub delta: f64,
}

impl Default for Huber {
    fn default() -> Self {
        Self { delta: 1.0 }
    }
}

impl LossFunction for Huber {
    fn losses(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
        self.of_difference(outputs - targets)
    }

    /// Gradient: `x − y`, bounded to `[−δ, δ]`.
    fn losses_and_gradient(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Pair {
        let difference = outputs - targets;
        let gradient = difference.clone().clamp(-self.delta, self.delta);
        (self.of_difference(difference), gradient)
    }

    fn outputs(&self) -> OutputKind {
        OutputKind::Numbers
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Numbers
    }

    fn validate(&self) -> Result<(), Problem> {
        Problem::unless_positive(self.delta, "delta")
    }

    fn fused(&self) -> Option<fused::Loss> {
        Some(fused::Loss::Huber { delta: self.delta })
    }
}

impl Huber {
    /// With `|d| = q + r`, `q = min(|d|, δ)`: `q²/2 + δ r`, whose gradient is `clamp(d, −δ, δ)` everywhere.
    fn of_difference(&self, difference: Tensor<2>) -> Tensor<2> {
        let distance = difference.abs();
        let near = distance.clone().clamp_max(self.delta);
        let far = distance - near.clone();
        (near.clone() * near).mul_scalar(0.5) + far.mul_scalar(self.delta)
    }
}

#[cfg(test)]
mod tests {
    use super::super::LossConfig;
    use super::super::testing::{assert_close, evaluate};
    use super::*;

    #[test]
    fn it_is_squared_up_to_delta_and_linear_beyond() {
        let outputs = [[3.0, 0.5], [-2.0, 1.0]];
        let targets = [[1.0, 1.0], [1.0, 1.0]]; // differences 2, −0.5, −3, 0
        let loss = LossConfig::mean(Huber { delta: 1.0 });
        let (value, gradient) = evaluate(&loss, &outputs, &targets);
        assert_close(&[value], &[(1.5 + 0.125 + 2.5) / 4.0]);
        assert_close(&gradient, &[0.25, -0.125, -0.25, 0.0]);
    }

    #[test]
    fn a_delta_of_zero_is_refused() {
        let refused = LossConfig::mean(Huber { delta: 0.0 }).validate();
        let problem = refused.expect_err("out of range").to_string();
        assert_eq!(
            problem,
            "`loss.delta` is 0, expected a finite number above zero"
        );
    }
}
