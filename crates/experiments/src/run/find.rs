//! Finds runs in the artifacts folder: by name, all of them, and half-made ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use emberlab_run_format::files::ENVIRONMENT;
use emberlab_storage::{MANIFEST, StorageError, is_leftover, leftovers, remove_tree};

use super::Run;
use crate::config::LATEST;
use crate::error::ExperimentError;

impl Run {
    /// The run with the given `name`: a path, `latest`, or the beginning of `experiment/run` or of the run's own name
    /// that no other run has.
    ///
    /// # Errors
    /// [`ExperimentError::NoRun`] or [`ExperimentError::Ambiguous`], with some runs that exist;
    /// [`ExperimentError::IsCheckpoint`] if it is the path of a checkpoint.
    pub fn find(artifacts: &Path, name: &str) -> Result<Self, ExperimentError> {
        if let Some(run) = Self::at(Path::new(name)) {
            return Ok(run);
        }
        let place = std::path::absolute(name).unwrap_or_default();
        if place.join(MANIFEST).is_file()
            && let Some(run) = place.ancestors().nth(2).and_then(Self::at)
        {
            return Err(ExperimentError::IsCheckpoint {
                path: PathBuf::from(name),
                run: run.id(),
            });
        }
        let mut runs = Self::all(artifacts)?;
        if name == LATEST
            && let Some(run) = runs.pop()
        {
            return Ok(run);
        }
        let exact = |run: &&Run| run.id() == name || run.name() == name;
        let matching: Vec<&Run> = match runs.iter().filter(exact).collect::<Vec<_>>() {
            exact if !exact.is_empty() => exact,
            _ => {
                let begins =
                    |run: &&Run| run.id().starts_with(name) || run.name().starts_with(name);
                runs.iter().filter(begins).collect()
            }
        };
        match matching.as_slice() {
            [run] => Ok((*run).clone()),
            [] => Err(ExperimentError::NoRun {
                name: name.to_string(),
                artifacts: artifacts.to_path_buf(),
                candidates: runs.iter().rev().take(5).map(Run::id).collect(),
            }),
            several => Err(ExperimentError::Ambiguous {
                name: name.to_string(),
                candidates: several.iter().map(|run| run.id()).collect(),
            }),
        }
    }

    /// All runs in `artifacts`, the oldest first.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`] if a folder cannot be read. A folder that does not exist holds no runs.
    pub fn all(artifacts: &Path) -> Result<Vec<Self>, ExperimentError> {
        let mut runs = Vec::new();
        for experiment in folders(artifacts)? {
            for path in folders(&experiment)? {
                if let Some(run) = Self::at(&path).filter(|_| !is_leftover(&path)) {
                    runs.push((run.started(), run));
                }
            }
        }
        runs.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.path().cmp(b.1.path())));
        Ok(runs.into_iter().map(|(_, run)| run).collect())
    }

    /// Half-made folders of runs whose process was killed while it made them.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`] if a folder cannot be read.
    pub fn abandoned(artifacts: &Path) -> Result<Vec<PathBuf>, ExperimentError> {
        // A younger folder may be one that is being made now.
        const MINUTE: Duration = Duration::from_secs(60);
        let is_old = |path: &PathBuf| {
            let modified = fs::metadata(path).and_then(|m| m.modified()).ok();
            let age = modified.and_then(|then| then.elapsed().ok());
            age.is_some_and(|age| age > MINUTE)
        };
        let mut found = Vec::new();
        for experiment in folders(artifacts)? {
            found.extend(leftovers(&experiment)?.into_iter().filter(is_old));
        }
        Ok(found)
    }

    /// Deletes the folders found by [`abandoned`](Self::abandoned).
    ///
    /// # Errors
    /// [`ExperimentError::Storage`] naming what could not be deleted.
    pub fn delete_abandoned(folders: &[PathBuf]) -> Result<(), ExperimentError> {
        Ok(folders.iter().try_for_each(|path| remove_tree(path))?)
    }

    /// The time when the run began, from `environment.json`; empty if that cannot be read.
    fn started(&self) -> String {
        let environment: Option<serde_json::Value> = self.read_json(ENVIRONMENT).ok();
        let started = environment.as_ref().and_then(|e| e["started"].as_str());
        started.unwrap_or_default().to_string()
    }
}

/// The folders inside a folder; none if it does not exist.
fn folders(path: &Path) -> Result<Vec<PathBuf>, ExperimentError> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StorageError::io("read", path)(error).into()),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(StorageError::io("read", path))?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use emberlab_run_format::files::CONFIG;
    use emberlab_storage::Batch;

    fn artifacts() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (i, (experiment, name)) in [("moons", "alpha"), ("moons", "beta"), ("iris", "gamma")]
            .into_iter()
            .enumerate()
        {
            let files: [(&str, &[u8]); 1] = [(CONFIG, b"seed = 0")];
            let mut batch = Batch::default();
            let run = Run::create(folder.path(), experiment, 0, Some(name), &files, &mut batch);
            let run = run.unwrap();
            batch.commit().unwrap();
            let started = serde_json::json!({ "started": format!("2026-01-01T00:00:0{i}Z") });
            run.write_json(ENVIRONMENT, &started).unwrap();
        }
        folder
    }

    #[test]
    fn a_run_is_found_by_path_prefix_or_latest() {
        let folder = artifacts();
        let find = |name: &str| Run::find(folder.path(), name).map(|run| run.id());
        let path = folder.path().join("moons/beta");
        assert_eq!(find(path.to_str().unwrap()).unwrap(), "moons/beta");
        assert_eq!(find("latest").unwrap(), "iris/gamma");
        assert_eq!(find("al").unwrap(), "moons/alpha");
        assert_eq!(find("moons/b").unwrap(), "moons/beta");
        assert!(matches!(
            find("moons/"),
            Err(ExperimentError::Ambiguous { .. })
        ));
        let error = find("delta").unwrap_err().to_string();
        assert!(error.contains("moons/alpha"), "{error}");
    }
}
