//! The first operation of a training whose result is NaN or infinite, found by repeating the training up to it.

use std::ops::ControlFlow;

use burn::module::Module;
use burn::tensor::Tensor;
use emberlab_datasets::{Batch, DeviceDataset};
use emberlab_models::{Mode, Network};
use emberlab_run_format::{Direction, Evidence, Finding, FindingKind, Place, Severity};
use emberlab_training::inspection::named_gradients;
use emberlab_training::{LossConfig, Precision, SupervisedModel, TrainingError, host};

use super::loss::{share_of_broken_rows, within_the_loss};
use crate::diagnosis::wording::{evidence, finding, sentences};
use crate::replay::Replay;

/// Rows of the training split whose losses are computed before the first step.
const ROWS: usize = 1000;

/// Repeats a training until the loss of a batch is NaN or infinite, at most to the end of `last_epoch`, and
/// returns a finding with the layer and operation that caused it; none if every loss is finite.
///
/// # Errors
/// [`TrainingError::Read`] if the device fails.
pub fn locate_non_finite(
    replay: Replay<'_>,
    last_epoch: usize,
) -> Result<Option<Finding>, TrainingError> {
    let head = head(replay.train);
    let share_at_start = broken_rows_at_start(&replay.network, replay.loss, &head)?;
    let num_rows = head.inputs.dims()[0];
    let precision = replay.training.precision;
    // The step before, in case its gradients made the weights NaN or infinite.
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
        broken.evidence.push(evidence(name, share_at_start));
        broken.finding()
    }))
}

/// The operation whose result was the first that is NaN or infinite, and what caused it.
pub(super) struct Broken {
    place: Place,
    /// The operation, as the summary names it.
    pub(super) what: String,
    pub(super) evidence: Vec<Evidence>,
    pub(super) causes: Vec<String>,
    pub(super) remedies: Vec<String>,
}

impl Broken {
    pub(super) fn new(layer: &str, direction: Direction, operation: String) -> Self {
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
            Some(Direction::Backward) => "in the backward pass",
            Some(Direction::Update) => "in the update of the weights",
            Some(Direction::Forward) | None => "in the forward pass",
        };
        let summary = format!(
            "step {} (epoch {}) is the first with NaN or infinity: {}, {direction}",
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

/// The first operation of the forward pass whose result is NaN or infinite.
fn forward(
    supervised: &SupervisedModel,
    batch: &Batch,
    precision: Precision,
) -> Result<Broken, TrainingError> {
    let network = supervised.network.valid();
    let mut largest = ("the inputs".to_string(), size(&host(batch.inputs.clone())?));
    for stage in network.stages(batch.inputs.clone(), Mode::Training) {
        let part = stage.operation.part();
        let num_units = stage.outputs.dims()[1];
        let values = host(stage.outputs)?;
        let is_broken = |row: &&[f64]| row.iter().any(|v| !v.is_finite());
        let broken = values.chunks(num_units).filter(is_broken).count();
        if broken > 0 {
            let mut found = Broken::new(&part, Direction::Forward, stage.operation.description());
            let rows = values.len() / num_units;
            found.evidence = vec![
                evidence(format!("largest magnitude in {}", largest.0), largest.1),
                evidence(
                    format!("share of the rows of {part} with NaN or infinity"),
                    broken as f64 / rows as f64,
                ),
            ];
            found.causes = sentences(&[
                "signals that grow from layer to layer until they overflow",
                "weights that have grown huge in steps that are too large",
            ]);
            found.remedies = large_weights();
            return Ok(found);
        }
        largest = (format!("the outputs of {part}"), size(&values));
    }
    let (outputs, _) = network.forward_train(batch.inputs.clone(), None);
    within_the_loss(supervised.loss(), outputs, batch, precision)
}

pub(super) fn large_weights() -> Vec<String> {
    sentences(&[
        "a smaller `optimizer.learning_rate`, or `training.gradient_clipping = { norm = 1.0 }`",
        "`model.initializer = \"kaiming_normal\"`",
        "`standardize.method = \"per_feature\"`",
    ])
}

/// Looks into a step whose loss was finite, and whose weights afterwards are not: its gradients, then its update.
fn backward_or_update(before: &SupervisedModel, batch: Batch) -> Result<Broken, TrainingError> {
    let output = before.gradients(&batch, None);
    let gradients = named_gradients(&before.network, &output.grads)?;
    let is_broken = |(_, numbers): &&(String, Vec<f64>)| numbers.iter().any(|g| !g.is_finite());
    // The backward pass goes from the last layer to the first.
    let mut found = match gradients.iter().rev().find(is_broken) {
        Some((name, numbers)) => {
            let operation = format!("the gradient of {name}");
            let mut found = Broken::new(name, Direction::Backward, operation.clone());
            found.what = operation;
            let broken = numbers.iter().filter(|g| !g.is_finite()).count();
            found.evidence = vec![evidence(
                format!("share of the gradient of {name} that is NaN or infinite"),
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
        "gradients that overflow: they are larger than the largest float",
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
    Batch::of_range(data, 0..rows)
}

/// Share of a batch's rows whose loss is NaN or infinite under the initial weights.
fn broken_rows_at_start(
    network: &Network,
    loss: &LossConfig,
    batch: &Batch,
) -> Result<f64, TrainingError> {
    let (outputs, _) = network.valid().forward_train(batch.inputs.clone(), None);
    share_of_broken_rows(loss, &outputs, &batch.targets)
}

/// The largest magnitude.
pub(super) fn size(numbers: &[f64]) -> f64 {
    numbers.iter().fold(0.0, |size, x| size.max(x.abs()))
}
