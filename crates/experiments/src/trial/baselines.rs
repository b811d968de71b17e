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

/// How long the baselines may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaselineLimit {
    /// Well below a second, as after a training that did not ask for them.
    Quick,
    /// Some seconds, as for each seed of a comparison.
    Seconds,
}

impl BaselineLimit {
    /// The largest number of values among the training rows, rows × features, of a regression or of up to
    /// [`FEW_CLASSES`].
    fn max_values(self) -> usize {
        match self {
            Self::Quick => 50_000,
            Self::Seconds => 1_000_000,
        }
    }
}

/// The number of classes up to which the baselines take about the same time for each value. With more, each class costs
/// time.
const FEW_CLASSES: usize = 10;

impl ExperimentConfig {
    /// SHA-256 of everything that the baselines depend on: data, features, splits, standardisation, seed, the metrics
    /// that are asked for, and the loss, which decides how classes are scored. Trials with the same key have the same
    /// baselines.
    ///
    /// # Errors
    /// [`serde_json::Error`] if a number cannot be written as JSON.
    pub fn baseline_key(&self) -> Result<String, serde_json::Error> {
        let objective = (
            self.training.objective.metric,
            self.training.objective.split,
        );
        let asked = self.training.asked_metrics(&self.scheduler);
        let text = serde_json::to_string(&(
            (&self.dataset, &self.split, &self.standardize, self.seed),
            (&self.loss, self.model.d_output(), objective, asked),
        ))?;
        // Without derived features, the key is that of earlier versions.
        let features = self.features.as_ref().map(serde_json::to_string);
        let text = text + &features.transpose()?.unwrap_or_default();
        Ok(sha256(text.as_bytes()))
    }
}

impl Prepared {
    /// The reason why the baselines would take longer than `limit` allows, as a clause; `None` if they would not.
    pub fn baselines_exceed(&self, limit: BaselineLimit) -> Option<String> {
        let num_values = self.splits.train.len() * self.samples.num_features();
        let num_classes = match &self.samples.targets {
            DataTargets::Classes { names, .. } => names.len(),
            DataTargets::Values { .. } => 1,
        };
        let max_values = limit.max_values() * FEW_CLASSES / num_classes.max(FEW_CLASSES);
        let classes = match num_classes > FEW_CLASSES {
            true => format!(" and {num_classes} classes"),
            false => String::new(),
        };
        (num_values > max_values).then(|| {
            format!(
                "the training rows hold {num_values} values{classes}, and above {max_values} values they take a while"
            )
        })
    }

    /// Fits every baseline for the task on the training rows, and scores it on the other splits, and on that of the
    /// objective. Features are encoded and standardised as for the network. A baseline that cannot be fitted is in the
    /// result with its error.
    pub fn baselines(&self) -> Baselines {
        self.baselines_until(&|| false)
    }

    /// The [baselines](Self::baselines), unless `is_stopping` holds. It is asked before each of them.
    pub(super) fn baselines_unless(&self, is_stopping: &dyn Fn() -> bool) -> Option<Baselines> {
        let found = self.baselines_until(is_stopping);
        (!is_stopping()).then_some(found)
    }

    /// The baselines that are fitted before `is_stopping` holds.
    fn baselines_until(&self, is_stopping: &dyn Fn() -> bool) -> Baselines {
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
        let asked = baselines(kind).take_while(|_| !is_stopping());
        let results = asked.map(|baseline| {
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
        let inputs = self.inputs_of(&self.rows_of_columns(rows));
        inputs.into_iter().map(f64::from).collect()
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
                    let of_rows = probabilities[2 * range.start..2 * range.end].chunks_exact(2);
                    Guesses::Probabilities(of_rows.map(|of_class| of_class[1]).collect())
                }
                (
                    Predictions::Classes {
                        classes,
                        probabilities,
                    },
                    _,
                ) => {
                    let width = probabilities.len() / classes.len().max(1);
                    let probabilities =
                        probabilities[width * range.start..width * range.end].to_vec();
                    Guesses::Classes {
                        classes: classes[range].to_vec(),
                        outputs: probabilities.clone(),
                        probabilities,
                    }
                }
                (Predictions::Values(values), _) => {
                    let width = self.values(&[]).1;
                    Guesses::Values(values[range.start * width..range.end * width].to_vec())
                }
            };
            let scores = self.score(rows, &guesses, &self.asked_metrics());
            metrics.insert(*split, scores.map_err(super::evaluate::not_scored)?);
        }
        Ok(metrics)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use emberlab_config_source::ConfigSource;
    use emberlab_metrics::{Metric, RegressionScores};

