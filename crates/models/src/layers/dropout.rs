//! Dropout, which sets some outputs to zero in training.

use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};
use emberlab_fused::DropoutMask;
use emberlab_rng::stream;
use rand::Rng as _;

use super::Layer;
use crate::BatchStatistics;

/// The seeds that the random numbers of one step follow from: the masks of dropout, and the noise of gradients.
#[derive(Debug, Clone, Copy)]
pub struct StepSeeds<'a> {
    /// A seed for each network that is computed together, from [`step_seed`].
    pub seeds: &'a [u64],
    /// The number of steps done before.
    pub step: u64,
}

/// The seed of the steps of a training with this seed. The stream is still called "dropout", after its first use, so
/// that the masks of older runs do not change.
pub fn step_seed(seed: u64) -> u64 {
    stream(seed, "dropout", &[]).next_u64()
}

impl StepSeeds<'_> {
    /// The dropout of a hidden layer, counted from 0, with outputs like these.
    ///
    /// # Source
    /// Srivastava et al. 2014, <https://jmlr.org/papers/v15/srivastava14a.html>; scaled in training as in PyTorch's
    /// `Dropout`. The masks are those of fused kernels, see [`DropoutMask`].
    pub(crate) fn layer<const D: usize>(
        &self,
        rate: f64,
        layer: usize,
        outputs: &Tensor<D>,
    ) -> Dropout<D> {
        let dims = outputs.dims();
        let (num_rows, num_units) = (dims[D - 2], dims[D - 1]);
        let factors = self.seeds.iter().flat_map(|&seed| {
            DropoutMask::new(rate, seed, self.step, layer).factors(num_rows, num_units)
        });
        let data = TensorData::new(factors.collect::<Vec<_>>(), dims);
        Dropout {
            mask: Tensor::from_data(data, (&outputs.device(), outputs.dtype())),
        }
    }
}

/// Dropout with the mask of one step.
pub(crate) struct Dropout<const D: usize> {
    /// Like the outputs: zero for those that are dropped.
    mask: Tensor<D>,
}

impl<const D: usize> Layer<D> for Dropout<D> {
    type Saved = ();

    fn forward(&self, x: Tensor<D>) -> Tensor<D> {
        x * self.mask.clone()
    }

    fn forward_saving(
        &self,
        x: Tensor<D>,
        _: &mut Vec<BatchStatistics<D>>,
    ) -> (Tensor<D>, Self::Saved) {
        (self.forward(x), ())
    }

    fn backward(&self, (): Self::Saved, delta: Tensor<D>, _: &mut GradientsParams) -> Tensor<D> {
        delta * self.mask.clone()
    }
}
