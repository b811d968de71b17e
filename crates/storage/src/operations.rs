//! The operations that change files. All files of a run are written by these.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
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

/// Writes a file that the user named. A file is replaced in a single step, also where a symbolic link leads to it.
/// Anything else, such as a device or a pipe, is opened and written, and stays what it is.
///
/// # Errors
/// [`StorageError::Io`] naming the file; an old file then remains. A folder is refused.
pub fn write_named(path: &Path, content: &[u8]) -> Result<(), StorageError> {
    let file = link_target(path);
    let written = match fs::metadata(&file) {
        Ok(metadata) if metadata.is_dir() => Err(io::Error::new(
            io::ErrorKind::IsADirectory,
            "it is a folder",
        )),
        Ok(metadata) if metadata.is_file() && !is_in_proc(&file) => {
            return replace(&file, content);
        }
        Ok(_) => {
            let opened = fs::OpenOptions::new()
                .write(true)
                .truncate(true)
                .open(&file);
            opened.and_then(|mut opened| opened.write_all(content))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return replace(&file, content),
        Err(error) => Err(error),
    };
    written.map_err(StorageError::io("write", path))
}

/// The path that a symbolic link leads to, whether a file is there or not. The links in `/proc` are not followed: they
/// stand for open files, as do those in `/dev/fd`.
fn link_target(path: &Path) -> PathBuf {
    /// More links than that are a circle, which the operating system refuses.
    const MOST_LINKS: usize = 40;
    let mut file = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&file) {
            Ok(target) if !is_in_proc(&file) => file = parent(&file).join(target),
            _ => break,
        }
    }
    file
}

/// Whether a path lies in `/proc`, also by links in the names of its folders.
fn is_in_proc(file: &Path) -> bool {
    fs::canonicalize(parent(file)).is_ok_and(|folder| folder.starts_with("/proc"))
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

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Read;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_file_of_the_user_is_written_where_its_link_leads() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("inner")).unwrap();
        fs::write(at("inner/old.csv"), "old").unwrap();
        symlink("inner/old.csv", at("link")).unwrap();
        symlink("link", at("link to a link")).unwrap();
        symlink("inner/new.csv", at("to nothing yet")).unwrap();
        write_named(&at("link to a link"), b"new").unwrap();
        write_named(&at("to nothing yet"), b"first").unwrap();
        write_named(&at("plain"), b"plain").unwrap();
        assert!(at("link").is_symlink() && at("link to a link").is_symlink());
        assert_eq!(fs::read(at("inner/old.csv")).unwrap(), b"new");
        assert_eq!(fs::read(at("inner/new.csv")).unwrap(), b"first");
        assert_eq!(fs::read(at("plain")).unwrap(), b"plain");
    }

    #[test]
    fn what_is_no_file_is_written_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        for descriptors in ["/proc/self/fd", "/dev/fd"] {
            if !Path::new(descriptors).is_dir() {
                continue;
            }
            let (mut reader, writer) = io::pipe().unwrap();
            let descriptor = std::os::fd::AsRawFd::as_raw_fd(&writer);
            let path = format!("{descriptors}/{descriptor}");
            let link = folder.path().join(path.replace('/', "-"));
            symlink(&path, &link).unwrap();
            write_named(&link, b"through a link, ").unwrap();
            write_named(Path::new(&path), b"and without").unwrap();
            drop(writer);
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            assert_eq!(text, "through a link, and without");
        }
        let socket = folder.path().join("socket");
        let _listener = UnixListener::bind(&socket).unwrap();
        write_named(&socket, b"").unwrap_err();
        assert!(UnixListener::bind(&socket).is_err());
        let message = write_named(folder.path(), b"").unwrap_err().to_string();
        assert!(message.ends_with("it is a folder"), "{message}");
    }

    #[test]
    fn links_in_a_circle_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        symlink("b", at("a")).unwrap();
        symlink("a", at("b")).unwrap();
        write_named(&at("a"), b"x").unwrap_err();
        assert!(at("a").is_symlink() && at("b").is_symlink());
    }
}
