//! The Hamming distance of probabilities.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LossFunction, Mae, OutputKind, Pair, TargetKind};

/// Hamming distance without the threshold: `|p − y|` of probabilities, which a network can train with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SoftHamming {}

impl LossFunction for SoftHamming {
    fn losses(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
        Mae {}.losses(outputs, targets)
    }

    fn losses_and_gradient(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Pair {
        Mae {}.losses_and_gradient(outputs, targets)
    }

    fn outputs(&self) -> OutputKind {
        OutputKind::Probabilities
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Classes
    }

    fn fused(&self) -> Option<fused::Loss> {
        Mae {}.fused()
    }
}

#[cfg(test)]
mod tests {
    use super::super::LossConfig;
    use super::super::testing::{assert_close, evaluate};
    use super::*;

    #[test]
    fn it_is_the_distance_of_probabilities_and_has_a_slope() {
        let (outputs, targets) = ([[0.9, 0.2], [0.4, 0.6]], [[1.0, 1.0], [0.0, 0.0]]);
        let (value, gradient) = evaluate(&LossConfig::mean(SoftHamming {}), &outputs, &targets);
        assert_close(&[value], &[(0.1 + 0.8 + 0.4 + 0.6) / 4.0]);
        assert_close(&gradient, &[-0.25, -0.25, 0.25, 0.25]);
    }
}
