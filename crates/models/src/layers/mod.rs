//! The layers of networks, and what a network needs of each.

mod activation;
mod batched_dense;
mod convolution;
mod dense;
mod device_convolution;
mod dropout;
mod flatten;
#[cfg(test)]
mod kernel_tests;
mod max_pool;
mod normalization;
mod residual;

pub(crate) use batched_dense::BatchedDense;
pub use convolution::Convolution;
pub(crate) use convolution::PixelConvolution;
pub use dense::Dense;
pub(crate) use device_convolution::DeviceConvolution;
pub use dropout::{StepSeeds, step_seed};
pub(crate) use flatten::{Flatten, to_pixels};
pub(crate) use max_pool::MaxPool;
pub(crate) use residual::residual;

use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::BatchStatistics;

/// A layer of a network. `D` is 2 in a network and 3 in replicas that are computed together.
///
/// # Shapes
/// - every `x`: `[batch, d_input]`, or `[num_replicas, batch, d_input]`
/// - outputs and `delta`: `[batch, d_output]`, or `[num_replicas, batch, d_output]`
pub(crate) trait Layer<const D: usize> {
    /// The saved activations: what the backward pass needs of the forward pass.
    type Saved;

    /// Outputs in evaluation mode.
    fn forward(&self, x: Tensor<D>) -> Tensor<D>;

    /// Outputs in training mode; a batch norm adds the statistics of the batch.
    fn forward_train(&self, x: Tensor<D>, _: &mut Vec<BatchStatistics<D>>) -> Tensor<D> {
        self.forward(x)
    }

    /// [`forward_train`](Self::forward_train), which also saves what [`backward`](Self::backward) needs.
    fn forward_saving(
        &self,
        x: Tensor<D>,
        statistics: &mut Vec<BatchStatistics<D>>,
    ) -> (Tensor<D>, Self::Saved);

    /// The loss's gradient by `x`, given `delta`, the loss's gradient by the outputs. The gradients of the layer's
    /// parameters are added to `gradients`.
    fn backward(
        &self,
        saved: Self::Saved,
        delta: Tensor<D>,
        gradients: &mut GradientsParams,
    ) -> Tensor<D>;

    /// Adds the gradients of the layer's parameters alone. The first layer of a network needs no more.
    fn parameter_gradients(
        &self,
        saved: Self::Saved,
        delta: Tensor<D>,
        gradients: &mut GradientsParams,
    ) {
        self.backward(saved, delta, gradients);
    }
}

impl<const D: usize, L: Layer<D>> Layer<D> for &L {
    type Saved = L::Saved;

    fn forward(&self, x: Tensor<D>) -> Tensor<D> {
        L::forward(self, x)
    }

    fn forward_train(&self, x: Tensor<D>, statistics: &mut Vec<BatchStatistics<D>>) -> Tensor<D> {
        L::forward_train(self, x, statistics)
    }

    fn forward_saving(
        &self,
        x: Tensor<D>,
        statistics: &mut Vec<BatchStatistics<D>>,
    ) -> (Tensor<D>, Self::Saved) {
        L::forward_saving(self, x, statistics)
    }

    fn backward(
        &self,
        saved: Self::Saved,
        delta: Tensor<D>,
        gradients: &mut GradientsParams,
    ) -> Tensor<D> {
        L::backward(self, saved, delta, gradients)
    }

    fn parameter_gradients(
        &self,
        saved: Self::Saved,
        delta: Tensor<D>,
        gradients: &mut GradientsParams,
    ) {
        L::parameter_gradients(self, saved, delta, gradients);
    }
}
