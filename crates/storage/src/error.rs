//! Errors of files, each with the file it concerns.

use std::io;
use std::path::{Path, PathBuf};

/// The reason why a file cannot be written, read or trusted.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The operating system reports an error.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The attempted action.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The files of a checkpoint have changed since it was written.
    #[error("the checkpoint {} is damaged: {reason}", path.display())]
    Damaged {
        /// The checkpoint's folder.
        path: PathBuf,
        /// The difference from what was written.
        reason: String,
    },
    /// A version of the lab with another format wrote the checkpoint.
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
    /// Another process uses the run.
    #[error("{} is in use by process {holder}; wait for it to end, or stop it", path.display())]
    Locked {
        /// The run's folder.
        path: PathBuf,
        /// The identifier of the process.
        holder: String,
    },
}

impl StorageError {
    /// Whether there was no room on the disk.
    pub fn lacks_room(&self) -> bool {
        let kind = self.kind();
        kind == Some(io::ErrorKind::StorageFull) || kind == Some(io::ErrorKind::QuotaExceeded)
    }

    /// The kind of an error of the operating system.
    pub fn kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Io { source, .. } => Some(source.kind()),
            _ => None,
        }
    }

    /// Adds the attempted action and the path to an error of the operating system.
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            action,
            path: path.to_path_buf(),
            source,
        }
    }
}
