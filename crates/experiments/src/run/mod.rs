//! Runs on disk: their folders and files, their state, and what may change when one is resumed.

mod changes;
mod check;
mod cleanup;
mod find;
mod folder;
mod read;
mod state;

pub use changes::{Change, Verdict};
pub(crate) use changes::{changes, is_beside_training};
pub use folder::Run;
pub(crate) use folder::json;
pub use state::{RunState, RunSummary};
