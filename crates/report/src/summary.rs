//! What the trials of one variant have in common.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::outcome::{Outcome, TrialOutcome};
use crate::statistics::{bootstrap_median, mean, median, standard_deviation};

/// Where some values lie.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// How many values there are, NaN not counted.
    pub n: usize,
    /// The middle one.
    pub median: f64,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, as of a sample.
    pub standard_deviation: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// The spread of what is not NaN; none if nothing is left.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.into_iter().filter(|v| !v.is_nan()).collect();
        if values.is_empty() {
            return None;
        }
        Some(Self {
            n: values.len(),
            median: median(&values),
            mean: mean(&values),
            standard_deviation: standard_deviation(&values),
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        })
    }
}

/// What the trials of one variant have in common.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VariantSummary {
    /// The variant's name.
    pub variant: String,
    /// Trials planned.
    pub num_trials: usize,
    /// Trials that have come to their end.
    pub num_done: usize,
    /// Trials that an error ended.
    pub num_failed: usize,
    /// Trials that have come to their end with an objective or a loss that is not finite.
    pub num_not_finite: usize,
    /// Each figure over the other trials that have come to their end.
    pub figures: BTreeMap<String, Spread>,
    /// 95 % bootstrap interval of the objective's median.
    pub interval: Option<(f64, f64)>,
    /// Epochs to the target, of the trials that reached it.
    pub epochs_to_target: Option<Spread>,
    /// Seconds to the target, of the trials that reached it.
    pub seconds_to_target: Option<Spread>,
    /// Seconds of training.
    pub seconds: Option<Spread>,
}

impl VariantSummary {
    /// Summarises the trials of one variant by an objective's figure.
    pub(crate) fn of(variant: &str, trials: &[&TrialOutcome], objective: &str) -> Self {
        let done: Vec<&&TrialOutcome> = trials.iter().filter(|t| t.is_done()).collect();
        let mut finite = Vec::new();
        let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for trial in &done {
            let Some(value) = trial.finite(objective) else {
                continue;
            };
            finite.push(value);
            for (name, value) in &trial.figures {
                values.entry(name.clone()).or_default().push(*value);
            }
        }
        let figures = values.into_iter();
        Self {
            variant: variant.to_string(),
            num_trials: trials.len(),
            num_done: done.len(),
            num_failed: trials
                .iter()
                .filter(|t| t.outcome == Outcome::Failed)
                .count(),
            num_not_finite: done.len() - finite.len(),
            figures: figures
                .filter_map(|(name, v)| Some((name, Spread::of(v)?)))
                .collect(),
            interval: bootstrap_median(&finite),
            epochs_to_target: Spread::of(
                done.iter()
                    .filter_map(|t| t.epochs_to_target)
                    .map(|n| n as f64),
            ),
            seconds_to_target: Spread::of(done.iter().filter_map(|t| t.seconds_to_target())),
            seconds: Spread::of(done.iter().map(|t| t.seconds)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn trial(outcome: Outcome, loss: f64, epochs_to_target: Option<usize>) -> TrialOutcome {
        TrialOutcome {
            variant: "relu".to_string(),
            seed: 0,
            fold: None,
            run: String::new(),
            outcome,
            epochs: 10,
            steps: 10,
            seconds: 2.0,
            epochs_to_target,
            figures: [("valid_loss".to_string(), loss)].into(),
        }
    }

    #[test]
    fn failed_and_nan_trials_are_counted_and_not_mixed_in() {
        let trials = [
            trial(Outcome::Completed, 0.1, Some(5)),
            trial(Outcome::StoppedEarly, 0.3, None),
            trial(Outcome::Completed, f64::NAN, None),
            trial(Outcome::Failed, 9.0, Some(1)),
            trial(Outcome::Missing, 9.0, None),
        ];
        let trials: Vec<&TrialOutcome> = trials.iter().collect();
        let summary = VariantSummary::of("relu", &trials, "valid_loss");
        assert_eq!((summary.num_trials, summary.num_done), (5, 3));
        assert_eq!((summary.num_failed, summary.num_not_finite), (1, 1));
        let loss = summary.figures["valid_loss"];
        assert_eq!(
            (loss.n, loss.median, loss.min, loss.max),
            (2, 0.2, 0.1, 0.3)
        );
        assert_eq!(summary.epochs_to_target.unwrap().n, 1);
        assert_eq!(summary.seconds_to_target.unwrap().median, 1.0);
        assert_eq!(summary.interval, Some((0.1, 0.3)));
    }
}
