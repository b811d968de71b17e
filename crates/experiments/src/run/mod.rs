//! Runs on disk: their folders, their state, and what may change when one is resumed.

mod changes;
mod folder;
mod state;

pub(crate) use changes::changes;
pub use changes::{Change, Verdict};
pub use folder::Run;
pub(crate) use folder::{compact_json, json};
pub use state::{RunState, RunSummary};
