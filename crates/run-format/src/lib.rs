//! What a run leaves to be explained with: its evaluation and its diagnosis, as plain data; no Burn.
//!
//! ```text
//! <run>/evaluation.json       RunEvaluation    of the last network, when the training ends
//! <run>/diagnosis.json        Diagnosis        when the training ends, and deeper by `emberlab diagnose`
//! <run>/model/threshold.json  ChosenThreshold  if one was chosen; else class 1 is predicted above 0.5
//! ```

mod boundary;
mod bytes;
mod diagnosis;
mod evaluation;
mod mistakes;
mod number;
mod threshold;

pub use boundary::{Axis, Boundary, Cells};
pub use bytes::Bytes;
pub use diagnosis::DIAGNOSIS;
pub use diagnosis::{Diagnosis, Direction, Evidence, Finding, FindingKind, Place, Severity};
pub use evaluation::{EVALUATION, RunEvaluation, SplitEvaluation};
pub use mistakes::{Inputs, Mistake, Mistakes};
pub use threshold::{ChosenThreshold, THRESHOLD};
