//! Checkpoints: folders that appear whole or not at all.
//!
//! A checkpoint is written beside its final name, every file is synced, a manifest lists sizes and
//! SHA-256 sums, then one rename makes it visible and the parent folder is synced. The newest valid
//! one is found by checking it, never by its name alone.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{TrainingError, check};

/// Version of the checkpoint format; a reader refuses others.
const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";

/// How far a training is: epochs done, and steps done in the epoch under way. Orders checkpoints, and
/// names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Epochs done.
    pub epoch: usize,
    /// Steps done in the epoch under way.
    pub step_in_epoch: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch-{:06}-step-{:09}", self.epoch, self.step_in_epoch)
    }
}

impl Position {
    fn from_name(name: &str) -> Option<Self> {
        let (epoch, step) = name.strip_prefix("epoch-")?.split_once("-step-")?;
        Some(Self {
            epoch: epoch.parse().ok()?,
            step_in_epoch: step.parse().ok()?,
        })
    }
}

/// When checkpoints are written, as written in the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckpointConfig {
    /// Seconds between two checkpoints. 30 unless `every_epochs` is given; positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_seconds: Option<f64>,
    /// Epochs between two checkpoints; at least 1. Excludes `every_seconds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_epochs: Option<usize>,
    /// How many of the newest checkpoints stay on disk; at least 1. The best network so far is part of
    /// each.
    #[serde(default = "two")]
    pub keep_last: usize,
}

fn two() -> usize {
    2
}

impl Default for CheckpointConfig {
    fn default() -> Self {
        Self {
            every_seconds: None,
            every_epochs: None,
            keep_last: two(),
        }
    }
}

impl CheckpointConfig {
    /// Seconds between two checkpoints, if time decides.
    pub fn seconds(&self) -> Option<f64> {
        match self.every_epochs {
            Some(_) => None,
            None => Some(self.every_seconds.unwrap_or(30.0)),
        }
    }

    /// Checks ranges and that time and epochs do not both decide.
    ///
    /// # Errors
    /// [`TrainingError::Value`] naming the key that is out of range.
    pub fn validate(&self) -> Result<(), TrainingError> {
        if self.keep_last == 0 {
            return Err(TrainingError::value(
                "checkpoint.keep_last",
                0,
                "at least 1",
            ));
        }
        if let (Some(seconds), Some(_)) = (self.every_seconds, self.every_epochs) {
            return Err(TrainingError::value(
                "checkpoint.every_seconds",
                seconds,
                "left out when `every_epochs` is given: only one of them can decide",
            ));
        }
        if self.every_epochs == Some(0) {
            return Err(TrainingError::value(
                "checkpoint.every_epochs",
                0,
                "at least 1",
            ));
        }
        self.every_seconds.map_or(Ok(()), |seconds| {
            check(
                "checkpoint.every_seconds",
                seconds,
                seconds > 0.0,
                "a positive number",
            )
        })
    }
}

