//! What has become of a run, read from what it left on disk.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use emberlab_analysis::LearningCurves;
use emberlab_metrics::Metric;
use emberlab_run_format::files::{
    CONFIG, DIAGNOSIS, ENVIRONMENT, FAILURE, METRICS, MODEL, MODEL_FOLDER, RESULT, THRESHOLD,
};
use emberlab_run_format::{
    BestEpoch, ChosenThreshold, Diagnosis, Environment, Failure, History, ModelFile, RunResult,
};
use emberlab_storage::{Checkpoint, CheckpointStore, RunLock, leftovers, remove_tree};
use emberlab_training::Split;
use serde::Serialize;

use crate::config::ExperimentConfig;
use crate::error::ExperimentError;
use crate::run::Run;
use crate::trial::load_config;

/// What has become of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// A process trains it now.
    Running,
    /// It has a result.
    Finished,
    /// It was stopped or killed, and can go on.
    Interrupted,
    /// An error ended it; it can go on when the cause is mended.
    Failed,
    /// Something in its folder is not what was written.
    Damaged,
}

impl std::fmt::Display for RunState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
            Self::Damaged => "damaged",
        })
    }
}

/// A run at a glance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunSummary {
    /// `experiment/run`.
    pub run: String,
    /// What has become of it.
    pub state: RunState,
    /// Why it failed, or what is damaged.
    pub reason: Option<String>,
    /// Epochs done.
    pub epochs: usize,
    /// Epochs planned, if the configuration can be read.
    pub num_epochs: Option<usize>,
    /// The best epoch by its objective.
    pub best: Option<BestEpoch>,
    /// Seconds since its metrics last changed, else since it began.
    pub age_seconds: u64,
}

impl RunSummary {
    /// Looks at a run; what cannot be read makes it a damaged one.
    pub fn of(run: &Run) -> Self {
        let config = load_config(run);
        let text = std::fs::read_to_string(run.metrics_path()).unwrap_or_default();
        let (history, fault) = match History::parse(&text) {
            Ok(history) => (history, None),
            Err(error) => (History::default(), Some(run.malformed(METRICS, error))),
        };
        let (state, reason) = match fault {
            Some(fault) => (RunState::Damaged, Some(fault.to_string())),
            None => state(run, &config),
        };
        let objective = config.as_ref().ok().map(|c| &c.training.objective);
        Self {
            run: run.id(),
            state,
            reason,
            epochs: history.len(),
            num_epochs: config.as_ref().ok().map(|c| c.training.num_epochs),
            best: objective.and_then(|o| best(&history, o.metric, o.split)),
            age_seconds: age(run).as_secs(),
        }
    }
}

fn state(
    run: &Run,
    config: &Result<ExperimentConfig, ExperimentError>,
) -> (RunState, Option<String>) {
    let damaged = |error: String| (RunState::Damaged, Some(error));
    if RunLock::is_held(run.path()) {
        return (RunState::Running, None);
    }
    if let Err(error) = config {
        return damaged(error.to_string());
    }
    if run.is_done() {
        return match run.read_json::<RunResult>(RESULT) {
            Ok(_) => (RunState::Finished, None),
            Err(error) => damaged(error.to_string()),
        };
    }
    match reader(run).newest() {
        Err(error) => damaged(error.to_string()),
        Ok(found) => match found.damaged.first() {
            Some(error) => damaged(error.to_string()),
            None => match run.read_json::<Failure>(FAILURE) {
                Ok(failure) => (RunState::Failed, Some(failure.message)),
                Err(_) => (RunState::Interrupted, None),
            },
        },
    }
}

/// The checkpoints of a run, to look at.
fn reader(run: &Run) -> CheckpointStore {
    let keep_last = load_config(run).map_or(usize::MAX, |config| config.checkpoint.keep_last);
    CheckpointStore::new(run.checkpoints(), keep_last)
}

fn age(run: &Run) -> Duration {
    let written = [METRICS, CONFIG].into_iter().find_map(|name| {
        let metadata = std::fs::metadata(run.path().join(name)).ok()?;
        metadata.modified().ok()
    });
    let now = SystemTime::now();
    written.map_or(Duration::ZERO, |then| {
        now.duration_since(then).unwrap_or_default()
    })
}

/// The best epoch so far. A run without validation data is judged by its training data.
fn best(history: &History, metric: Metric, split: Split) -> Option<BestEpoch> {
    let column = |split: Split| format!("{split}_{metric}");
    let is_there = |split: &Split| history.column(&column(*split)).is_some();
    let split = [split, Split::Train].into_iter().find(is_there)?;
    let (epoch, value) = history.best(&column(split), metric.direction())?;
    Some(BestEpoch {
        epoch,
        metric,
        split,
        value,
    })
}

impl Run {
    /// That the training has come to its end, and a trained network is there.
    ///
    /// # Errors
    /// [`ExperimentError::RunFailed`] if an error ended it, [`ExperimentError::NotFinished`] if nothing did yet.
    pub(crate) fn check_finished(&self) -> Result<(), ExperimentError> {
        if self.is_done() {
            return Ok(());
        }
        let run = self.id();
        Err(match self.read_json::<Failure>(FAILURE) {
            Ok(Failure { message, .. }) => ExperimentError::RunFailed { run, message },
            Err(_) => ExperimentError::NotFinished { run },
        })
    }

