//! The training that resuming a run would continue, read from its files before any of them is changed.

use std::fmt;

use emberlab_config_source::ConfigSource;
use emberlab_metrics::Metric;
use emberlab_run_format::files::{CONFIG, ENVIRONMENT, RESULT};
use emberlab_run_format::{Ending, Environment, RunResult};
use emberlab_storage::{Checkpoint, CheckpointStore, Digested, Found, Position, StorageError};
use emberlab_training::{Split, epochs_without_improvement};

use super::Resources;
use super::environment::current_environment;
use crate::config::ExperimentConfig;
use crate::error::ExperimentError;
use crate::run::{Change, Run, Verdict, changes};

/// The reason why there is nothing left to train.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NothingToDo {
    /// Epochs done.
    pub epochs: usize,
    /// The reason why the training stopped before its last epoch, if it did.
    pub stopped: Option<StoppedEarly>,
    /// Changes of the configuration that were asked for. They are not stored, because nothing is trained with them.
    pub changes: Vec<Change>,
    /// Sentences about files that were lost or damaged and are written again. No other file was changed.
    pub warnings: Vec<String>,
}

/// The reason why early stopping ended a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoppedEarly {
    /// The split that the objective was measured on.
    pub split: Split,
    /// The metric of the objective.
    pub metric: Metric,
    /// The number of last epochs in which it did not improve.
    pub waited: usize,
    /// The patience in epochs.
    pub patience: usize,
}

impl StoppedEarly {
    /// A patience with which the training would go on.
    pub fn more_patience(&self) -> usize {
        2 * self.waited.max(self.patience)
    }
}

impl fmt::Display for StoppedEarly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            split,
            metric,
            waited,
            patience,
        } = self;
        write!(
            f,
            "the {split} {metric} had not improved for {}, and `training.early_stopping.patience` is {patience}",
            count_epochs(*waited)
        )
    }
}

/// `1 epoch` or `2 epochs`.
pub(crate) fn count_epochs(epochs: usize) -> String {
    match epochs {
        1 => "1 epoch".to_string(),
        _ => format!("{epochs} epochs"),
    }
}

/// The newest valid checkpoint of a run, and the configuration to continue it with.
pub(super) struct Continuation {
    /// The configuration of the run with the changes, as written.
    pub(super) source: ConfigSource,
    /// The same, as read.
    pub(super) config: ExperimentConfig,
    pub(super) checkpoint: Option<Checkpoint>,
    /// Newer checkpoints that are damaged.
    pub(super) damaged: Vec<StorageError>,
    /// The differences from the configuration that the checkpoint was written with.
    pub(super) changes: Vec<Change>,
    /// The differences from the configuration in the run's folder: those that are asked for now.
    pub(super) asked: Vec<Change>,
    /// The fault of the configuration's file, if that of the checkpoint stands for it.
    pub(super) config_fault: Option<ExperimentError>,
}

impl Continuation {
    /// Reads what is to be continued, with `overrides` of the configuration. `force` allows changes of when the
    /// training ends.
    ///
    /// # Errors
    /// [`ExperimentError::ConfigChanged`] if it would not be the same training; others if a file cannot be read.
    pub(super) fn read(
        run: &Run,
        overrides: &[String],
        force: bool,
    ) -> Result<Self, ExperimentError> {
        let store = CheckpointStore::new(run.checkpoints(), usize::MAX);
        let Found {
            checkpoint,
            damaged,
        } = store.newest()?;
        let (written, config_fault) = run.source_beside(checkpoint.as_ref())?;
        let source = written.with_overrides(overrides)?;
        let config = ExperimentConfig::from_source(&source)?.without_comparison();
        let trained = match &checkpoint {
            Some(checkpoint) => checkpoint.identity.config.clone(),
            None => written.text.clone(),
        };
        // An epoch that has begun is trained to its end.
        let begun = |at: Position| at.epoch + usize::from(at.step_in_epoch > 0);
        let epochs = checkpoint.as_ref().map_or(0, |c| begun(c.position));
        let now = config.to_toml()?;
        let between = |before: String| {
            let changes = changes(&with_defaults(before), &now, epochs);
            changes.map_err(|e| run.malformed(CONFIG, e))
        };
        let (changes, asked) = (between(trained)?, between(written.text)?);
        check_allowed(run, &changes, &asked, force)?;
        Ok(Self {
            source,
            config,
            checkpoint,
            damaged,
            changes,
            asked,
            config_fault,
        })
    }

    /// The reason why there is nothing to do: the run has finished, nothing is left to train, and its files are whole. A
    /// configuration or environment that is lost or damaged is written again. `None` if there is something to do.
    ///
    /// # Errors
    /// [`ExperimentError::OutOfPatience`] if other epochs were asked for, but early stopping has ended the training;
    /// [`ExperimentError::Storage`] if a file cannot be written again.
    pub(super) fn nothing_to_do(
        self,
        run: &Run,
        resources: &Resources,
    ) -> Result<Option<NothingToDo>, ExperimentError> {
        let Ok(result) = run.read_json::<RunResult>(RESULT) else {
            return Ok(None);
        };
        let changes_epochs = (self.asked.iter()).any(|c| c.key == "training.num_epochs");
        let stopped = self.stopped_early(&result)?;
        if let Some(stopped) = stopped.filter(|_| changes_epochs) {
            return Err(ExperimentError::OutOfPatience {
                run: run.id(),
                epochs: result.epochs,
                stopped,
            });
        }
        let is_over = stopped.is_some()
            || result.epochs >= self.config.training.num_epochs
            // Without a checkpoint, the epochs without improvement are not known. Without changes, the training would
            // stop where it did.
            || (result.ending == Ending::StoppedEarly && self.asked.is_empty());
        if !is_over {
            return Ok(None);
        }
        let restored = self.restore(run, &result, resources)?;
        Ok(restored.map(|warnings| NothingToDo {
            epochs: result.epochs,
            stopped,
            changes: self.asked,
            warnings,
        }))
    }

