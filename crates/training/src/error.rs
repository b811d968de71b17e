//! The errors of a training.

use emberlab_menu::Problem;
use emberlab_models::NotFused;
use emberlab_storage::StorageError;

/// An error of a training.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// The loss has no gradient to train with.
    #[error(
        "the loss `{loss}` cannot train: its gradient is zero wherever it exists, so no step would change a \
         weight{}",
        better.map(|name| format!("; `{name}` can")).unwrap_or_default()
    )]
    FlatLoss {
        /// The loss.
        loss: &'static str,
        /// A loss that means the same and can train, if there is one.
        better: Option<&'static str>,
    },
    /// A configured value is out of its range; its key is dotted, such as `optimizer.learning_rate`.
    #[error(transparent)]
    Value(#[from] Problem),
    /// Data, model and loss do not fit together.
    #[error("{message}")]
    Mismatch {
        /// The dotted key in the configuration that should change.
        key: String,
        /// The parts that do not fit, with their numbers.
        message: String,
    },
    /// Trainings differ too much to run at once.
    #[error("these trainings cannot run at once: {0}")]
    NotAlike(&'static str),
    /// There are no fused kernels for a part of the training.
    #[error(transparent)]
    NotFused(#[from] NotFused),
    /// A device cannot be used.
    #[error(transparent)]
    Device(#[from] crate::device::DeviceError),
    /// A checkpoint or another file of the run cannot be written or read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Results cannot be read from the device, or are not what they should be.
    #[error("cannot read results from the device: {0}")]
    Read(String),
    /// Burn, or the driver of the device, panicked. Files saved before are intact.
    #[error("the training failed inside Burn: {0}")]
    Panic(String),
}

/// Fails unless `value` is finite and `accepted`.
pub(crate) fn check(key: &str, value: f64, accepted: bool, expected: &str) -> Result<(), Problem> {
    Problem::unless(value.is_finite() && accepted, key, value, expected)
}
