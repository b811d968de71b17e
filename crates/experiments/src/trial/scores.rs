//! Metrics of predictions of any kind for some rows, without the loss.

use emberlab_datasets::Targets;
use emberlab_metrics::{
    BinaryScores, ConfusionMatrix, Metric, MetricsError, RegressionScores, SplitMetrics,
};
use emberlab_training::Task;

use crate::trial::Prepared;

/// Predictions for some rows, as they are scored.
pub(super) enum Guesses {
    /// The probability of class 1 of two, `[num_rows]`.
    Probabilities(Vec<f64>),
    /// The class, `[num_rows]`.
    Classes(Vec<u32>),
    /// The numbers of a regression in the units of the data, `[num_rows × num_targets]`.
    Values(Vec<f64>),
}

impl Prepared {
    /// The metric that networks and baselines are compared by: that of the objective, or the accuracy or R² where the
    /// objective is the loss, which only a network has.
    pub(super) fn comparable_metric(&self) -> Metric {
        match (self.config.training.objective.metric, &self.task) {
            (Metric::Loss, Task::Regression { .. }) => Metric::R2,
            (Metric::Loss, Task::Binary { .. } | Task::Multiclass { .. }) => Metric::Accuracy,
            (metric, _) => metric,
        }
    }

    /// The metrics of predictions for `rows` of the data, without the loss.
    ///
    /// # Errors
    /// [`MetricsError`] if the predictions are not those of these rows.
    pub(super) fn score(
        &self,
        rows: &[u32],
        guesses: &Guesses,
    ) -> Result<SplitMetrics, MetricsError> {
        let labels = || -> Vec<u32> {
            let all = self.samples.labels().unwrap_or_default();
            rows.iter().map(|&row| all[row as usize]).collect()
        };
        let metrics = match guesses {
            Guesses::Probabilities(probabilities) => {
                let scores = BinaryScores::from_probabilities(&labels(), probabilities, 0.5)?;
                SplitMetrics::binary(f64::NAN, &scores)
            }
            Guesses::Classes(classes) => {
                let num_classes = self.samples.num_classes().unwrap_or(0);
                let matrix = ConfusionMatrix::from_labels(&labels(), classes, num_classes)?;
                SplitMetrics::classification(f64::NAN, &matrix)
            }
            Guesses::Values(values) => {
                let (targets, width) = self.values(rows);
                SplitMetrics::regression(
                    f64::NAN,
                    &RegressionScores::from_values(&targets, values, width)?,
                )
            }
        };
        let without_loss = metrics.iter().filter(|(metric, _)| *metric != Metric::Loss);
        Ok(without_loss.collect())
    }

    /// The targets of a regression for `rows`, `[num_rows × num_targets]`, and the number of targets.
    pub(super) fn values(&self, rows: &[u32]) -> (Vec<f64>, usize) {
        match &self.samples.targets {
            Targets::Values { values, names } => {
                let width = names.len();
                let of = |&row: &u32| &values[row as usize * width..][..width];
                (rows.iter().flat_map(of).copied().collect(), width)
            }
            Targets::Classes { .. } => (Vec::new(), 0),
        }
    }

    /// The features of `rows` as they are in the data, `[num_rows × num_features]`.
    pub(super) fn features(&self, rows: &[u32]) -> Vec<f64> {
        let rows = rows.iter();
        rows.flat_map(|&row| self.samples.row(row as usize))
            .collect()
    }
}
