//! Trainings on GPUs: one kernel trains all replicas for many steps.

mod activation;
mod backward;
mod bits;
mod epochs;
mod error;
mod forward;
mod kernel;
mod layout;
mod loss;
mod math;
mod normalization;
mod pace;
mod pack;
mod samples;
mod training;
mod update;

#[cfg(all(test, feature = "wgpu"))]
mod reference;
#[cfg(all(test, feature = "wgpu"))]
mod tests;

pub use cubecl::Device;
pub use cubecl::client::Client;
pub use epochs::{EpochPlan, EpochResult, EpochResults, Metric, Objective, Progress};
pub use error::GpuError;
pub use samples::{Samples, Splits};
pub use training::{GpuResults, GpuSetup, GpuTraining, Measurement, Split, Steps};
