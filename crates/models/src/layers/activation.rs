//! Activations as layers.

use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::Layer;
use crate::activation::SavedActivations;
use crate::{Activation, BatchStatistics};

impl<const D: usize> Layer<D> for Activation {
    type Saved = SavedActivations<D>;

    fn forward(&self, x: Tensor<D>) -> Tensor<D> {
        self.forward(x)
    }

    fn forward_saving(
        &self,
        x: Tensor<D>,
        _: &mut Vec<BatchStatistics<D>>,
    ) -> (Tensor<D>, Self::Saved) {
        self.forward_saving(x)
    }

    fn backward(&self, saved: Self::Saved, delta: Tensor<D>, _: &mut GradientsParams) -> Tensor<D> {
        self.backward(saved, delta)
    }
}
