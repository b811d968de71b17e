//! The networks: their configurations, their forward and backward passes, their tensors by name.

mod batched;
mod config;
mod convnet;
mod mlp;
mod named_tensors;
mod perceptron;
#[cfg(test)]
mod tests;

pub use batched::{BatchedModel, BatchedStatistics};
pub use config::ModelConfig;
pub use convnet::{ConvNet, ConvNetConfig};
pub use mlp::{Mlp, MlpConfig};
pub use perceptron::PerceptronConfig;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::BatchStatistics;

/// A network of any kind.
#[derive(Module, Debug)]
pub enum Network {
    /// A multilayer perceptron, or a perceptron.
    Mlp(Mlp),
    /// A small convolutional network.
    ConvNet(ConvNet),
}

impl Network {
    /// Outputs in evaluation mode: batch norm uses its running statistics.
    ///
    /// # Shapes
    /// - `inputs`: `[batch, d_input]`, images flattened
    /// - result: `[batch, d_output]`
    pub fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Mlp(network) => network.forward(inputs),
            Self::ConvNet(network) => network.forward(inputs),
        }
    }

    /// Outputs in training mode, and the batch's statistics for
    /// [`with_running_statistics`](Self::with_running_statistics), one for each batch norm.
    ///
    /// # Shapes
    /// - `inputs`: `[batch, d_input]`, images flattened
    /// - result: `[batch, d_output]`
    pub fn forward_train(&self, inputs: Tensor<2>) -> (Tensor<2>, Vec<BatchStatistics>) {
        match self {
            Self::Mlp(network) => network.forward_train(inputs),
            Self::ConvNet(network) => network.forward_train(inputs),
        }
    }

    /// The gradients of all parameters without autodiff, by the backward pass written out; none for a
    /// network without one. The network is on a plain device.
    ///
    /// `delta_of` takes the outputs in training mode, `[batch, d_output]`, and returns the loss's gradient
    /// by them, of the same shape. The statistics are as in [`forward_train`](Self::forward_train).
    ///
    /// # Shapes
    /// - `inputs`: `[batch, d_input]`, images flattened
    pub fn explicit_gradients(
        &self,
        inputs: Tensor<2>,
        delta_of: impl FnOnce(Tensor<2>) -> Tensor<2>,
    ) -> Option<(GradientsParams, Vec<BatchStatistics>)> {
        Some(match self {
            Self::Mlp(network) => {
                let (outputs, saved, statistics) = network.forward_saving(inputs);
                (network.backward(saved, delta_of(outputs)), statistics)
            }
            Self::ConvNet(network) => {
                let (outputs, saved, statistics) = network.forward_saving(inputs);
                (network.backward(saved, delta_of(outputs)), statistics)
            }
        })
    }

    /// Whether [`explicit_gradients`](Self::explicit_gradients) are known.
    pub fn has_explicit_gradients(&self) -> bool {
        match self {
            Self::Mlp(_) | Self::ConvNet(_) => true,
        }
    }

    /// Whether the parameters are on an autodiff device.
    pub fn is_autodiff(&self) -> bool {
        match self {
            Self::Mlp(network) => network.layers[0].weight.is_autodiff(),
            Self::ConvNet(network) => network.layers[0].weight.is_autodiff(),
        }
    }

    /// Moves the running statistics towards those of one batch; nothing for networks without batch norm.
    pub fn with_running_statistics(self, statistics: Vec<BatchStatistics>) -> Self {
        if statistics.is_empty() {
            return self;
        }
        match self {
            Self::Mlp(network) => Self::Mlp(network.with_running_statistics(statistics)),
            Self::ConvNet(network) => Self::ConvNet(network.with_running_statistics(statistics)),
        }
    }

    /// Numbers in the widest of its inputs and layers' outputs, for one sample; of a convolutional network,
    /// in those of its dense layers.
    pub fn widest(&self) -> usize {
        let layers = match self {
            Self::Mlp(network) => &network.layers,
            Self::ConvNet(network) => &network.layers,
        };
        let widths = layers.iter().flat_map(|layer| layer.weight.dims());
        widths.max().unwrap_or(0)
    }

    /// How many numbers are trained; running statistics are not.
    pub fn num_parameters(&self) -> usize {
        let running = match self {
            Self::Mlp(network) => network.num_running(),
            Self::ConvNet(network) => network.num_running(),
        };
        self.num_params() - running
    }
}