    fn prepared(text: &str) -> Prepared {
        let source = ConfigSource::new("baselines.toml", text);
        let config = ExperimentConfig::from_source(&source).unwrap();
        Prepared::load(config, &[]).unwrap()
    }

    const IRIS: &str = r#"
        seed = 3
        dataset = { name = "iris" }
        split = { method = "stratified", train = 0.6, valid = 0.2, test = 0.2 }
        standardize = { method = "per_feature" }
        model = { name = "mlp", hidden = [8], activation = "relu" }
        loss = { name = "cross_entropy" }
        optimizer = { name = "adam", learning_rate = 0.01 }
        training = { num_epochs = 1, batch_size = 16 }
    "#;

    const SINE: &str = r#"
        dataset = { name = "regression", function = "sine", num_samples = 200, noise = 0.1 }
        standardize = { method = "per_feature", targets = true }
        model = { name = "mlp", hidden = [8], activation = "relu" }
        loss = { name = "mse" }
        optimizer = { name = "adam", learning_rate = 0.01 }
        training = { num_epochs = 1, batch_size = 16 }
    "#;

    #[test]
    fn scores_equal_those_of_the_predictions_on_the_same_split() {
        let prepared = prepared(IRIS);
        let found = prepared.baselines();
        // The objective is the loss, which baselines do not have.
        assert_eq!((found.metric, found.num_train), (Metric::Accuracy, 90));
        let features = prepared.network_inputs(&prepared.splits.train);
        let labels = prepared.split_labels(Split::Train).unwrap();
        let training = Training {
            features: &features,
            num_features: 4,
            targets: Targets::Classes {
                labels: &labels,
                num_classes: 3,
            },
        };
        let baselines: Vec<&Baseline> = baselines(Kind::Classification).collect();
        assert_eq!(found.results.len(), baselines.len());
        for (baseline, scores) in baselines.into_iter().zip(&found.results) {
            assert_eq!(
                (scores.name.as_str(), scores.num_train_used),
                (baseline.name, 90)
            );
            assert!(!scores.metrics.contains_key(&Split::Train));
            for split in [Split::Valid, Split::Test] {
                let rows = prepared.network_inputs(prepared.rows(split));
                let outcome = baseline.predict(&training, &rows, 3).unwrap();
                let Predictions::Classes { classes, .. } = outcome.predictions else {
                    panic!("{} predicts no classes", baseline.name);
                };
                let targets = prepared.split_labels(split).unwrap();
                let right = classes.iter().zip(&targets).filter(|(a, b)| a == b).count();
                let accuracy = scores.metrics[&split].get(Metric::Accuracy).unwrap();
                assert_eq!(accuracy, right as f64 / 30.0, "{} {split}", baseline.name);
                assert_eq!(scores.metrics[&split].get(Metric::Loss), None);
            }
        }
    }

