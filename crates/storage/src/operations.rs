//! The operations that change files. All files of a run are written by these.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::{Batch, StorageError};

/// One operation on the disk.
#[derive(Clone, Copy)]
#[cfg_attr(
    not(feature = "fault-injection"),
    expect(
        dead_code,
        reason = "contents and targets are for faults; errors name only the path"
    )
)]
pub(crate) enum Operation<'a> {
    CreateFolder(&'a Path),
    CreateFile(&'a Path),
    Write(&'a Path, &'a [u8]),
    SyncFile(&'a Path),
    SyncFolder(&'a Path),
    /// Of the file system that holds the path.
    SyncFileSystem(&'a Path),
    Rename(&'a Path, &'a Path),
    RemoveFile(&'a Path),
    RemoveFolder(&'a Path),
}

impl Operation<'_> {
    pub(crate) fn action(&self) -> &'static str {
        match self {
            Self::CreateFolder(_) | Self::CreateFile(_) => "create",
            Self::Write(..) => "write",
            Self::SyncFile(_) | Self::SyncFolder(_) | Self::SyncFileSystem(_) => "sync",
            Self::Rename(..) => "rename",
            Self::RemoveFile(_) | Self::RemoveFolder(_) => "remove",
        }
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::CreateFolder(path)
            | Self::CreateFile(path)
            | Self::Write(path, _)
            | Self::SyncFile(path)
            | Self::SyncFolder(path)
            | Self::SyncFileSystem(path)
            | Self::Rename(path, _)
            | Self::RemoveFile(path)
            | Self::RemoveFolder(path) => path,
        }
    }
}

/// Does one operation; with the feature `fault-injection` a test may replace it by a fault.
pub(crate) fn perform<T>(
    operation: Operation<'_>,
    act: impl FnOnce() -> io::Result<T>,
) -> Result<T, StorageError> {
    #[cfg(feature = "fault-injection")]
    let result = crate::injection::perform(operation, act);
    #[cfg(not(feature = "fault-injection"))]
    let result = act();
    result.map_err(StorageError::io(operation.action(), operation.path()))
}

/// Whether a test counts the operations of this process.
pub(crate) fn are_counted() -> bool {
    #[cfg(feature = "fault-injection")]
    let are_counted = crate::injection::is_active();
    #[cfg(not(feature = "fault-injection"))]
    let are_counted = false;
    are_counted
}

/// Makes a folder inside an existing one, unless it exists already.
///
/// The folders above it are not made. If they are missing, somebody has removed the run, and no part of it may come
/// back.
///
/// # Errors
/// [`StorageError::Io`].
pub fn create_folder(path: &Path) -> Result<(), StorageError> {
    if path.is_dir() {
        return Ok(());
    }
    perform(Operation::CreateFolder(path), || fs::create_dir(path))
}

/// Waits until the names in a folder are on the disk, which makes a rename durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), StorageError> {
    perform(Operation::SyncFolder(path), || {
        if cfg!(unix) {
            File::open(path)?.sync_all()?;
        }
        Ok(())
    })
}

pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), StorageError> {
    perform(Operation::Rename(from, to), || fs::rename(from, to))
}

/// Replaces a file by a new one in a single step, so that it is never half-written.
///
/// # Errors
/// [`StorageError::Io`] naming the file; the old file then remains.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), StorageError> {
    let mut batch = Batch::default();
    batch.replace(path, content)?;
    batch.commit()
}

/// Removes a file, or a folder with all its content.
///
/// It is renamed first, so that a half-removed folder cannot be mistaken for a complete one.
///
/// # Errors
/// [`StorageError::Io`] naming the file or folder that cannot be removed.
pub fn remove_tree(path: &Path) -> Result<(), StorageError> {
    if is_leftover(path) {
        return remove_all(path);
    }
    let removing = beside(path, REMOVING);
    rename(path, &removing)?;
    sync_folder(parent(path))?;
    remove_all(&removing)
}

fn remove_all(path: &Path) -> Result<(), StorageError> {
    if !path.is_dir() {
        return perform(Operation::RemoveFile(path), || fs::remove_file(path));
    }
    let entries = fs::read_dir(path).map_err(StorageError::io("read", path))?;
    for entry in entries {
        remove_all(&entry.map_err(StorageError::io("read", path))?.path())?;
    }
    perform(Operation::RemoveFolder(path), || fs::remove_dir(path))
}

/// The beginning of the names of unfinished files, and of files that are being removed.
pub(crate) const PARTIAL: &str = ".partial-";
const REMOVING: &str = ".removing-";

/// Whether a file or folder is left over from a process that ended while it wrote or removed it.
pub fn is_leftover(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    name.starts_with(PARTIAL) || name.starts_with(REMOVING)
}

/// A temporary name in the same folder, which no other process uses.
pub(crate) fn beside(path: &Path, prefix: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let process = std::process::id();
    path.with_file_name(format!("{prefix}{process}-{name}"))
}

pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}
