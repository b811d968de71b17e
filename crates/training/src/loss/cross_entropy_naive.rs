//! Cross-entropy of the softmax as courses write it.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LossFunction, OutputKind, Pair, TargetKind};

/// Cross-entropy of the softmax as courses write it, to see why it breaks; never to train with.
///
/// The maximum is not subtracted before `exp`, which overflows from 89 on in float32.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrossEntropyNaive {}

impl LossFunction for CrossEntropyNaive {
    /// `−ln(exp(z_target) / Σ exp(z))` of each sample, `[batch_size, 1]`, as it stands.
    fn losses(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
        let exponentials = outputs.exp();
        let softmax = exponentials.clone() / exponentials.sum_dim(1);
        (softmax.log() * targets).sum_dim(1).neg()
    }

    /// Gradient: through the logarithm, the quotient and `exp`, one after the other.
    fn losses_and_gradient(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Pair {
        let exponentials = outputs.clone().exp();
        let sum = exponentials.clone().sum_dim(1);
        let softmax = exponentials.clone() / sum.clone();
        let slope = (targets.clone() / softmax).neg() / sum.clone();
        let of_sum = (slope.clone() * exponentials.clone()).sum_dim(1) / sum;
        let gradient = (slope - of_sum) * exponentials;
        (self.losses(outputs, targets), gradient)
    }

    fn outputs(&self) -> OutputKind {
        OutputKind::ClassLogits
    }

    fn targets(&self) -> TargetKind {
        TargetKind::OneHot
    }

    fn is_naive(&self) -> bool {
        true
    }

    fn better(&self) -> Option<&'static str> {
        Some("cross_entropy")
    }

    fn fused(&self) -> Option<fused::Loss> {
        Some(fused::Loss::CrossEntropyNaive)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_close, evaluate};
    use super::super::{CrossEntropy, LossConfig};
    use super::*;

    #[test]
    fn it_equals_the_stable_loss_for_small_outputs_and_is_nan_for_large_ones() {
        let naive = LossConfig::sum(CrossEntropyNaive {});
        let small = ([[0.25, 0.2], [0.9, 0.4]], [[1.0, 0.0], [0.0, 1.0]]);
        let (expected, gradient) = evaluate(
            &LossConfig::sum(CrossEntropy::default()),
            &small.0,
            &small.1,
        );
        let (value, found) = evaluate(&naive, &small.0, &small.1);
        assert_close(&[value], &[expected]);
        assert_close(&found, &gradient);
        let (value, _) = evaluate(&naive, &[[800.0, 0.0]], &[[1.0, 0.0]]);
        assert!(value.is_nan(), "{value}");
    }
}
