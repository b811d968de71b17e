//! The manifest of a checkpoint: its position, its identity, and its files.

use serde::{Deserialize, Serialize};

use crate::{Digested, Position, sha256};

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
