//! Begins a trial: a new run folder with its configuration, environment and model description.

use std::io::ErrorKind;
use std::path::Path;

use emberlab_run_format::files::{CONFIG, ENVIRONMENT, MODEL};
use emberlab_storage::Batch;

use super::model_file::model_file;
use super::ready::Ready;
use super::{Execution, Resources, Trial};
use crate::config::{ExperimentConfig, check_run_name};
use crate::error::ExperimentError;
use crate::run::{Run, json};

/// The option of the command line that gives the folder of runs.
const ARTIFACTS: &str = "--artifacts";

impl Trial {
    /// Begins a new run of `config` in the folder `artifacts`. Returns the trial and warnings about its settings.
    ///
    /// Nothing is written before data, network and device have been checked. Then the folder of the run appears with
    /// its first files, locked by this process until the trial is done.
    ///
    /// # Errors
    /// [`ExperimentError`] if something is wrong with the name, the configuration, the data or the device, or if the
    /// folder cannot be made.
    pub fn begin(
        config: ExperimentConfig,
        artifacts: &Path,
        run_name: Option<&str>,
        execution: Execution,
    ) -> Result<(Self, Vec<String>), ExperimentError> {
        if let Some(name) = run_name {
            check_run_name(name)?;
        }
        let mut batch = Batch::default();
        let Resources {
            device, data_dirs, ..
        } = &execution.resources;
        let ready = Ready::prepare(config, device, data_dirs, None)?;
        let new = NewTrial::write(ready, artifacts, run_name, execution, &mut batch)?;
        batch.commit().map_err(|error| match error.kind() {
            // Another process was faster.
            Some(ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists) => {
                let path = new.run.path().to_path_buf();
                ExperimentError::RunExists { path }
            }
            _ => error.into(),
        })?;
        let warnings = new.ready.prepared.warnings_about(&new.ready.findings);
        Ok((new.lock()?, warnings))
    }
}

/// A trial whose run has been written, and appears with a batch.
pub(super) struct NewTrial {
    run: Run,
    pub(super) ready: Ready,
    execution: Execution,
}

impl NewTrial {
    /// Writes the folder of the run as a part of `batch`.
    ///
    /// # Errors
    /// As for [`Trial::begin`].
    pub(super) fn write(
        ready: Ready,
        artifacts: &Path,
        run_name: Option<&str>,
        execution: Execution,
        batch: &mut Batch,
    ) -> Result<Self, ExperimentError> {
        let config = &ready.prepared.config;
        config.check_outside_data(artifacts, ARTIFACTS)?;
        let environment = json(
            Path::new(ENVIRONMENT),
            &ready.environment(&execution.resources),
        )?;
        let model = json(Path::new(MODEL), &model_file(&ready.prepared))?;
        let files = [
            (CONFIG, ready.identity.config.as_bytes()),
            (ENVIRONMENT, environment.as_slice()),
            (MODEL, model.as_slice()),
        ];
        let run = Run::create(
            artifacts,
            &config.name,
            config.seed,
            run_name,
            &files,
            batch,
        )?;
        Ok(Self {
            run,
            ready,
            execution,
        })
    }

    /// The trial, once its run has appeared. The run is locked.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`] if another process has locked it.
    pub(super) fn lock(self) -> Result<Trial, ExperimentError> {
        Ok(Trial {
            lock: self.run.lock()?,
            run: self.run,
            ready: self.ready,
            checkpoint: None,
            execution: self.execution,
        })
    }
}
