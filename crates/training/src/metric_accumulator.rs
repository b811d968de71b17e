//! The metrics of a split, gathered batch by batch.

use burn::tensor::Tensor;
#[cfg(feature = "gpu")]
use emberlab_metrics::NO_PREDICTION;
use emberlab_metrics::{
    ClassScores, ConfusionMatrix, Metric, MetricsError, RegressionScores, SplitMetrics, argmax,
    argmax_of, class_above, thresholded,
};
use serde::{Deserialize, Serialize};

use crate::error::TrainingError;
use crate::loss::{LossConfig, Reduction};
use crate::supervised_model::StepOutput;
use crate::task::Task;

/// Sums over the samples seen so far.
///
/// Adding the same batches in any grouping gives the same bits, so an epoch that was interrupted and resumed ends
/// with the same metrics as one that was not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricAccumulator {
    num_samples: u64,
    /// Sum over samples of their loss.
    loss_sum: f64,
    /// The metrics on request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    asked: Vec<Metric>,
    scores: Scores,
    /// The outputs and the classes of all samples so far, if a metric on request needs them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gathered: Option<Gathered>,
}

/// The outputs for all samples seen so far, and their classes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Gathered {
    /// The width of the outputs; 0 while there are none.
    d_output: usize,
    labels: Vec<u32>,
    /// `[num_samples × d_output]`, row by row.
    outputs: Vec<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Scores {
    Classes(ConfusionMatrix),
    Values {
        targets: Vec<f64>,
        predictions: Vec<f64>,
        #[serde(default = "one")]
        num_targets: usize,
    },
}

/// The number of targets in a checkpoint of version 0.1.0, which did not write it.
fn one() -> usize {
    1
}

impl MetricAccumulator {
    /// An empty accumulator, for the metrics of every training and for those in `asked` that the task has.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if a class number is not one of the task's; checked tasks have none.
    pub fn new(task: &Task, asked: &[Metric]) -> Result<Self, TrainingError> {
        let of_classes = |n| ConfusionMatrix::from_labels(&[], &[], n).map_err(read);
        let scores = match task {
            Task::Binary { .. } => Scores::Classes(of_classes(2)?),
            Task::Multiclass { num_classes } => Scores::Classes(of_classes(*num_classes)?),
            Task::Regression { standardizer, .. } => Scores::Values {
                targets: Vec::new(),
                predictions: Vec::new(),
                num_targets: standardizer.mean.len(),
            },
        };
        let needs_outputs = needs_outputs(task, asked);
        Ok(Self {
            num_samples: 0,
            loss_sum: 0.0,
            asked: asked.to_vec(),
            scores,
            gathered: needs_outputs.then(Gathered::default),
        })
    }

    /// Samples seen so far.
    pub fn num_samples(&self) -> u64 {
        self.num_samples
    }

    /// Adds the results of batches.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if outputs and targets are not those of the task.
    pub fn add(
        &mut self,
        batches: &BatchResults,
        task: &Task,
        reduction: Reduction,
    ) -> Result<(), TrainingError> {
        self.add_losses(&batches.sizes, &batches.losses, reduction);
        if batches.sizes.is_empty() {
            return Ok(());
        }
        let targets = ComparableTargets::new(task, &batches.targets, batches.d_output)?;
        let rows = 0..batches.sizes.iter().sum();
        self.add_outputs(&batches.outputs, rows, &targets, task)
    }

    /// Adds the losses of batches of these sizes.
    pub(crate) fn add_losses<T: Copy + Into<f64>>(
        &mut self,
        sizes: &[usize],
        losses: &[T],
        reduction: Reduction,
    ) {
        for (&loss, &size) in losses.iter().zip(sizes) {
            let loss: f64 = loss.into();
            self.num_samples += size as u64;
            self.loss_sum += match reduction {
                Reduction::Mean => loss * size as f64,
                Reduction::Sum => loss,
            };
        }
    }

