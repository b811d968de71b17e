//! A lock on a run that dies with the process that holds it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::StorageError;

const FILE: &str = ".lock";

/// Asking whether a run is in use takes its lock for an instant: whoever wants it waits that long.
const PATIENCE: Duration = Duration::from_millis(200);

/// The right to change a run, held until it is dropped or the process ends, however it ends.
///
/// The system's advisory lock on `.lock` in the run's folder (`flock` on Unix); on network file systems it
/// is as good as theirs.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

impl RunLock {
    /// Takes the lock of the run in `folder`.
    ///
    /// # Errors
    /// [`StorageError::Locked`] if a living process holds it, [`StorageError::Io`] if the folder does not
    /// take a lock.
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
                    // Only for the message.
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
        // Who holds it is told as a help; the lock itself holds without.
        let _ = file.set_len(0);
        let _ = file.rewind();
        let _ = file.write_all(name.as_bytes());
        Ok(Self { _file: file })
    }

    /// Whether a living process holds the lock of the run in `folder`.
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
    fn a_held_lock_is_refused_with_its_holder_and_a_dropped_one_is_free() {
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
