//! `comparison.json`: the variants of a comparison, their differences, and every trial.

use std::collections::BTreeMap;

use emberlab_metrics::{Metric, json_number};
use serde::{Deserialize, Serialize};

/// The answer to a comparison. NaN and infinities are written as `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparisonResult {
    /// The objective, and the figures that are compared beside it.
    pub question: Question,
    /// Each variant, in the order of the configuration.
    pub variants: Vec<VariantSummary>,
    /// Each variant but the best, compared with the best.
    pub differences: Vec<PairedDifference>,
    /// Simple predictors on the data of the best variant, if they were computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baselines: Option<BaselineComparison>,
    /// The answer in plain sentences.
    pub conclusion: Vec<String>,
    /// For two classes, the same in all trials: the name of the positive class, whose scores at thresholds are listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive_class: Option<String>,
    /// Every trial.
    pub trials: Vec<TrialOutcome>,
}

/// The objective of a comparison, and the figures that are compared beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// The comparison's name.
    pub experiment: String,
    /// The metric of the objective.
    pub metric: Metric,
    /// The split it is measured on, such as `valid`.
    pub split: String,
    /// The split that the configuration names, if no trial has rows of it and `split` takes its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_split: Option<String>,
    /// Epochs after which every metric is compared, besides the last epoch.
    pub at_epochs: Vec<usize>,
    /// The target whose epoch is compared: metric, split and value.
    pub target: Option<(Metric, String, f64)>,
}

impl Question {
    /// The figure of the objective, such as `valid_accuracy`.
    pub fn objective(&self) -> String {
        format!("{}_{}", self.split, self.metric)
    }
}

/// The best variant of a comparison beside simple predictors on the same rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BaselineComparison {
    /// The best variant, on whose data the baselines are.
    pub variant: String,
    /// The figure that is compared, such as `valid_accuracy`.
    pub figure: String,
    /// Each baseline over the seeds and folds of the variant, the simplest first.
    pub baselines: Vec<VariantSummary>,
    /// The baseline with the best median, compared with the variant: `baseline - variant`, paired by seed.
    /// `None` if no baseline has the figure.
    pub difference: Option<PairedDifference>,
    /// Sentences about baselines that learnt from a part of the training rows, or could not be fitted.
    pub notes: Vec<String>,
}

/// The trials of one variant, summarised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VariantSummary {
    /// The variant's name.
    pub variant: String,
    /// Trials planned.
    pub num_trials: usize,
    /// Trials that have finished.
    pub num_done: usize,
    /// Trials that an error ended.
    pub num_failed: usize,
    /// Finished trials whose objective, or any loss of the last network, is NaN or infinite. A trial without the figure
    /// of the objective, because it has no rows of that split, is none of them.
    pub num_not_finite: usize,
    /// Each figure over the other finished trials.
    pub figures: BTreeMap<String, Spread>,
    /// 95 % bootstrap interval of the objective's median.
    #[serde(deserialize_with = "json_number::deserialize_interval")]
    pub interval: Option<(f64, f64)>,
    /// Epochs to the target, of the trials that reached it.
    pub epochs_to_target: Option<Spread>,
    /// Seconds to the target, of the trials that reached it.
    pub seconds_to_target: Option<Spread>,
    /// Seconds of training.
    pub seconds: Option<Spread>,
}

/// Centre and width of some values, without NaN.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Number of values.
    pub n: usize,
    /// The median.
    #[serde(deserialize_with = "json_number::deserialize")]
    pub median: f64,
    /// The mean.
    #[serde(deserialize_with = "json_number::deserialize")]
    pub mean: f64,
    /// The standard deviation of a sample, with `n - 1` in the denominator.
    #[serde(deserialize_with = "json_number::deserialize")]
    pub standard_deviation: f64,
    /// The smallest value.
    #[serde(deserialize_with = "json_number::deserialize")]
    pub min: f64,
    /// The largest value.
    #[serde(deserialize_with = "json_number::deserialize")]
    pub max: f64,
}

/// The difference between a variant and the best one, paired by seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairedDifference {
    /// The variant with the best median. A trial whose objective is not finite counts as infinitely bad.
    pub best: String,
    /// The other variant.
    pub variant: String,
    /// Seeds with which both have finished trials. The folds of a cross-validation are averaged for each seed, because
    /// they share training rows.
    pub num_pairs: usize,
    /// The number of folds of each seed, in a cross-validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_folds: Option<usize>,
    /// The median of `variant - best`, in units of the objective. A trial whose objective is not finite
    /// is infinitely worse.
    #[serde(deserialize_with = "json_number::deserialize")]
    pub median: f64,
    /// Its 95 % bootstrap interval, from two pairs on.
    #[serde(deserialize_with = "json_number::deserialize_interval")]
    pub interval: Option<(f64, f64)>,
    /// Wilcoxon's signed-rank test, two-sided, corrected by Holm's method for the number of variants.
    #[serde(deserialize_with = "json_number::deserialize")]
    pub p_value: f64,
    /// Whether the difference is significant.
    pub verdict: Verdict,
}

