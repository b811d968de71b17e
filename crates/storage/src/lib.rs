//! Files that are always complete: checkpoints, locks, and the file operations behind them.
//!
//! All files of a run are written through this crate. If the process is killed, the disk is full or the power
//! fails, the old file or the new one remains, never a part of one.

mod appender;
mod batch;
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
pub use batch::Batch;
pub use checkpoint::{Checkpoint, Identity};
pub use digest::{Digested, sha256};
pub use error::StorageError;
pub use lock::RunLock;
pub use manifest::{FILE as MANIFEST, SUM_FILE as MANIFEST_SUM};
pub use operations::{create_folder, is_leftover, remove_tree, replace, write_named};
pub use position::Position;
pub use store::{CheckpointStore, Found, leftovers};