    /// Adds the outputs for some rows of a split, whose targets are given for the whole split.
    ///
    /// # Shapes
    /// - outputs: `[num_rows × d_output]`, row by row
    ///
    /// # Errors
    /// [`TrainingError::Read`] if a class is predicted that the task does not have, or if the targets are of another
    /// task.
    pub(crate) fn add_outputs<T: Copy + Into<f64>>(
        &mut self,
        outputs: &[T],
        rows: impl Iterator<Item = usize>,
        targets: &ComparableTargets,
        task: &Task,
    ) -> Result<(), TrainingError> {
        let d_output = targets.d_output;
        let each = outputs.chunks_exact(d_output.max(1)).zip(rows);
        match (&mut self.scores, &targets.values) {
            (Scores::Classes(matrix), TargetValues::Labels(labels)) => {
                for (outputs, row) in each {
                    matrix
                        .observe(labels[row], label(task, outputs))
                        .map_err(read)?;
                    if let Some(gathered) = &mut self.gathered {
                        gathered.d_output = d_output;
                        gathered.labels.push(labels[row]);
                        let outputs = outputs.iter().map(|&x| x.into());
                        gathered.outputs.extend(outputs);
                    }
                }
            }
            (
                Scores::Values {
                    targets: all_targets,
                    predictions,
                    ..
                },
                TargetValues::Numbers(numbers),
            ) => {
                let found = outputs.iter().map(|&x| x.into()).collect();
                predictions.extend(task.in_units_of_the_data(found));
                for (_, row) in each {
                    let start = row * d_output;
                    all_targets.extend_from_slice(&numbers[start..start + d_output]);
                }
            }
            (Scores::Classes(_), TargetValues::Numbers(_))
            | (Scores::Values { .. }, TargetValues::Labels(_)) => {
                let message = "the targets are of another task".to_string();
                return Err(TrainingError::Read(message));
            }
        }
        Ok(())
    }

    /// Adds the results that a GPU gathered for some rows of a split, whose targets are given for the whole split.
    ///
    /// # Errors
    /// As [`add_outputs`](Self::add_outputs).
    #[cfg(feature = "gpu")]
    pub(crate) fn add_counted(
        &mut self,
        results: emberlab_fused::gpu::BatchResults<'_>,
        rows: impl ExactSizeIterator<Item = usize>,
        targets: &ComparableTargets,
        task: &Task,
        reduction: Reduction,
    ) -> Result<(), TrainingError> {
        self.add_losses(results.sizes, results.losses, reduction);
        match results.counts.is_empty() {
            true => self.add_outputs(results.outputs, rows, targets, task),
            false => self.add_counts(results.counts, rows, targets),
        }
    }

    /// Adds confusion counts of some rows of a split, whose targets are given for the whole split.
    ///
    /// `counts` has a row for each target and a column for each prediction. Rows that it does not count have no
    /// prediction. No row may be named twice.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if a class is predicted that the task does not have, or if the targets are of another
    /// task.
    #[cfg(feature = "gpu")]
    fn add_counts(
        &mut self,
        counts: &[u32],
        rows: impl ExactSizeIterator<Item = usize>,
        targets: &ComparableTargets,
    ) -> Result<(), TrainingError> {
        let (Scores::Classes(matrix), TargetValues::Labels(labels)) =
            (&mut self.scores, &targets.values)
        else {
            return Err(TrainingError::Read(
                "the targets are of another task".to_string(),
            ));
        };
        let num_classes = counts.len().isqrt();
        let mut left = match rows.len() == labels.len() {
            true => targets.class_sizes.clone(),
            false => class_sizes(rows.map(|row| labels[row])),
        };
        left.resize(num_classes, 0);
        let of_targets = counts.chunks_exact(num_classes.max(1)).zip(&mut left);
        for (target, (counts, left)) in of_targets.enumerate() {
            for (prediction, &count) in counts.iter().enumerate() {
                let count = u64::from(count);
                *left = left.saturating_sub(count);
                (matrix.observe_many(target as u32, prediction as u32, count)).map_err(read)?;
            }
            (matrix.observe_many(target as u32, NO_PREDICTION, *left)).map_err(read)?;
        }
        Ok(())
    }

