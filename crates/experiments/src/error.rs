//! What can go wrong between a TOML file and a run on disk.

use std::path::PathBuf;

use emberlab_config_source::{ConfigError, ReadError};
use emberlab_datasets::DatasetError;
use emberlab_models::ModelError;
use emberlab_storage::StorageError;
use emberlab_training::TrainingError;

use crate::changes::{Change, Verdict};
use crate::config::Problem;

/// An error of an experiment.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// The configuration does not fit the data or itself.
    #[error("{}", .0.message)]
    Config(Problem),
    /// A configuration is wrong at a known place.
    #[error(transparent)]
    Source(#[from] Box<ConfigError>),
    /// A configuration cannot be read.
    #[error(transparent)]
    ReadConfig(#[from] ReadError),
    /// The data cannot be loaded.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The network cannot be built or loaded.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The training failed.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// A file or folder cannot be read or written, or a checkpoint not be believed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A file of a run does not hold what it should.
    #[error("{} is not what a run writes: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What does not agree.
        reason: String,
    },
    /// No run is called that.
    #[error("there is no run `{name}` in {}{}", artifacts.display(), list(candidates))]
    NoRun {
        /// What was asked for.
        name: String,
        /// Where it was looked for.
        artifacts: PathBuf,
        /// Runs it may have meant.
        candidates: Vec<String>,
    },
    /// A prefix that several runs share.
    #[error("`{name}` could be any of {}", candidates.join(", "))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// The runs that begin so.
        candidates: Vec<String>,
    },
    /// A run of that name is already there.
    #[error("{} already holds a run; resume it or choose another name", path.display())]
    RunExists {
        /// The run's folder.
        path: PathBuf,
    },
    /// A run that an error ended has no trained network.
    #[error("{run} failed: {message}; `emberlab diagnose {run}` looks for the cause")]
    RunFailed {
        /// `experiment/run`.
        run: String,
        /// What ended it.
        message: String,
    },
    /// A run that has not come to its end has no trained network.
    #[error("{run} has not finished; `emberlab resume {run}` goes on with it")]
    NotFinished {
        /// `experiment/run`.
        run: String,
    },
    /// The run's configuration is no longer the one its checkpoint was written with.
    #[error(
        "{run} was trained with another configuration:\n{}\n{}",
        Change::list(changes),
        advice(changes)
    )]
    ConfigChanged {
        /// `experiment/run`.
        run: String,
        /// What differs.
        changes: Vec<Change>,
    },
    /// The run's data are no longer those it was trained on.
    #[error("the data of {} have changed since it was trained: checksum {found} instead of {expected}", run.display())]
    DataChanged {
        /// The run's folder.
        run: PathBuf,
        /// Checksum then.
        expected: String,
        /// Checksum now.
        found: String,
    },
}

impl From<ConfigError> for ExperimentError {
    fn from(error: ConfigError) -> Self {
        Self::Source(Box::new(error))
    }
}

fn advice(changes: &[Change]) -> &'static str {
    if changes.iter().any(|c| c.verdict == Verdict::Refused) {
        "a training cannot change these on its way: put them back, or start a new run"
    } else {
        "if you mean it, `--force` goes on with the new values"
    }
}

fn list(candidates: &[String]) -> String {
    if candidates.is_empty() {
        String::new()
    } else {
        format!("; there are {}", candidates.join(", "))
    }
}