    /// Writes a lost or damaged configuration or environment of a finished run again, and returns sentences that say so.
    /// `None` if other files are not whole: the end of the training is then done again from the newest valid checkpoint.
    fn restore(
        &self,
        run: &Run,
        result: &RunResult,
        resources: &Resources,
    ) -> Result<Option<Vec<String>>, ExperimentError> {
        let wrong = run.wrong_files(result);
        let has_environment = run.read_json::<Environment>(ENVIRONMENT).is_ok();
        if self.damaged.is_empty()
            && self.config_fault.is_none()
            && wrong.is_empty()
            && has_environment
        {
            return Ok(Some(Vec::new()));
        }
        let Some(checkpoint) = &self.checkpoint else {
            return Ok(None);
        };
        let config = checkpoint.identity.config.as_bytes();
        let is_restored = |file: &&Digested| {
            self.config_fault.is_some()
                && file.name == CONFIG
                && file.disagreement(config).is_none()
        };
        if !self.damaged.is_empty() || !wrong.iter().all(is_restored) {
            return Ok(None);
        }
        let _lock = run.lock()?;
        let mut warnings = Vec::new();
        if let Some(fault) = &self.config_fault {
            run.write(CONFIG, config)?;
            warnings.push(config_restored(fault));
        }
        if !has_environment {
            let (device, num_threads) = (&resources.device, resources.num_threads);
            let checksum = checkpoint.identity.data_sha256.clone();
            let environment = current_environment(device, num_threads, checksum, None);
            run.write_json(ENVIRONMENT, &environment)?;
            warnings.push(environment_restored(run));
        }
        Ok(Some(warnings))
    }

    /// The reason why early stopping would end the training at the checkpoint, if it would.
    fn stopped_early(&self, result: &RunResult) -> Result<Option<StoppedEarly>, ExperimentError> {
        let training = &self.config.training;
        let (Some(stopping), Some(checkpoint)) = (&training.early_stopping, &self.checkpoint)
        else {
            return Ok(None);
        };
        let waited = epochs_without_improvement(checkpoint)?;
        let has_valid = result.metrics.contains_key(&Split::Valid);
        Ok((waited >= stopping.patience).then_some(StoppedEarly {
            split: match training.objective.split {
                Split::Valid if !has_valid => Split::Train,
                split => split,
            },
            metric: training.objective.metric,
            waited,
            patience: stopping.patience,
        }))
    }
}

/// Checks that the `changes` since the checkpoint are possible, and with `force` those that are `asked` for now. What an
/// earlier resumption was allowed to change is in the configuration of the run, and needs no force again.
///
/// # Errors
/// [`ExperimentError::ConfigChanged`] if one of them is not possible, or only with `force`.
fn check_allowed(
    run: &Run,
    changes: &[Change],
    asked: &[Change],
    force: bool,
) -> Result<(), ExperimentError> {
    let refused = |changes: &[Change]| {
        let changes = changes.to_vec();
        Err(ExperimentError::ConfigChanged {
            run: run.id(),
            changes,
        })
    };
    if changes.iter().any(|c| c.verdict == Verdict::Refused) {
        return refused(changes);
    }
    match !force && asked.iter().any(|c| c.verdict == Verdict::NeedsForce) {
        true => refused(asked),
        false => Ok(()),
    }
}

/// The sentence about a configuration with a fault that is written again.
pub(super) fn config_restored(fault: &ExperimentError) -> String {
    format!("{fault}; it is written again from the newest checkpoint")
}

/// The sentence about a lost or damaged environment that is written again.
pub(super) fn environment_restored(run: &Run) -> String {
    let path = run.path().join(ENVIRONMENT);
    let path = path.display();
    format!("{path} was lost or damaged; it is written again for this machine")
}

/// The configuration `text` with the defaults that this version writes out. If this version cannot read it, it stays as
/// it is.
pub(super) fn with_defaults(text: String) -> String {
    let config = toml::from_str::<ExperimentConfig>(&text);
    let written = config.ok().and_then(|config| config.to_toml().ok());
    written.unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_epoch_is_not_called_epochs() {
        let error = |epochs, waited| {
            let stopped = StoppedEarly {
                split: Split::Valid,
                metric: Metric::Loss,
                waited,
                patience: 1,
            };
            let run = "moons/early".to_string();
            let error = ExperimentError::OutOfPatience {
                run,
                epochs,
                stopped,
            };
            error.to_string()
        };
        assert!(
            error(1, 1).starts_with(
                "moons/early stopped early after 1 epoch: the valid loss had not improved for 1 epoch, and "
            ),
            "{}",
            error(1, 1)
        );
        assert!(
            error(3, 2).contains("after 3 epochs: the valid loss had not improved for 2 epochs")
        );
    }
}