    /// The metrics of all samples seen, whose outputs were trained with this loss; the loss is per sample, whatever the
    /// reduction.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if nothing was seen.
    pub fn metrics(&self, task: &Task, loss: &LossConfig) -> Result<SplitMetrics, TrainingError> {
        let mean_loss = self.loss_sum / self.num_samples as f64;
        let asked = &self.asked;
        match &self.scores {
            Scores::Classes(matrix) => {
                let metrics = SplitMetrics::classification(mean_loss, matrix);
                let Some(gathered) = &self.gathered else {
                    return Ok(metrics.with_asked_of_classes(asked, matrix, None));
                };
                let (outputs, d_output) = (&gathered.outputs, gathered.d_output);
                let probabilities = task.probabilities(loss, outputs, d_output)?;
                let scores = ClassScores::new(&gathered.labels, outputs, &probabilities, d_output);
                let scores = scores.map_err(read)?;
                Ok(metrics.with_asked_of_classes(asked, matrix, Some(&scores)))
            }
            Scores::Values {
                targets,
                predictions,
                num_targets,
            } => {
                let scores = RegressionScores::from_values(targets, predictions, *num_targets);
                let metrics = SplitMetrics::regression(mean_loss, &scores.map_err(read)?);
                Ok(metrics.with_asked_of_numbers(asked, targets, predictions, *num_targets))
            }
        }
    }
}

/// Whether these metrics on request need the outputs for all samples. Counts of predicted classes are enough for the
/// metrics of every training.
pub(crate) fn needs_outputs(task: &Task, asked: &[Metric]) -> bool {
    task.num_classes().is_some() && asked.iter().any(|metric| metric.needs_outputs())
}

/// The targets of a split in the form that outputs are compared with. They are made once, not in every epoch.
#[derive(Debug, Clone)]
pub(crate) struct ComparableTargets {
    d_output: usize,
    values: TargetValues,
    /// Samples of each class up to the last that has some; empty for numbers.
    #[cfg(feature = "gpu")] // which counts predictions, but not the rows that have none
    class_sizes: Vec<u64>,
}

#[derive(Debug, Clone)]
enum TargetValues {
    /// The class of each sample.
    Labels(Vec<u32>),
    /// The numbers in the units of the data, `[num_samples × d_output]`.
    Numbers(Vec<f64>),
}

impl ComparableTargets {
    /// From the targets as the network learns them, `[num_samples × d_output]`.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the rows are not whole.
    pub(crate) fn new<T: Copy + Into<f64>>(
        task: &Task,
        targets: &[T],
        d_output: usize,
    ) -> Result<Self, TrainingError> {
        let values = match task {
            Task::Multiclass { .. } => {
                TargetValues::Labels(argmax(targets, d_output).map_err(read)?)
            }
            Task::Binary { .. } => TargetValues::Labels(thresholded(targets, 0.5)),
            Task::Regression { .. } => {
                let numbers = targets.iter().map(|&x| x.into()).collect();
                TargetValues::Numbers(task.targets_in_units_of_the_data(numbers))
            }
        };
        Ok(Self {
            d_output,
            #[cfg(feature = "gpu")]
            class_sizes: match &values {
                TargetValues::Labels(labels) => class_sizes(labels.iter().copied()),
                TargetValues::Numbers(_) => Vec::new(),
            },
            values,
        })
    }
}

