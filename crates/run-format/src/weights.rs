//! The two networks that a finished run keeps.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::files::{BEST, NETWORK};

/// One of the two networks of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    /// The network after the last step.
    Last,
    /// The network of the best epoch.
    Best,
}

impl Weights {
    /// The file of a run with these weights.
    pub fn file(self) -> &'static str {
        match self {
            Self::Last => NETWORK,
            Self::Best => BEST,
        }
    }
}

impl fmt::Display for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Last => "last",
            Self::Best => "best",
        })
    }
}
