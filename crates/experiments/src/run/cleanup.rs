//! Finds and deletes files of a run that are no longer needed.

use std::path::PathBuf;

use emberlab_run_format::files::MODEL_FOLDER;
use emberlab_storage::{RunLock, leftovers, remove_tree};

use super::Run;
use crate::error::ExperimentError;

impl Run {
    /// The files that can be deleted without losing anything: checkpoints beyond those that are kept, damaged
    /// checkpoints that were set aside, and files that a killed process left half-written. Empty for a run that is
    /// being trained.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`] if a folder cannot be read.
    pub fn debris(&self) -> Result<Vec<PathBuf>, ExperimentError> {
        if RunLock::is_held(self.path()) {
            return Ok(Vec::new());
        }
        let store = self.checkpoint_store();
        let mut debris = store.debris()?;
        if store.newest()?.damaged.is_empty() {
            debris.extend(store.surplus()?);
        }
        for folder in [self.path(), &self.path().join(MODEL_FOLDER)] {
            debris.extend(leftovers(folder)?);
        }
        Ok(debris)
    }

    /// Deletes the files found by [`debris`](Self::debris).
    ///
    /// # Errors
    /// [`ExperimentError::Storage`] naming what could not be deleted, or the process that trains the run.
    pub fn delete(&self, debris: &[PathBuf]) -> Result<(), ExperimentError> {
        let _lock = self.lock()?;
        Ok(debris.iter().try_for_each(|path| remove_tree(path))?)
    }
}
