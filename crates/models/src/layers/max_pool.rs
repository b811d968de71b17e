//! Max-pooling by two, on images as rows of pixels.

use burn::optim::GradientsParams;
use burn::tensor::{Bool, Tensor};
use emberlab_kernels as kernels;

use super::Layer;
use crate::BatchStatistics;

/// Takes the largest of each square of two by two pixels, the first of equal ones, or NaN if there is one. An odd last
/// row or column is left out. Equals `torch.nn.MaxPool2d(2)`.
///
/// # Shapes
/// - `x`: `[batch * height * width, channels]`
/// - outputs: `[batch * (height / 2) * (width / 2), channels]`
pub(crate) struct MaxPool {
    /// `[batch, height, width]`
    pub(crate) size: [usize; 3],
}

/// What the backward pass of a max-pool needs.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant)] // a step has one for each max-pool
pub(crate) enum PooledMaxima {
    /// The inputs, in which a GPU finds the pixels again.
    Inputs(Tensor<2>),
    /// The pixels that were taken.
    Taken(TakenPixels),
}

/// The pixels that a max-pool took.
#[derive(Debug, Clone)]
pub(crate) struct TakenPixels {
    /// For each pair side by side, whether the right one: `[batch * height * width / 2, channels]`.
    right: Tensor<2, Bool>,
    /// For each pair of those one above the other, whether the lower one:
    /// `[batch * height / 2, width / 2 * channels]`.
    lower: Tensor<2, Bool>,
    channels: usize,
}

impl MaxPool {
    /// Whether an image is large enough to be halved.
    pub(crate) fn fits(height: usize, width: usize) -> bool {
        height >= 2 && width >= 2
    }

    /// The size of an image after the pool, or its own if the pool does not fit.
    pub(crate) fn halved(height: usize, width: usize) -> (usize, usize) {
        match Self::fits(height, width) {
            true => (height / 2, width / 2),
            false => (height, width),
        }
    }

    /// Whether the last row or column has no pair.
    fn is_odd(&self) -> bool {
        let [_, height, width] = self.size;
        height % 2 + width % 2 > 0
    }
}

impl Layer<2> for MaxPool {
    type Saved = PooledMaxima;

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.forward_saving(x, &mut Vec::new()).0
    }

    fn forward_saving(
        &self,
        mut x: Tensor<2>,
        _: &mut Vec<BatchStatistics>,
    ) -> (Tensor<2>, PooledMaxima) {
        x = match kernels::max_pool(x.clone(), self.size) {
            Ok(pooled) => return (pooled, PooledMaxima::Inputs(x)),
            Err(x) => x,
        };
        let [batch, height, width] = self.size;
        let channels = x.dims()[1];
        let (rows, columns) = (height / 2, width / 2);
        if self.is_odd() {
            x = x
                .reshape([batch, height, width, channels])
                .slice([0..batch, 0..2 * rows, 0..2 * columns])
                .reshape([batch * 4 * rows * columns, channels]);
        }
        let pairs = x.reshape([batch * 2 * rows * columns, 2 * channels]);
        let (beside, right) = kernels::larger_half(pairs);
        let pairs = beside.reshape([batch * rows, 2 * columns * channels]);
        let (pooled, lower) = kernels::larger_half(pairs);
        let saved = PooledMaxima::Taken(TakenPixels {
            right,
            lower,
            channels,
        });
        (pooled.reshape([batch * rows * columns, channels]), saved)
    }

    /// Each gradient goes to the pixel that was taken.
    fn backward(
        &self,
        saved: PooledMaxima,
        delta: Tensor<2>,
        _: &mut GradientsParams,
    ) -> Tensor<2> {
        let saved = match saved {
            PooledMaxima::Inputs(x) => return kernels::max_pool_backward(x, delta, self.size),
            PooledMaxima::Taken(taken) => taken,
        };
        let [batch, height, width] = self.size;
        let channels = saved.channels;
        let delta = delta.reshape(saved.lower.dims());
        let delta = kernels::to_halves(delta, saved.lower).reshape(saved.right.dims());
        let delta = kernels::to_halves(delta, saved.right);
        if !self.is_odd() {
            return delta.reshape([batch * height * width, channels]);
        }
        let (rows, columns) = (height / 2 * 2, width / 2 * 2);
        let delta = delta.reshape([batch, rows, columns, channels]);
        let options = (&delta.device(), delta.dtype());
        Tensor::zeros([batch, height, width, channels], options)
            .slice_assign([0..batch, 0..rows, 0..columns, 0..channels], delta)
            .reshape([batch * height * width, channels])
    }
}
