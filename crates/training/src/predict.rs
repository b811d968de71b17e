//! Predictions of a network on a whole split, in evaluation mode.

use std::ops::Range;

use burn::tensor::Tensor;
use emberlab_datasets::{Batch, DeviceDataset};
use emberlab_metrics::{Metric, SplitMetrics};

use crate::error::TrainingError;
use crate::metric_accumulator::MetricAccumulator;
use crate::supervised_model::SupervisedModel;
use crate::task::Task;

/// The outputs of a network on a split, and their metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicted {
    /// Loss and scores.
    pub metrics: SplitMetrics,
    /// The raw outputs, `[num_samples × d_output]` row by row; for a regression in the units of the data.
    pub outputs: Vec<f64>,
}

/// Predicts a split in evaluation mode, with the metrics on request among `asked`.
///
/// # Errors
/// [`TrainingError::Read`] if the device fails.
pub fn predict(
    plain: &SupervisedModel,
    data: &DeviceDataset,
    task: &Task,
    asked: &[Metric],
) -> Result<Predicted, TrainingError> {
    let nothing = || TrainingError::Read("the split was not predicted".to_string());
    predict_unless(|| false, plain, data, task, asked)?.ok_or_else(nothing)
}

/// Predicts a split in evaluation mode; `None` if `is_stopping` before the end.
///
/// # Errors
/// [`TrainingError::Read`] if the device fails.
pub(crate) fn predict_unless(
    is_stopping: impl Fn() -> bool,
    plain: &SupervisedModel,
    data: &DeviceDataset,
    task: &Task,
    asked: &[Metric],
) -> Result<Option<Predicted>, TrainingError> {
    let mut accumulator = MetricAccumulator::new(task, asked)?;
    let mut outputs = Vec::new();
    for samples in chunks(data.len()) {
        if is_stopping() {
            return Ok(None);
        }
        for outcome in plain.evaluate(cut(data, 1, samples)).read(1)? {
            accumulator.add(&outcome, task, plain.loss().reduction)?;
            outputs.extend(task.in_units_of_the_data(outcome.outputs));
        }
    }
    let metrics = accumulator.metrics(task, plain.loss())?;
    Ok(Some(Predicted { metrics, outputs }))
}

/// Samples of each network in one batch of an evaluation.
///
/// A GPU compiles kernels for every shape of batch, so there should be few shapes; and the activations of a
/// convolutional network must fit into memory.
pub(crate) const CHUNK_SIZE: usize = 1024;

/// The samples of each batch of an evaluation, of `num_samples` in all.
pub(crate) fn chunks(num_samples: usize) -> impl Iterator<Item = Range<usize>> {
    (0..num_samples)
        .step_by(CHUNK_SIZE)
        .map(move |start| start..(start + CHUNK_SIZE).min(num_samples))
}

/// The batch of some samples of a split.
///
/// The splits of `num_replicas` networks lie end to end; the batch holds these samples of each, again end to end.
pub(crate) fn cut(data: &DeviceDataset, num_replicas: usize, samples: Range<usize>) -> Batch {
    if num_replicas == 1 {
        return Batch::of_range(data, samples);
    }
    let num_samples = data.len() / num_replicas;
    let all = Batch::all(data);
    if samples == (0..num_samples) {
        return all;
    }
    all.cut(|all: &Tensor<2>| {
        let width = all.dims()[1];
        let each = all.clone().reshape([num_replicas, num_samples, width]);
        let each: Tensor<3> = each.slice_dim(1, samples.clone());
        each.reshape([num_replicas * samples.len(), width])
    })
}
