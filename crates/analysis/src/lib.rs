//! Checks and explanations of networks.

mod boundary;
mod descent;
mod diagnosis;
pub mod gradients;
mod landscape;
mod plane;
mod replay;
mod stages;
mod surface;
mod trace;

pub use boundary::{Classifier, Plane, boundary};
pub use descent::{Descent, Waypoint};
pub use diagnosis::{
    ActivationInspection, Earliest, LayerStep, LearningCurves, Observations, ObservedData, RULES,
    Rule, SignalInspection, StepInspection, findings, findings_while_training, inspect_signals,
    inspect_step, locate_non_finite,
};
pub use landscape::{Landscape, LandscapeError, landscape};
pub use replay::{Replay, ReplayedStep};
pub use stages::{Mode, Operation, Stage, stages};
pub use surface::{Pair, Surface};
pub use trace::{Deviation, Trace, TraceError, replay, tolerance};
