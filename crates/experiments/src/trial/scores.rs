//! Metrics of predictions of any kind for some rows, without the loss.

use emberlab_datasets::Targets;
use emberlab_metrics::{
    ClassScores, ConfusionMatrix, Metric, MetricsError, RegressionScores, SplitMetrics, thresholded,
};
use emberlab_training::Task;

use crate::trial::Prepared;

/// Predictions for some rows, as they are scored.
pub(super) enum Guesses {
    /// The probability of class 1 of two, `[num_rows]`.
    Probabilities(Vec<f64>),
    /// The class, one of several.
    Classes {
        /// The predicted class, `[num_rows]`.
        classes: Vec<u32>,
        /// The outputs of which the class is the largest, `[num_rows × num_classes]`.
        outputs: Vec<f64>,
        /// The probabilities of the classes, laid out like the outputs.
        probabilities: Vec<f64>,
    },
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

    /// The metrics of predictions for `rows` of the data, without the loss, and with those among `asked`.
    ///
    /// # Errors
    /// [`MetricsError`] if the predictions are not those of these rows.
    pub(super) fn score(
        &self,
        rows: &[u32],
        guesses: &Guesses,
        asked: &[Metric],
    ) -> Result<SplitMetrics, MetricsError> {
        let labels = || -> Vec<u32> {
            let all = self.samples.labels().unwrap_or_default();
            rows.iter().map(|&row| all[row as usize]).collect()
        };
        let metrics = match guesses {
            Guesses::Probabilities(probabilities) => {
                let labels = labels();
                let classes = thresholded(probabilities, 0.5);
                let matrix = ConfusionMatrix::from_labels(&labels, &classes, 2)?;
                let metrics = SplitMetrics::classification(f64::NAN, &matrix);
                let scores = ClassScores::new(&labels, probabilities, probabilities, 1)?;
                metrics.with_asked_of_classes(asked, &matrix, Some(&scores))
            }
            Guesses::Classes {
                classes,
                outputs,
                probabilities,
            } => {
                let labels = labels();
                let num_classes = self.samples.num_classes().unwrap_or(0);
                let matrix = ConfusionMatrix::from_labels(&labels, classes, num_classes)?;
                let metrics = SplitMetrics::classification(f64::NAN, &matrix);
                let width = probabilities.len() / rows.len().max(1);
                let scores = ClassScores::new(&labels, outputs, probabilities, width)?;
                metrics.with_asked_of_classes(asked, &matrix, Some(&scores))
            }
            Guesses::Values(values) => {
                let (targets, width) = self.values(rows);
                let scores = RegressionScores::from_values(&targets, values, width)?;
                let metrics = SplitMetrics::regression(f64::NAN, &scores);
                metrics.with_asked_of_numbers(asked, &targets, values, width)
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

    /// The columns of `rows` as they are in the data, `[num_rows × num_columns]`.
    pub(super) fn rows_of_columns(&self, rows: &[u32]) -> Vec<f64> {
        let rows = rows.iter();
        rows.flat_map(|&row| self.columns.row(row as usize))
            .collect()
    }
}
