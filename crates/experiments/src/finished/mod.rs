//! Finished runs: loaded, used to predict, and looked into.

mod diagnose;
mod explore;
mod load;
mod predict;

pub use diagnose::diagnose;
pub(crate) use diagnose::quick_diagnosis;
pub use explore::{Axes, NumberImage};
pub use load::{LoadedRun, Weights};
pub use predict::{Prediction, Predictor, stored_threshold};
