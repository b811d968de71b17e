//! `failure.json`: the error that ended a training.

use serde::{Deserialize, Serialize};

/// The error that ended a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The message, as it was printed.
    pub message: String,
}
