//! How far a training is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How far a training is: epochs done, and steps done in the epoch under way. Orders checkpoints, and
/// names them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Epochs done.
    pub epoch: usize,
    /// Steps done in the epoch under way.
    pub step_in_epoch: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch-{:06}-step-{:09}", self.epoch, self.step_in_epoch)
    }
}

impl Position {
    /// The position that a checkpoint's folder is named for.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let (epoch, step) = name.strip_prefix("epoch-")?.split_once("-step-")?;
        let position = Self {
            epoch: epoch.parse().ok()?,
            step_in_epoch: step.parse().ok()?,
        };
        (position.to_string() == name).then_some(position)
    }
}
