//! What can go wrong with what runs left.

use std::path::PathBuf;

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
    /// A file does not hold what a run writes.
    #[error("{} is not what a run writes: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What does not agree.
        reason: String,
    },
}
