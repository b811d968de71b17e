//! A lock on a run, which is released when the process ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::StorageError;

const FILE: &str = ".lock";

/// How long to wait for the lock: a process that only asks whether a run is in use holds it for an instant.
const PATIENCE: Duration = Duration::from_millis(200);

/// The right to change a run, until it is dropped or the process ends in any way.
///
/// This is an advisory lock of the operating system on `.lock` in the run's folder (`flock` on Unix). On network
/// file systems it is as reliable as their locks.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

impl RunLock {
    /// Takes the lock of the run in `folder`.
    ///
    /// # Errors
    /// [`StorageError::Locked`] if a running process holds it; [`StorageError::Io`] if the lock cannot be taken.
    pub fn acquire(folder: &Path) -> Result<Self, StorageError> {
        let path = folder.join(FILE);
        let options = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let mut file = options.map_err(StorageError::io("open", &path))?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(PATIENCE / 20);
                }
                Err(TryLockError::WouldBlock) => {
                    let mut holder = String::new();
                    // The holder is only named in the message.
                    let _ = file.read_to_string(&mut holder);
                    return Err(StorageError::Locked {
                        path: folder.to_path_buf(),
                        holder: holder.trim().to_string(),
                    });
                }
                Err(TryLockError::Error(error)) => {
                    return Err(StorageError::io("lock", &path)(error));
                }
            }
        }
        let name = format!("{}\n", std::process::id());
        // The identifier of the process is only for messages: the lock works without it.
        let _ = file.set_len(0);
        let _ = file.rewind();
        let _ = file.write_all(name.as_bytes());
        Ok(Self { _file: file })
    }

    /// Whether a running process holds the lock of the run in `folder`.
    pub fn is_held(folder: &Path) -> bool {
        let Ok(file) = File::open(folder.join(FILE)) else {
            return false;
        };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_lock_has_one_holder_who_is_named_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!RunLock::is_held(folder.path()));
        let lock = RunLock::acquire(folder.path()).unwrap();
        assert!(RunLock::is_held(folder.path()));
        let message = RunLock::acquire(folder.path()).unwrap_err().to_string();
        let holder = format!("in use by process {}", std::process::id());
        assert!(message.contains(&holder), "{message}");
        drop(lock);
        assert!(!RunLock::is_held(folder.path()));
        RunLock::acquire(folder.path()).unwrap();
    }
}
