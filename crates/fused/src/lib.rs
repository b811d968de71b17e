//! Fused kernels: perceptrons and multilayer perceptrons trained for many steps at a time.
//!
//! Everything that a step of a small network needs happens in one place: rows gathered, forward pass, loss, backward
//! pass, clipping and update. No tensor operation is dispatched, and nothing is allocated from step to step.
//!
//! ```text
//! Plan    the network, its loss and its optimiser: what replicas share
//! State   the numbers of one network: parameters, running statistics, optimiser buffers
//!    │
//!    ▼
//! HostTraining       trains a state on the processor, in f32 or f64
//! gpu::GpuTraining   trains many states on a GPU at once, in f32 (with the feature `gpu`)
//! ```
//!
//! Nothing here knows Burn: a state and a split of data are slices of numbers.

mod dropout;
mod foreground;
#[cfg(feature = "gpu")]
pub mod gpu;
mod host;
mod nadam;
mod noise;
mod plan;
mod real;
pub mod scalar;

pub use dropout::DropoutMask;
pub use foreground::Foreground;
pub use host::HostTraining;
pub use nadam::nadam_factors;
pub use noise::StepNoise;
pub use plan::{
    Activation, Average, Clipping, Data, GradientNoise, Loss, Normalization, Optimizer, Penalty,
    Plan, PlanError, Reduction, Results, State,
};
pub use real::Real;
