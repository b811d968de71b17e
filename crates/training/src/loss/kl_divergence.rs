//! Kullback-Leibler divergence of the softmax from the targets.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cross_entropy::{check_smoothing, is_zero, smoothed};
use super::{CrossEntropy, LossFunction, OutputKind, Pair, TargetKind};

/// Kullback-Leibler divergence of the softmax of the outputs from the probabilities of the targets: the cross-entropy
/// less the entropy of the targets, so that it is 0 where the two are equal.
/// `torch.nn.KLDivLoss(reduction="batchmean")` of `log_softmax`.
///
/// The probabilities of a class are 1 and 0, and their entropy is 0. With label smoothing the entropy of the targets is
/// above 0, and so is the lowest possible cross-entropy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KlDivergence {
    /// The share of each target that is spread evenly over all classes; at least 0 and less than 1.
    #[serde(skip_serializing_if = "is_zero")]
    pub label_smoothing: f64,
}

impl LossFunction for KlDivergence {
    /// `Σ y (ln y − ln softmax(z))` of each sample, `[batch_size, 1]`.
    fn losses(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
        let targets = smoothed(targets, self.label_smoothing);
        let entropies = entropies(targets.clone());
        CrossEntropy::default().losses(outputs, targets) - entropies
    }

    /// Gradient: that of the cross-entropy, since the entropy of the targets has none.
    fn losses_and_gradient(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Pair {
        let targets = smoothed(targets, self.label_smoothing);
        let entropies = entropies(targets.clone());
        let (losses, gradient) = CrossEntropy::default().losses_and_gradient(outputs, targets);
        (losses - entropies, gradient)
    }

    fn outputs(&self) -> OutputKind {
        OutputKind::ClassLogits
    }

    fn targets(&self) -> TargetKind {
        TargetKind::OneHot
    }

    fn validate(&self) -> Result<(), Problem> {
        check_smoothing(self.label_smoothing)
    }

    fn fused(&self) -> Option<fused::Loss> {
        let label_smoothing = self.label_smoothing;
        Some(fused::Loss::KlDivergence { label_smoothing })
    }
}

/// `−Σ y ln y` of each row, in which 0 ln 0 is 0: `[batch_size, 1]`.
fn entropies(probabilities: Tensor<2>) -> Tensor<2> {
    let is_zero = probabilities.clone().equal_elem(0.0);
    let logarithms = probabilities.clone().mask_fill(is_zero, 1.0).log();
    (probabilities * logarithms).sum_dim(1).neg()
}

#[cfg(test)]
mod tests {
    use super::super::LossConfig;
    use super::super::testing::{assert_close, evaluate};
    use super::*;

    #[test]
    fn it_is_zero_where_the_softmax_is_the_targets() {
        let targets = [[0.25, 0.75], [0.5, 0.5]];
        let outputs = targets.map(|row| row.map(|p: f64| p.ln() + 3.0));
        let loss = LossConfig::sum(KlDivergence::default());
        let (value, gradient) = evaluate(&loss, &outputs, &targets);
        assert_close(&[value], &[0.0]);
        assert_close(&gradient, &[0.0; 4]);
    }

    #[test]
    fn it_is_the_cross_entropy_less_the_entropy_of_the_smoothed_targets() {
        let (outputs, targets) = ([[1.0, 3.0], [0.5, -2.0]], [[1.0, 0.0], [0.0, 1.0]]);
        for label_smoothing in [0.0, 0.2] {
            let cross_entropy = LossConfig::sum(CrossEntropy { label_smoothing });
            let divergence = LossConfig::sum(KlDivergence { label_smoothing });
            let (expected, gradient) = evaluate(&cross_entropy, &outputs, &targets);
            let (value, found) = evaluate(&divergence, &outputs, &targets);
            let shares = [1.0 - label_smoothing / 2.0, label_smoothing / 2.0];
            let terms = shares.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln());
            let entropy: f64 = terms.sum();
            assert_close(&[value], &[expected - 2.0 * entropy]);
            assert_close(&found, &gradient);
        }
    }

    #[test]
    fn a_smoothing_out_of_range_is_refused() {
        let refused = LossConfig::mean(KlDivergence {
            label_smoothing: 1.0,
        });
        let problem = refused.validate().expect_err("out of range").to_string();
        let expected = "`loss.label_smoothing` is 1, expected at least 0 and less than 1";
        assert_eq!(problem, expected);
    }
}
