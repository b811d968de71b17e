//! The logarithm of the hyperbolic cosine.

use std::f64::consts::LN_2;

use burn::tensor::Tensor;
use emberlab_fused as fused;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LossFunction, OutputKind, Pair, TargetKind};

/// `ln cosh(x − y)`: half the squared error near zero, the absolute error less `ln 2` far away, and smooth throughout.
/// `keras.losses.LogCosh`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogCosh {}

impl LossFunction for LogCosh {
    fn losses(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
        log_cosh(outputs - targets)
    }

    /// Gradient: `tanh(x − y)`.
    fn losses_and_gradient(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Pair {
        let difference = outputs - targets;
        (log_cosh(difference.clone()), difference.tanh())
    }

    fn outputs(&self) -> OutputKind {
        OutputKind::Numbers
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Numbers
    }

    fn fused(&self) -> Option<fused::Loss> {
        Some(fused::Loss::LogCosh)
    }
}

/// `|d| + ln(1 + exp(−2 |d|)) − ln 2`, which does not overflow.
fn log_cosh(difference: Tensor<2>) -> Tensor<2> {
    let distance = difference.abs();
    let rest = distance.clone().mul_scalar(-2.0).exp().log1p();
    distance + rest.sub_scalar(LN_2)
}

#[cfg(test)]
mod tests {
    use super::super::LossConfig;
    use super::super::testing::{assert_close, evaluate};
    use super::*;

    #[test]
    fn it_equals_its_formula_and_does_not_overflow() {
        let outputs = [[3.0, 0.5], [-2.0, 1.0], [1e4, -1e4]];
        let targets = [[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]];
        let (value, gradient) = evaluate(&LossConfig::sum(LogCosh {}), &outputs, &targets);
        let expected = 2f64.cosh().ln() + 0.5f64.cosh().ln() + 3f64.cosh().ln() + 2e4 - 2.0 * LN_2;
        assert!((value - expected).abs() < 1e-10, "{value}");
        let expected = [2f64.tanh(), -0.5f64.tanh(), -3f64.tanh(), 0.0, 1.0, -1.0];
        assert_close(&gradient, &expected);
    }
}
