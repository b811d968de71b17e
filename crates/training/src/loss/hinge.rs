//! The hinge loss.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use emberlab_fused as fused;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LossFunction, OutputKind, Pair, TargetKind, sign_of_class};

/// `max(0, 1 − s z)` with `s = 2 y − 1`: zero from a margin of 1 on, for two classes and an output `z` that is no
/// probability. Cortes and Vapnik 1995.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hinge {}

impl LossFunction for Hinge {
    fn losses(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
        relu(missing_margin(outputs, targets))
    }

    /// Gradient: `−s` where the margin is below 1, else zero.
    fn losses_and_gradient(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Pair {
        let missing = missing_margin(outputs, targets.clone());
        let enough = missing.clone().lower_equal_elem(0.0);
        let gradient = sign_of_class(targets).neg().mask_fill(enough, 0.0);
        (relu(missing), gradient)
    }

    fn outputs(&self) -> OutputKind {
        OutputKind::Logit
    }

    fn targets(&self) -> TargetKind {
        TargetKind::TwoClasses
    }

    fn fused(&self) -> Option<fused::Loss> {
        Some(fused::Loss::Hinge)
    }
}

/// `1 − s z`: the distance to a margin of 1, negative beyond it.
fn missing_margin(outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
    (sign_of_class(targets) * outputs).neg().add_scalar(1.0)
}

#[cfg(test)]
mod tests {
    use super::super::LossConfig;
    use super::super::testing::{assert_close, evaluate};
    use super::*;

    #[test]
    fn it_asks_for_a_margin_of_one() {
        // 1 − z for class 1, 1 + z for class 0; zero, with a zero gradient, from the margin on.
        let (value, gradient) = evaluate(
            &LossConfig::sum(Hinge {}),
            &[[0.25, 0.5], [1.0, -3.0]],
            &[[1.0, 0.0], [1.0, 0.0]],
        );
        assert_close(&[value], &[0.75 + 1.5]);
        assert_close(&gradient, &[-1.0, 1.0, 0.0, 0.0]);
    }
}
