//! The squared error.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LossFunction, OutputKind, Pair, TargetKind};

/// Squared error. `torch.nn.MSELoss`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mse {}

impl LossFunction for Mse {
    /// `(x − y)²`.
    fn losses(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
        let difference = outputs - targets;
        difference.clone() * difference
    }

    /// Gradient: `2 (x − y)`.
    fn losses_and_gradient(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Pair {
        let difference = outputs - targets;
        let gradient = difference.clone().mul_scalar(2.0);
        (difference.clone() * difference, gradient)
    }

    fn outputs(&self) -> OutputKind {
        OutputKind::Numbers
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Numbers
    }

    fn fused(&self) -> Option<fused::Loss> {
        Some(fused::Loss::Mse)
    }
}

#[cfg(test)]
mod tests {
    use super::super::LossConfig;
    use super::super::testing::{assert_close, evaluate};
    use super::*;

    #[test]
    fn it_is_the_mean_of_squared_differences() {
        let outputs = [[3.0, 0.5], [-2.0, 1.0]];
        let targets = [[1.0, 1.0], [1.0, 1.0]]; // differences 2, −0.5, −3, 0
        let (value, gradient) = evaluate(&LossConfig::mean(Mse {}), &outputs, &targets);
        assert_close(&[value], &[(4.0 + 0.25 + 9.0) / 4.0]);
        assert_close(&gradient, &[1.0, -0.25, -1.5, 0.0]);
    }
}
