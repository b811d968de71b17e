//! Binary cross-entropy of logits.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_kernels::{exp, ln_1p, zip, zip_to_both};
use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LossFunction, OutputKind, Pair, TargetKind};

/// Binary cross-entropy of logits, finite for every finite logit. `torch.nn.BCEWithLogitsLoss`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BceWithLogits {
    /// The weight of class 1, `pos_weight` in PyTorch; positive. Class 0 has the weight 1.
    #[serde(skip_serializing_if = "is_one")]
    pub positive_weight: f64,
}

/// A weight of 1 is not written, so the files of a run without one are as they were before this key existed.
fn is_one(positive_weight: &f64) -> bool {
    *positive_weight == 1.0
}

impl Default for BceWithLogits {
    fn default() -> Self {
        Self {
            positive_weight: 1.0,
        }
    }
}

impl LossFunction for BceWithLogits {
    /// `(1 − y) z + (1 + (w − 1) y) ln(1 + exp(−z))`, which is the loss without a weight `w`, and
    /// `(w − 1) y ln(1 + exp(−z))`.
    fn losses(&self, logits: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
        if self.positive_weight == 1.0 {
            return unweighted_losses(logits, targets);
        }
        let of_class_1 = unweighted_losses(logits.clone(), targets.ones_like());
        let extra = (targets.clone() * of_class_1).mul_scalar(self.positive_weight - 1.0);
        unweighted_losses(logits, targets) + extra
    }

    /// Gradient: `σ(z) − y`, and `(w − 1) y (σ(z) − 1)` with a weight.
    fn losses_and_gradient(&self, logits: Tensor<2>, targets: Tensor<2>) -> Pair {
        if self.positive_weight == 1.0 {
            return unweighted(logits, targets);
        }
        let extra = targets.clone().mul_scalar(self.positive_weight - 1.0);
        let (of_class_1, slope) = unweighted(logits.clone(), targets.ones_like());
        let (losses, gradient) = unweighted(logits, targets);
        (
            losses + extra.clone() * of_class_1,
            gradient + extra * slope,
        )
    }

    fn outputs(&self) -> OutputKind {
        OutputKind::Logit
    }

    fn targets(&self) -> TargetKind {
        TargetKind::TwoClasses
    }

    fn validate(&self) -> Result<(), Problem> {
        let weight = self.positive_weight;
        Problem::unless_positive(weight, "positive_weight")
    }

    fn fused(&self) -> Option<fused::Loss> {
        Some(match self.positive_weight {
            1.0 => fused::Loss::BceWithLogits,
            positive_weight => fused::Loss::WeightedBceWithLogits { positive_weight },
        })
    }
}

/// Losses where both classes have the weight 1.
fn unweighted_losses(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
    zip(
        logits,
        targets,
        #[inline(always)]
        |z, y| loss(z, y, exp(-z.abs())),
        losses_by_operations,
    )
}

/// Losses and gradient where both classes have the weight 1.
fn unweighted(logits: Tensor<2>, targets: Tensor<2>) -> Pair {
    zip_to_both(
        logits,
        targets,
        #[inline(always)]
        |z, y| {
            let decay = exp(-z.abs());
            let above = 1.0 / (1.0 + decay); // σ(|z|)
            let sigmoid = if z < 0.0 { decay * above } else { above };
            (loss(z, y, decay), sigmoid - y)
        },
        |logits, targets| {
            let negative = logits.clone().lower_elem(0.0);
            let decay = logits.clone().abs().neg().exp(); // exp(−|z|)
            let positive = decay.clone().add_scalar(1.0).recip(); // σ(|z|)
            let sigmoid = positive.clone().mask_where(negative, decay * positive);
            let gradient = sigmoid - targets.clone();
            (losses_by_operations(logits, targets), gradient)
        },
    )
}

/// `max(z, 0) − z y + ln(1 + exp(−|z|))`, with `max(z, 0) = (z + |z|) / 2` so that autodiff's subgradient of `|z|`
/// at zero gives the true derivative `1/2 − y` there (zero weights start there).
pub(super) fn losses_by_operations(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
    let magnitude = logits.clone().abs();
    let positive_part = (logits.clone() + magnitude.clone()).mul_scalar(0.5);
    positive_part - logits * targets + magnitude.neg().exp().log1p()
}

/// `max(z, 0) − z y + ln(1 + decay)`, where `decay` is `exp(−|z|)`.
#[inline(always)]
fn loss(z: f32, y: f32, decay: f32) -> f32 {
    let positive_part = if z < 0.0 { 0.0 } else { z };
    positive_part - z * y + ln_1p(decay)
}

#[cfg(test)]
mod tests {
    use super::super::LossConfig;
    use super::super::testing::{assert_close, evaluate};
    use super::*;

    #[test]
    fn its_gradient_at_zero_is_pytorchs_and_it_stays_finite() {
        // torch.nn.BCEWithLogitsLoss(reduction="sum") at z = 0: ln 2 each, gradient σ(0) − y.
        let loss = LossConfig::sum(BceWithLogits::default());
        let (value, gradient) = evaluate(&loss, &[[0.0, 0.0]], &[[0.0, 1.0]]);
        assert_close(&[value], &[2.0 * std::f64::consts::LN_2]);
        assert_close(&gradient, &[0.5, -0.5]);
        // A perfectly wrong and a perfectly right prediction: 800 and exp(−800) = 0.
        let (value, gradient) = evaluate(&loss, &[[800.0, -800.0]], &[[0.0, 0.0]]);
        assert_close(&[value], &[800.0]);
        assert_close(&gradient, &[1.0, 0.0]);
    }
    #[test]
    fn a_positive_weight_equals_pytorchs() {
        // torch.nn.BCEWithLogitsLoss(pos_weight=tensor(3.), reduction="sum")(tensor([.5, -1.5, 2, 0]),
        //                                                                    tensor([1, 0, .25, 0]))
        let loss = LossConfig::sum(BceWithLogits {
            positive_weight: 3.0,
        });
        let (outputs, targets) = ([[0.5, -1.5], [2.0, 0.0]], [[1.0, 0.0], [0.25, 0.0]]);
        let (value, gradient) = evaluate(&loss, &outputs, &targets);
        assert_close(&[value], &[4.007183427647477]);
        assert_close(
            &gradient,
            &[
                -1.132622006394436,
                0.18242552380635635,
                0.5711956169668235,
                0.5,
            ],
        );
    }

    #[test]
    fn a_weight_of_zero_is_refused() {
        let loss = LossConfig::mean(BceWithLogits {
            positive_weight: 0.0,
        });
        let problem = loss.validate().expect_err("out of range").to_string();
        assert_eq!(
            problem,
            "`loss.positive_weight` is 0, expected a finite number above zero"
        );
    }
}
