//! Files that appear whole: checkpoints, locks and the few operations they are made of.
//!
//! Whatever a run keeps on disk is written through this crate, so that a process that dies at any moment,
//! a full disk or a power cut leaves the old file or the new one, never something between.

mod appender;
mod checkpoint;
mod digest;
mod error;
#[cfg(feature = "fault-injection")]
mod injection;
mod lock;
mod manifest;
mod operations;
mod position;
mod store;

pub use appender::Appender;
pub use checkpoint::{Checkpoint, Identity};
pub use digest::{Digested, sha256};
pub use error::StorageError;
pub use lock::RunLock;
pub use manifest::{FILE as MANIFEST, SUM_FILE as MANIFEST_SUM};
pub use operations::{create_folder, is_leftover, publish_folder, remove_tree, replace};
pub use position::Position;
pub use store::{CheckpointStore, Found, leftovers};
