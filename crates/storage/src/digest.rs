//! Names, sizes and SHA-256 sums of files.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The SHA-256 sum of `content` in lower-case hexadecimal.
pub fn sha256(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

/// A file's name, with the size and the SHA-256 sum of its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digested {
    /// The file's name, relative to the folder that is described.
    pub name: String,
    /// Number of bytes.
    pub size: u64,
    /// SHA-256 sum in lower-case hexadecimal.
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

    /// The difference between this description and `content`; `None` if they agree.
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
