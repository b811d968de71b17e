//! Checks that the files of a run are whole and unchanged.

use emberlab_run_format::files::{
    BASELINES, CONFIG, DIAGNOSIS, ENVIRONMENT, FAILURE, IMPORTANCE, MODEL, RESULT, THRESHOLD,
};
use emberlab_run_format::{
    Baselines, ChosenThreshold, Diagnosis, Environment, Failure, Importance, ModelFile, RunFolder,
    RunResult,
};
use emberlab_storage::Digested;
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
        let mut checked = vec![
            match (self.config_path().exists(), self.config()) {
                (false, Ok(_)) => Err(format!(
                    "{CONFIG} is missing; `emberlab resume {}` writes it again from a checkpoint",
                    self.id()
                )),
                (_, config) => config.map(drop).map_err(|e| e.to_string()),
            },
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
            if self.path().join(name).is_file() {
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
        for checkpoint in self.checkpoint_store().read_all()? {
            checked.push(checkpoint.map(drop).map_err(|e| e.to_string()));
        }
        let num_files = checked.len();
        Ok((
            num_files,
            checked.into_iter().filter_map(Result::err).collect(),
        ))
    }

    /// Checks that a JSON file can be read.
    fn check_json<T: DeserializeOwned>(&self, name: &str) -> Result<(), String> {
        let value = self.read_json::<T>(name);
        value.map(drop).map_err(|e| e.to_string())
    }

    /// Whether the files of a finished run are those that `result` has the checksums of.
    pub(crate) fn has_files_of(&self, result: &RunResult) -> bool {
        let mut files = result.files.iter();
        files.all(|file| self.check_digest(file).is_ok())
    }

    /// Checks that these files of a finished run are those that its result has the checksums of. Files without a
    /// checksum, and those of a run that has not finished, count as unchanged.
    ///
    /// # Errors
    /// [`ExperimentError::Malformed`] with the first file that is damaged or was changed, and the errors of reading it.
    pub(crate) fn check_unchanged(&self, names: &[&str]) -> Result<(), ExperimentError> {
        if !self.is_done() {
            return Ok(());
        }
        let result: RunResult = self.read_json(RESULT)?;
        let files = result.files.iter();
        for file in files.filter(|file| names.contains(&file.name.as_str())) {
            if let Some(reason) = file.disagreement(&self.read(&file.name)?) {
                let reason = format!("it is damaged or was changed: {reason}");
                return Err(self.malformed(&file.name, reason));
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
