//! SHA-256 sums of files.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The SHA-256 sum of `content` in lower-case hexadecimal.
pub fn sha256(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

/// A file's name with what its content must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digested {
    /// The file's name, relative to the folder that is described.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Lower-case hexadecimal.
    pub sha256: String,
}

impl Digested {
    /// Describes `content` under `name`.
    pub fn new(name: &str, content: &[u8]) -> Self {
        Self {
            name: name.to_string(),
            size: content.len() as u64,
            sha256: sha256(content),
        }
    }

    /// What does not agree between this and `content`, if anything.
    pub fn disagreement(&self, content: &[u8]) -> Option<String> {
        if content.len() as u64 != self.size {
            let found = content.len();
            Some(format!(
                "{} has {found} bytes instead of {}",
                self.name, self.size
            ))
        } else if sha256(content) != self.sha256 {
            Some(format!("{} does not match its SHA-256 sum", self.name))
        } else {
            None
        }
    }
}
