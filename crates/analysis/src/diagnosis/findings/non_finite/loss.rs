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
    let broken_rows = share_of_broken_rows(loss, &outputs, &batch.targets)?;
    let numbers = host(outputs)?;
    let kind = loss.function.outputs();
    let mut found = match (kind, loss.function.is_naive()) {
        (OutputKind::ClassLogits, true) => naive_softmax(&numbers, precision),
        (OutputKind::Probabilities, true) => naive_logarithm(&numbers, precision),
        (OutputKind::Logit | OutputKind::Numbers, true) | (_, false) => {
            overflow(loss.name(), &numbers)
        }
    };
    found.evidence.push(evidence(
        "share of the batch's rows without a finite loss",
        broken_rows,
    ));
    let takes_logarithm = loss.function.targets() == TargetKind::TwoClasses;
    (found.causes, found.remedies) = match kind {
        OutputKind::ClassLogits => (
            sentences(&[
                "a softmax that does not subtract the largest output first",
                "outputs that start far too large: standard normal weights add up over hundreds of inputs",
            ]),
            sentences(&[
                "`loss.name = \"cross_entropy\"`, which subtracts the largest output first",
                "`model.initializer = \"kaiming_normal\"`: a stable loss stays finite with bad weights, but trains badly on them",
            ]),
        ),
        OutputKind::Probabilities if takes_logarithm => {
            let mut remedies = sentences(&["`loss.name = \"bce_with_logits\"` on linear outputs"]);
            remedies.extend(large_weights());
            let causes = sentences(&[
                "a logarithm of a probability that has been rounded to 0 or 1",
                "outputs that have grown without bound",
            ]);
            (causes, remedies)
        }
        OutputKind::Probabilities | OutputKind::Logit | OutputKind::Numbers => (
            sentences(&["steps so large that weights, and outputs with them, grow without bound"]),
            large_weights(),
        ),
    };
    Ok(found)
}

/// A softmax that takes the exponential of the outputs as they are.
fn naive_softmax(outputs: &[f64], precision: Precision) -> Broken {
    let largest = outputs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let smallest = outputs.iter().copied().fold(f64::INFINITY, f64::min);
    // Above this, exp overflows.
    let bound = match precision {
        Precision::F32 => f64::from(f32::MAX).ln(),
        Precision::F64 => f64::MAX.ln(),
    };
    if largest <= bound {
        let mut found = Broken::new("loss", Direction::Forward, "`log` of the softmax".into());
        found.what = "the `log` of a probability that was rounded to zero, in the loss".to_string();
        found.evidence = vec![evidence(
            "largest difference of two outputs",
            largest - smallest,
        )];
        return found;
    }
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

/// A logarithm of probabilities that may be exactly 0 or 1.
fn naive_logarithm(probabilities: &[f64], precision: Precision) -> Broken {
    let ends = probabilities.iter().filter(|p| **p <= 0.0 || **p >= 1.0);
    let ends = ends.count();
    let mut found = Broken::new("loss", Direction::Forward, "`log` of 1 − p".into());
    found.what = format!(
        "the `log` of zero in the loss: {ends} of {} probabilities are exactly 0 or 1, and the bound 1 − 1e-12 is 1 in {precision}",
        probabilities.len()
    );
    found.evidence = vec![evidence(
        "probabilities that are exactly 0 or 1",
        ends as f64,
    )];
    found
}

/// Outputs so large that the loss overflows.
fn overflow(loss: &str, outputs: &[f64]) -> Broken {
    let largest = size(outputs);
    let mut found = Broken::new("loss", Direction::Forward, format!("`{loss}`"));
    found.what = format!("the loss `{loss}` of outputs of up to {largest:.3e} overflows");
    found.evidence = vec![evidence("largest magnitude of an output", largest)];
    found
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
