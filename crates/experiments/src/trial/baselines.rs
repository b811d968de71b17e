//! Baselines: simple predictors that learn from the same rows as the network and predict the same rows.

use std::collections::BTreeMap;

use emberlab_baselines::{Baseline, BaselineError, Outcome, Predictions, Targets, Training};
use emberlab_baselines::{Task as Kind, baselines};
use emberlab_datasets::Targets as DataTargets;
use emberlab_run_format::{BaselineScores, Baselines};
use emberlab_storage::sha256;
use emberlab_training::{Split, Task};

use super::scores::Guesses;
use crate::config::ExperimentConfig;
use crate::error::ExperimentError;
use crate::trial::Prepared;

/// The largest number of values among the training rows for which baselines are computed after a training without being
/// asked for: they then take well below a second.
pub const BASELINE_VALUES_AFTER_TRAINING: usize = 50_000;

/// The largest number of values among the training rows for which baselines are computed at the end of a comparison:
/// they then take some seconds for each seed.
pub const BASELINE_VALUES_OF_COMPARISON: usize = 1_000_000;

impl ExperimentConfig {
    /// SHA-256 of everything that the baselines depend on: data, splits, standardisation, seed, and the loss, which
    /// decides how classes are scored. Trials with the same key have the same baselines.
    ///
    /// # Errors
    /// [`serde_json::Error`] if a number cannot be written as JSON.
    pub fn baseline_key(&self) -> Result<String, serde_json::Error> {
        let objective = (
            self.training.objective.metric,
            self.training.objective.split,
        );
        let text = serde_json::to_string(&(
            (&self.dataset, &self.split, &self.standardize, self.seed),
            (&self.loss, self.model.d_output(), objective),
        ))?;
        Ok(sha256(text.as_bytes()))
    }
}

impl Prepared {
    /// The number of values among the training rows, rows × features: the time for the baselines grows with it.
    pub fn num_baseline_values(&self) -> usize {
        self.splits.train.len() * self.samples.num_features()
    }

    /// Fits every baseline for the task on the training rows, and scores it on the other splits, and on that of the
    /// objective. Features are encoded and standardised as for the network. A baseline that cannot be fitted is in the
    /// result with its error.
    pub fn baselines(&self) -> Baselines {
        let train = &self.splits.train;
        let features = self.network_inputs(train);
        let labels: Vec<u32>;
        let values;
        let (targets, kind) = match &self.samples.targets {
            DataTargets::Classes { names, .. } => {
                labels = self.split_labels(Split::Train).unwrap_or_default();
                let num_classes = names.len();
                let labels = &labels;
                let targets = Targets::Classes {
                    labels,
                    num_classes,
                };
                (targets, Kind::Classification)
            }
            DataTargets::Values { .. } => {
                values = self.values(train);
                let targets = Targets::Values {
                    values: &values.0,
                    num_targets: values.1,
                };
                (targets, Kind::Regression)
            }
        };
        let training = Training {
            features: &features,
            num_features: self.samples.num_features(),
            targets,
        };
        let splits = self.baseline_splits();
        let rows: Vec<u32> = splits.iter().flat_map(|s| self.rows(*s)).copied().collect();
        let inputs = self.network_inputs(&rows);
        let results = baselines(kind).map(|baseline| {
            let outcome = baseline.predict(&training, &inputs, self.config.seed);
            self.baseline_scores(baseline, &splits, outcome)
        });
        Baselines {
            metric: self.comparable_metric(),
            num_train: train.len(),
            results: results.collect(),
        }
    }

    /// The splits on which baselines are scored.
    fn baseline_splits(&self) -> Vec<Split> {
        let is_scored = |split: &Split| {
            let decides = *split == self.config.training.objective.split;
            !self.rows(*split).is_empty()
                && (*split != Split::Train || decides || self.evaluation_split() == Split::Train)
        };
        let all = [Split::Train, Split::Valid, Split::Test].into_iter();
        all.filter(is_scored).collect()
    }

    /// The inputs of the network for `rows`, encoded, standardised and rounded, `[num_rows × num_features]`.
    fn network_inputs(&self, rows: &[u32]) -> Vec<f64> {
        let width = self.samples.num_features();
        let raw = self.features(rows).into_iter().enumerate();
        raw.map(|(i, x)| f64::from(self.standardizer.value(x, i % width)))
            .collect()
    }

    fn baseline_scores(
        &self,
        baseline: &Baseline,
        splits: &[Split],
        outcome: Result<Outcome, BaselineError>,
    ) -> BaselineScores {
        let named = |num_train_used, metrics, error| BaselineScores {
            name: baseline.name.to_string(),
            title: baseline.title.to_string(),
            num_train_used,
            metrics,
            error,
        };
        match outcome {
            Err(error) => named(0, BTreeMap::new(), Some(error.to_string())),
            Ok(outcome) => match self.split_scores(splits, &outcome.predictions) {
                Ok(metrics) => named(outcome.num_train_used, metrics, None),
                Err(error) => named(0, BTreeMap::new(), Some(error.to_string())),
            },
        }
    }

    /// The metrics of each split of predictions for the rows of all splits, one split after the other.
    fn split_scores(
        &self,
        splits: &[Split],
        predictions: &Predictions,
    ) -> Result<BTreeMap<Split, emberlab_metrics::SplitMetrics>, ExperimentError> {
        let mut metrics = BTreeMap::new();
        let mut start = 0;
        for split in splits {
            let rows = self.rows(*split);
            let range = start..start + rows.len();
            start = range.end;
            let guesses = match (predictions, &self.task) {
                (Predictions::Classes { probabilities, .. }, Task::Binary { .. }) => {
                    let of_class_1 = probabilities.iter().skip(1).step_by(2);
                    Guesses::Probabilities(of_class_1.copied().collect::<Vec<_>>()[range].to_vec())
                }
                (Predictions::Classes { classes, .. }, _) => {
                    Guesses::Classes(classes[range].to_vec())
                }
                (Predictions::Values(values), _) => {
                    let width = self.values(&[]).1;
                    Guesses::Values(values[range.start * width..range.end * width].to_vec())
                }
            };
            let scores = self.score(rows, &guesses);
            metrics.insert(*split, scores.map_err(super::evaluate::not_scored)?);
        }
        Ok(metrics)
    }
}
