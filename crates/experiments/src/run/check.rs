//! Checks that the files of a run are whole and unchanged.

use emberlab_run_format::files::{
    BASELINES, CONFIG, DIAGNOSIS, ENVIRONMENT, FAILURE, FRAMES, IMPORTANCE, LAYERS, METRICS, MODEL,
    RESULT, THRESHOLD, rewritten_by,
};
use emberlab_run_format::{
    Baselines, ChosenThreshold, Diagnosis, Environment, Failure, Importance, ModelFile, RunFolder,
    RunResult,
};
use emberlab_storage::{Checkpoint, Digested, RunLock};
use serde::de::DeserializeOwned;

use super::Run;
use crate::error::ExperimentError;

/// Checks one file of a run by its name; the error says what is wrong with it.
type Check = fn(&Run, &str) -> Result<(), String>;

impl Run {
    /// Checks the files of the run: configuration, environment, model, whatever was found about it, result with the
    /// checksums of all files, or what a training under way has written, and every checkpoint. Returns the number of files
    /// checked and a message for each damaged one.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`] if a folder cannot be read.
    pub fn check(&self) -> Result<(usize, Vec<String>), ExperimentError> {
        let checkpoints = self.checkpoint_store().read_all()?;
        let newest = checkpoints.iter().find_map(|found| found.as_ref().ok());
        let mut checked = vec![
            self.check_config(newest),
            self.check_json::<Environment>(ENVIRONMENT),
            self.check_json::<ModelFile>(MODEL),
        ];
        let optional: [(&str, Check); 5] = [
            (DIAGNOSIS, Self::check_json::<Diagnosis>),
            (THRESHOLD, Self::check_json::<ChosenThreshold>),
            (BASELINES, Self::check_json::<Baselines>),
            (IMPORTANCE, Self::check_json::<Importance>),
            (FAILURE, Self::check_json::<Failure>),
        ];
        for (name, check) in optional {
            if self.path().join(name).exists() {
                checked.push(check(self, name));
            }
        }
        if self.is_done() {
            checked.push(self.check_json::<RunResult>(RESULT));
            if let Ok(result) = self.read_json::<RunResult>(RESULT) {
                checked.extend(result.files.iter().map(|file| self.check_digest(file)));
            }
        } else {
            // Without checksums yet.
            let folder = RunFolder::new(self.path());
            checked.extend([
                folder.history().map(drop).map_err(|e| e.to_string()),
                folder.layers().map(drop).map_err(|e| e.to_string()),
                folder.frames().map(drop).map_err(|e| e.to_string()),
            ]);
        }
        if !self.is_done()
            && let Some(newest) = newest
            && !RunLock::is_held(self.path())
        {
            let logs = [METRICS, LAYERS, FRAMES].into_iter();
            checked.extend(logs.map(|name| self.check_log(name, newest)));
        }
        for checkpoint in checkpoints {
            checked.push(checkpoint.map(drop).map_err(|e| e.to_string()));
        }
        let num_files = checked.len();
        Ok((
            num_files,
            checked.into_iter().filter_map(Result::err).collect(),
        ))
    }

    /// Checks that the configuration is there and whole, with the newest checkpoint's copy beside it.
    fn check_config(&self, newest: Option<&Checkpoint>) -> Result<(), String> {
        let fault = match self.source_beside(newest) {
            Ok((_, None)) => return self.config().map(drop).map_err(|e| e.to_string()),
            Ok((_, Some(fault))) => fault,
            Err(fault) => return Err(fault.to_string()),
        };
        let fault = match self.config_path().exists() {
            true => fault.to_string(),
            false => format!("{CONFIG} is missing"),
        };
        Err(format!(
            "{fault}; `emberlab resume {}` writes it again from a checkpoint",
            self.id()
        ))
    }

    /// Checks that a file which grows while the run is trained begins with what the newest checkpoint has of it. Records of
    /// layers are compared only if the run still makes them as it did then.
    fn check_log(&self, name: &str, newest: &Checkpoint) -> Result<(), String> {
        let copy = newest.optional(name).unwrap_or_default();
        let is_as_then = name == METRICS
            || (self.source()).is_ok_and(|source| source.text == newest.identity.config);
        if copy.is_empty() || !is_as_then {
            return Ok(());
        }
        let fault = match self.read(name) {
            Ok(content) if content.starts_with(copy) => return Ok(()),
            Ok(_) => {
                let path = self.path().join(name);
                format!(
                    "{} lacks a part of what the newest checkpoint has of it",
                    path.display()
                )
            }
            Err(error) => error.to_string(),
        };
        let advice = rewritten_by(name, &self.id()).unwrap_or_default();
        Err(format!("{fault}; {advice}"))
    }

    /// Checks that a JSON file can be read.
    fn check_json<T: DeserializeOwned>(&self, name: &str) -> Result<(), String> {
        let value = self.read_json::<T>(name);
        value.map(drop).map_err(|e| e.to_string())
    }

    /// The files of a finished run that are missing, or are not those that `result` has the checksums of.
    pub(crate) fn wrong_files<'a>(&self, result: &'a RunResult) -> Vec<&'a Digested> {
        let files = result.files.iter();
        files
            .filter(|file| self.check_digest(file).is_err())
            .collect()
    }

    /// Checks that these files of a finished run are those that its result has the checksums of. Files without a
    /// checksum, and those of a run that has not finished, count as unchanged.
    ///
    /// # Errors
    /// [`ExperimentError::Malformed`] with the first file that is missing, damaged or was changed, and the errors of
    /// reading it.
    pub(crate) fn check_unchanged(&self, names: &[&str]) -> Result<(), ExperimentError> {
        if !self.is_done() {
            return Ok(());
        }
        let result: RunResult = self.read_json(RESULT)?;
        let files = result.files.iter();
        for file in files.filter(|file| names.contains(&file.name.as_str())) {
            let fault = match self.path().join(&file.name).exists() {
                true => (file.disagreement(&self.read(&file.name)?))
                    .map(|reason| format!("it is damaged or was changed: {reason}")),
                false => Some("it is missing".to_string()),
            };
            if let Some(fault) = fault {
                let advice = rewritten_by(&file.name, &self.id()).unwrap_or_default();
                return Err(self.malformed(&file.name, format!("{fault}; {advice}")));
            }
        }
        Ok(())
    }

    /// Checks the size and checksum of a file.
    fn check_digest(&self, file: &Digested) -> Result<(), String> {
        let content = self.read(&file.name).map_err(|e| e.to_string())?;
        file.disagreement(&content).map_or(Ok(()), Err)
    }
}
