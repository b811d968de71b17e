//! The metrics of a split, gathered batch by batch.

use burn::tensor::Tensor;
use emberlab_metrics::{
    ConfusionMatrix, MetricsError, RegressionScores, SplitMetrics, argmax, thresholded,
};
use serde::{Deserialize, Serialize};

use crate::error::TrainingError;
use crate::loss::Reduction;
use crate::step::Measured;
use crate::task::Task;

/// Sums over the samples seen so far. Adding the same batches in any grouping gives the same bits, so
/// an epoch that was interrupted ends with the metrics of one that was not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    num_samples: u64,
    /// Sum over samples of their loss.
    loss_sum: f64,
    scores: Scores,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Scores {
    Classes(ConfusionMatrix),
    Values {
        targets: Vec<f64>,
        predictions: Vec<f64>,
    },
}

impl Tally {
    /// A tally that has seen nothing.
    ///
    /// # Errors
    /// Never for a task with valid class numbers.
    pub fn new(task: &Task) -> Result<Self, TrainingError> {
        let scores = match task.num_classes() {
            Some(n) => Scores::Classes(ConfusionMatrix::from_labels(&[], &[], n).map_err(read)?),
            None => Scores::Values {
                targets: Vec::new(),
                predictions: Vec::new(),
            },
        };
        Ok(Self {
            num_samples: 0,
            loss_sum: 0.0,
            scores,
        })
    }

    /// Samples seen so far.
    pub fn num_samples(&self) -> u64 {
        self.num_samples
    }

    /// Takes in what batches gave, reading all of it from the device at once.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    pub fn add(
        &mut self,
        measured: Measured,
        task: &Task,
        reduction: Reduction,
    ) -> Result<(), TrainingError> {
        if measured.losses.is_empty() {
            return Ok(());
        }
        let sizes: Vec<usize> = measured.outputs.iter().map(|o| o.dims()[0]).collect();
        let d_output = measured.outputs[0].dims()[1];
        let losses = host(Tensor::cat(measured.losses, 0))?;
        for (loss, size) in losses.into_iter().zip(sizes) {
            self.num_samples += size as u64;
            self.loss_sum += match reduction {
                Reduction::Mean => loss * size as f64,
                Reduction::Sum => loss,
            };
        }
        let outputs = host(Tensor::cat(measured.outputs, 0))?;
        let targets = host(Tensor::cat(measured.targets, 0))?;
        match &mut self.scores {
            Scores::Classes(matrix) => {
                let predictions = labels(task, &outputs, d_output)?;
                let targets = match task {
                    Task::Multiclass { .. } => argmax(&targets, d_output).map_err(read)?,
                    _ => thresholded(&targets, 0.5),
                };
                let n = matrix.num_classes();
                let batch = ConfusionMatrix::from_labels(&targets, &predictions, n);
                matrix.merge(&batch.map_err(read)?).map_err(read)?;
            }
            Scores::Values {
                targets: all_targets,
                predictions,
            } => {
                all_targets.extend(targets);
                predictions.extend(outputs);
            }
        }
        Ok(())
    }

    /// The metrics of all samples seen; the loss is per sample, whatever the reduction.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if nothing was seen.
    pub fn metrics(&self) -> Result<SplitMetrics, TrainingError> {
        let loss = self.loss_sum / self.num_samples as f64;
        Ok(match &self.scores {
            Scores::Classes(matrix) => SplitMetrics::classification(loss, matrix),
            Scores::Values {
                targets,
                predictions,
            } => SplitMetrics::regression(
                loss,
                &RegressionScores::from_values(targets, predictions, 1).map_err(read)?,
            ),
        })
    }
}

/// The predicted class of each row of `outputs`, `[num_samples × d_output]`.
///
/// # Errors
/// [`TrainingError::Read`] if the rows are not whole.
pub fn labels(task: &Task, outputs: &[f64], d_output: usize) -> Result<Vec<u32>, TrainingError> {
    match task {
        // σ(z) > 1/2 exactly where z > 0.
        Task::Binary { on_logits: true } => Ok(thresholded(outputs, 0.0)),
        Task::Binary { on_logits: false } => Ok(thresholded(outputs, 0.5)),
        _ => argmax(outputs, d_output).map_err(read),
    }
}

fn read(error: MetricsError) -> TrainingError {
    TrainingError::Read(error.to_string())
}

/// A tensor's numbers on the host, as `f64` whatever the precision.
pub fn host<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f64>, TrainingError> {
    tensor
        .try_into_vec_as::<f64>()
        .map_err(|error| TrainingError::Read(error.to_string()))
}
