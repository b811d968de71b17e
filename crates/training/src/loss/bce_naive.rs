//! Binary cross-entropy of probabilities as courses write it.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LossFunction, OutputKind, Pair, TargetKind};

/// Binary cross-entropy of probabilities as courses write it, to see why it breaks; never to train with.
///
/// Probabilities are bounded to `[1e-12, 1 − 1e-12]`. In float32 the upper bound is 1, so that a saturated output
/// gives NaN.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BceNaive {}

/// The smallest and the largest probability.
const BOUNDS: [f64; 2] = [1e-12, 1.0 - 1e-12];

impl LossFunction for BceNaive {
    /// `−(y ln p + (1 − y) ln(1 − p))` of bounded probabilities.
    fn losses(&self, probabilities: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
        let [low, high] = BOUNDS;
        let bounded = probabilities.clamp(low, high);
        let yes = targets.clone() * bounded.clone().log();
        let no = targets.neg().add_scalar(1.0) * bounded.neg().add_scalar(1.0).log();
        (yes + no).neg()
    }

    /// Gradient: `(1 − y) / (1 − p) − y / p`, and zero outside the bounds.
    fn losses_and_gradient(&self, probabilities: Tensor<2>, targets: Tensor<2>) -> Pair {
        let [low, high] = BOUNDS;
        let outside = probabilities
            .clone()
            .lower_elem(low)
            .bool_or(probabilities.clone().greater_elem(high));
        let bounded = probabilities.clone().clamp(low, high);
        let opposite = bounded.clone().neg().add_scalar(1.0);
        let yes = targets.clone() / bounded;
        let no = targets.clone().neg().add_scalar(1.0) / opposite;
        let gradient = (no - yes).mask_fill(outside, 0.0);
        (self.losses(probabilities, targets), gradient)
    }

    fn outputs(&self) -> OutputKind {
        OutputKind::Probabilities
    }

    fn targets(&self) -> TargetKind {
        TargetKind::TwoClasses
    }

    fn is_naive(&self) -> bool {
        true
    }

    fn better(&self) -> Option<&'static str> {
        Some("bce_with_logits")
    }

    fn fused(&self) -> Option<fused::Loss> {
        Some(fused::Loss::BceNaive)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device};

    use super::super::testing::{assert_close, evaluate};
    use super::super::{Bce, LossConfig};
    use super::*;

    #[test]
    fn it_equals_the_stable_loss_inside_and_is_nan_at_a_saturated_output_in_float32() {
        let inside = ([[0.25, 0.2], [0.9, 0.4]], [[1.0, 0.0], [0.0, 1.0]]);
        let (expected, gradient) = evaluate(&LossConfig::sum(Bce {}), &inside.0, &inside.1);
        let (value, found) = evaluate(&LossConfig::sum(BceNaive {}), &inside.0, &inside.1);
        assert_close(&[value], &[expected]);
        assert_close(&found, &gradient);
        // 1 − 1e-12 is 1 in float32, so that 0 · ln 0 is NaN.
        let one = Tensor::<2>::from_data([[1.0_f32]], (&Device::flex(), DType::F32));
        let loss = LossConfig::sum(BceNaive {}).forward(one.clone(), one);
        assert!(loss.into_scalar::<f32>().is_nan());
    }
}
