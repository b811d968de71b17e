//! The folder of a run: made, named, and its files read and written. `emberlab_run_format::files` lists the files.

use std::fs;
use std::path::{Path, PathBuf};

use emberlab_run_format::files::{CHECKPOINTS, CONFIG, METRICS, RESULT, rewritten_by};
use emberlab_run_format::{RunFolder, RunResult};
use emberlab_storage::{
    Batch, CheckpointStore, MANIFEST, RunLock, StorageError, remove_tree, replace,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::ExperimentError;

/// The folder of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    path: PathBuf,
    /// The place of the user's own data now, if they have moved since the training.
    pub(super) data: Option<PathBuf>,
}

impl Run {
    /// Makes the folder of a new run of `experiment`. It appears with the `batch`, at once with all its `files`, given
    /// as names and contents.
    ///
    /// Without a `name`, the run is named after the time and its seed.
    ///
    /// # Errors
    /// [`ExperimentError::RunExists`] if there is a run of this name, [`ExperimentError::Storage`] if the folder
    /// cannot be made.
    pub fn create(
        artifacts: &Path,
        experiment: &str,
        seed: u64,
        name: Option<&str>,
        files: &[(&str, &[u8])],
        batch: &mut Batch,
    ) -> Result<Self, ExperimentError> {
        let folder = artifacts.join(experiment);
        fs::create_dir_all(&folder).map_err(StorageError::io("create", &folder))?;
        let path = match name {
            Some(name) => folder.join(name),
            None => {
                let now = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S");
                claim(&folder, &format!("{now}-seed{seed}"))?
            }
        };
        if path.exists() && fs::read_dir(&path).map_or(true, |mut entries| entries.next().is_some())
        {
            return Err(ExperimentError::RunExists { path });
        }
        batch.publish_folder(&path, files)?;
        Ok(Self { path, data: None })
    }

    /// The run in a folder, if there is one. A run that has lost its configuration still has checkpoints, each with a
    /// copy. A checkpoint is no run, although it has a configuration.
    pub fn at(path: &Path) -> Option<Self> {
        let checkpoints = CheckpointStore::new(path.join(CHECKPOINTS), usize::MAX);
        let has_config = match fs::metadata(path.join(CONFIG)) {
            Ok(_) => !path.join(MANIFEST).exists(),
            // A folder that cannot be looked into is damaged, not absent.
            Err(error) => error.kind() == std::io::ErrorKind::PermissionDenied,
        };
        let is_run = has_config || !checkpoints.is_empty().unwrap_or(true);
        is_run.then(|| Self {
            path: path.to_path_buf(),
            data: None,
        })
    }

    /// The same run, with its own data now at `data`, if a path is given. The data must be the same as in the training.
    pub fn with_data(self, data: Option<PathBuf>) -> Self {
        Self { data, ..self }
    }

    /// Whether its training has finished.
    pub fn is_done(&self) -> bool {
        self.path.join(RESULT).is_file()
    }

    /// Whether its training has finished, and its result can be read.
    pub fn has_result(&self) -> bool {
        self.read_json::<RunResult>(RESULT).is_ok()
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `experiment/run`.
    pub fn id(&self) -> String {
        RunFolder::new(&self.path).id()
    }

    /// The experiment's name.
    pub fn experiment(&self) -> String {
        RunFolder::new(&self.path).experiment()
    }

    /// The run's own name.
    pub fn name(&self) -> String {
        RunFolder::new(&self.path).name()
    }

    /// The configuration's file.
    pub fn config_path(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    /// The folder of checkpoints.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join(CHECKPOINTS)
    }

    /// The file of metrics.
    pub fn metrics_path(&self) -> PathBuf {
        self.path.join(METRICS)
    }

    /// Writes a file of the run. After a crash the file is either the old one or the new one, never a part.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`].
    pub fn write(&self, name: &str, content: &[u8]) -> Result<(), ExperimentError> {
        Ok(replace(&self.path.join(name), content)?)
    }

    /// Writes a value as JSON.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`].
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), ExperimentError> {
        self.write(name, &json(&self.path.join(name), value)?)
    }

