//! What is wrong with a training: rules over curves, data, and what goes through the network.

mod curves;
mod data;
mod finding;
mod inspection;
mod network;
mod non_finite;

pub use curves::LearningCurves;
pub use data::{cannot_represent, data_findings};
pub use inspection::{
    ActivationInspection, LayerStep, SignalInspection, StepInspection, inspect_signals,
    inspect_step,
};
pub use network::{dead_relus, first_step_findings, start_findings};
pub use non_finite::find_non_finite;
