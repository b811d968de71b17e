//! What can go wrong between a TOML file and a run on disk.

use std::path::PathBuf;

use emberlab_config_source::{ConfigError, ConfigSource, ReadError};
use emberlab_datasets::DatasetError;
use emberlab_menu::Problem;
use emberlab_models::ModelError;
use emberlab_storage::StorageError;
use emberlab_training::{Split, TrainingError};

use crate::run::{Change, Verdict};

/// An error of an experiment.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// A value of the configuration is wrong, or does not fit the data.
    #[error(transparent)]
    Config(#[from] Problem),
    /// The configuration is wrong at a known place of its file.
    #[error("{0}")]
    Source(#[from] ConfigError),
    /// A configuration cannot be read.
    #[error(transparent)]
    ReadConfig(#[from] ReadError),
    /// The data cannot be loaded.
    #[error(transparent)]
    Dataset(DatasetError),
    /// The network cannot be built or loaded.
    #[error(transparent)]
    Model(ModelError),
    /// The training failed.
    #[error(transparent)]
    Training(TrainingError),
    /// A file or folder cannot be read or written, or a checkpoint not be believed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The configuration cannot be written as TOML.
    #[error("cannot write the configuration as TOML: {0}")]
    Toml(#[from] toml::ser::Error),
    /// A split that is needed has no rows.
    #[error("the {split} split of this run has no rows")]
    EmptySplit {
        /// The split.
        split: Split,
    },
    /// A feature that the data do not have.
    #[error("there is no feature {}; the data have features 1 to {num_features}", feature + 1)]
    NoFeature {
        /// The feature, counted from 0.
        feature: usize,
        /// The number of features.
        num_features: usize,
    },
    /// Images for a network that does not take images.
    #[error("this network takes rows of {num_features} numbers, not images; give it a CSV file")]
    NotImages {
        /// The number of inputs of the network.
        num_features: usize,
    },
    /// No threshold can be chosen.
    #[error("cannot choose a threshold: {0}")]
    NoThreshold(String),
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

impl From<DatasetError> for ExperimentError {
    fn from(error: DatasetError) -> Self {
        match error {
            DatasetError::Value {
                key,
                value,
                expected,
            } => Problem::new(key, value, expected).within("dataset").into(),
            error => Self::Dataset(error),
        }
    }
}

impl From<ModelError> for ExperimentError {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::Value(problem) => problem.within("model").into(),
            error => Self::Model(error),
        }
    }
}

impl From<TrainingError> for ExperimentError {
    fn from(error: TrainingError) -> Self {
        match error {
            TrainingError::Value {
                key,
                value,
                expected,
            } => Problem::new(key, value, expected).into(),
            error => Self::Training(error),
        }
    }
}

impl ExperimentError {
    /// This error with its place in `source`, if it is about a value of the configuration.
    pub fn with_place(self, source: &ConfigSource) -> Self {
        let placed = match &self {
            Self::Config(problem) => ConfigError::from_problem(source, problem),
            Self::Model(error) => ConfigError::at_key(source, "model", error.to_string()),
            Self::Training(TrainingError::Mismatch { key, message }) => {
                ConfigError::at_key(source, key, message)
            }
            _ => return self,
        };
        Self::Source(placed)
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