/// Whether a difference is significant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Chance alone may explain the difference.
    NotToldApart,
    /// The other variant is worse than the best.
    Worse,
    /// The other is better: a baseline, or a variant that is better seed by seed in spite of its worse median.
    Better,
}

/// The figures of one trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialOutcome {
    /// The variant's name.
    pub variant: String,
    /// The trial's seed.
    pub seed: u64,
    /// Its fold of a cross-validation, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<usize>,
    /// The folder of its run, relative to the comparison's.
    pub run: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Epochs done.
    pub epochs: usize,
    /// Optimiser steps done; 0 until the trial has finished.
    pub steps: u64,
    /// Seconds spent training; 0 until the trial has finished.
    pub seconds: f64,
    /// The first epoch that reached the target, if one did.
    pub epochs_to_target: Option<usize>,
    /// The figures by name: `valid_accuracy` of the last network, `valid_accuracy@300` after that epoch,
    /// `valid_precision>0.1` of the positive class where it is predicted above that probability.
    #[serde(deserialize_with = "json_number::deserialize_map")]
    pub figures: BTreeMap<String, f64>,
}

/// How a trial ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every epoch was done.
    Completed,
    /// The objective no longer improved.
    StoppedEarly,
    /// An error ended it, or it was killed.
    Failed,
    /// It has no result yet.
    Missing,
}

impl TrialOutcome {
    /// Whether the trial has finished.
    pub fn is_done(&self) -> bool {
        matches!(self.outcome, Outcome::Completed | Outcome::StoppedEarly)
    }

    /// The value of a figure; `None` if it is absent, NaN, or infinite, or if any loss of the last network is NaN or
    /// infinite. Such a network predicts nothing useful, whatever its accuracy is.
    pub fn finite(&self, figure: &str) -> Option<f64> {
        self.value(figure).filter(|value| value.is_finite())
    }

    /// The same, but NaN instead of `None` unless the figure is absent.
    pub fn value(&self, figure: &str) -> Option<f64> {
        let value = self.figures.get(figure).copied()?;
        let mut losses = self
            .figures
            .iter()
            .filter(|(name, _)| name.ends_with("_loss"));
        let is_sound = losses.all(|(_, loss)| loss.is_finite());
        Some(if is_sound { value } else { f64::NAN })
    }

    /// Seconds to the target, in proportion to the epochs, since all epochs take about the same time.
    pub fn seconds_to_target(&self) -> Option<f64> {
        let epochs = self.epochs_to_target?;
        Some(self.seconds * epochs as f64 / self.epochs as f64)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_comparison_with_nan_and_infinities_reads_back() {
        let comparison = ComparisonResult {
            question: Question {
                experiment: "moons".to_string(),
                metric: Metric::Loss,
                split: "valid".to_string(),
                asked_split: None,
                at_epochs: vec![10],
                target: Some((Metric::Accuracy, "valid".to_string(), 0.9)),
            },
            variants: Vec::new(),
            differences: vec![PairedDifference {
                best: "a".to_string(),
                variant: "b".to_string(),
                num_pairs: 2,
                num_folds: None,
                median: f64::INFINITY,
                interval: Some((f64::INFINITY, f64::INFINITY)),
                p_value: 0.5,
                verdict: Verdict::NotToldApart,
            }],
            baselines: None,
            positive_class: None,
            conclusion: Vec::new(),
            trials: vec![TrialOutcome {
                variant: "b".to_string(),
                seed: 0,
                fold: None,
                run: "b-seed0".to_string(),
                outcome: Outcome::Completed,
                epochs: 10,
                steps: 10,
                seconds: 1.0,
                epochs_to_target: None,
                figures: [
                    ("valid_loss".to_string(), f64::NAN),
                    ("valid_accuracy".to_string(), 0.5),
                ]
                .into(),
            }],
        };
        let json = serde_json::to_string(&comparison).unwrap();
        let read: ComparisonResult = serde_json::from_str(&json).unwrap();
        assert_eq!(read.question, comparison.question);
        assert!(read.differences[0].interval.unwrap().0.is_nan());
        assert!(read.trials[0].figures["valid_loss"].is_nan());
        assert_eq!(read.trials[0].finite("valid_loss"), None);
        assert!(read.trials[0].value("valid_accuracy").unwrap().is_nan());
        assert_eq!(read.trials[0].value("test_accuracy"), None);
    }
}
