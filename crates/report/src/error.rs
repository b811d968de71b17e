//! What can go wrong with what runs left.

use std::path::{Path, PathBuf};

use emberlab_pictures::PictureError;

/// A file that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The disk refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A folder holds no comparison.
    #[error("{} holds no comparison.json; `emberlab compare CONFIG --collect` writes it", folder.display())]
    NoComparison {
        /// The folder.
        folder: PathBuf,
    },
    /// A folder holds no run.
    #[error("{} holds no run", folder.display())]
    NoRun {
        /// The folder.
        folder: PathBuf,
    },
    /// A table cannot be written.
    #[error("cannot write CSV: {0}")]
    Csv(#[from] csv::Error),
    /// A picture cannot be drawn.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// A file does not hold what a run writes.
    #[error("{} is not what a run writes: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What does not agree.
        reason: String,
    },
}

impl ReportError {
    pub(crate) fn malformed(path: &Path, reason: impl ToString) -> Self {
        Self::Malformed {
            path: path.to_path_buf(),
            reason: reason.to_string(),
        }
    }
}
