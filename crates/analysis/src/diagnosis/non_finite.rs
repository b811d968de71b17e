//! Where a training first computed something that is no number: found by training again to that step.

use std::ops::ControlFlow;

use burn::module::Module;
use burn::tensor::Tensor;
use burn::train::TrainStep;
use emberlab_datasets::{Batch, DeviceDataset};
use emberlab_models::Network;
use emberlab_run_format::{Direction, Evidence, Finding, FindingKind, Place, Severity};
use emberlab_training::loss::OutputKind;
use emberlab_training::{LossConfig, Precision, SupervisedModel, TrainingError, host};

use super::finding::{evidence, finding, sentences};
use super::inspection::named_gradients;
use crate::replay::Replay;
use crate::stages::{Mode, stages};

/// Rows of the training split that are looked at before the first step.
const ROWS: usize = 1000;

/// Trains again until the loss of a batch is NaN or infinite, at most to the end of `last_epoch`, and says
/// where that came from; none if it never is.
///
/// # Errors
/// [`TrainingError::Read`] if the device fails.
pub fn find_non_finite(
    replay: Replay<'_>,
    last_epoch: usize,
) -> Result<Option<Finding>, TrainingError> {
    let head = head(replay.train);
    let at_start = rows_without_loss(&replay.network, replay.loss, &head)?;
    let num_rows = head.inputs.dims()[0];
    let precision = replay.training.precision;
    // The step before, in case its gradients are what broke the weights.
    let mut earlier: Option<(SupervisedModel, Batch, usize)> = None;
    let found = replay.run(last_epoch, |step| {
        let losses = host(Tensor::cat(step.measured.losses.clone(), 0))?;
        if losses.iter().all(|loss| loss.is_finite()) {
            earlier = Some((step.before.clone(), step.batch.clone(), step.epoch));
            return Ok(ControlFlow::Continue(()));
        }
        let broken = match earlier.take() {
            Some((before, batch, epoch)) if has_broken_weights(step.before) => {
                backward_or_update(&before, batch)?.at(epoch, step.step - 1)
            }
            _ => forward(step.before, step.batch, precision)?.at(step.epoch, step.step),
        };
        Ok(ControlFlow::Break(broken))
    })?;
    Ok(found.map(|mut broken| {
        let name = format!(
            "share of the first {num_rows} train rows without a finite loss before the first step"
        );
        broken.evidence.push(evidence(name, at_start));
        broken.finding()
    }))
}

/// Where something first was no number, and what caused it.
struct Broken {
    place: Place,
    what: String,
    evidence: Vec<Evidence>,
    causes: Vec<String>,
    remedies: Vec<String>,
}

impl Broken {
    fn new(layer: &str, direction: Direction, operation: String) -> Self {
        Self {
            what: format!("{operation} in {layer}"),
            place: Place {
                epoch: None,
                step: None,
                layer: Some(layer.to_string()),
                direction: Some(direction),
                operation: Some(operation),
            },
            evidence: Vec::new(),
            causes: Vec::new(),
            remedies: Vec::new(),
        }
    }

    fn at(mut self, epoch: usize, step: u64) -> Self {
        self.place.epoch = Some(epoch);
        self.place.step = Some(step);
        self
    }

    fn finding(self) -> Finding {
        let direction = match self.place.direction {
            Some(Direction::Backward) => "on the way back",
            Some(Direction::Update) => "when the weights moved",
            _ => "on the way forward",
        };
        let summary = format!(
            "step {} (epoch {}) is the first without a number: {}, {direction}",
            self.place.step.unwrap_or_default(),
            self.place.epoch.unwrap_or_default(),
            self.what
        );
        let mut found = finding(FindingKind::NonFinite, Severity::Error, summary);
        found.place = Some(self.place);
        found.evidence = self.evidence;
        found.causes = self.causes;
        found.remedies = self.remedies;
        found
    }
}

/// The first operation on the way to the loss that puts out something that is no number.
fn forward(
    supervised: &SupervisedModel,
    batch: &Batch,
    precision: Precision,
) -> Result<Broken, TrainingError> {
    let network = supervised.network.valid();
    let mut largest = ("the inputs".to_string(), size(&host(batch.inputs.clone())?));
    for stage in stages(&network, batch.inputs.clone(), Mode::Training) {
        let num_units = stage.values.dims()[1];
        let values = host(stage.values)?;
        let is_broken = |row: &&[f64]| row.iter().any(|v| !v.is_finite());
        let broken = values.chunks(num_units).filter(is_broken).count();
        if broken > 0 {
            let mut found = Broken::new(&stage.layer, Direction::Forward, stage.operation.name());
            let rows = values.len() / num_units;
            found.evidence = vec![
                evidence(format!("largest magnitude in {}", largest.0), largest.1),
                evidence(
                    format!("share of rows of {} without a number", stage.layer),
                    broken as f64 / rows as f64,
                ),
            ];
            found.causes = sentences(&[
                "signals that grow from layer to layer until they overflow",
                "weights that steps too large have made huge",
            ]);
            found.remedies = large_weights();
            return Ok(found);
        }
        largest = (format!("the outputs of {}", stage.layer), size(&values));
    }
    let (outputs, _) = network.forward_train(batch.inputs.clone());
    in_the_loss(supervised.loss(), outputs, batch, precision)
}

