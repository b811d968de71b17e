//! Finished runs: loaded, used for predictions, drawn and diagnosed.

mod boundaries;
mod diagnose;
mod load;
mod network_images;
mod predict;
mod threshold;

pub use boundaries::Axes;
pub use diagnose::diagnose;
pub use load::LoadedRun;
pub use network_images::NumberImage;
pub use predict::{ImageInput, Prediction, Predictor};
pub use threshold::outdated_threshold;