    /// Removes a file of the run, if it is there.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`].
    pub fn remove(&self, name: &str) -> Result<(), ExperimentError> {
        let path = self.path.join(name);
        if path.exists() {
            remove_tree(&path)?;
        }
        Ok(())
    }

    /// Locks the run for this process, so that no other process changes it. The lock ends with the process.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`] naming the process that holds it.
    pub fn lock(&self) -> Result<RunLock, ExperimentError> {
        Ok(RunLock::acquire(&self.path)?)
    }

    /// Reads a file of the run.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`].
    pub fn read(&self, name: &str) -> Result<Vec<u8>, ExperimentError> {
        let path = self.path.join(name);
        Ok(fs::read(&path).map_err(StorageError::io("read", &path))?)
    }

    /// The error of a file of the run that is damaged or was changed.
    pub(crate) fn malformed(&self, name: &str, reason: impl ToString) -> ExperimentError {
        ExperimentError::Malformed {
            path: self.path.join(name),
            reason: reason.to_string(),
        }
    }

    /// Reads a JSON file of the run.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`] or [`ExperimentError::Malformed`].
    pub fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<T, ExperimentError> {
        serde_json::from_slice(&self.read(name)?).map_err(|error| {
            let advice = rewritten_by(name, &self.id());
            let advice = advice.map_or(String::new(), |advice| format!("; {advice}"));
            self.malformed(name, format!("{error}{advice}"))
        })
    }
}

/// A value as indented JSON, as in most files of a run.
pub(crate) fn json(path: &Path, value: &impl Serialize) -> Result<Vec<u8>, ExperimentError> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| StorageError::io("write", path)(e.into()))?;
    Ok(format!("{text}\n").into_bytes())
}

/// Makes an empty folder with this name, or with this name and the first free number.
fn claim(folder: &Path, name: &str) -> Result<PathBuf, ExperimentError> {
    let mut path = folder.join(name);
    let mut number = 2;
    loop {
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                path = folder.join(format!("{name}-{number}"));
                number += 1;
            }
            Err(error) => return Err(StorageError::io("create", &path)(error).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_run_never_takes_the_folder_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let create = |name| {
            let mut batch = Batch::default();
            let files: [(&str, &[u8]); 1] = [(CONFIG, b"seed = 0")];
            let run = Run::create(folder.path(), "moons", 3, name, &files, &mut batch)?;
            batch.commit()?;
            Ok::<Run, ExperimentError>(run)
        };
        create(Some("alpha")).unwrap();
        assert!(matches!(
            create(Some("alpha")),
            Err(ExperimentError::RunExists { .. })
        ));
        let (first, second) = (create(None).unwrap(), create(None).unwrap());
        assert_ne!(first, second);
        assert!(first.name().contains("-seed3"), "{}", first.name());
    }

    #[test]
    fn a_run_has_its_names_by_any_path_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("moons/one");
        fs::create_dir_all(path.join("model")).unwrap();
        fs::create_dir(folder.path().join("moons/two")).unwrap();
        fs::write(path.join(CONFIG), "").unwrap();
        for inside in ["", ".", "model/..", "../two/../one"] {
            let run = Run::at(&path.join(inside)).unwrap();
            assert_eq!(run.id(), "moons/one", "{inside}");
        }
    }

    #[test]
    fn a_checkpoint_is_no_run() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("moons/one");
        let checkpoint = run.join(CHECKPOINTS).join("epoch-000001-step-000000000");
        fs::create_dir_all(&checkpoint).unwrap();
        for path in [&run, &checkpoint] {
            fs::write(path.join(CONFIG), "").unwrap();
        }
        fs::write(checkpoint.join(MANIFEST), "{}").unwrap();
        let name = checkpoint.to_str().unwrap();
        let message = Run::find(folder.path(), name).unwrap_err().to_string();
        let said = "is a checkpoint of moons/one: name the run, as in `emberlab resume moons/one`";
        assert!(message.ends_with(said), "{message}");
    }
}
