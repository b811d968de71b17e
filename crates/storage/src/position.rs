//! The position of a training.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The position of a training: finished epochs, and finished steps of the current epoch. Checkpoints are named
/// and ordered by it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Number of finished epochs.
    pub epoch: usize,
    /// Number of finished steps in the current epoch.
    pub step_in_epoch: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch-{:06}-step-{:09}", self.epoch, self.step_in_epoch)
    }
}

impl Position {
    /// The position in the name of a checkpoint's folder.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let (epoch, step) = name.strip_prefix("epoch-")?.split_once("-step-")?;
        let position = Self {
            epoch: epoch.parse().ok()?,
            step_in_epoch: step.parse().ok()?,
        };
        (position.to_string() == name).then_some(position)
    }
}
