//! Normalisations as layers: those of networks over features, those over the channels of images, those of replicas.

use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use emberlab_kernels::Standardized;

use super::Layer;
use crate::normalization::BatchedNorm;
use crate::{BatchNorm, BatchStatistics, Norm};

impl Layer<2> for Norm {
    type Saved = Standardized;

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.forward(x)
    }

    fn forward_train(&self, x: Tensor<2>, statistics: &mut Vec<BatchStatistics>) -> Tensor<2> {
        self.forward_train(x, statistics)
    }

    fn forward_saving(
        &self,
        x: Tensor<2>,
        statistics: &mut Vec<BatchStatistics>,
    ) -> (Tensor<2>, Standardized) {
        self.forward_saving(x, statistics)
    }

    fn backward(
        &self,
        saved: Standardized,
        delta: Tensor<2>,
        gradients: &mut GradientsParams,
    ) -> Tensor<2> {
        self.backward(saved, delta, gradients)
    }
}

/// The features are the channels of images, the rows their pixels.
impl Layer<2> for BatchNorm {
    type Saved = Standardized;

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.forward(x)
    }

    fn forward_train(&self, x: Tensor<2>, statistics: &mut Vec<BatchStatistics>) -> Tensor<2> {
        let (y, batch) = self.forward_train(x);
        statistics.push(batch);
        y
    }

    fn forward_saving(
        &self,
        x: Tensor<2>,
        statistics: &mut Vec<BatchStatistics>,
    ) -> (Tensor<2>, Standardized) {
        let (y, saved, batch) = self.forward_saving(x);
        statistics.push(batch);
        (y, saved)
    }

    fn backward(
        &self,
        saved: Standardized,
        delta: Tensor<2>,
        gradients: &mut GradientsParams,
    ) -> Tensor<2> {
        self.backward(saved, delta, gradients)
    }
}

impl Layer<3> for BatchedNorm {
    type Saved = Standardized<3>;

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.forward(x)
    }

    fn forward_train(&self, x: Tensor<3>, statistics: &mut Vec<BatchStatistics<3>>) -> Tensor<3> {
        Layer::forward_saving(self, x, statistics).0
    }

    fn forward_saving(
        &self,
        x: Tensor<3>,
        statistics: &mut Vec<BatchStatistics<3>>,
    ) -> (Tensor<3>, Standardized<3>) {
        let (y, saved, batch) = self.forward_saving(x);
        statistics.extend(batch);
        (y, saved)
    }

    fn backward(
        &self,
        saved: Standardized<3>,
        delta: Tensor<3>,
        gradients: &mut GradientsParams,
    ) -> Tensor<3> {
        self.backward(saved, delta, gradients)
    }
}
