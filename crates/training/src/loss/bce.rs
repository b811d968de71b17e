//! Binary cross-entropy of probabilities.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LossFunction, OutputKind, Pair, TargetKind};

/// Binary cross-entropy of probabilities, its logarithms bounded at −100. `torch.nn.BCELoss`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bce {}

impl LossFunction for Bce {
    /// `−(y ln p + (1 − y) ln(1 − p))`.
    ///
    /// At probabilities of exactly 0 and 1 the gradient is zero. PyTorch's is 1e12 there, times the slope of
    /// the sigmoid before it, which is zero.
    fn losses(&self, probabilities: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
        let opposite = probabilities.clone().neg().add_scalar(1.0);
        let yes = targets.clone() * bounded_log(probabilities);
        let no = targets.neg().add_scalar(1.0) * bounded_log(opposite);
        (yes + no).neg()
    }

    /// Gradient: `(1 − y) / (1 − p) − y / p`.
    fn losses_and_gradient(&self, probabilities: Tensor<2>, targets: Tensor<2>) -> Pair {
        let opposite = probabilities.clone().neg().add_scalar(1.0);
        let yes = targets.clone() * slope_of_bounded_log(probabilities.clone());
        let no = targets.clone().neg().add_scalar(1.0) * slope_of_bounded_log(opposite);
        (self.losses(probabilities, targets), no - yes)
    }

    fn outputs(&self) -> OutputKind {
        OutputKind::Probabilities
    }

    fn targets(&self) -> TargetKind {
        TargetKind::TwoClasses
    }

    fn better(&self) -> Option<&'static str> {
        Some("bce_with_logits")
    }

    fn fused(&self) -> Option<fused::Loss> {
        Some(fused::Loss::Bce)
    }
}

/// `max(ln x, −100)`, PyTorch's bound, without the `0 · ∞` that the gradient of a clamped logarithm has at
/// zero.
fn bounded_log(x: Tensor<2>) -> Tensor<2> {
    let zero = x.clone().lower_equal_elem(0.0);
    x.mask_fill(zero.clone(), 1.0)
        .log()
        .mask_fill(zero, -100.0)
        .clamp_min(-100.0)
}

/// The derivative of [`bounded_log`]: `1 / x`, and zero where the bound holds.
fn slope_of_bounded_log(x: Tensor<2>) -> Tensor<2> {
    let bounded = x.clone().lower_elem((-100.0_f64).exp());
    x.recip().mask_fill(bounded, 0.0)
}

#[cfg(test)]
mod tests {
    use super::super::LossConfig;
    use super::super::testing::{assert_close, evaluate};
    use super::*;

    #[test]
    fn a_saturated_probability_costs_one_hundred() {
        // torch.nn.BCELoss(reduction="sum")(tensor([[0., 1.]]), tensor([[1., 1.]])) = 100.
        let loss = LossConfig::sum(Bce {});
        let (value, gradient) = evaluate(&loss, &[[0.0, 1.0]], &[[1.0, 1.0]]);
        assert_close(&[value], &[100.0]);
        assert!(gradient.iter().all(|g| g.is_finite()), "{gradient:?}");
        // Inside: −ln 0.25 − ln(1 − 0.2), gradients −1/p and 1/(1 − p).
        let (value, gradient) = evaluate(&loss, &[[0.25, 0.2]], &[[1.0, 0.0]]);
        assert_close(&[value], &[4f64.ln() - 0.8f64.ln()]);
        assert_close(&gradient, &[-4.0, 1.25]);
    }
}