/// How many labels there are of each class, up to the last class that has some.
#[cfg(feature = "gpu")]
fn class_sizes(labels: impl Iterator<Item = u32>) -> Vec<u64> {
    let mut sizes = Vec::new();
    for label in labels {
        let class = label as usize;
        if class >= sizes.len() {
            sizes.resize(class + 1, 0);
        }
        sizes[class] += 1;
    }
    sizes
}

/// The results of batches for one network, on the host.
#[derive(Debug, Clone, Default)]
pub struct BatchResults {
    /// Samples in each batch.
    pub sizes: Vec<usize>,
    /// The loss of each batch.
    pub losses: Vec<f64>,
    /// The raw outputs of all batches, `[num_samples × d_output]` row by row.
    pub outputs: Vec<f64>,
    /// The targets of all batches, laid out like the outputs.
    pub targets: Vec<f64>,
    /// Width of the outputs.
    pub d_output: usize,
}

impl StepOutput {
    /// The results of the batches for each of the networks that lie end to end in them, read from the device at
    /// once; none if there were no batches.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    pub fn read(self, num_replicas: usize) -> Result<Vec<BatchResults>, TrainingError> {
        let Some(first) = self.outputs.first() else {
            return Ok(Vec::new());
        };
        let d_output = first.dims()[1];
        let sizes: Vec<usize> = (self.outputs.iter())
            .map(|outputs| outputs.dims()[0] / num_replicas)
            .collect();
        let losses = host(Tensor::cat(self.losses, 0))?;
        let outputs = host(Tensor::cat(self.outputs, 0))?;
        let targets = host(Tensor::cat(self.targets, 0))?;
        if num_replicas == 1 {
            return Ok(vec![BatchResults {
                sizes,
                losses,
                outputs,
                targets,
                d_output,
            }]);
        }
        let rows_of = |all: &[f64], replica: usize| {
            let mut rows = Vec::with_capacity(all.len() / num_replicas);
            let mut batch = 0;
            for size in &sizes {
                let start = batch + replica * size * d_output;
                rows.extend_from_slice(&all[start..start + size * d_output]);
                batch += num_replicas * size * d_output;
            }
            rows
        };
        let outcome = |replica| BatchResults {
            sizes: sizes.clone(),
            losses: losses
                .iter()
                .skip(replica)
                .step_by(num_replicas)
                .copied()
                .collect(),
            outputs: rows_of(&outputs, replica),
            targets: rows_of(&targets, replica),
            d_output,
        };
        Ok((0..num_replicas).map(outcome).collect())
    }
}

/// The predicted class of each row of `outputs`, `[num_samples × d_output]`.
///
/// # Errors
/// [`TrainingError::Read`] if the rows are not whole.
pub fn labels(task: &Task, outputs: &[f64], d_output: usize) -> Result<Vec<u32>, TrainingError> {
    match task {
        Task::Binary { on_logits } => Ok(thresholded(outputs, threshold(*on_logits))),
        Task::Multiclass { .. } | Task::Regression { .. } => {
            argmax(outputs, d_output).map_err(read)
        }
    }
}

/// The predicted class of one row of outputs.
fn label<T: Copy + Into<f64>>(task: &Task, outputs: &[T]) -> u32 {
    match (task, outputs) {
        (Task::Binary { on_logits }, &[output]) => class_above(output, threshold(*on_logits)),
        _ => argmax_of(outputs),
    }
}

/// The output above which class 1 is predicted: σ(z) > 1/2 exactly where z > 0.
pub(crate) fn threshold(on_logits: bool) -> f64 {
    match on_logits {
        true => 0.0,
        false => 0.5,
    }
}

fn read(error: MetricsError) -> TrainingError {
    TrainingError::Read(error.to_string())
}

/// A tensor's numbers on the host, as `f64` whatever the precision.
///
/// # Errors
/// [`TrainingError::Read`] if the device fails.
pub fn host<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f64>, TrainingError> {
    tensor
        .try_into_vec_as::<f64>()
        .map_err(|error| TrainingError::Read(error.to_string()))
}
