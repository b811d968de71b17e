//! Resumes a trial from its newest checkpoint, after checking that it is still the same training.

use emberlab_run_format::files::{CONFIG, ENDING, ENVIRONMENT, MODEL, MODEL_FOLDER, THRESHOLD};
use emberlab_run_format::{ChosenFor, Environment, ModelFile};
use emberlab_storage::{Position, RunLock, StorageError, create_folder, sha256};

use super::continuation::{Continuation, NothingToDo, config_restored, environment_restored};
use super::model_file::model_file;
use super::ready::Ready;
use super::{Execution, Resources, Trial};
use crate::error::ExperimentError;
use crate::run::{Change, Run};

/// The outcome of a request to resume a run.
pub enum Resume {
    /// The training continues.
    Continues(Box<Trial>, Resumed),
    /// The run has finished and nothing is left to train. At most its configuration and environment were written again,
    /// where they were lost or damaged.
    NothingToDo(NothingToDo),
}

/// How a run was resumed.
#[derive(Debug)]
pub struct Resumed {
    /// The position of the newest valid checkpoint. Without one, the training starts again from the beginning.
    pub position: Option<Position>,
    /// Newer checkpoints that were damaged and set aside.
    pub damaged: Vec<StorageError>,
    /// The changes of the configuration since that checkpoint.
    pub changes: Vec<Change>,
    /// Sentences about files of the run that were lost or damaged and are written again.
    pub warnings: Vec<String>,
    /// Sentences about differences that may change the results.
    pub notes: Vec<String>,
}

impl Trial {
    /// Resumes a run from its newest valid checkpoint. Without one, the training starts again from the beginning, with
    /// the same seed. A finished run with nothing left to train stays as it is.
    ///
    /// `overrides` change its configuration, as `--set` does, if that is possible during a training. `force` also
    /// allows changes of when the training ends.
    ///
    /// # Errors
    /// [`ExperimentError::ConfigChanged`] or [`ExperimentError::DataChanged`] if it would not be the same training,
    /// [`ExperimentError::OutOfPatience`] if more epochs are asked for, but early stopping would not train them,
    /// [`ExperimentError::Storage`] if another process is training the run, and all errors of [`Trial::begin`].
    pub fn resume(
        run: Run,
        overrides: &[String],
        force: bool,
        execution: Execution,
    ) -> Result<Resume, ExperimentError> {
        // This is checked before anything else, so that not even the lock of a finished run is touched if it is whole.
        if run.is_done()
            && !RunLock::is_held(run.path())
            && let Some(nothing) = Continuation::read(&run, overrides, force)?
                .nothing_to_do(&run, &execution.resources)?
        {
            return Ok(Resume::NothingToDo(nothing));
        }
        let lock = run.lock()?;
        let Continuation {
            source,
            config,
            checkpoint,
            damaged,
            changes,
            asked,
            config_fault,
        } = Continuation::read(&run, overrides, force)?;
        let environment = run.read_json::<Environment>(ENVIRONMENT);
        let trained_on = match (&checkpoint, &environment) {
            (Some(checkpoint), _) => Some(&checkpoint.identity.data_sha256),
            (None, Ok(environment)) => Some(&environment.data_sha256),
            // Nothing is trained yet, so any data will do.
            (None, Err(_)) => None,
        };
        let ready = {
            let Resources {
                device, data_dirs, ..
            } = &execution.resources;
            let trained_on = trained_on.map(|checksum| (&run, checksum.as_str()));
            Ready::prepare(config, device, data_dirs, trained_on)
        };
        let ready = ready.map_err(|error| error.with_place(&source))?;
        let position = checkpoint.as_ref().map(|c| c.position);
        let epochs = position.map_or(0, |p| p.epoch);

        // All checks have passed: from here on files of the run change. The result is removed before the configuration
        // changes, so that a process that dies in between leaves a run that can be resumed, and never a result of
        // another configuration.
        ready.store(&run).set_aside(&damaged)?;
        name_weights_of_threshold(&run)?;
        let has_model =
            run.read_json::<ModelFile>(MODEL).is_ok() && run.check_unchanged(&[MODEL]).is_ok();
        for name in ENDING {
            run.remove(name)?;
        }
        if !has_model {
            create_folder(&run.path().join(MODEL_FOLDER))?;
            run.write_json(MODEL, &model_file(&ready.prepared))?;
        }
        if !asked.is_empty() || config_fault.is_some() {
            run.write(CONFIG, ready.identity.config.as_bytes())?;
        }
        let now = ready.environment(&execution.resources);
        let mut warnings = Vec::new();
        if let Some(fault) = &config_fault {
            warnings.push(config_restored(fault));
        }
        let mut environment = environment.unwrap_or_else(|_| {
            warnings.push(environment_restored(&run));
            now.clone()
        });
        let mut notes = environment.resume(now, epochs);
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
            warnings,
            notes,
        };
        let trial = Self {
            run,
            lock,
            ready,
            checkpoint,
            execution,
        };
        Ok(Resume::Continues(Box::new(trial), resumed))
    }
}

/// Adds to a threshold of the first version the weights that it was chosen for, because they are about to change.
fn name_weights_of_threshold(run: &Run) -> Result<(), ExperimentError> {
    let Some(mut chosen) = run.stored_threshold() else {
        return Ok(());
    };
    if chosen.network.is_none() {
        let weights = chosen.weights();
        // Without its file, the network has the checksum of an empty file, which no other network has.
        let sha256 = sha256(&run.read(weights.file()).unwrap_or_default());
        chosen.network = Some(ChosenFor { weights, sha256 });
        run.write_json(THRESHOLD, &chosen)?;
    }
    Ok(())
}