/// A checkpoint that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
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
    /// The checkpoint is not what was written.
    #[error("the checkpoint {} is damaged: {reason}", path.display())]
    Damaged {
        /// The checkpoint's folder.
        path: PathBuf,
        /// What does not agree.
        reason: String,
    },
    /// No checkpoint can be used.
    #[error("{} holds no checkpoint to go on from", path.display())]
    None {
        /// The checkpoints' folder.
        path: PathBuf,
    },
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CheckpointError {
    move |source| CheckpointError::Io {
        action,
        path: path.to_path_buf(),
        source,
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    position: Position,
    files: Vec<ManifestFile>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ManifestFile {
    name: String,
    size: u64,
    sha256: String,
}

/// The files of one checkpoint, read and verified.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// Where it lies.
    pub path: PathBuf,
    /// How far the training was when it was written.
    pub position: Position,
    files: Vec<(String, Vec<u8>)>,
}

impl Checkpoint {
    /// The content of a file.
    ///
    /// # Errors
    /// [`CheckpointError::Damaged`] if the checkpoint has no such file.
    pub fn file(&self, name: &str) -> Result<&[u8], CheckpointError> {
        self.optional(name)
            .ok_or_else(|| self.damaged(format!("`{name}` is missing")))
    }

    /// The content of a file that need not be there.
    pub fn optional(&self, name: &str) -> Option<&[u8]> {
        let file = self.files.iter().find(|(n, _)| n == name);
        file.map(|(_, content)| content.as_slice())
    }

    /// An error that says what is wrong with this checkpoint.
    pub fn damaged(&self, reason: impl ToString) -> CheckpointError {
        CheckpointError::Damaged {
            path: self.path.clone(),
            reason: reason.to_string(),
        }
    }
}

/// The checkpoints of one run.
#[derive(Debug, Clone)]
pub struct CheckpointStore {
    folder: PathBuf,
    keep_last: usize,
}

impl CheckpointStore {
    /// The checkpoints in `folder`, of which the newest `keep_last` stay.
    pub fn new(folder: impl Into<PathBuf>, keep_last: usize) -> Self {
        Self {
            folder: folder.into(),
            keep_last: keep_last.max(1),
        }
    }

    /// Writes the checkpoint of a position and removes those the policy no longer keeps.
    ///
    /// # Errors
    /// [`CheckpointError::Io`] naming the file; what was saved before stays.
    pub fn save(
        &self,
        position: Position,
        files: &[(&str, &[u8])],
    ) -> Result<PathBuf, CheckpointError> {
        let path = self.folder.join(position.to_string());
        let partial = self.folder.join(format!(".partial-{position}"));
        fs::create_dir_all(&self.folder).map_err(io_error("create", &self.folder))?;
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(io_error("remove", &partial))?;
        }
        fs::create_dir(&partial).map_err(io_error("create", &partial))?;
        let mut manifest = Manifest {
            format: FORMAT,
            position,
            files: Vec::with_capacity(files.len()),
        };
        for (name, content) in files {
            write_synced(&partial.join(name), content)?;
            manifest.files.push(ManifestFile {
                name: (*name).to_string(),
                size: content.len() as u64,
                sha256: sha256(content),
            });
        }
        let manifest = serde_json::to_vec_pretty(&manifest)
            .map_err(|e| io_error("write", &partial)(e.into()))?;
        write_synced(&partial.join(MANIFEST), &manifest)?;
        sync_folder(&partial)?;
        if path.exists() {
            // A training never saves a position twice, but one that had to go back past a damaged
            // checkpoint comes to that position again. The damaged one is kept for inspection.
            let aside = self.folder.join(format!("damaged-{position}"));
            if aside.exists() {
                fs::remove_dir_all(&aside).map_err(io_error("remove", &aside))?;
            }
            fs::rename(&path, &aside).map_err(io_error("rename", &path))?;
        }
        fs::rename(&partial, &path).map_err(io_error("rename", &partial))?;
        sync_folder(&self.folder)?;
        self.prune()?;
        Ok(path)
    }

    /// Every checkpoint folder, newest first, valid or not.
    ///
    /// # Errors
    /// [`CheckpointError::Io`] if the folder cannot be read; a missing folder holds none.
    pub fn list(&self) -> Result<Vec<(Position, PathBuf)>, CheckpointError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_error("read", &self.folder)(error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(io_error("read", &self.folder))?;
            let name = entry.file_name();
            if let Some(position) = name.to_str().and_then(Position::from_name) {
                found.push((position, entry.path()));
            }
        }
        found.sort_by(|a, b| b.cmp(a));
        Ok(found)
    }

    /// The newest checkpoint that is whole, and what is wrong with the newer ones.
    ///
    /// # Errors
    /// [`CheckpointError::None`] if none is valid.
    pub fn newest(&self) -> Result<(Checkpoint, Vec<CheckpointError>), CheckpointError> {
        let mut damaged = Vec::new();
        for (_, path) in self.list()? {
            match read(&path) {
                Ok(checkpoint) => return Ok((checkpoint, damaged)),
                Err(error) => damaged.push(error),
            }
        }
        Err(damaged.pop().unwrap_or_else(|| CheckpointError::None {
            path: self.folder.clone(),
        }))
    }

    fn prune(&self) -> Result<(), CheckpointError> {
        for (_, path) in self.list()?.into_iter().skip(self.keep_last) {
            fs::remove_dir_all(&path).map_err(io_error("remove", &path))?;
        }
        Ok(())
    }
}

