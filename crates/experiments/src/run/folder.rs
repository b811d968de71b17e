//! The folder of a run. `emberlab_run_format` lists its files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use emberlab_config_source::ConfigSource;
use emberlab_run_format::files::{CHECKPOINTS, CONFIG, ENVIRONMENT, METRICS, RESULT};
use emberlab_storage::{
    RunLock, StorageError, is_leftover, leftovers, publish_folder, remove_tree, replace,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::ExperimentError;

/// The folder of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    path: PathBuf,
}

impl Run {
    /// A new folder for a run of `experiment`, which appears with `files` inside, names with contents.
    ///
    /// Without a `name`, the run is called after the time and its seed.
    ///
    /// # Errors
    /// [`ExperimentError::RunExists`] if there is one of that name, [`ExperimentError::Storage`] if the folder
    /// cannot be made.
    pub fn create(
        artifacts: &Path,
        experiment: &str,
        seed: u64,
        name: Option<&str>,
        files: &[(&str, &[u8])],
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
        publish_folder(&path, files)?;
        Ok(Self { path })
    }

    /// The run in a folder, if one has been begun there.
    pub fn at(path: &Path) -> Option<Self> {
        path.join(CONFIG).is_file().then(|| Self {
            path: path.to_path_buf(),
        })
    }

    /// Whether its training has come to its end.
    pub fn is_done(&self) -> bool {
        self.path.join(RESULT).is_file()
    }

    /// The run that `name` means: a path, `latest`, or the unique beginning of `experiment/run` or of a
    /// run's own name.
    ///
    /// # Errors
    /// [`ExperimentError::NoRun`] or [`ExperimentError::Ambiguous`], with the runs that there are.
    pub fn find(artifacts: &Path, name: &str) -> Result<Self, ExperimentError> {
        if let Some(run) = Self::at(Path::new(name)) {
            return Ok(run);
        }
        let mut runs = Self::all(artifacts)?;
        if name == "latest"
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

    /// Every run below `artifacts`, the oldest first.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`] if a folder cannot be read; a missing one holds no runs.
    pub fn all(artifacts: &Path) -> Result<Vec<Self>, ExperimentError> {
        let mut runs = Vec::new();
        for experiment in folders(artifacts)? {
            for path in folders(&experiment)? {
                if let Some(run) = Self::at(&path).filter(|_| !is_leftover(&path)) {
                    runs.push((run.started(), run));
                }
            }
        }
        runs.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.path.cmp(&b.1.path)));
        Ok(runs.into_iter().map(|(_, run)| run).collect())
    }

    /// What is left of runs whose process was killed while their folders were made.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`] if a folder cannot be read.
    pub fn abandoned(artifacts: &Path) -> Result<Vec<PathBuf>, ExperimentError> {
        // One that is being made now is younger.
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

    /// Deletes what [`abandoned`](Self::abandoned) found.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`] naming what could not be deleted.
    pub fn delete_abandoned(folders: &[PathBuf]) -> Result<(), ExperimentError> {
        Ok(folders.iter().try_for_each(|path| remove_tree(path))?)
    }

    /// When the run began, as its environment says; empty if it never came so far.
    fn started(&self) -> String {
        let environment: Option<serde_json::Value> = self.read_json(ENVIRONMENT).ok();
        let started = environment.as_ref().and_then(|e| e["started"].as_str());
        started.unwrap_or_default().to_string()
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `experiment/run`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.experiment(), self.name())
    }

    /// The experiment's name.
    pub fn experiment(&self) -> String {
        file_name(self.path.parent())
    }

    /// The run's own name.
    pub fn name(&self) -> String {
        file_name(Some(&self.path))
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

    /// Writes a file of the run so that it appears whole.
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

    /// Takes the right to change the run; it dies with this process.
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

    /// The configuration as it is written.
    ///
    /// # Errors
    /// [`ExperimentError::ReadConfig`].
    pub(crate) fn source(&self) -> Result<ConfigSource, ExperimentError> {
        Ok(ConfigSource::load(self.config_path())?)
    }

    /// An error that says what is wrong with a file of the run.
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
        serde_json::from_slice(&self.read(name)?).map_err(|e| self.malformed(name, e))
    }
}

/// A value as the JSON that runs hold.
pub(crate) fn json(path: &Path, value: &impl Serialize) -> Result<Vec<u8>, ExperimentError> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| StorageError::io("write", path)(e.into()))?;
    Ok(format!("{text}\n").into_bytes())
}

/// A value as JSON in one line: for files that hold more numbers than anybody reads.
pub(crate) fn compact_json(
    run: &Run,
    name: &str,
    value: &impl Serialize,
) -> Result<Vec<u8>, ExperimentError> {
    let path = run.path().join(name);
    let text =
        serde_json::to_string(value).map_err(|e| StorageError::io("write", &path)(e.into()))?;
    Ok(format!("{text}\n").into_bytes())
}

/// Makes an empty folder of that name, or of that name and the first number that is free.
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

fn file_name(path: Option<&Path>) -> String {
    let name = path.and_then(Path::file_name);
    name.map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const CONFIG_ONLY: &[(&str, &[u8])] = &[(CONFIG, b"seed = 0")];

    fn artifacts() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (i, (experiment, name)) in [("moons", "alpha"), ("moons", "beta"), ("iris", "gamma")]
            .into_iter()
            .enumerate()
        {
            let run = Run::create(folder.path(), experiment, 0, Some(name), CONFIG_ONLY).unwrap();
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

    #[test]
    fn a_run_never_takes_anothers_folder() {
        let folder = artifacts();
        let again = Run::create(folder.path(), "moons", 0, Some("alpha"), CONFIG_ONLY);
        assert!(matches!(again, Err(ExperimentError::RunExists { .. })));
        let first = Run::create(folder.path(), "moons", 3, None, CONFIG_ONLY).unwrap();
        let second = Run::create(folder.path(), "moons", 3, None, CONFIG_ONLY).unwrap();
        assert_ne!(first, second);
        assert!(first.name().contains("-seed3"), "{}", first.name());
    }
}
