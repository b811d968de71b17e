//! Trainings on GPUs: one kernel trains all replicas for many steps.
//!
//! Each replica is a cube, a group of units that share fast memory. The loop over steps is inside the kernel, so nothing
//! waits for the host, and only a few numbers per epoch leave the device.
//!
//! ```text
//! GpuSetup      plan, states, samples: copied to the device once
//!    │
//!    ▼
//! GpuTraining   train: steps; train_epochs: whole epochs with evaluations and the state at the end of each; evaluate
//!    │            actions: what a call does; launches: in how many launches; pace: how much work a launch gets
//!    │            layout: where weights, gradients and rows lie; what the kernel is compiled for
//!    ▼
//! kernel        for each action: gather → forward → loss → backward → gradients and update
//! ```
//!
//! A kernel is compiled for one plan and batch size. Units of a cube meet at barriers: after the rows are stored, after
//! each layer of the forward pass but the last, after the losses, after each layer of the backward pass, and after the
//! update. No float is added by an atomic operation, so the order of all sums is fixed.

mod actions;
mod activation;
mod backward;
mod bits;
mod buffer;
mod device;
mod dropout;
mod error;
mod forward;
mod kernel;
mod launches;
mod layout;
mod loss;
mod math;
mod normalization;
pub mod operations;
mod pace;
mod pack;
mod results;
mod samples;
mod training;
mod update;

#[cfg(all(test, feature = "wgpu"))]
mod reference;
#[cfg(all(test, feature = "wgpu"))]
mod tests;

pub use cubecl::Device;
pub use device::Gpu;
pub use error::GpuError;
pub use results::{BatchResults, GpuResults};
pub use samples::{Samples, Splits};
pub use training::{
    Evaluation, GpuReplica, GpuSetup, GpuTraining, Measurement, Moment, ReadStates, ReadWeights,
    Split, Steps, Weights,
};
