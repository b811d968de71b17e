//! The absolute error.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LossFunction, OutputKind, Pair, TargetKind};

/// Absolute error. `torch.nn.L1Loss`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mae {}

impl LossFunction for Mae {
    /// `|x − y|`.
    fn losses(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
        (outputs - targets).abs()
    }

    /// Gradient: the sign of `x − y`, zero at zero.
    fn losses_and_gradient(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Pair {
        let difference = outputs - targets;
        (difference.clone().abs(), difference.sign())
    }

    fn outputs(&self) -> OutputKind {
        OutputKind::Numbers
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Numbers
    }

    fn fused(&self) -> Option<fused::Loss> {
        Some(fused::Loss::Mae)
    }
}

#[cfg(test)]
mod tests {
    use super::super::LossConfig;
    use super::super::testing::{assert_close, evaluate};
    use super::*;

    #[test]
    fn it_is_the_mean_of_absolute_differences() {
        let outputs = [[3.0, 0.5], [-2.0, 1.0]];
        let targets = [[1.0, 1.0], [1.0, 1.0]]; // differences 2, −0.5, −3, 0
        let (value, gradient) = evaluate(&LossConfig::mean(Mae {}), &outputs, &targets);
        assert_close(&[value], &[5.5 / 4.0]);
        assert_close(&gradient, &[0.25, -0.25, -0.25, 0.0]);
    }
}
