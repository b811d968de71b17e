//! What can go wrong with files, with the file it went wrong with.

use std::io;
use std::path::{Path, PathBuf};

/// A file that cannot be written, read or believed.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The disk refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A checkpoint is not what was written.
    #[error("the checkpoint {} is damaged: {reason}", path.display())]
    Damaged {
        /// The checkpoint's folder.
        path: PathBuf,
        /// What does not agree.
        reason: String,
    },
    /// A checkpoint of another version of the lab.
    #[error(
        "the checkpoint {} is in format {found}, written by emberlab {written_by}; this version reads format {readable}",
        path.display()
    )]
    Format {
        /// The checkpoint's folder.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The version that wrote it.
        written_by: String,
        /// The format that this version reads.
        readable: u32,
    },
    /// Another process works on the same run.
    #[error("{} is in use by process {holder}; wait for it to end, or stop it", path.display())]
    Locked {
        /// The run's folder.
        path: PathBuf,
        /// The process, as it wrote itself down.
        holder: String,
    },
}

impl StorageError {
    /// Says what was tried on which file or folder when the disk refused.
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            action,
            path: path.to_path_buf(),
            source,
        }
    }
}