    #[test]
    fn a_regression_is_scored_in_the_units_of_the_data() {
        let prepared = prepared(SINE);
        let found = prepared.baselines();
        assert_eq!(found.metric, Metric::R2);
        let names: Vec<&str> = found.results.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "mean",
                "linear_regression",
                "nearest_neighbors",
                "random_forest"
            ]
        );
        // The mean of the training targets, predicted for every row.
        let train = prepared.values(&prepared.splits.train).0;
        let mean = train.iter().sum::<f64>() / train.len() as f64;
        let targets = prepared.values(prepared.rows(Split::Valid)).0;
        let predictions = vec![mean; targets.len()];
        let expected = RegressionScores::from_values(&targets, &predictions, 1).unwrap();
        let scores = &found.results[0].metrics[&Split::Valid];
        assert!((scores.get(Metric::Mae).unwrap() - expected.mae).abs() < 1e-12);
        assert!((scores.get(Metric::R2).unwrap() - expected.r2).abs() < 1e-12);
    }

    #[test]
    fn precision_and_recall_of_two_classes_are_means_over_the_classes_as_those_of_networks() {
        let moons = r#"
            dataset = { name = "moons", num_samples = 200 }
            model = { name = "mlp", hidden = [8] }
            loss = { name = "bce_with_logits" }
            optimizer = { name = "adam", learning_rate = 0.01 }
            training = { num_epochs = 1, batch_size = 16 }
        "#;
        let found = prepared(moons).baselines();
        assert_eq!(found.results[0].name, "majority");
        let scores = &found.results[0].metrics[&Split::Valid];
        // It finds all samples of one class and none of the other.
        assert_eq!(scores.get(Metric::Recall), Some(0.5));
        let accuracy = scores.get(Metric::Accuracy).unwrap();
        assert_eq!(scores.get(Metric::Precision), Some(accuracy / 2.0));
    }

    #[test]
    fn a_requested_stop_leaves_out_baselines_and_importance() {
        let prepared = prepared(IRIS);
        assert_eq!(prepared.baselines_unless(&|| true), None);
        let mut asked = std::cell::Cell::new(0);
        let after_two = || asked.replace(asked.get() + 1) >= 2;
        assert_eq!(prepared.baselines_unless(&after_two), None);
        // Asked before each baseline until it holds, and once at the end: the third baseline is not fitted.
        assert_eq!(*asked.get_mut(), 4);
        let all = prepared.baselines_unless(&|| false);
        assert_eq!(all, Some(prepared.baselines()));
    }

    #[test]
    fn each_class_above_ten_lowers_the_number_of_values_for_which_baselines_are_quick() {
        let blobs = |num_classes: usize, num_samples: usize| {
            prepared(&format!(
                r#"
                dataset = {{ name = "blobs", num_samples = {num_samples}, num_classes = {num_classes} }}
                split = {{ train = 1.0, valid = 0.0, test = 0.0 }}
                model = {{ name = "mlp", hidden = [4] }}
                loss = {{ name = "cross_entropy" }}
                optimizer = {{ name = "adam", learning_rate = 0.01 }}
                training = {{ num_epochs = 1, batch_size = 16 }}
                "#
            ))
        };
        let exceeded = |of: &Prepared| of.baselines_exceed(BaselineLimit::Quick);
        // Two features: 50 000 values, of up to ten classes.
        assert_eq!(exceeded(&blobs(10, 25_000)), None);
        let more = exceeded(&blobs(10, 25_001));
        assert_eq!(
            more.as_deref(),
            Some("the training rows hold 50002 values, and above 50000 values they take a while")
        );
        assert_eq!(exceeded(&blobs(100, 2500)), None);
        let more = exceeded(&blobs(100, 2501));
        assert_eq!(
            more.as_deref(),
            Some(
                "the training rows hold 5002 values and 100 classes, and above 5000 values they take a while"
            )
        );
    }

    #[test]
    fn trials_share_a_key_if_only_their_network_or_training_differs() {
        let key = |text: &str| {
            let source = ConfigSource::new("baselines.toml", text);
            let config = ExperimentConfig::from_source(&source).unwrap();
            config.baseline_key().unwrap()
        };
        let base = key(IRIS);
        assert_eq!(base, key(&IRIS.replace("\"relu\"", "\"tanh\"")));
        assert_eq!(base, key(&IRIS.replace("0.01", "0.1")));
        for (from, to) in [
            ("seed = 3", "seed = 4"),
            ("0.6", "0.5"),
            ("\"per_feature\"", "\"min_max\""),
        ] {
            assert_ne!(base, key(&IRIS.replace(from, to)), "{to}");
        }
    }
}
