//! The focal loss.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bce_with_logits::losses_by_operations;
use super::{LossFunction, OutputKind, Pair, TargetKind, sign_of_class};
use crate::error::check;

/// Binary cross-entropy of logits, weighted by `α_t (1 − p_t)^γ` so that samples which are right already count
/// little. Lin et al. 2017, eq. 5; `torchvision.ops.sigmoid_focal_loss`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Focal {
    /// How much less they count: 0 leaves the cross-entropy; zero or positive.
    pub gamma: f64,
    /// Weight of class 1, from 0 to 1; class 0 has the weight `1 − alpha`.
    pub alpha: f64,
}

impl Default for Focal {
    fn default() -> Self {
        Self {
            gamma: 2.0,
            alpha: 0.25,
        }
    }
}

impl LossFunction for Focal {
    fn losses(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
        let terms = self.terms(outputs, targets);
        terms.weight * terms.cross_entropy
    }

    /// Gradient: `−s α_t (1 − p_t)^γ (1 − p_t − γ p_t ln p_t)`; Lin et al. 2017, appendix B.
    fn losses_and_gradient(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Pair {
        let signs = sign_of_class(targets.clone());
        let terms = self.terms(outputs, targets);
        let right = terms.wrong.clone().neg().add_scalar(1.0);
        let slope = right * terms.cross_entropy.clone().mul_scalar(self.gamma) + terms.wrong;
        let gradient = (terms.weight.clone() * slope * signs).neg();
        (terms.weight * terms.cross_entropy, gradient)
    }

    fn outputs(&self) -> OutputKind {
        OutputKind::Logit
    }

    fn targets(&self) -> TargetKind {
        TargetKind::TwoClasses
    }

    fn validate(&self) -> Result<(), Problem> {
        let is_share = (0.0..=1.0).contains(&self.alpha);
        Problem::unless_not_negative(self.gamma, "gamma")?;
        check("alpha", self.alpha, is_share, "from 0 to 1")
    }

    fn fused(&self) -> Option<fused::Loss> {
        let (gamma, alpha) = (self.gamma, self.alpha);
        Some(fused::Loss::Focal { gamma, alpha })
    }
}

/// The factors of the focal loss.
struct Terms {
    /// `−ln p_t`
    cross_entropy: Tensor<2>,
    /// `1 − p_t`
    wrong: Tensor<2>,
    /// `α_t (1 − p_t)^γ`
    weight: Tensor<2>,
}

impl Focal {
    fn terms(&self, logits: Tensor<2>, targets: Tensor<2>) -> Terms {
        let by_class = targets
            .clone()
            .mul_scalar(2.0 * self.alpha - 1.0)
            .add_scalar(1.0 - self.alpha);
        let cross_entropy = losses_by_operations(logits.clone(), targets.clone());
        // ln (1 − p_t) = ln p_t − s z
        let log_wrong = (cross_entropy.clone() + sign_of_class(targets) * logits).neg();
        Terms {
            wrong: log_wrong.clone().exp(),
            weight: by_class * log_wrong.mul_scalar(self.gamma).exp(),
            cross_entropy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_close, evaluate};
    use super::super::{BceWithLogits, LossConfig};
    use super::*;

    #[test]
    fn it_equals_its_formula_and_without_focus_half_the_cross_entropy() {
        let focal = |gamma, alpha| LossConfig::sum(Focal { gamma, alpha });
        let (outputs, targets) = ([[0.8, -1.2]], [[1.0, 1.0]]);
        // Lin et al. 2017, eq. 5: −α_t (1 − p_t)^γ ln p_t
        let expected = |z: f64| {
            let p = 1.0 / (1.0 + (-z).exp());
            -0.25 * (1.0 - p).powi(2) * p.ln()
        };
        let (value, _) = evaluate(&focal(2.0, 0.25), &outputs, &targets);
        assert_close(&[value], &[expected(0.8) + expected(-1.2)]);
        let cross_entropy = LossConfig::sum(BceWithLogits::default());
        let (half, half_gradient) = evaluate(&focal(0.0, 0.5), &outputs, &targets);
        let (whole, gradient) = evaluate(&cross_entropy, &outputs, &targets);
        assert_close(&[2.0 * half], &[whole]);
        let doubled: Vec<f64> = half_gradient.iter().map(|g| 2.0 * g).collect();
        assert_close(&doubled, &gradient);
        // Perfectly wrong and perfectly right predictions stay finite.
        let (value, gradient) = evaluate(&focal(2.0, 0.25), &[[800.0, -800.0]], &[[0.0, 0.0]]);
        assert_close(&[value], &[0.75 * 800.0]);
        assert_close(&gradient, &[0.75, 0.0]);
    }
}
