//! Checks and explanations of networks.
//!
//! - `boundary`: the classes that a network predicts over a plane of its inputs
//! - [`gradients`]: autodiff against central differences and closed forms
//! - `diagnosis`: rules that find what is wrong with a training
//! - [`importance`]: how much predictions depend on a column, and how they follow its values
//! - `loss_landscape`: the loss around a trained network
//! - `descent`: optimisers on functions of two numbers
//! - `replay`: a training of the lab, repeated bit for bit
//! - `pytorch_trace`: a training that PyTorch recorded, repeated step for step

mod boundary;
mod descent;
mod diagnosis;
pub mod gradients;
pub mod importance;
mod loss_landscape;
mod pytorch_trace;
mod replay;

pub use boundary::{Classifier, Plane, boundary};
pub use descent::{Descent, LearningRates, Pair, SURFACES, Surface, Waypoint};
pub use diagnosis::{
    Earliest, LearningCurves, Observations, ObservedBaselines, ObservedData, OngoingDiagnosis,
    RULES, Rule, findings, findings_before_training, locate_non_finite,
};
pub use loss_landscape::{Landscape, LandscapeError, landscape};
pub use pytorch_trace::{
    Deviation, Trace, TraceEngine, TraceError, has_fused_kernels, replay, tolerance,
};
pub use replay::{Replay, ReplayedStep};
