//! The reason why a command failed, and its exit code.
//!
//! One rule holds for all commands: 2 where the command line, the configuration or the data must change, and that
//! includes a file that is named and does not exist or is not what it should be; 1 where the machine failed (a disk, a
//! device, the network, a damaged file of a run) and where a check found something. 130 follows an interruption.

use std::io;
use std::process::ExitCode;

use emberlab_analysis::TraceError;
use emberlab_config_source::{ConfigError, ReadError};
use emberlab_datasets::DatasetError;
use emberlab_experiments::ExperimentError;
use emberlab_pictures::PictureError;
use emberlab_report::ReportError;
use emberlab_run_format::FormatError;
use emberlab_tables::TableError;
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
    /// The exit code, by the rule at the head of this file.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Config(_) | Self::Usage(_) => USAGE,
            Self::Experiment(error) if is_usage(error) => USAGE,
            _ => FAILED,
        })
    }
}

impl From<FormatError> for Failure {
    fn from(error: FormatError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::NoRun { .. } | ReportError::NoComparison { .. } => {
                Self::Usage(error.to_string())
            }
            error => Self::Failed(error.to_string()),
        }
    }
}

impl From<TraceError> for Failure {
    fn from(error: TraceError) -> Self {
        match error {
            TraceError::Io { ref source, .. } if !is_named_wrongly(source) => {
                Self::Failed(error.to_string())
            }
            TraceError::Io { .. } | TraceError::Malformed { .. } => Self::Usage(error.to_string()),
            TraceError::Model(_) => Self::Failed(error.to_string()),
            TraceError::Training(error) => error.into(),
        }
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

/// The standard output cannot be written.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::ClosedPipe
        } else {
            Self::Failed(format!("cannot write to the standard output: {error}"))
        }
    }
}

impl Failure {
    /// The failure of anything but the standard output, whose errors are failures by themselves.
    pub fn of(what: impl std::fmt::Display) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Failed(format!("{what}: {error}"))
    }
}

/// Whether a file cannot be read because it does not exist, or because it is not a text file.
fn is_named_wrongly(error: &io::Error) -> bool {
    use io::ErrorKind::{
        InvalidData, InvalidFilename, InvalidInput, IsADirectory, NotADirectory, NotFound,
    };
    matches!(
        error.kind(),
        NotFound | NotADirectory | IsADirectory | InvalidData | InvalidInput | InvalidFilename
    )
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
        | ExperimentError::NoBest { .. }
        | ExperimentError::OutOfPatience { .. }
        | ExperimentError::ConfigChanged { .. }
        | ExperimentError::DataChanged { .. }
        | ExperimentError::DataMoved { .. }
        | ExperimentError::NoOwnData { .. }
        | ExperimentError::InsideData { .. }
        | ExperimentError::Plan { .. }
        | ExperimentError::NotInPlan { .. }
        | ExperimentError::NoRun { .. }
        | ExperimentError::IsCheckpoint { .. }
        | ExperimentError::Ambiguous { .. }
        | ExperimentError::RunName { .. }
        | ExperimentError::RunExists { .. }
        | ExperimentError::RunFailed { .. }
        | ExperimentError::NotFinished { .. } => true,
        ExperimentError::ReadConfig(error) => is_named_wrongly(&error.source),
        ExperimentError::Dataset(DatasetError::Io { source, .. }) => is_named_wrongly(source),
        ExperimentError::Dataset(DatasetError::Table(TableError::Io { source, .. })) => {
            is_named_wrongly(source)
        }
        ExperimentError::Dataset(error) => !matches!(
            error,
            DatasetError::Fetch { .. } | DatasetError::Embedded { .. }
        ),
        ExperimentError::Training(TrainingError::Device(error)) => {
            !matches!(error, DeviceError::Unavailable { .. })
        }
        ExperimentError::Training(
            TrainingError::Mismatch { .. }
            | TrainingError::FlatLoss { .. }
            | TrainingError::NotFused(_)
            | TrainingError::NotAlike(_),
        ) => true,
        ExperimentError::Training(_)
        | ExperimentError::Storage(_)
        | ExperimentError::Toml(_)
        | ExperimentError::Malformed { .. } => false,
    }
}
