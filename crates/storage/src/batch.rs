//! Files that are written together, and appear when all of them are on the disk.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::StorageError;
use crate::operations::{
    Operation, PARTIAL, beside, create_folder, parent, perform, remove_tree, rename, sync_folder,
};

/// From this number of files and folders on, one call that syncs a whole file system is faster than a call for each of
/// them. It also waits for what other processes have written, so a checkpoint, which has fewer files, syncs each of
/// them.
const MANY: usize = 16;

/// Files and folders that appear when all of them are on the disk, one after the other. A file that exists is replaced
/// in a single step. So after a crash each of them is as it was before or as it was written, and never half-written.
///
/// Until [`commit`](Self::commit) they have temporary names; a batch that is dropped removes them again.
#[derive(Debug, Default)]
pub struct Batch {
    entries: Vec<Entry>,
}

/// A file or folder under its temporary name.
#[derive(Debug)]
struct Entry {
    partial: PathBuf,
    path: PathBuf,
    /// Files that are not on the disk yet.
    files: Vec<PathBuf>,
    /// Folders whose names are not on the disk yet, the innermost first.
    folders: Vec<PathBuf>,
}

impl Batch {
    /// Writes a file.
    ///
    /// # Errors
    /// [`StorageError::Io`] naming the file, which is then no part of the batch.
    pub fn replace(&mut self, path: &Path, content: &[u8]) -> Result<(), StorageError> {
        self.add(path, |entry| {
            write(&entry.partial, content)?;
            entry.files.push(entry.partial.clone());
            Ok(())
        })
    }

    /// Writes a folder. `path` must not exist, or must be an empty folder. `files` are file names relative to it, with
    /// their contents; a name may contain one subfolder.
    ///
    /// # Errors
    /// [`StorageError::Io`] naming the file or folder, which is then no part of the batch.
    pub fn publish_folder(
        &mut self,
        path: &Path,
        files: &[(&str, &[u8])],
    ) -> Result<(), StorageError> {
        self.add(path, |entry| {
            if entry.partial.exists() {
                remove_tree(&entry.partial)?;
            }
            create_folder(&entry.partial)?;
            for (name, content) in files {
                let file = entry.partial.join(name);
                let folder = parent(&file).to_path_buf();
                if folder != entry.partial && !entry.folders.contains(&folder) {
                    create_folder(&folder)?;
                    entry.folders.push(folder);
                }
                write(&file, content)?;
                entry.files.push(file);
            }
            entry.folders.push(entry.partial.clone());
            Ok(())
        })
    }

    /// Waits until everything is on the disk, and gives it its names.
    ///
    /// # Errors
    /// [`StorageError::Io`]; files that have not got their names by then are removed.
    pub fn commit(mut self) -> Result<(), StorageError> {
        sync(
            self.entries.iter().flat_map(|entry| &entry.files),
            self.entries.iter().flat_map(|entry| &entry.folders),
        )?;
        let mut folders: Vec<PathBuf> = Vec::new();
        let mut entries = std::mem::take(&mut self.entries).into_iter();
        while let Some(entry) = entries.next() {
            if let Err(error) = rename(&entry.partial, &entry.path) {
                self.entries = [entry].into_iter().chain(entries).collect();
                return Err(error);
            }
            let folder = parent(&entry.path);
            if folders.last().is_none_or(|last| last != folder) {
                folders.push(folder.to_path_buf());
            }
        }
        folders.sort();
        folders.dedup();
        sync([].into_iter(), folders.iter())
    }

    /// Adds a file or folder that `fill` writes under a temporary name.
    fn add(
        &mut self,
        path: &Path,
        fill: impl FnOnce(&mut Entry) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let mut entry = Entry {
            partial: beside(path, PARTIAL),
            path: path.to_path_buf(),
            files: Vec::new(),
            folders: Vec::new(),
        };
        let filled = fill(&mut entry);
        match filled {
            Ok(()) => self.entries.push(entry),
            Err(_) => entry.remove(),
        }
        filled
    }
}

