//! The Poisson loss.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LossFunction, OutputKind, Pair, TargetKind};

/// `exp(x) − y x` for counts `y`, whose expected number is `exp(x)`: the negative log-likelihood of the Poisson
/// distribution without the terms that no output changes. `torch.nn.PoissonNLLLoss`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Poisson {}

impl LossFunction for Poisson {
    fn losses(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
        outputs.clone().exp() - targets * outputs
    }

    /// Gradient: `exp(x) − y`.
    fn losses_and_gradient(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Pair {
        let rates = outputs.clone().exp();
        let losses = rates.clone() - targets.clone() * outputs;
        (losses, rates - targets)
    }

    fn outputs(&self) -> OutputKind {
        OutputKind::Numbers
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Counts
    }

    fn fused(&self) -> Option<fused::Loss> {
        Some(fused::Loss::Poisson)
    }
}

#[cfg(test)]
mod tests {
    use super::super::LossConfig;
    use super::super::testing::{assert_close, evaluate};
    use super::*;

    #[test]
    fn it_is_least_where_the_expected_number_is_the_count() {
        let counts = [[1.0, 7.0], [3.0, 20.0]];
        let outputs = counts.map(|row| row.map(f64::ln));
        let (value, gradient) = evaluate(&LossConfig::sum(Poisson {}), &outputs, &counts);
        let expected: f64 = counts.iter().flatten().map(|y| y - y * y.ln()).sum();
        assert_close(&[value], &[expected]);
        assert_close(&gradient, &[0.0; 4]);
    }
}
