//! What can go wrong in a fit, with the value that was wrong.

use emberlab_storage::StorageError;

/// An error of a training.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// The loss has no gradient to train with.
    #[error(
        "the loss `{loss}` cannot train: it compares outputs after a threshold, so its gradient is zero \
         wherever it exists, and no step would change a weight; `soft_hamming`, the mean of |p − y|, trains"
    )]
    FlatLoss {
        /// The loss.
        loss: &'static str,
    },
    /// A configured value is out of its range.
    #[error("`{key}` is {value}, but must be {expected}")]
    Value {
        /// The dotted key in the configuration, such as `optimizer.learning_rate`.
        key: String,
        /// The value as written.
        value: String,
        /// What would be accepted.
        expected: String,
    },
    /// Data, model and loss do not fit together.
    #[error("{message}")]
    Mismatch {
        /// The dotted key in the configuration that should change.
        key: String,
        /// What does not fit, with the numbers.
        message: String,
    },
    /// Trainings that should be one engine are not alike.
    #[error("these trainings cannot be one engine: {0}")]
    NotAlike(&'static str),
    /// A device cannot be used.
    #[error(transparent)]
    Device(#[from] crate::device::DeviceError),
    /// A checkpoint or another file of the run cannot be written or read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Reading numbers back from the device failed.
    #[error("cannot read results from the device: {0}")]
    Read(String),
    /// Burn, or the device under it, gave up. What was saved before is intact.
    #[error("the training failed inside Burn: {0}")]
    Panic(String),
}

impl TrainingError {
    pub(crate) fn value(key: &str, value: impl ToString, expected: &str) -> Self {
        Self::Value {
            key: key.to_string(),
            value: value.to_string(),
            expected: expected.to_string(),
        }
    }
}

/// Fails unless `value` is finite and `accepted`.
pub(crate) fn check(
    key: &str,
    value: f64,
    accepted: bool,
    expected: &str,
) -> Result<(), TrainingError> {
    if value.is_finite() && accepted {
        Ok(())
    } else {
        Err(TrainingError::value(key, value, expected))
    }
}
