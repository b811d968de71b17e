//! A run: what one training leaves in its folder.
//!
//! ```text
//! artifacts/<experiment>/<run>/
//!   config.toml        everything, defaults written out: repeats the run alone
//!   environment.json   version, device, processor, checksum of the data
//!   metrics.csv        a row per epoch, written as it goes
//!   checkpoints/       to resume from
//!   model/             what `evaluate` needs: network.bpk, best.bpk, model.json
//!   result.json        written when the training has ended
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{ExperimentError, io_error};

/// The folder of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    path: PathBuf,
}

const CONFIG: &str = "config.toml";
const ENVIRONMENT: &str = "environment.json";

impl Run {
    /// A new folder for a run of `experiment`, with its configuration inside.
    ///
    /// Without a `name`, the run is called after the time and its seed.
    ///
    /// # Errors
    /// [`ExperimentError::RunExists`] if there is one of that name, [`ExperimentError::Io`] if the folder
    /// cannot be made.
    pub fn create(
        artifacts: &Path,
        experiment: &str,
        seed: u64,
        name: Option<&str>,
        config: &str,
    ) -> Result<Self, ExperimentError> {
        let folder = artifacts.join(experiment);
        fs::create_dir_all(&folder).map_err(io_error("create", &folder))?;
        let path = match name {
            Some(name) => claim(&folder.join(name))?,
            None => {
                let now = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S");
                claim_free(&folder, &format!("{now}-seed{seed}"))?
            }
        };
        let run = Self { path };
        run.write(CONFIG, config.as_bytes())?;
        Ok(run)
    }

    /// The run that `name` means: a path, `latest`, or the unique beginning of `experiment/run` or of a
    /// run's own name.
    ///
    /// # Errors
    /// [`ExperimentError::NoRun`] or [`ExperimentError::Ambiguous`], with the runs that there are.
    pub fn find(artifacts: &Path, name: &str) -> Result<Self, ExperimentError> {
        let path = Path::new(name);
        if path.join(CONFIG).is_file() {
            return Ok(Self {
                path: path.to_path_buf(),
            });
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
    /// [`ExperimentError::Io`] if a folder cannot be read; a missing one holds no runs.
    pub fn all(artifacts: &Path) -> Result<Vec<Self>, ExperimentError> {
        let mut runs = Vec::new();
        for experiment in folders(artifacts)? {
            for path in folders(&experiment)? {
                if path.join(CONFIG).is_file() {
                    let run = Self { path };
                    runs.push((run.started(), run));
                }
            }
        }
        runs.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.path.cmp(&b.1.path)));
        Ok(runs.into_iter().map(|(_, run)| run).collect())
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
        self.path.join("checkpoints")
    }

    /// The file of metrics.
    pub fn metrics_path(&self) -> PathBuf {
        self.path.join("metrics.csv")
    }

    /// Writes a file of the run so that it appears whole.
    ///
    /// # Errors
    /// [`ExperimentError::Io`].
    pub fn write(&self, name: &str, content: &[u8]) -> Result<(), ExperimentError> {
        let path = self.path.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(io_error("create", folder))?;
        }
        let partial = path.with_extension("partial");
        fs::write(&partial, content).map_err(io_error("write", &partial))?;
        fs::rename(&partial, &path).map_err(io_error("rename", &partial))
    }

    /// Writes a value as JSON.
    ///
    /// # Errors
    /// [`ExperimentError::Io`].
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), ExperimentError> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|e| io_error("write", &self.path.join(name))(e.into()))?;
        self.write(name, format!("{text}\n").as_bytes())
    }

    /// Reads a file of the run.
    ///
    /// # Errors
    /// [`ExperimentError::Io`].
    pub fn read(&self, name: &str) -> Result<Vec<u8>, ExperimentError> {
        let path = self.path.join(name);
        fs::read(&path).map_err(io_error("read", &path))
    }

    /// Reads a JSON file of the run.
    ///
    /// # Errors
    /// [`ExperimentError::Io`] or [`ExperimentError::Malformed`].
    pub fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<T, ExperimentError> {
        serde_json::from_slice(&self.read(name)?).map_err(|e| ExperimentError::Malformed {
            path: self.path.join(name),
            reason: e.to_string(),
        })
    }
}

/// Makes a folder that must not exist yet.
fn claim(path: &Path) -> Result<PathBuf, ExperimentError> {
    match fs::create_dir(path) {
        Ok(()) => Ok(path.to_path_buf()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(ExperimentError::RunExists {
                path: path.to_path_buf(),
            })
        }
        Err(error) => Err(io_error("create", path)(error)),
    }
}

/// Makes a folder of that name, or of that name and the first number that is free.
fn claim_free(folder: &Path, name: &str) -> Result<PathBuf, ExperimentError> {
    let mut attempt = folder.join(name);
    let mut number = 2;
    loop {
        match claim(&attempt) {
            Err(ExperimentError::RunExists { .. }) => {
                attempt = folder.join(format!("{name}-{number}"));
                number += 1;
            }
            result => return result,
        }
    }
}

fn folders(path: &Path) -> Result<Vec<PathBuf>, ExperimentError> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io_error("read", path)(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(io_error("read", path))?.path();
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

    fn artifacts() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (i, (experiment, name)) in [("moons", "alpha"), ("moons", "beta"), ("iris", "gamma")]
            .into_iter()
            .enumerate()
        {
            let run = Run::create(folder.path(), experiment, 0, Some(name), "seed = 0").unwrap();
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
        let again = Run::create(folder.path(), "moons", 0, Some("alpha"), "");
        assert!(matches!(again, Err(ExperimentError::RunExists { .. })));
        let first = Run::create(folder.path(), "moons", 3, None, "").unwrap();
        let second = Run::create(folder.path(), "moons", 3, None, "").unwrap();
        assert_ne!(first, second);
        assert!(first.name().contains("-seed3"), "{}", first.name());
    }
}
