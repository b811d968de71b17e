//! Networks, their layers and the initial values of their weights, for any Burn device.
//!
//! A [`ModelConfig`] is the `[model]` table of a TOML file; [`ModelConfig::init`] makes a [`Network`] of it. Weights
//! are drawn on the host in f64, so the same seed gives the same weights on every device and in every precision. Every
//! function and layer equals PyTorch's, in value and in gradient, on every device. Functions that differ in Burn are
//! composed from simpler operations instead.
//!
//! A network has one forward pass, which evaluates, trains, saves activations for the backward pass, or records the
//! outputs of every operation. Its layers are written once for a single network and for replicas of it that are
//! computed together ([`BatchedModel`]).

pub mod activation;
mod batched_parameters;
mod error;
#[cfg(test)]
mod golden;
pub mod initializer;
mod layers;
mod network;
pub mod normalization;
mod one_or_many;
mod parameters;
#[cfg(test)]
mod reference;

pub use activation::{Activation, SavedActivations};
pub use error::ModelError;
pub use initializer::{Fan, Initializer};
pub use layers::{Convolution, Dense, StepSeeds, step_seed};
pub use network::{
    BatchedModel, ConvNet, ConvNetConfig, FusedShape, Mlp, MlpConfig, Mode, ModelConfig, Network,
    NetworkNumbers, NotFused, Operation, OperationSummary, PerceptronConfig, SavedPass,
    SavedReplicas, Stage,
};
pub use normalization::{
    BatchNorm, BatchStatistics, GroupNorm, InstanceNorm, LayerNorm, Norm, Normalization,
};
pub use one_or_many::OneOrMany;
