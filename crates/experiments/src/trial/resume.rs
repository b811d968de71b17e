//! Resumes a trial from its newest checkpoint, after checking that it is still the same training.

use emberlab_run_format::Environment;
use emberlab_run_format::files::{CONFIG, ENVIRONMENT};
use emberlab_storage::{Found, Position, StorageError};

use super::ready::Ready;
use super::{Execution, Prepared, Trial};
use crate::config::ExperimentConfig;
use crate::error::ExperimentError;
use crate::run::{Change, Run, Verdict, changes};

/// How a run was resumed.
#[derive(Debug)]
pub struct Resumed {
    /// The position of the newest valid checkpoint. Without one, the training starts again from the beginning.
    pub position: Option<Position>,
    /// Newer checkpoints that were damaged and set aside.
    pub damaged: Vec<StorageError>,
    /// The changes of the configuration.
    pub changes: Vec<Change>,
    /// Sentences about differences that may change the results.
    pub notes: Vec<String>,
}

impl Trial {
    /// Resumes a run from its newest valid checkpoint. Without one, the training starts again from the beginning, with
    /// the same seed.
    ///
    /// `overrides` change its configuration, as `--set` does, if that is possible during a training. `force` also
    /// allows changes of when the training ends.
    ///
    /// # Errors
    /// [`ExperimentError::ConfigChanged`] or [`ExperimentError::DataChanged`] if it would not be the same training,
    /// [`ExperimentError::Storage`] if another process is training the run, and all errors of [`Trial::begin`].
    pub fn resume(
        run: Run,
        overrides: &[String],
        force: bool,
        execution: Execution,
    ) -> Result<(Self, Resumed), ExperimentError> {
        let lock = run.lock()?;
        let written = run.source()?;
        let source = written.with_overrides(overrides)?;
        let config = ExperimentConfig::from_source(&source)?;
        let ready = Ready::prepare(config, &execution).map_err(|e| e.with_place(&source))?;
        let store = ready.store(&run);
        let Found {
            checkpoint,
            damaged,
        } = store.newest()?;
        let before = match &checkpoint {
            Some(checkpoint) => checkpoint.identity.config.clone(),
            None => written.text,
        };
        let position = checkpoint.as_ref().map(|c| c.position);
        let epochs = position.map_or(0, |p| p.epoch);
        let changes = allowed_changes(&run, &before, &ready.identity.config, epochs, force)?;
        let mut environment: Environment = run.read_json(ENVIRONMENT)?;
        let trained_on = match &checkpoint {
            Some(checkpoint) => &checkpoint.identity.data_sha256,
            None => &environment.data_sha256,
        };
        check_checksum(&run, trained_on, &ready.identity.data_sha256)?;

        // All checks have passed: from here on files of the run change.
        store.set_aside(&damaged)?;
        if !changes.is_empty() {
            run.write(CONFIG, ready.identity.config.as_bytes())?;
        }
        let mut notes = environment.resume(ready.environment(&execution), epochs);
        run.write_json(ENVIRONMENT, &environment)?;
        let depends_on_num_epochs = ready.prepared.config.scheduler.depends_on_num_epochs();
        if depends_on_num_epochs && changes.iter().any(|c| c.key == "training.num_epochs") {
            notes.push(
                "the learning rates of the remaining epochs follow the new number of epochs; \
                 those of the epochs done followed the old number"
                    .to_string(),
            );
        }
        let resumed = Resumed {
            position,
            damaged,
            changes,
            notes,
        };
        let trial = Self {
            run,
            lock,
            ready,
            checkpoint,
            execution,
        };
        Ok((trial, resumed))
    }
}

/// The changes between two configurations of a run that has trained `epochs` epochs.
///
/// # Errors
/// [`ExperimentError::ConfigChanged`] if one of them is not possible, or only with `force`.
fn allowed_changes(
    run: &Run,
    before: &str,
    after: &str,
    epochs: usize,
    force: bool,
) -> Result<Vec<Change>, ExperimentError> {
    let changes = changes(before, after, epochs).map_err(|e| run.malformed(CONFIG, e))?;
    let allowed = if force {
        Verdict::NeedsForce
    } else {
        Verdict::Allowed
    };
    if changes.iter().any(|c| c.verdict > allowed) {
        return Err(ExperimentError::ConfigChanged {
            run: run.id(),
            changes,
        });
    }
    Ok(changes)
}

/// Checks that the data are those that the run was trained on.
///
/// # Errors
/// [`ExperimentError::DataChanged`] if they are not.
pub(crate) fn check_data(run: &Run, prepared: &Prepared) -> Result<(), ExperimentError> {
    let environment: Environment = run.read_json(ENVIRONMENT)?;
    check_checksum(run, &environment.data_sha256, &prepared.samples.checksum())
}

fn check_checksum(run: &Run, expected: &str, found: &str) -> Result<(), ExperimentError> {
    if expected == found {
        Ok(())
    } else {
        Err(ExperimentError::DataChanged {
            run: run.path().to_path_buf(),
            expected: expected.to_string(),
            found: found.to_string(),
        })
    }
}
