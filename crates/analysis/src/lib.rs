//! Checks and explanations of networks.

mod trace;

pub use trace::{Deviation, Trace, TraceError, replay, tolerance};