    /// The curves of the training so far.
    ///
    /// # Errors
    /// [`ExperimentError::Malformed`] if the configuration is no longer one.
    pub fn learning_curves(&self) -> Result<LearningCurves, ExperimentError> {
        let text = std::fs::read_to_string(self.metrics_path()).unwrap_or_default();
        let history = History::parse(&text).map_err(|e| self.malformed(METRICS, e))?;
        let column = |name: &str| history.column(name).into_iter().flatten().collect();
        Ok(LearningCurves {
            train_loss: column("train_loss"),
            valid_loss: column("valid_loss"),
            train_accuracy: column("train_accuracy"),
            valid_accuracy: column("valid_accuracy"),
            num_epochs: load_config(self)?.training.num_epochs,
        })
    }

    /// The newest valid checkpoint, if there is one.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`] if a folder cannot be read.
    pub(crate) fn newest_checkpoint(&self) -> Result<Option<Checkpoint>, ExperimentError> {
        Ok(reader(self).newest()?.checkpoint)
    }

    /// What is wrong with the files of the run, and how many were looked at: configuration, environment,
    /// metrics, model and result, and every checkpoint with all its sums.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`] if a folder cannot be read.
    pub fn check(&self) -> Result<(usize, Vec<String>), ExperimentError> {
        let mut faults: Vec<String> = Vec::new();
        let mut num_files = 0;
        let mut note = |result: Result<(), String>| {
            num_files += 1;
            faults.extend(result.err());
        };
        note(load_config(self).map(drop).map_err(|e| e.to_string()));
        let environment = self.read_json::<Environment>(ENVIRONMENT);
        note(environment.map(drop).map_err(|e| e.to_string()));
        note(
            self.read_json::<ModelFile>(MODEL)
                .map(drop)
                .map_err(|e| e.to_string()),
        );
        for (name, fault) in [
            (DIAGNOSIS, self.read_json::<Diagnosis>(DIAGNOSIS).err()),
            (
                THRESHOLD,
                self.read_json::<ChosenThreshold>(THRESHOLD).err(),
            ),
        ] {
            if self.path().join(name).is_file() {
                note(fault.map_or(Ok(()), |e| Err(e.to_string())));
            }
        }
        if self.is_done() {
            let result = self.read_json::<RunResult>(RESULT);
            let files = result.as_ref().map_or(Vec::new(), |r| r.files.clone());
            note(result.map(drop).map_err(|e| e.to_string()));
            for file in files {
                let fault = match self.read(&file.name) {
                    Ok(content) => file.disagreement(&content),
                    Err(error) => Some(error.to_string()),
                };
                note(fault.map_or(Ok(()), Err));
            }
        }
        for checkpoint in reader(self).read_all()? {
            note(checkpoint.map(drop).map_err(|e| e.to_string()));
        }
        Ok((num_files, faults))
    }

    /// What can be deleted without losing anything: checkpoints that the policy no longer keeps, damaged
    /// ones that were set aside, and what killed processes left half-done. Nothing of a run that is being
    /// trained.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`] if a folder cannot be read.
    pub fn debris(&self) -> Result<Vec<PathBuf>, ExperimentError> {
        if RunLock::is_held(self.path()) {
            return Ok(Vec::new());
        }
        let store = reader(self);
        let mut debris = store.debris()?;
        if store.newest()?.damaged.is_empty() {
            debris.extend(store.surplus()?);
        }
        for folder in [self.path(), &self.path().join(MODEL_FOLDER)] {
            debris.extend(leftovers(folder)?);
        }
        Ok(debris)
    }

    /// Deletes what [`debris`](Self::debris) found.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`] naming what could not be deleted, or the process that trains the run.
    pub fn delete(&self, debris: &[PathBuf]) -> Result<(), ExperimentError> {
        let _lock = self.lock()?;
        Ok(debris.iter().try_for_each(|path| remove_tree(path))?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn summary(metrics: &str) -> RunSummary {
        let folder = tempfile::tempdir().unwrap();
        let files: [(&str, &[u8]); 1] = [(METRICS, metrics.as_bytes())];
        let run = Run::create(folder.path(), "e", 0, Some("r"), &files);
        RunSummary::of(&run.unwrap())
    }

    #[test]
    fn a_run_without_validation_data_is_judged_by_its_training_data() {
        let history = History::parse("epoch,train_loss\n1,0.5\n2,0.4\n").unwrap();
        let best = best(&history, Metric::Loss, Split::Valid).unwrap();
        assert_eq!((best.epoch, best.split), (2, Split::Train));
    }

    #[test]
    fn a_run_without_metrics_has_done_nothing() {
        let summary = summary("");
        assert_eq!((summary.epochs, summary.best), (0, None));
    }

    #[test]
    fn a_broken_row_of_metrics_is_named() {
        let summary = summary("epoch,train_loss\n1,abc\n");
        assert_eq!(summary.state, RunState::Damaged);
        let reason = summary.reason.unwrap();
        assert!(
            reason.contains("metrics.csv") && reason.contains("line 2"),
            "{reason}"
        );
    }
}
