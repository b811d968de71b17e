//! Reading and verifying a checkpoint.

use std::fs;
use std::path::{Path, PathBuf};

use crate::manifest::{FILE, FORMAT, Manifest, SUM_FILE, Written, sum_line};
use crate::{Position, StorageError};

/// The configuration and the data of a training. Checkpoints with another identity belong to another training.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The resolved configuration, as TOML.
    pub config: String,
    /// SHA-256 of the data.
    pub data_sha256: String,
}

/// The files of one checkpoint, read and verified.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// The checkpoint's folder.
    pub path: PathBuf,
    /// The position of the training when the checkpoint was written.
    pub position: Position,
    /// The configuration and the data of the training.
    pub identity: Identity,
    files: Vec<(String, Vec<u8>)>,
}

pub(crate) const CONFIG: &str = "config.toml";

impl Checkpoint {
    /// Reads a checkpoint's folder and verifies its name, and the size and SHA-256 sum of every file.
    ///
    /// # Errors
    /// [`StorageError::Damaged`] with the file that is damaged; [`StorageError::Format`] if a version of the lab
    /// with another format wrote it.
    pub fn read(path: &Path) -> Result<Self, StorageError> {
        let damaged = |reason: String| StorageError::Damaged {
            path: path.to_path_buf(),
            reason,
        };
        let content =
            |name: &str| fs::read(path.join(name)).map_err(|e| damaged(format!("{name}: {e}")));
        let text = content(FILE)?;
        if content(SUM_FILE)? != sum_line(&text).as_bytes() {
            return Err(damaged(format!("{FILE} does not match {SUM_FILE}")));
        }
        let json = |e: serde_json::Error| damaged(format!("{FILE}: {e}"));
        let written: Written = serde_json::from_slice(&text).map_err(json)?;
        if written.format != FORMAT {
            return Err(StorageError::Format {
                path: path.to_path_buf(),
                found: written.format,
                written_by: written.emberlab,
                readable: FORMAT,
            });
        }
        let manifest: Manifest = serde_json::from_slice(&text).map_err(json)?;
        let name = path.file_name().unwrap_or_default();
        if name != manifest.position.to_string().as_str() {
            return Err(damaged(format!("it was written as {}", manifest.position)));
        }
        let mut files = Vec::with_capacity(manifest.files.len());
        for file in manifest.files {
            if Path::new(&file.name).components().count() != 1 || file.name.starts_with('.') {
                return Err(damaged(format!("`{}` is not a file name", file.name)));
            }
            let content = content(&file.name)?;
            if let Some(reason) = file.disagreement(&content) {
                return Err(damaged(reason));
            }
            files.push((file.name, content));
        }
        let mut checkpoint = Self {
            path: path.to_path_buf(),
            position: manifest.position,
            identity: Identity {
                config: String::new(),
                data_sha256: manifest.data_sha256,
            },
            files,
        };
        let config = String::from_utf8(checkpoint.file(CONFIG)?.to_vec());
        checkpoint.identity.config = config.map_err(|e| damaged(format!("{CONFIG}: {e}")))?;
        Ok(checkpoint)
    }

    /// The content of a file.
    ///
    /// # Errors
    /// [`StorageError::Damaged`] if the checkpoint has no such file.
    pub fn file(&self, name: &str) -> Result<&[u8], StorageError> {
        self.optional(name)
            .ok_or_else(|| self.damaged(format!("`{name}` is missing")))
    }

    /// The content of a file, or `None` if the checkpoint has no such file.
    pub fn optional(&self, name: &str) -> Option<&[u8]> {
        let file = self.files.iter().find(|(n, _)| n == name);
        file.map(|(_, content)| content.as_slice())
    }

    /// The error that this checkpoint is damaged, with the reason.
    pub fn damaged(&self, reason: impl ToString) -> StorageError {
        StorageError::Damaged {
            path: self.path.clone(),
            reason: reason.to_string(),
        }
    }
}
