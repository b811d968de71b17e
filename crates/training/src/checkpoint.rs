//! When checkpoints are written: the table `checkpoint` of the configuration.

use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The reaction to a checkpoint or a row of metrics that cannot be written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The training stops; files saved before are intact.
    #[default]
    Stop,
    /// The training goes on with a warning, and tries again when the next checkpoint is due.
    Continue,
}

/// The distance from one checkpoint to the next.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Every {
    /// Seconds; positive. A save costs as much as several steps of a small network.
    Seconds(f64),
    /// Epochs; at least 1.
    Epochs(usize),
    /// Optimiser steps; at least 1.
    Steps(u64),
}

/// When checkpoints are written. One is also written at the end, and when somebody asks to stop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckpointConfig {
    /// From one to the next: `{ seconds = 30.0 }`, `{ epochs = 1 }` or `{ steps = 100 }`.
    #[serde(default = "half_a_minute")]
    pub every: Every,
    /// Number of the newest checkpoints that stay on disk; at least 1. Each contains the best network so far.
    #[serde(default = "two")]
    pub keep_last: usize,
    /// The reaction to a file that cannot be written: `stop` or `continue`.
    #[serde(default)]
    pub on_error: OnError,
}

fn half_a_minute() -> Every {
    Every::Seconds(30.0)
}

fn two() -> usize {
    2
}

impl Default for CheckpointConfig {
    fn default() -> Self {
        Self {
            every: half_a_minute(),
            keep_last: two(),
            on_error: OnError::Stop,
        }
    }
}

impl CheckpointConfig {
    /// Checks the ranges of the values.
    ///
    /// # Errors
    /// [`Problem`] naming the key that is out of range.
    pub fn validate(&self) -> Result<(), Problem> {
        Problem::unless_at_least_one(self.keep_last as u64, "checkpoint.keep_last")?;
        match self.every {
            Every::Seconds(seconds) => {
                Problem::unless_positive(seconds, "checkpoint.every.seconds")
            }
            Every::Epochs(n) => Problem::unless_at_least_one(n as u64, "checkpoint.every.epochs"),
            Every::Steps(n) => Problem::unless_at_least_one(n, "checkpoint.every.steps"),
        }
    }
}
