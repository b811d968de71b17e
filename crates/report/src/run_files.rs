//! The files of one run, each read when it is asked for.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use emberlab_metrics::{BinaryScores, History, Metric, SplitMetrics};
use emberlab_run_format::{DIAGNOSIS, Diagnosis, EVALUATION, RunEvaluation};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::ReportError;

/// The folder of one run. A run that has not come so far lacks files, and that is no error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFiles {
    folder: PathBuf,
}

/// The part of `result.json` that is read here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// How the training ended.
    pub ending: Ending,
    /// Epochs done.
    pub epochs: usize,
    /// Optimiser steps done.
    pub steps: u64,
    /// Trainable numbers of the network.
    #[serde(default)]
    pub num_parameters: usize,
    /// Seconds spent training.
    pub seconds: f64,
    /// Metrics of the last network, by split.
    pub metrics: BTreeMap<String, SplitMetrics>,
    /// The best epoch by the objective, if any value was a number.
    #[serde(default)]
    pub best: Option<BestEpoch>,
    /// Scores of class 1 at the thresholds asked for.
    #[serde(default)]
    pub thresholds: Vec<ThresholdEntry>,
}

/// How a training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Every epoch was done.
    Completed,
    /// The objective no longer improved.
    StoppedEarly,
    /// It was told to stop, and can go on.
    Interrupted,
}

/// The best epoch of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BestEpoch {
    /// Counted from 1.
    pub epoch: usize,
    /// The metric that decided.
    pub metric: Metric,
    /// The split it was measured on.
    pub split: String,
    /// Its value.
    pub value: f64,
}

/// Scores of class 1 at one threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThresholdEntry {
    /// What it was measured on.
    pub split: String,
    /// The scores.
    pub scores: BinaryScores,
}

/// The part of `environment.json` that is read here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunEnvironment {
    /// When the run began, in UTC.
    pub started: String,
    /// Version of the lab.
    pub emberlab: String,
    /// Version of Burn.
    pub burn: String,
    /// The device, as named on the command line.
    pub device: String,
    /// The processor's name.
    pub processor: String,
    /// Cores that the process could use.
    pub cores: usize,
    /// Threads that a tensor operation could use.
    pub num_threads: usize,
    /// Operating system and architecture.
    pub platform: String,
    /// SHA-256 of features and targets.
    pub data_sha256: String,
}

#[derive(Deserialize)]
struct FailureFile {
    message: String,
}

impl RunFiles {
    /// The run in this folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The run's own name: its folder's.
    pub fn name(&self) -> String {
        let name = self.folder.file_name();
        name.map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    }

    /// `experiment/run`.
    pub fn id(&self) -> String {
        let folder = self.folder.parent().and_then(Path::file_name);
        let experiment = folder.map(|name| name.to_string_lossy().into_owned());
        format!("{}/{}", experiment.unwrap_or_default(), self.name())
    }

    /// What was measured epoch by epoch; nothing before the first one has ended.
    ///
    /// # Errors
    /// [`ReportError`] if the file is there but cannot be read.
    pub fn history(&self) -> Result<History, ReportError> {
        let path = self.folder.join("metrics.csv");
        let text = read(&path)?.unwrap_or_default();
        History::parse(&text).map_err(|e| ReportError::malformed(&path, e))
    }

    /// What the training came to.
    ///
    /// # Errors
    /// [`ReportError`] if the file is there but cannot be read.
    pub fn result(&self) -> Result<Option<RunResult>, ReportError> {
        self.json("result.json")
    }

    /// Why the training failed.
    ///
    /// # Errors
    /// [`ReportError`] if the file is there but cannot be read.
    pub fn failure(&self) -> Result<Option<String>, ReportError> {
        let file: Option<FailureFile> = self.json("failure.json")?;
        Ok(file.map(|file| file.message))
    }

    /// What the run ran on.
    ///
    /// # Errors
    /// [`ReportError`] if the file is there but cannot be read.
    pub fn environment(&self) -> Result<Option<RunEnvironment>, ReportError> {
        self.json("environment.json")
    }

    /// What its last network predicts.
    ///
    /// # Errors
    /// [`ReportError`] if the file is there but cannot be read.
    pub fn evaluation(&self) -> Result<Option<RunEvaluation>, ReportError> {
        self.json(EVALUATION)
    }

    /// What was found wrong with it.
    ///
    /// # Errors
    /// [`ReportError`] if the file is there but cannot be read.
    pub fn diagnosis(&self) -> Result<Option<Diagnosis>, ReportError> {
        self.json(DIAGNOSIS)
    }

    /// The configuration as it is written.
    ///
    /// # Errors
    /// [`ReportError`] if the file is there but cannot be read.
    pub fn config(&self) -> Result<Option<String>, ReportError> {
        read(&self.folder.join("config.toml"))
    }

    fn json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ReportError> {
        read_json(&self.folder.join(name))
    }
}

/// A JSON file's value; none if it is not there.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, ReportError> {
    let Some(text) = read(path)? else {
        return Ok(None);
    };
    let value = serde_json::from_str(&text);
    value.map(Some).map_err(|e| ReportError::malformed(path, e))
}

/// A file's text; none if it is not there.
pub(crate) fn read(path: &Path) -> Result<Option<String>, ReportError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ReportError::Io {
            action: "read",
            path: path.to_path_buf(),
            source,
        }),
    }
}
