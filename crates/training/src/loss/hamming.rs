//! The Hamming distance, which has no gradient.

use burn::tensor::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LossFunction, OutputKind, Pair, TargetKind};

/// Hamming distance of targets and outputs after a threshold of 0.5: the share that is wrong. Its gradient is zero,
/// so that no network can train with it; a training says so before its first step.
/// `sklearn.metrics.hamming_loss`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hamming {}

impl LossFunction for Hamming {
    /// `|[x > ½] − y|`. Autodiff needs a path to the outputs, so a term with slope zero is added.
    fn losses(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
        let flat = outputs.clone().mul_scalar(0.0);
        let labels = outputs.detach().greater_elem(0.5).float();
        (labels.cast(flat.dtype()) - targets).abs() + flat
    }

    /// Gradient: zero.
    fn losses_and_gradient(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Pair {
        (self.losses(outputs.clone(), targets), outputs.zeros_like())
    }

    fn outputs(&self) -> OutputKind {
        OutputKind::Probabilities
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Classes
    }

    fn is_flat(&self) -> bool {
        true
    }

    fn better(&self) -> Option<&'static str> {
        Some("soft_hamming")
    }
}

#[cfg(test)]
mod tests {
    use super::super::LossConfig;
    use super::super::testing::evaluate;
    use super::*;

    #[test]
    fn it_is_the_share_that_is_wrong_and_flat() {
        let (outputs, targets) = ([[0.9, 0.2], [0.4, 0.6]], [[1.0, 1.0], [0.0, 0.0]]);
        // sklearn.metrics.hamming_loss(targets, outputs > 0.5) = 0.5
        let (value, gradient) = evaluate(&LossConfig::mean(Hamming {}), &outputs, &targets);
        assert_eq!((value, gradient), (0.5, vec![0.0; 4]));
    }
}
