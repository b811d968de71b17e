//! Networks, their layers and how they start, for any Burn device.
//!
//! A [`ModelConfig`] is what a TOML file says; [`ModelConfig::init`] makes a [`Network`] of it. Weights are
//! drawn on the host in double precision, so one seed starts every device and precision alike. Every
//! function and layer equals PyTorch's, in value and in gradient, on every device: where Burn's own differs
//! it is composed from primitives instead.

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
pub use layers::{Convolution, Dense};
pub use network::{
    BatchedModel, ConvNet, ConvNetConfig, Mlp, MlpConfig, Mode, ModelConfig, Network, Operation,
    PerceptronConfig, SavedPass, SavedReplicas, Stage,
};
pub use normalization::{
    BatchNorm, BatchStatistics, GroupNorm, InstanceNorm, LayerNorm, Norm, Normalization,
};
pub use one_or_many::OneOrMany;