/// Reads a checkpoint and verifies every size and sum.
fn read(path: &Path) -> Result<Checkpoint, CheckpointError> {
    let damaged = |reason: String| CheckpointError::Damaged {
        path: path.to_path_buf(),
        reason,
    };
    let text = fs::read(path.join(MANIFEST)).map_err(|e| damaged(format!("{MANIFEST}: {e}")))?;
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|e| damaged(format!("{MANIFEST}: {e}")))?;
    if manifest.format != FORMAT {
        return Err(damaged(format!(
            "its format is {}, this version reads {FORMAT}",
            manifest.format
        )));
    }
    let mut files = Vec::with_capacity(manifest.files.len());
    for file in manifest.files {
        if Path::new(&file.name).components().count() != 1 || file.name.starts_with('.') {
            return Err(damaged(format!("`{}` is no file name", file.name)));
        }
        let content =
            fs::read(path.join(&file.name)).map_err(|e| damaged(format!("{}: {e}", file.name)))?;
        if content.len() as u64 != file.size {
            return Err(damaged(format!(
                "{} has {} bytes instead of {}",
                file.name,
                content.len(),
                file.size
            )));
        }
        if sha256(&content) != file.sha256 {
            return Err(damaged(format!(
                "{} does not match its SHA-256 sum",
                file.name
            )));
        }
        files.push((file.name, content));
    }
    Ok(Checkpoint {
        path: path.to_path_buf(),
        position: manifest.position,
        files,
    })
}

fn write_synced(path: &Path, content: &[u8]) -> Result<(), CheckpointError> {
    let mut file = File::create(path).map_err(io_error("create", path))?;
    file.write_all(content).map_err(io_error("write", path))?;
    file.sync_all().map_err(io_error("sync", path))
}

/// A rename is durable only once its folder is.
fn sync_folder(path: &Path) -> Result<(), CheckpointError> {
    if cfg!(unix) {
        let folder = File::open(path).map_err(io_error("open", path))?;
        folder.sync_all().map_err(io_error("sync", path))?;
    }
    Ok(())
}

/// The SHA-256 sum of `content` in hexadecimal.
pub fn sha256(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn store() -> (tempfile::TempDir, CheckpointStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = CheckpointStore::new(folder.path().join("checkpoints"), 2);
        (folder, store)
    }

    fn at(epoch: usize, step_in_epoch: usize) -> Position {
        Position {
            epoch,
            step_in_epoch,
        }
    }

    #[test]
    fn the_newest_comes_back_and_old_ones_go() {
        let (_folder, store) = store();
        for epoch in [1, 2, 10] {
            let content = epoch.to_string();
            let files: [(&str, &[u8]); 1] = [("a", content.as_bytes())];
            store.save(at(epoch, 3), &files).unwrap();
        }
        let kept: Vec<Position> = store.list().unwrap().into_iter().map(|(p, _)| p).collect();
        assert_eq!(kept, [at(10, 3), at(2, 3)]);
        let (newest, damaged) = store.newest().unwrap();
        assert_eq!(newest.file("a").unwrap(), b"10");
        assert_eq!(newest.position, at(10, 3));
        assert!(damaged.is_empty());
        assert!(newest.file("b").is_err());
    }

    #[test]
    fn a_damaged_checkpoint_is_named_kept_and_the_one_before_it_used() {
        let (_folder, store) = store();
        store.save(at(1, 0), &[("a", b"one")]).unwrap();
        let second = store.save(at(1, 5), &[("a", b"two")]).unwrap();
        fs::write(second.join("a"), b"twx").unwrap();
        let (newest, damaged) = store.newest().unwrap();
        assert_eq!((newest.position, damaged.len()), (at(1, 0), 1));
        assert!(damaged[0].to_string().contains("SHA-256"), "{}", damaged[0]);
        store.save(at(1, 5), &[("a", b"two")]).unwrap();
        assert_eq!(store.newest().unwrap().0.position, at(1, 5));
        let aside = store.folder.join(format!("damaged-{}", at(1, 5)));
        assert_eq!(fs::read(aside.join("a")).unwrap(), b"twx");
    }

    #[test]
    fn a_half_written_checkpoint_does_not_count() {
        let (_folder, store) = store();
        store.save(at(1, 0), &[("a", b"one")]).unwrap();
        fs::create_dir(store.folder.join(format!(".partial-{}", at(2, 0)))).unwrap();
        assert_eq!(store.newest().unwrap().0.position, at(1, 0));
        store.save(at(2, 0), &[("a", b"two")]).unwrap();
        assert_eq!(store.newest().unwrap().0.position, at(2, 0));
    }

    #[test]
    fn an_empty_store_says_so() {
        let (_folder, store) = store();
        assert!(matches!(store.newest(), Err(CheckpointError::None { .. })));
    }
}
