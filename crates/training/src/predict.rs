//! What a network makes of a split, in evaluation mode.

use emberlab_datasets::DeviceDataset;
use emberlab_metrics::SplitMetrics;

use crate::error::TrainingError;
use crate::loader::chunks;
use crate::metric_accumulator::MetricAccumulator;
use crate::supervised_model::SupervisedModel;
use crate::task::Task;

/// What a network makes of a split, in evaluation mode.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicted {
    /// Loss and scores.
    pub metrics: SplitMetrics,
    /// The raw outputs, `[num_samples × d_output]` row by row.
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
    walk(plain, data, task, || false)?.ok_or_else(nothing)
}

/// Predicts a split in evaluation mode; none if `is_stopping` along the way.
pub(crate) fn walk(
    plain: &SupervisedModel,
    data: &DeviceDataset,
    task: &Task,
    is_stopping: impl Fn() -> bool,
) -> Result<Option<Predicted>, TrainingError> {
    let mut accumulator = MetricAccumulator::new(task)?;
    let mut outputs = Vec::new();
    for batch in chunks(data, 1) {
        if is_stopping() {
            return Ok(None);
        }
        for outcome in plain.evaluate(batch).read(1)? {
            accumulator.add(&outcome, task, plain.loss().reduction)?;
            outputs.extend(outcome.outputs);
        }
    }
    let metrics = accumulator.metrics()?;
    Ok(Some(Predicted { metrics, outputs }))
}
