//! Checks and explanations of networks.

mod boundary;
mod trace;

pub use boundary::{Classifier, Plane, boundary};
pub use trace::{Deviation, Trace, TraceError, replay, tolerance};
