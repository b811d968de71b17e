//! Cross-entropy of the softmax.

use burn::tensor::Tensor;
use emberlab_fused as fused;
use emberlab_kernels::{Numbers, exp, is_on_host, vectorized};
use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LossFunction, OutputKind, Pair, TargetKind};
use crate::error::check;

/// Cross-entropy of the softmax of the outputs, one output for each class. `torch.nn.CrossEntropyLoss`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CrossEntropy {
    /// The share of each target that is spread evenly over all classes, so that the network does not become too sure;
    /// at least 0 and less than 1. Szegedy et al. 2016, <https://arxiv.org/abs/1512.00567>, section 7.
    #[serde(skip_serializing_if = "is_zero")]
    pub label_smoothing: f64,
}

/// No smoothing is not written, so the files of a run without it are as they were before this key existed.
pub(super) fn is_zero(label_smoothing: &f64) -> bool {
    *label_smoothing == 0.0
}

impl LossFunction for CrossEntropy {
    /// `ln Σ exp(z) − z_target` of each sample, `[batch_size, 1]`, the row's maximum subtracted first.
    fn losses(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
        let targets = smoothed(targets, self.label_smoothing);
        match fused(outputs, targets) {
            Ok((losses, _)) => losses,
            Err((outputs, targets)) => {
                let maximum = outputs.clone().detach().max_dim(1);
                let shifted = outputs - maximum;
                let log_sum = shifted.clone().exp().sum_dim(1).log();
                log_sum - (shifted * targets).sum_dim(1)
            }
        }
    }

    /// Gradient: the softmax less the targets.
    fn losses_and_gradient(&self, outputs: Tensor<2>, targets: Tensor<2>) -> Pair {
        let targets = smoothed(targets, self.label_smoothing);
        fused(outputs, targets).unwrap_or_else(|(outputs, targets)| {
            let maximum = outputs.clone().max_dim(1);
            let shifted = outputs - maximum;
            let exponentials = shifted.clone().exp();
            let sum = exponentials.clone().sum_dim(1);
            let gradient = exponentials / sum.clone() - targets.clone();
            (sum.log() - (shifted * targets).sum_dim(1), gradient)
        })
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
        Some(match self.label_smoothing {
            0.0 => fused::Loss::CrossEntropy,
            label_smoothing => fused::Loss::SmoothedCrossEntropy { label_smoothing },
        })
    }
}

/// `(1 − ε) y + ε / K` for `K` classes.
pub(super) fn smoothed(targets: Tensor<2>, label_smoothing: f64) -> Tensor<2> {
    if label_smoothing == 0.0 {
        return targets;
    }
    let [_, num_classes] = targets.dims();
    let even = label_smoothing / num_classes as f64;
    targets.mul_scalar(1.0 - label_smoothing).add_scalar(even)
}

/// Fails if a label smoothing is out of range.
pub(super) fn check_smoothing(label_smoothing: f64) -> Result<(), Problem> {
    let is_share = (0.0..1.0).contains(&label_smoothing);
    let expected = "at least 0 and less than 1";
    check("label_smoothing", label_smoothing, is_share, expected)
}

/// The host kernel: losses and gradient, the gradient in the memory of the targets.
///
/// # Errors
/// Outputs and targets, unless both are on the host and alike.
#[allow(clippy::result_large_err)] // the error is the two tensors, handed back
fn fused(outputs: Tensor<2>, targets: Tensor<2>) -> Result<Pair, Pair> {
    let [batch, num_classes] = outputs.dims();
    let fits = targets.dims() == outputs.dims() && num_classes > 0;
    if !fits || !is_on_host(&outputs) || !is_on_host(&targets) {
        return Err((outputs, targets));
    }
    let (mut outputs, mut targets) = (Numbers::take(outputs), Numbers::take(targets));
    let mut losses = Vec::with_capacity(batch);
    let rows = outputs.as_mut_slice().chunks_mut(num_classes);
    for (row, targets) in rows.zip(targets.as_slice().chunks(num_classes)) {
        let maximum = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut of_target = 0.0;
        for (z, y) in row.iter_mut().zip(targets) {
            *z -= maximum;
            of_target += *z * y;
        }
        losses.push(-of_target);
    }
    let numbers = outputs.as_mut_slice();
    vectorized(
        #[inline(always)]
        move || {
            for z in numbers.iter_mut() {
                *z = exp(*z);
            }
        },
    );
    let rows = targets.as_mut_slice().chunks_mut(num_classes);
    let exponentials = outputs.as_slice().chunks(num_classes);
    for ((row, exponentials), loss) in rows.zip(exponentials).zip(&mut losses) {
        let sum: f32 = exponentials.iter().sum();
        *loss += sum.ln();
        for (y, exponential) in row.iter_mut().zip(exponentials) {
            *y = exponential / sum - *y;
        }
    }
    let losses = Numbers::new(losses, [batch, 1]).into_tensor();
    Ok((losses, targets.into_tensor()))
}

#[cfg(test)]
mod tests {
    use super::super::LossConfig;
    use super::super::testing::{assert_close, evaluate};
    use super::*;

    #[test]
    fn its_gradient_is_the_softmax_less_the_targets() {
        let (value, gradient) = evaluate(
            &LossConfig::mean(CrossEntropy::default()),
            &[[1.0, 3.0], [1000.0, 0.0]],
            &[[1.0, 0.0], [1.0, 0.0]],
        );
        let p = 1.0 / (1.0 + 2f64.exp());
        assert_close(&[value], &[-p.ln() / 2.0]);
        assert_close(&gradient, &[(p - 1.0) / 2.0, (1.0 - p) / 2.0, 0.0, 0.0]);
    }
    #[test]
    fn label_smoothing_equals_pytorchs() {
        // torch.nn.CrossEntropyLoss(label_smoothing=.2)(tensor([[1., 3.], [0., 0.]]), tensor([0, 1]))
        let loss = LossConfig::mean(CrossEntropy {
            label_smoothing: 0.2,
        });
        let (value, gradient) =
            evaluate(&loss, &[[1.0, 3.0], [0.0, 0.0]], &[[1.0, 0.0], [0.0, 1.0]]);
        assert_close(&[value], &[1.3100375958014592]);
        let p = 1.0 / (1.0 + 2f64.exp());
        assert_close(&gradient, &[(p - 0.9) / 2.0, (0.9 - p) / 2.0, 0.2, -0.2]);
    }

    #[test]
    fn a_smoothing_out_of_range_is_refused() {
        for (label_smoothing, written) in [(1.0, "1"), (-0.1, "-0.1"), (f64::NAN, "NaN")] {
            let refused = LossConfig::mean(CrossEntropy { label_smoothing }).validate();
            let problem = refused.expect_err("out of range").to_string();
            let expected = "expected at least 0 and less than 1";
            assert_eq!(
                problem,
                format!("`loss.label_smoothing` is {written}, {expected}")
            );
        }
    }

    #[test]
    fn without_smoothing_nothing_is_written_of_it() {
        let written = |loss: &CrossEntropy| serde_json::to_string(loss).expect("it can be written");
        assert_eq!(written(&CrossEntropy::default()), "{}");
        let smooth = CrossEntropy {
            label_smoothing: 0.1,
        };
        assert_eq!(written(&smooth), r#"{"label_smoothing":0.1}"#);
    }
}
