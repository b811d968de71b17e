//! Why a command failed, and the exit code that says so.

use std::process::ExitCode;

use emberlab_config_source::{ConfigError, ReadError};
use emberlab_datasets::DatasetError;
use emberlab_experiments::ExperimentError;
use emberlab_pictures::PictureError;
use emberlab_report::ReportError;
use emberlab_training::TrainingError;
use emberlab_training::device::DeviceError;

/// Bad usage or configuration.
const USAGE: u8 = 2;
/// Anything else that went wrong.
const FAILED: u8 = 1;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The configuration is wrong, at a known place.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The experiment failed.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// The command line asks for something impossible.
    #[error("{0}")]
    Usage(String),
    /// Something checked is not as it should be; the table above says what.
    #[error("{0}")]
    Check(String),
    /// Something could not be written or read.
    #[error("{0}")]
    Failed(String),
    /// Nobody reads the output any more, as after `| head`.
    #[error("the output was closed")]
    ClosedPipe,
}

impl Failure {
    /// 2 for bad usage, configuration or data; 1 for what the machine refused.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Config(_) | Self::Usage(_) => USAGE,
            Self::Experiment(error) if is_usage(error) => USAGE,
            _ => FAILED,
        })
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<PictureError> for Failure {
    fn from(error: PictureError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<DatasetError> for Failure {
    fn from(error: DatasetError) -> Self {
        Self::Experiment(error.into())
    }
}

impl From<TrainingError> for Failure {
    fn from(error: TrainingError) -> Self {
        Self::Experiment(error.into())
    }
}

impl From<DeviceError> for Failure {
    fn from(error: DeviceError) -> Self {
        TrainingError::from(error).into()
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::Experiment(error.into())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            Self::ClosedPipe
        } else {
            Self::Failed(error.to_string())
        }
    }
}

fn is_usage(error: &ExperimentError) -> bool {
    match error {
        ExperimentError::Config(_)
        | ExperimentError::Source(_)
        | ExperimentError::Model(_)
        | ExperimentError::EmptySplit { .. }
        | ExperimentError::NoFeature { .. }
        | ExperimentError::NotImages { .. }
        | ExperimentError::NoThreshold(_)
        | ExperimentError::ConfigChanged { .. }
        | ExperimentError::NoRun { .. }
        | ExperimentError::Ambiguous { .. }
        | ExperimentError::RunExists { .. }
        | ExperimentError::RunFailed { .. }
        | ExperimentError::NotFinished { .. } => true,
        ExperimentError::Dataset(error) => !matches!(
            error,
            DatasetError::Missing { .. } | DatasetError::Io { .. } | DatasetError::Fetch { .. }
        ),
        ExperimentError::Training(TrainingError::Device(error)) => {
            !matches!(error, DeviceError::Unavailable { .. })
        }
        ExperimentError::Training(TrainingError::Mismatch { .. }) => true,
        ExperimentError::Training(_)
        | ExperimentError::ReadConfig(_)
        | ExperimentError::Storage(_)
        | ExperimentError::Toml(_)
        | ExperimentError::Malformed { .. }
        | ExperimentError::DataChanged { .. } => false,
    }
}
