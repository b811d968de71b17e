//! `baselines.json`: scores of simple predictors on the rows that a network is evaluated on.

use std::collections::BTreeMap;

use emberlab_metrics::{Metric, Split, SplitMetrics};
use serde::{Deserialize, Serialize};

/// The scores of all baselines for one division of the data into splits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baselines {
    /// The metric that a network is compared by: that of the objective. A baseline has no loss, so it is the accuracy
    /// or R² where the objective is the loss.
    pub metric: Metric,
    /// The number of training rows.
    pub num_train: usize,
    /// The baselines, the simplest first.
    pub results: Vec<BaselineScores>,
}

/// The scores of one baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineScores {
    /// Its name in files, such as `logistic_regression`.
    pub name: String,
    /// Its name as it is printed, such as "logistic regression".
    pub title: String,
    /// The number of training rows that it learnt from, below `num_train` where all of them would take too long.
    pub num_train_used: usize,
    /// The metrics of each split, without the loss; empty if the baseline could not be fitted.
    pub metrics: BTreeMap<Split, SplitMetrics>,
    /// The reason why the baseline could not be fitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Baselines {
    /// The best baseline by the metric on a split; of several, the simplest. `None` if none has a score.
    pub fn best(&self, split: Split) -> Option<(&BaselineScores, f64)> {
        let mut best: Option<(&BaselineScores, f64)> = None;
        for scores in &self.results {
            let Some(value) = scores.metrics.get(&split).and_then(|m| m.get(self.metric)) else {
                continue;
            };
            let direction = self.metric.direction();
            if best.is_none_or(|(_, other)| direction.is_improvement(value, other)) {
                best = Some((scores, value));
            }
        }
        best
    }
}

/// `baselines.json` of a comparison: the baselines of every distinct data of its trials.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparisonBaselines {
    /// One entry for each distinct data. Trials that differ only in their network and its training share one.
    pub data: Vec<DataBaselines>,
}

/// The baselines of trials with the same data, splits, standardisation and seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataBaselines {
    /// SHA-256 of everything in the configuration that the baselines depend on.
    pub key: String,
    /// The folders of the trials, relative to the comparison's.
    pub runs: Vec<String>,
    /// The scores.
    pub baselines: Baselines,
}

impl ComparisonBaselines {
    /// The baselines on the data of a trial, by the folder of its run.
    pub fn of_run(&self, run: &str) -> Option<&Baselines> {
        let is_its = |data: &&DataBaselines| data.runs.iter().any(|name| name == run);
        self.data.iter().find(is_its).map(|data| &data.baselines)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn scores(name: &str, accuracy: Option<f64>) -> BaselineScores {
        let metrics = accuracy.map(|value| {
            (
                Split::Valid,
                [(Metric::Accuracy, value)].into_iter().collect(),
            )
        });
        BaselineScores {
            name: name.to_string(),
            title: name.to_string(),
            num_train_used: 10,
            metrics: metrics.into_iter().collect(),
            error: None,
        }
    }

    #[test]
    fn the_best_baseline_is_the_simplest_of_those_with_the_best_score() {
        let mut baselines = Baselines {
            metric: Metric::Accuracy,
            num_train: 10,
            results: vec![
                scores("failed", None),
                scores("a", Some(0.5)),
                scores("b", Some(0.75)),
                scores("c", Some(0.75)),
            ],
        };
        let (best, value) = baselines.best(Split::Valid).unwrap();
        assert_eq!((best.name.as_str(), value), ("b", 0.75));
        assert_eq!(baselines.best(Split::Test), None);
        baselines.results.truncate(1);
        assert_eq!(baselines.best(Split::Valid), None);
    }

    #[test]
    fn baselines_read_back_and_are_found_by_the_run() {
        let data = DataBaselines {
            key: "abc".to_string(),
            runs: vec!["relu-seed0".to_string()],
            baselines: Baselines {
                metric: Metric::Accuracy,
                num_train: 10,
                results: vec![scores("a", Some(0.5))],
            },
        };
        let written = ComparisonBaselines { data: vec![data] };
        let json = serde_json::to_string(&written).unwrap();
        let read: ComparisonBaselines = serde_json::from_str(&json).unwrap();
        assert_eq!(read, written);
        assert!(read.of_run("relu-seed0").is_some() && read.of_run("relu-seed1").is_none());
    }
}
