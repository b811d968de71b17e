//! Reading and verifying a checkpoint.

use std::path::{Path, PathBuf};

use crate::manifest::Manifest;
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
        let (manifest, files) = Manifest::verify(path)?;
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
        checkpoint.identity.config =
            config.map_err(|e| checkpoint.damaged(format!("{CONFIG}: {e}")))?;
        Ok(checkpoint)
    }

    /// A checkpoint in memory, which has no folder.
    pub fn in_memory(
        identity: Identity,
        position: Position,
        files: Vec<(String, Vec<u8>)>,
    ) -> Self {
        Self {
            path: PathBuf::from("memory"),
            position,
            identity,
            files,
        }
    }

    /// The same checkpoint with another content of a file, at another position.
    pub fn with_file(&self, name: &str, content: Vec<u8>, position: Position) -> Self {
        let mut files = self.files.clone();
        files.retain(|(known, _)| known != name);
        files.push((name.to_string(), content));
        Self {
            position,
            files,
            ..self.clone()
        }
    }

    /// All files with their names.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let files = self.files.iter();
        files.map(|(name, content)| (name.as_str(), content.as_slice()))
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
