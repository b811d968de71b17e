//! The trials of one variant, summarised.

use std::collections::BTreeMap;

use emberlab_run_format::{Outcome, Spread, TrialOutcome, VariantSummary};

use crate::statistics::{bootstrap_median, mean, median, standard_deviation};

/// The spread of the values that are not NaN; `None` if all are.
pub fn spread(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
    let values: Vec<f64> = values.into_iter().filter(|v| !v.is_nan()).collect();
    if values.is_empty() {
        return None;
    }
    Some(Spread {
        n: values.len(),
        median: median(&values),
        mean: mean(&values),
        standard_deviation: standard_deviation(&values),
        min: values.iter().copied().fold(f64::INFINITY, f64::min),
        max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    })
}
/// Summarises the trials of one variant by an objective's figure.
pub(crate) fn summarize(
    variant: &str,
    trials: &[&TrialOutcome],
    objective: &str,
) -> VariantSummary {
    let done: Vec<&&TrialOutcome> = trials.iter().filter(|t| t.is_done()).collect();
    let (mut finite, mut num_not_finite) = (Vec::new(), 0);
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for trial in &done {
        let value = trial.value(objective);
        if value.is_some_and(|value| !value.is_finite()) {
            num_not_finite += 1;
            continue;
        }
        finite.extend(value);
        for (name, value) in &trial.figures {
            values.entry(name.clone()).or_default().push(*value);
        }
    }
    let figures = values.into_iter();
    VariantSummary {
        variant: variant.to_string(),
        num_trials: trials.len(),
        num_done: done.len(),
        num_failed: trials
            .iter()
            .filter(|t| t.outcome == Outcome::Failed)
            .count(),
        num_not_finite,
        figures: figures
            .filter_map(|(name, v)| Some((name, spread(v)?)))
            .collect(),
        interval: bootstrap_median(&finite),
        epochs_to_target: spread(
            done.iter()
                .filter_map(|t| t.epochs_to_target)
                .map(|n| n as f64),
        ),
        seconds_to_target: spread(done.iter().filter_map(|t| t.seconds_to_target())),
        seconds: spread(done.iter().map(|t| t.seconds)),
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
    fn failed_and_nan_trials_are_counted_but_not_averaged() {
        let trials = [
            trial(Outcome::Completed, 0.1, Some(5)),
            trial(Outcome::StoppedEarly, 0.3, None),
            trial(Outcome::Completed, f64::NAN, None),
            trial(Outcome::Failed, 9.0, Some(1)),
            trial(Outcome::Missing, 9.0, None),
        ];
        let trials: Vec<&TrialOutcome> = trials.iter().collect();
        let summary = summarize("relu", &trials, "valid_loss");
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
        // A figure that the trials do not have is not NaN: the training had no rows of that split.
        let absent = summarize("relu", &trials[..2], "test_loss");
        assert_eq!((absent.num_done, absent.num_not_finite), (2, 0));
        assert!(absent.figures.contains_key("valid_loss") && absent.interval.is_none());
    }
}
