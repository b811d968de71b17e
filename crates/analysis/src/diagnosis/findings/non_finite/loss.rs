//! A loss that is NaN or infinite although the outputs of the network are finite.

use burn::tensor::Tensor;
use emberlab_datasets::Batch;
use emberlab_run_format::Direction;
use emberlab_training::loss::{OutputKind, TargetKind};
use emberlab_training::{LossConfig, Precision, TrainingError, host};

use super::locate::{Broken, large_weights, size};
use crate::diagnosis::wording::{evidence, sentences};

/// Names the operation within the loss, for outputs that are finite.
pub(super) fn within_the_loss(
    loss: &LossConfig,
    outputs: Tensor<2>,
    batch: &Batch,
    precision: Precision,
) -> Result<Broken, TrainingError> {
    let numbers = host(outputs.clone())?;
    let largest = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Where exp overflows.
    let bound = match precision {
        Precision::F32 => f64::from(f32::MAX).ln(),
        Precision::F64 => f64::MAX.ln(),
    };
    let broken_rows = share_of_broken_rows(loss, &outputs, &batch.targets)?;
    let rows = evidence(
        "share of the batch's rows without a finite loss",
        broken_rows,
    );
    let (kind, is_naive) = (loss.function.outputs(), loss.function.is_naive());
    let mut found = match kind {
        OutputKind::ClassLogits if is_naive && largest > bound => {
            let mut found = Broken::new("loss", Direction::Forward, "`exp` of the outputs".into());
            found.what = format!(
                "`exp` of an output of {largest:.1} overflows in the loss, which happens above {bound:.1} if a softmax does not subtract the largest output first"
            );
            found.evidence = vec![
                evidence("largest output", largest),
                evidence(
                    format!("largest number whose exp is finite in {precision}"),
                    bound,
                ),
            ];
            found
        }
        OutputKind::ClassLogits if is_naive => {
            let mut found = Broken::new("loss", Direction::Forward, "`log` of the softmax".into());
            found.what =
                "the `log` of a probability that was rounded to zero, in the loss".to_string();
            let smallest = numbers.iter().copied().fold(f64::INFINITY, f64::min);
            found.evidence = vec![evidence(
                "largest difference of two outputs",
                largest - smallest,
            )];
            found
        }
        OutputKind::Probabilities if is_naive => {
            let mut found = Broken::new("loss", Direction::Forward, "`log` of 1 − p".into());
            let ends = numbers.iter().filter(|p| **p <= 0.0 || **p >= 1.0).count();
            found.what = format!(
                "the `log` of zero in the loss: {ends} of {} probabilities are exactly 0 or 1, and the bound 1 − 1e-12 is 1 in {precision}",
                numbers.len()
            );
            found.evidence = vec![evidence(
                "probabilities that are exactly 0 or 1",
                ends as f64,
            )];
            found
        }
        _ => {
            let mut found = Broken::new("loss", Direction::Forward, format!("`{}`", loss.name()));
            found.what = format!(
                "the loss `{}` of outputs of up to {:.3e} overflows",
                loss.name(),
                size(&numbers)
            );
            found.evidence = vec![evidence("largest magnitude of an output", size(&numbers))];
            found
        }
    };
    found.evidence.push(rows);
    match kind {
        OutputKind::ClassLogits => {
            found.causes = sentences(&[
                "a softmax written without subtracting the largest output",
                "outputs that start far too large: standard normal weights add up over hundreds of inputs",
            ]);
            found.remedies = sentences(&[
                "`loss.name = \"cross_entropy\"`, which subtracts the largest output first",
                "`model.initializer = \"kaiming_normal\"`: a stable loss survives bad weights, but trains badly on them",
            ]);
        }
        OutputKind::Probabilities if loss.function.targets() == TargetKind::TwoClasses => {
            found.causes = sentences(&[
                "a logarithm of a probability that has been rounded to 0 or 1",
                "outputs that have grown without bound",
            ]);
            found.remedies = sentences(&["`loss.name = \"bce_with_logits\"` on linear outputs"]);
            found.remedies.extend(large_weights());
        }
        _ => {
            found.causes = sentences(&[
                "steps so large that weights, and outputs with them, grow without bound",
            ]);
            found.remedies = large_weights();
        }
    }
    Ok(found)
}

/// Share of the rows whose loss is NaN or infinite.
pub(super) fn share_of_broken_rows(
    loss: &LossConfig,
    outputs: &Tensor<2>,
    targets: &Tensor<2>,
) -> Result<f64, TrainingError> {
    let num_rows = outputs.dims()[0];
    let row = |tensor: &Tensor<2>, i: usize| tensor.clone().narrow(0, i, 1);
    let losses = (0..num_rows).map(|i| loss.forward(row(outputs, i), row(targets, i)));
    let losses = host(Tensor::cat(losses.collect(), 0))?;
    let broken = losses.iter().filter(|loss| !loss.is_finite()).count();
    Ok(broken as f64 / num_rows as f64)
}
