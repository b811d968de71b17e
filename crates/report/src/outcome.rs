//! The figures of one trial, read from the files of its run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use emberlab_metrics::Metric;
use emberlab_run_format::{Ending, Outcome, RunFolder, ThresholdScores, TrialOutcome};

use crate::ReportError;

/// A trial of a comparison, and the folder of its run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialPlace {
    /// The variant's name.
    pub variant: String,
    /// The trial's seed.
    pub seed: u64,
    /// Its fold of a cross-validation, counted from 0.
    pub fold: Option<usize>,
    /// The folder of its run.
    pub run: PathBuf,
}

/// The target of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TargetFigure {
    /// A column of `metrics.csv`.
    pub(crate) column: String,
    pub(crate) metric: Metric,
    pub(crate) value: f64,
}

/// Reads the figures of a trial from the files of its run.
///
/// # Errors
/// [`ReportError`] if its metrics cannot be read.
pub(crate) fn load_trial(
    place: &TrialPlace,
    at_epochs: &[usize],
    target: Option<&TargetFigure>,
) -> Result<TrialOutcome, ReportError> {
    let mut trial = TrialOutcome {
        variant: place.variant.clone(),
        seed: place.seed,
        fold: place.fold,
        run: RunFolder::new(&place.run).name(),
        outcome: Outcome::Missing,
        epochs: 0,
        steps: 0,
        seconds: 0.0,
        epochs_to_target: None,
        figures: BTreeMap::new(),
    };
    let files = RunFolder::new(&place.run);
    let history = files.history()?;
    trial.epochs = history.len();
    // A damaged file says that the training failed too, but not why.
    if files.failure().map_or(true, |failure| failure.is_some()) {
        trial.outcome = Outcome::Failed;
    }
    // A damaged result counts as none: the trial can be trained to its end again.
    if let Some(result) = files.result().unwrap_or_default() {
        trial.outcome = match result.ending {
            Ending::Completed => Outcome::Completed,
            Ending::StoppedEarly => Outcome::StoppedEarly,
            Ending::Interrupted => Outcome::Missing,
        };
        (trial.epochs, trial.steps) = (result.epochs, result.steps);
        trial.seconds = result.seconds;
        for (split, metrics) in &result.metrics {
            let named = metrics
                .iter()
                .map(|(m, value)| (format!("{split}_{m}"), value));
            trial.figures.extend(named);
        }
        for ThresholdScores { split, scores } in result.thresholds {
            for (metric, value) in scores.metrics() {
                let name = format!("{split}_{metric}>{}", scores.threshold);
                trial.figures.insert(name, value);
            }
        }
    }
    for &epoch in at_epochs {
        for (column, value) in history.at(epoch) {
            trial.figures.insert(format!("{column}@{epoch}"), value);
        }
    }
    if let Some(target) = target {
        let direction = target.metric.direction();
        trial.epochs_to_target = history.first_to_reach(&target.column, direction, target.value);
    }
    Ok(trial)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs;

    /// A run folder as `emberlab train` writes it.
    fn run(files: &[(&str, &str)]) -> (tempfile::TempDir, TrialPlace) {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("relu-seed3");
        fs::create_dir(&run).unwrap();
        for (name, text) in files {
            fs::write(run.join(name), text).unwrap();
        }
        let place = TrialPlace {
            variant: "relu".to_string(),
            seed: 3,
            fold: None,
            run,
        };
        (folder, place)
    }

    const METRICS: &str = "epoch,step,learning_rate,train_loss,valid_accuracy\n\
                           1,2,0.1,0.5,0.8\n2,4,0.1,NaN,0.97\n3,6,0.1,0.3,0.9\n";
    const RESULT: &str = r#"{"ending": "stopped_early", "epochs": 3, "steps": 6, "num_parameters": 9, "seconds": 1.5,
        "metrics": {"train": {"loss": null}, "valid": {"accuracy": 0.9}}, "best": null,
        "thresholds": [{"split": "valid", "scores": {"threshold": 0.1, "accuracy": 0.7,
            "precision": 0.6, "recall": 0.99, "f1": 0.75}}]}"#;

    fn target(value: f64) -> TargetFigure {
        TargetFigure {
            column: "valid_accuracy".to_string(),
            metric: Metric::Accuracy,
            value,
        }
    }

    #[test]
    fn a_finished_trial_has_figures_of_the_end_and_of_chosen_epochs() {
        let (_folder, place) = run(&[("metrics.csv", METRICS), ("result.json", RESULT)]);
        let trial = load_trial(&place, &[1, 2, 9], Some(&target(0.97))).unwrap();
        assert_eq!(trial.outcome, Outcome::StoppedEarly);
        assert_eq!((trial.epochs, trial.epochs_to_target), (3, Some(2)));
        assert_eq!(trial.seconds_to_target(), Some(1.0));
        assert_eq!(trial.figures["valid_accuracy"], 0.9);
        assert_eq!(trial.figures["valid_recall>0.1"], 0.99);
        assert_eq!(trial.figures["valid_accuracy@1"], 0.8);
        assert!(trial.figures["train_loss"].is_nan() && trial.figures["train_loss@2"].is_nan());
        assert!(!trial.figures.contains_key("train_loss@9"));
        let never = load_trial(&place, &[], Some(&target(0.98))).unwrap();
        assert_eq!(
            (never.epochs_to_target, never.seconds_to_target()),
            (None, None)
        );
    }

    #[test]
    fn failed_and_missing_trials_are_told_from_finished_ones() {
        let failure = r#"{"message": "no space"}"#;
        let (_folder, place) = run(&[("metrics.csv", METRICS), ("failure.json", failure)]);
        let trial = load_trial(&place, &[], None).unwrap();
        assert_eq!((trial.outcome, trial.epochs), (Outcome::Failed, 3));
        let (_folder, place) = run(&[]);
        let trial = load_trial(&place, &[], None).unwrap();
        assert_eq!((trial.outcome, trial.is_done()), (Outcome::Missing, false));
        let (_folder, place) = run(&[("result.json", "{}")]);
        let trial = load_trial(&place, &[], None).unwrap();
        assert_eq!(trial.outcome, Outcome::Missing);
    }
}
