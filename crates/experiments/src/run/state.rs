//! The state of a run, read from its files: running, finished, interrupted, failed or damaged.

use std::time::{Duration, SystemTime};

use emberlab_metrics::Metric;
use emberlab_run_format::files::{CONFIG, FAILURE, METRICS, RESULT};
use emberlab_run_format::{BestEpoch, Failure, History, RunResult};
use emberlab_storage::RunLock;
use emberlab_training::Split;
use serde::Serialize;

use crate::config::ExperimentConfig;
use crate::error::ExperimentError;
use crate::run::Run;

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// A process is training it now.
    Running,
    /// The training has finished: there is a result.
    Finished,
    /// The training was stopped or killed, and can be resumed.
    Interrupted,
    /// The training ended with an error. It can be resumed after the cause is removed.
    Failed,
    /// A file in its folder is damaged or was changed.
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

/// A summary of a run for lists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunSummary {
    /// `experiment/run`.
    pub run: String,
    /// Its state.
    pub state: RunState,
    /// The reason why it failed, or the file that is damaged.
    pub reason: Option<String>,
    /// The number of epochs done.
    pub epochs: usize,
    /// The number of epochs planned; `None` if the configuration cannot be read.
    pub num_epochs: Option<usize>,
    /// The best epoch by its objective.
    pub best: Option<BestEpoch>,
    /// Seconds since its metrics last changed, or since it began if there are no metrics.
    pub age_seconds: u64,
}

impl RunSummary {
    /// Summarises a run. If one of its files cannot be read, the run counts as damaged.
    pub fn of(run: &Run) -> Self {
        let config = run.config();
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

/// The state of a run, with the reason if it failed or is damaged.
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
    match run.checkpoint_store().newest() {
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

/// The time since the metrics of a run last changed, or since it began.
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

/// The best epoch so far by a metric on a split, or on the training split if that split has no rows.
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use emberlab_storage::Batch;

    fn summary(metrics: &str) -> RunSummary {
        let folder = tempfile::tempdir().unwrap();
        let files: [(&str, &[u8]); 1] = [(METRICS, metrics.as_bytes())];
        let mut batch = Batch::default();
        let run = Run::create(folder.path(), "e", 0, Some("r"), &files, &mut batch).unwrap();
        batch.commit().unwrap();
        RunSummary::of(&run)
    }

    #[test]
    fn without_validation_data_the_best_epoch_is_that_of_the_training_data() {
        let history = History::parse("epoch,train_loss\n1,0.5\n2,0.4\n").unwrap();
        let best = best(&history, Metric::Loss, Split::Valid).unwrap();
        assert_eq!((best.epoch, best.split), (2, Split::Train));
    }

    #[test]
    fn a_run_without_metrics_has_done_no_epochs() {
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
