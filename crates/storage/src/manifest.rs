//! The manifest of a checkpoint: its position, its identity and its files, and whether they are as it says.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Digested, Position, StorageError, sha256};

/// The version of the checkpoint format. Checkpoints of other versions are refused.
pub(crate) const FORMAT: u32 = 1;

/// The manifest: names, sizes and checksums of the other files.
pub const FILE: &str = "manifest.json";
/// The manifest's own checksum, in the form of `sha256sum`.
pub const SUM_FILE: &str = "manifest.sha256";

/// The content of a checkpoint's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    #[serde(flatten)]
    pub(crate) written: Written,
    pub(crate) position: Position,
    pub(crate) config_sha256: String,
    pub(crate) data_sha256: String,
    pub(crate) files: Vec<Digested>,
}

/// Names and contents of files.
type Files = Vec<(String, Vec<u8>)>;

impl Manifest {
    /// Reads the manifest of a checkpoint's folder and all files that it lists. Verifies the folder's name, and the
    /// size and SHA-256 sum of every file.
    ///
    /// # Errors
    /// [`StorageError::Damaged`] with the file that is damaged; [`StorageError::Format`] if a version of the lab
    /// with another format wrote it.
    pub(crate) fn verify(path: &Path) -> Result<(Self, Files), StorageError> {
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
        let manifest: Self = serde_json::from_slice(&text).map_err(json)?;
        let name = path.file_name().unwrap_or_default();
        if name != manifest.position.to_string().as_str() {
            return Err(damaged(format!("it was written as {}", manifest.position)));
        }
        let mut files = Vec::with_capacity(manifest.files.len());
        for file in &manifest.files {
            if Path::new(&file.name).components().count() != 1 || file.name.starts_with('.') {
                return Err(damaged(format!("`{}` is not a file name", file.name)));
            }
            let content = content(&file.name)?;
            if let Some(reason) = file.disagreement(&content) {
                return Err(damaged(reason));
            }
            files.push((file.name.clone(), content));
        }
        Ok((manifest, files))
    }
}

/// The part of the manifest that every version can read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Written {
    pub(crate) format: u32,
    pub(crate) emberlab: String,
}

impl Written {
    pub(crate) fn by_this_version() -> Self {
        Self {
            format: FORMAT,
            emberlab: env!("CARGO_PKG_VERSION").to_string(),
        }
    }
}

/// The content of [`SUM_FILE`] for a manifest. `sha256sum -c manifest.sha256` verifies it.
pub(crate) fn sum_line(manifest: &[u8]) -> String {
    format!("{}  {FILE}\n", sha256(manifest))
}
