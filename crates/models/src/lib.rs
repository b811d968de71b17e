//! Networks, their layers and how they start, for any Burn device.
//!
//! A [`ModelConfig`] is what a TOML file says; [`ModelConfig::init`] makes a [`Network`] of it. Weights are
//! drawn on the host in double precision, so one seed starts every device and precision alike. Every
//! function and layer equals PyTorch's, in value and in gradient, on every device: where Burn's own differs
//! it is composed from primitives instead.

mod activation;
mod choice;
mod convnet;
mod convolution;
mod dense;
mod error;
#[cfg(test)]
mod golden;
mod initializer;
#[cfg(test)]
mod kernel_tests;
mod max_pool;
mod mlp;
mod network;
mod normalization;
mod one_or_many;
mod parameters;
mod patches;
mod perceptron;
mod stack;
mod stacking;

pub use activation::{Activation, Kept};
pub use convnet::{ConvNet, ConvNetConfig};
pub use convolution::Convolution;
pub use dense::Dense;
pub use error::ModelError;
pub use initializer::{Fan, Initializer};
pub use mlp::{Mlp, MlpConfig};
pub use network::{ModelConfig, Network};
pub use normalization::{
    BatchNorm, BatchStatistics, GroupNorm, InstanceNorm, LayerNorm, Norm, Normalization,
};
pub use one_or_many::OneOrMany;
pub use perceptron::PerceptronConfig;
pub use stack::{Stack, StackStatistics};