fn in_the_loss(
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
    let num_broken = rows_with_broken_loss(loss, &outputs, &batch.targets)?;
    let rows = evidence(
        "share of the batch's rows without a finite loss",
        num_broken,
    );
    let (outputs, is_naive) = (loss.function.outputs(), loss.function.is_naive());
    let mut found = match outputs {
        OutputKind::ClassLogits if is_naive && largest > bound => {
            let mut found = Broken::new("loss", Direction::Forward, "`exp` of the outputs".into());
            found.what = format!(
                "`exp` of an output of {largest:.1} overflows in the loss, which a softmax without its maximum subtracted lets happen above {bound:.1}"
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
    match outputs {
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
        OutputKind::Probabilities if loss.function.better().is_some() => {
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

fn large_weights() -> Vec<String> {
    sentences(&[
        "a smaller `optimizer.learning_rate`, or `training.gradient_clipping = { norm = 1.0 }`",
        "`model.initializer = \"kaiming_normal\"`",
        "`standardize.method = \"per_feature\"`",
    ])
}

/// The weights are broken after a step whose loss was finite: by its gradients, or by the update.
fn backward_or_update(before: &SupervisedModel, batch: Batch) -> Result<Broken, TrainingError> {
    let output = TrainStep::step(before, batch);
    let gradients = named_gradients(&before.network, &output.grads)?;
    let is_broken = |(_, numbers): &&(String, Vec<f64>)| numbers.iter().any(|g| !g.is_finite());
    // The way back goes from the last layer to the first.
    let mut found = match gradients.iter().rev().find(is_broken) {
        Some((name, numbers)) => {
            let operation = format!("the gradient of {name}");
            let mut found = Broken::new(name, Direction::Backward, operation.clone());
            found.what = operation;
            let broken = numbers.iter().filter(|g| !g.is_finite()).count();
            found.evidence = vec![evidence(
                format!("share of the gradient of {name} that is no number"),
                broken as f64 / numbers.len() as f64,
            )];
            found
        }
        None => {
            let named = gradients
                .iter()
                .map(|(name, numbers)| (name, size(numbers)));
            let largest = named.max_by(|a, b| a.1.total_cmp(&b.1));
            let (name, size) = largest.map_or(("", 0.0), |(name, size)| (name.as_str(), size));
            let mut found =
                Broken::new(name, Direction::Update, "the optimiser's step".to_string());
            found.what = format!("a finite gradient of size {size:.3e} overflows in the optimiser");
            found.evidence = vec![evidence(
                format!("largest magnitude in the gradient of {name}"),
                size,
            )];
            found
        }
    };
    found.causes = sentences(&[
        "gradients that overflow: the loss is steeper than the numbers reach",
        "steps so large that weights grow without bound",
    ]);
    found.remedies = large_weights();
    Ok(found)
}

fn has_broken_weights(supervised: &SupervisedModel) -> bool {
    let tensors = supervised.network.named_tensors();
    tensors
        .iter()
        .any(|(_, data)| data.iter::<f64>().any(|w| !w.is_finite()))
}

/// The first rows of a split.
fn head(data: &DeviceDataset) -> Batch {
    let rows = data.len().min(ROWS);
    Batch {
        inputs: data.inputs.clone().narrow(0, 0, rows),
        targets: data.targets.clone().narrow(0, 0, rows),
    }
}

/// Share of a batch's rows whose loss is no number.
fn rows_without_loss(
    network: &Network,
    loss: &LossConfig,
    batch: &Batch,
) -> Result<f64, TrainingError> {
    let (outputs, _) = network.valid().forward_train(batch.inputs.clone());
    rows_with_broken_loss(loss, &outputs, &batch.targets)
}

fn rows_with_broken_loss(
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

/// The largest magnitude.
fn size(numbers: &[f64]) -> f64 {
    numbers.iter().fold(0.0, |size, x| size.max(x.abs()))
}
