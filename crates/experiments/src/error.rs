//! Errors of experiments and their runs.

use std::path::PathBuf;

use emberlab_config_source::{ConfigError, ConfigSource, ReadError};
use emberlab_datasets::DatasetError;
use emberlab_menu::Problem;
use emberlab_metrics::Metric;
use emberlab_models::ModelError;
use emberlab_storage::StorageError;
use emberlab_training::{Split, TrainingError};

use crate::config::LATEST;
use crate::run::{Change, Verdict};
use crate::trial::{StoppedEarly, count_epochs};

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
    /// A file or folder cannot be read or written, or a checkpoint is damaged.
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
    /// A file of a run is damaged or was changed.
    #[error("cannot use {}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// A plan of a comparison cannot be used.
    #[error("{}, line {line}: this is not a trial of a plan: {reason}", path.display())]
    Plan {
        /// The plan.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The reason.
        reason: String,
    },
    /// A plan of a comparison has no trial with this index.
    #[error("there is no trial {index} in {}, which holds {num_trials} trials", path.display())]
    NotInPlan {
        /// The plan.
        path: PathBuf,
        /// The index.
        index: usize,
        /// The number of its trials.
        num_trials: usize,
    },
    /// There is no run of this name.
    #[error("there is no run {}in {}{}", named(name, candidates), artifacts.display(), newest(candidates))]
    NoRun {
        /// The name that was given.
        name: String,
        /// The artifacts folder.
        artifacts: PathBuf,
        /// The newest runs.
        candidates: Vec<String>,
    },
    /// A checkpoint was named where a run is expected.
    #[error("{} is a checkpoint of {run}: name the run, as in `emberlab resume {run}`", path.display())]
    IsCheckpoint {
        /// The path that was given.
        path: PathBuf,
        /// `experiment/run`.
        run: String,
    },
    /// Several runs begin with this name.
    #[error("several runs begin with `{name}`: {}", candidates.join(", "))]
    Ambiguous {
        /// The name that was given.
        name: String,
        /// The runs that begin with it.
        candidates: Vec<String>,
    },
    /// A new run cannot have this name.
    #[error("the name `{name}` for a run: {reason}")]
    RunName {
        /// The name that was given.
        name: String,
        /// The rule that it breaks.
        reason: String,
    },
    /// The folder of a new run already holds a run.
    #[error("{} already holds a run; resume it or choose another name", path.display())]
    RunExists {
        /// The run's folder.
        path: PathBuf,
    },
    /// The training of a run failed, so there is no trained network.
    #[error("{run} failed: {message}")]
    RunFailed {
        /// `experiment/run`.
        run: String,
        /// The error.
        message: String,
    },
    /// The training of a run has not finished, so there is no trained network.
    #[error("{run} has not finished, so it has no trained network")]
    NotFinished {
        /// `experiment/run`.
        run: String,
    },
    /// No epoch of a run had a finite objective, so it has no best network.
    #[error(
        "no epoch of {run} had a finite {split} {metric}, so there is no best network; `--weights last` uses the last one"
    )]
    NoBest {
        /// `experiment/run`.
        run: String,
        /// The split that the objective was measured on.
        split: Split,
        /// The metric of the objective.
        metric: Metric,
    },
    /// More epochs were asked for, but early stopping would end the training before the next one.
    #[error(
        "{run} stopped early after {}: {stopped}, so more epochs would train nothing\n\
         to train on, allow more patience too:  --set training.early_stopping.patience={} --force",
        count_epochs(*epochs),
        stopped.more_patience()
    )]
    OutOfPatience {
        /// `experiment/run`.
        run: String,
        /// Epochs done.
        epochs: usize,
        /// The reason why it stopped.
        stopped: StoppedEarly,
    },
    /// The configuration of a run differs from the one that its checkpoint was written with.
    #[error(
        "{run} was trained with another configuration:\n{}\n{}",
        Change::list(changes),
        advice(changes)
    )]
    ConfigChanged {
        /// `experiment/run`.
        run: String,
        /// The differences.
        changes: Vec<Change>,
    },
    /// Files of the lab would lie among the data, where a folder is a class of images.
    #[error(
        "{} lies in {}, where each folder is a class of images: give a place outside of it with `{option}`",
        path.display(),
        data.display()
    )]
    InsideData {
        /// The place of the files.
        path: PathBuf,
        /// The folder of the data.
        data: PathBuf,
        /// The option that gives another place.
        option: &'static str,
    },
    /// A run was not trained on a file or folder of the user's, so its data cannot have moved.
    #[error(
        "{run} was trained without a file or folder of your own; `--data` is only for runs trained on one"
    )]
    NoOwnData {
        /// `experiment/run`.
        run: String,
    },
    /// The data of a run are not at the place where the training found them.
    #[error("{run} was trained on {}, which is not there now: `--data PATH` gives its new place", path.display())]
    DataMoved {
        /// `experiment/run`.
        run: String,
        /// The path in the training.
        path: PathBuf,
    },
    /// The data of a run differ from those it was trained on.
    #[error("the data of {} have changed since it was trained: checksum {found} instead of {expected}", run.display())]
    DataChanged {
        /// The run's folder.
        run: PathBuf,
        /// The checksum of the data it was trained on.
        expected: String,
        /// The checksum of the data now.
        found: String,
    },
}

impl From<DatasetError> for ExperimentError {
    fn from(error: DatasetError) -> Self {
        match error {
            DatasetError::Value(problem) => problem.within("dataset").into(),
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
            TrainingError::Value(problem) => problem.into(),
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
    let mut refused = changes.iter().filter(|c| c.verdict == Verdict::Refused);
    if changes.iter().all(|c| c.verdict != Verdict::Refused) {
        "to continue with the new values all the same, add `--force`"
    } else if refused.all(|c| c.is_fewer_epochs()) {
        "more epochs are done already than these, so fewer are not possible"
    } else {
        "these cannot change during a training: put the old values back, or start a new run"
    }
}

/// A name that was given. `latest` is mostly not given, and found wherever there is a run.
fn named(name: &str, candidates: &[String]) -> String {
    match name == LATEST && candidates.is_empty() {
        true => String::new(),
        false => format!("`{name}` "),
    }
}

fn newest(candidates: &[String]) -> String {
    if candidates.is_empty() {
        String::new()
    } else {
        format!("; the newest runs are {}", candidates.join(", "))
    }
}