impl Entry {
    /// Removes what was written. An error here is ignored: leftovers only take up space, and the error before is the
    /// one to report.
    fn remove(&self) {
        let _ = match self.partial.is_dir() {
            true => fs::remove_dir_all(&self.partial),
            false => fs::remove_file(&self.partial),
        };
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.entries.iter().for_each(Entry::remove);
    }
}

fn write(path: &Path, content: &[u8]) -> Result<(), StorageError> {
    let mut file = perform(Operation::CreateFile(path), || File::create(path))?;
    perform(Operation::Write(path, content), || file.write_all(content))
}

/// Waits until files, and the names in folders, are on the disk.
fn sync<'a>(
    files: impl Iterator<Item = &'a PathBuf> + Clone,
    folders: impl Iterator<Item = &'a PathBuf> + Clone,
) -> Result<(), StorageError> {
    let num_paths = files.clone().count() + folders.clone().count();
    if num_paths >= MANY && sync_file_systems(files.clone().chain(folders.clone()))? {
        return Ok(());
    }
    for file in files {
        perform(Operation::SyncFile(file), || {
            OpenOptions::new().write(true).open(file)?.sync_all()
        })?;
    }
    for folder in folders {
        sync_folder(folder)?;
    }
    Ok(())
}

/// Waits until everything on the file systems of these paths is on the disk. Returns whether the operating system can.
#[cfg(target_os = "linux")]
fn sync_file_systems<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> Result<bool, StorageError> {
    use std::os::unix::fs::MetadataExt;
    let mut devices = Vec::new();
    for path in paths {
        let metadata = fs::metadata(path).map_err(StorageError::io("sync", path))?;
        if !devices.contains(&metadata.dev()) {
            devices.push(metadata.dev());
            perform(Operation::SyncFileSystem(path), || {
                rustix::fs::syncfs(File::open(path)?).map_err(std::io::Error::from)
            })?;
        }
    }
    Ok(true)
}

/// Other systems have no such call.
#[cfg(not(target_os = "linux"))]
fn sync_file_systems<'a>(_: impl Iterator<Item = &'a PathBuf>) -> Result<bool, StorageError> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The names in a folder, in order.
    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn files_and_folders_appear_together_few_or_many() {
        for num_runs in [1, 40] {
            let folder = tempfile::tempdir().unwrap();
            let mut batch = Batch::default();
            for run in 0..num_runs {
                let path = folder.path().join(format!("run-{run}"));
                let files: [(&str, &[u8]); 3] = [("a", b"1"), ("model/b", b"2"), ("model/c", b"3")];
                batch.publish_folder(&path, &files).unwrap();
            }
            fs::write(folder.path().join("text"), b"old").unwrap();
            batch.replace(&folder.path().join("text"), b"new").unwrap();
            assert_eq!(fs::read(folder.path().join("text")).unwrap(), b"old");
            assert!(!folder.path().join("run-0").exists());
            batch.commit().unwrap();
            assert_eq!(fs::read(folder.path().join("text")).unwrap(), b"new");
            assert_eq!(names(folder.path()).len(), num_runs + 1);
            for run in 0..num_runs {
                let run = folder.path().join(format!("run-{run}"));
                assert_eq!(names(&run), ["a", "model"]);
                assert_eq!(fs::read(run.join("model/c")).unwrap(), b"3");
            }
        }
    }

    #[test]
    fn a_batch_that_is_dropped_or_cannot_appear_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let mut batch = Batch::default();
        batch.replace(&folder.path().join("a"), b"1").unwrap();
        drop(batch);
        assert!(names(folder.path()).is_empty());
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).unwrap();
        fs::write(taken.join("file"), b"").unwrap();
        let mut batch = Batch::default();
        batch.replace(&folder.path().join("a"), b"1").unwrap();
        batch.publish_folder(&taken, &[("b", b"2")]).unwrap();
        batch.replace(&folder.path().join("c"), b"3").unwrap();
        let message = batch.commit().unwrap_err().to_string();
        assert!(message.contains("taken"), "{message}");
        assert_eq!(names(folder.path()), ["a", "taken"]);
        assert_eq!(names(&taken), ["file"]);
    }
}
