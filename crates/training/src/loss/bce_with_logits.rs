//! Binary cross-entropy of logits.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_kernels::{exp, ln_1p, zip, zip_to_both};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LossFunction, OutputKind, Pair, TargetKind};

/// Binary cross-entropy of logits, finite for every finite logit. `torch.nn.BCEWithLogitsLoss`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BceWithLogits {}

impl LossFunction for BceWithLogits {
    fn losses(&self, logits: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
        let fused = |z: f32, y| loss(z, y, exp(-z.abs()));
        zip(logits, targets, fused, losses_by_operations)
    }

    /// Gradient: `σ(z) − y`.
    fn losses_and_gradient(&self, logits: Tensor<2>, targets: Tensor<2>) -> Pair {
        let fused = |z: f32, y| {
            let decay = exp(-z.abs());
            let above = 1.0 / (1.0 + decay); // σ(|z|)
            let sigmoid = if z < 0.0 { decay * above } else { above };
            (loss(z, y, decay), sigmoid - y)
        };
        zip_to_both(logits, targets, fused, |logits, targets| {
            let negative = logits.clone().lower_elem(0.0);
            let decay = logits.clone().abs().neg().exp(); // exp(−|z|)
            let positive = decay.clone().add_scalar(1.0).recip(); // σ(|z|)
            let sigmoid = positive.clone().mask_where(negative, decay * positive);
            let gradient = sigmoid - targets.clone();
            (losses_by_operations(logits, targets), gradient)
        })
    }

    fn outputs(&self) -> OutputKind {
        OutputKind::Logit
    }

    fn targets(&self) -> TargetKind {
        TargetKind::TwoClasses
    }

    fn fused(&self) -> Option<fused::Loss> {
        Some(fused::Loss::BceWithLogits)
    }
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
        let loss = LossConfig::sum(BceWithLogits {});
        let (value, gradient) = evaluate(&loss, &[[0.0, 0.0]], &[[0.0, 1.0]]);
        assert_close(&[value], &[2.0 * std::f64::consts::LN_2]);
        assert_close(&gradient, &[0.5, -0.5]);
        // A perfectly wrong and a perfectly right prediction: 800 and exp(−800) = 0.
        let (value, gradient) = evaluate(&loss, &[[800.0, -800.0]], &[[0.0, 0.0]]);
        assert_close(&[value], &[800.0]);
        assert_close(&gradient, &[1.0, 0.0]);
    }
}
