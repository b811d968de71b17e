//! Files of a run that cannot be read.

use std::io;
use std::path::{Path, PathBuf};

/// A file of a run that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The operating system refused to read it.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The file does not hold what its name says.
    #[error("{} is not what a run writes: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The place and the fault.
        reason: String,
    },
}

impl FormatError {
    /// The file.
    pub fn path(&self) -> &Path {
        match self {
            Self::Io { path, .. } | Self::Malformed { path, .. } => path,
        }
    }

    /// An error about the content of `path`.
    pub fn malformed(path: &Path, reason: impl ToString) -> Self {
        Self::Malformed {
            path: path.to_path_buf(),
            reason: reason.to_string(),
        }
    }
}
