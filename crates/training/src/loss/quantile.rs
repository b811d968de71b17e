//! The quantile loss.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LossFunction, OutputKind, Pair, TargetKind};
use crate::error::check;

/// Absolute error with one weight for outputs that are too small and another for those too large, so that the network
/// learns a quantile of the targets. `sklearn.metrics.mean_pinball_loss`; Koenker and Bassett 1978,
/// <https://doi.org/10.2307/1913643>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Quantile {
    /// The share of targets that should lie below the output; above 0 and below 1. 0.5 is the median.
    pub quantile: f64,
}

impl Default for Quantile {
    fn default() -> Self {
        Self { quantile: 0.5 }
    }
}

impl LossFunction for Quantile {
    /// `q d` above the output and `(q − 1) d` below it, where `d = y − x`: `|d| / 2 + (q − ½) d`.
    fn losses(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
        self.of_difference(targets - outputs)
    }

    /// Gradient: `−q` above the output, `1 − q` below it, their mean at it.
    fn losses_and_gradient(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Pair {
        let difference = targets - outputs;
        let half = difference.clone().sign().mul_scalar(-0.5);
        let gradient = half.sub_scalar(self.quantile - 0.5);
        (self.of_difference(difference), gradient)
    }

    fn outputs(&self) -> OutputKind {
        OutputKind::Numbers
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Numbers
    }

    fn validate(&self) -> Result<(), Problem> {
        let is_inside = self.quantile > 0.0 && self.quantile < 1.0;
        check("quantile", self.quantile, is_inside, "above 0 and below 1")
    }

    fn fused(&self) -> Option<fused::Loss> {
        let quantile = self.quantile;
        Some(fused::Loss::Quantile { quantile })
    }
}

impl Quantile {
    fn of_difference(&self, difference: Tensor<2>) -> Tensor<2> {
        difference.clone().abs().mul_scalar(0.5) + difference.mul_scalar(self.quantile - 0.5)
    }
}

#[cfg(test)]
mod tests {
    use super::super::LossConfig;
    use super::super::testing::{assert_close, evaluate};
    use super::*;

    #[test]
    fn it_equals_scikit_learns_pinball_loss() {
        let outputs = [[3.0, 0.5], [-2.0, 1.0]];
        let targets = [[1.0, 1.0], [1.0, 1.0]];
        // sklearn.metrics.mean_pinball_loss([1, 1, 1, 1], [3, .5, -2, 1], alpha=.9) = 0.8375
        let loss = LossConfig::mean(Quantile { quantile: 0.9 });
        let (value, gradient) = evaluate(&loss, &outputs, &targets);
        assert_close(&[value], &[0.8375]);
        // (1 − q) / 4, −q / 4, −q / 4, and the mean of both where output and target are equal.
        assert_close(&gradient, &[0.025, -0.225, -0.225, -0.1]);
    }

    #[test]
    fn the_constant_with_the_least_loss_is_the_quantile() {
        let targets: Vec<[f64; 2]> = (0..50)
            .map(|i| [f64::from(2 * i), f64::from(2 * i + 1)])
            .collect();
        let loss_of = |constant: f64| {
            let loss = LossConfig::mean(Quantile { quantile: 0.9 });
            evaluate(&loss, &vec![[constant; 2]; 50], &targets).0
        };
        let best = (0..100)
            .map(f64::from)
            .min_by(|a, b| loss_of(*a).total_cmp(&loss_of(*b)));
        // The numbers are 0 to 99: 90 % of them lie below 90, and none between 89 and 90.
        assert!(matches!(best, Some(89.0 | 90.0)), "{best:?}");
    }

    #[test]
    fn a_quantile_of_zero_or_one_is_refused() {
        for (quantile, written) in [(0.0, "0"), (1.0, "1"), (f64::NAN, "NaN")] {
            let refused = LossConfig::mean(Quantile { quantile }).validate();
            let problem = refused.expect_err("out of range").to_string();
            let expected = format!("`loss.quantile` is {written}, expected above 0 and below 1");
            assert_eq!(problem, expected);
        }
    }
}
