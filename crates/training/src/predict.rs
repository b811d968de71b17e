//! Predictions of a network on a whole split, in evaluation mode.

use burn::tensor::Tensor;
use emberlab_datasets::{Batch, DeviceDataset};
use emberlab_metrics::SplitMetrics;

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

/// Predicts a split in evaluation mode.
///
/// # Errors
/// [`TrainingError::Read`] if the device fails.
pub fn predict(
    plain: &SupervisedModel,
    data: &DeviceDataset,
    task: &Task,
) -> Result<Predicted, TrainingError> {
    let nothing = || TrainingError::Read("the split was not predicted".to_string());
    predict_unless(|| false, plain, data, task)?.ok_or_else(nothing)
}

/// Predicts a split in evaluation mode; none if `is_stopping` along the way.
///
/// # Errors
/// [`TrainingError::Read`] if the device fails.
pub(crate) fn predict_unless(
    is_stopping: impl Fn() -> bool,
    plain: &SupervisedModel,
    data: &DeviceDataset,
    task: &Task,
) -> Result<Option<Predicted>, TrainingError> {
    let mut accumulator = MetricAccumulator::new(task)?;
    let mut outputs = Vec::new();
    for batch in chunks(data, 1) {
        if is_stopping() {
            return Ok(None);
        }
        for outcome in plain.evaluate(batch).read(1)? {
            accumulator.add(&outcome, task, plain.loss().reduction)?;
            outputs.extend(task.in_units_of_the_data(outcome.outputs));
        }
    }
    let metrics = accumulator.metrics()?;
    Ok(Some(Predicted { metrics, outputs }))
}

/// Samples of each network in one batch of an evaluation.
///
/// A GPU compiles kernels for every shape of batch, so there should be few; and the activations of a convolutional
/// network must fit the memory.
const CHUNK_SIZE: usize = 1024;

/// Batches of a split in its order.
///
/// The splits of `num_replicas` networks lie end to end; each batch holds as many samples of each, again end to end.
pub(crate) fn chunks(
    data: &DeviceDataset,
    num_replicas: usize,
) -> impl Iterator<Item = Batch> + '_ {
    let num_samples = data.len() / num_replicas;
    (0..num_samples).step_by(CHUNK_SIZE).map(move |start| {
        let end = (start + CHUNK_SIZE).min(num_samples);
        let cut = |all: &Tensor<2>| {
            let width = all.dims()[1];
            match (start, end) {
                (0, end) if end == num_samples => all.clone(),
                _ if num_replicas == 1 => all.clone().slice_dim(0, start..end),
                _ => {
                    let each = all.clone().reshape([num_replicas, num_samples, width]);
                    let each: Tensor<3> = each.slice_dim(1, start..end);
                    each.reshape([num_replicas * (end - start), width])
                }
            }
        };
        Batch::all(data).cut(cut)
    })
}
