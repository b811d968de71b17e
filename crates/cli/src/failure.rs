//! The reason why a command failed, and its exit code.

use std::process::ExitCode;

use emberlab_config_source::{ConfigError, ReadError};
use emberlab_datasets::DatasetError;
use emberlab_experiments::ExperimentError;
use emberlab_pictures::PictureError;
use emberlab_report::ReportError;
use emberlab_training::TrainingError;
use emberlab_training::device::DeviceError;

/// Exit code for wrong usage, configuration or data.
const USAGE: u8 = 2;
/// Exit code for any other failure.
const FAILED: u8 = 1;

/// The reason why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The configuration is wrong, at a known place of its file.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The experiment failed.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// The command line asks for something that does not exist or cannot be done.
    #[error("{0}")]
    Usage(String),
    /// A check failed; the output before this error has the details.
    #[error("{0}")]
    Check(String),
    /// A file, a folder or the terminal could not be read or written.
    #[error("{0}")]
    Failed(String),
    /// The reader of the output closed it, as `| head` does.
    #[error("the output was closed")]
    ClosedPipe,
}

impl Failure {
    /// The exit code: 2 for wrong usage, configuration or data; 1 for any other failure.
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

/// Whether the user must change the command line, the configuration or the data.
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
