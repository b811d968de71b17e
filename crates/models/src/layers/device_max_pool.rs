//! Max-pooling by two by Burn's own kernels, on images as rows of pixels.

use burn::optim::GradientsParams;
use burn::tensor::module::{avg_pool2d, max_pool2d_with_indices, max_pool2d_with_indices_backward};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};
use burn::tensor::{Int, Tensor};

use super::Layer;
use super::device_convolution::{images, pixels};
use crate::BatchStatistics;

/// A [`MaxPool`](super::MaxPool) by Burn's own kernels. A GPU runs it.
///
/// A square with NaN gives NaN, which Burn's kernel alone does not. [`MaxPool`](super::MaxPool) differs for infinities
/// alone: here, infinities of both signs in one square give NaN, and four of −∞ give the lowest finite number.
///
/// # Shapes
/// - `x`: `[batch * height * width, channels]`
/// - outputs: `[batch * (height / 2) * (width / 2), channels]`
pub(crate) struct DeviceMaxPool {
    /// `[batch, height, width]`
    pub(crate) size: [usize; 3],
}

/// The inputs of a max-pool, and the pixels that it took.
#[derive(Debug)]
pub(crate) struct PooledPixels {
    /// `[batch, channels, height, width]`
    x: Tensor<4>,
    /// The number of the pixel in its image: `[batch, channels, height / 2, width / 2]`.
    taken: Tensor<4, Int>,
}

impl Layer<2> for DeviceMaxPool {
    type Saved = PooledPixels;

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.forward_saving(x, &mut Vec::new()).0
    }

    fn forward_saving(
        &self,
        x: Tensor<2>,
        _: &mut Vec<BatchStatistics>,
    ) -> (Tensor<2>, PooledPixels) {
        let x = images(x, self.size);
        let (pooled, taken) = max_pool2d_with_indices(x.clone(), MaxPoolOptions::new([2, 2]));
        let mean = avg_pool2d(x.clone(), AvgPoolOptions::new([2, 2]));
        let pooled = pooled.mask_where(mean.clone().is_nan(), mean);
        (pixels(pooled), PooledPixels { x, taken })
    }

    /// Each gradient goes to the pixel that was taken.
    fn backward(
        &self,
        saved: PooledPixels,
        delta: Tensor<2>,
        _: &mut GradientsParams,
    ) -> Tensor<2> {
        let [batch, height, width] = self.size;
        let delta = images(delta, [batch, height / 2, width / 2]);
        let (side, none) = ([2, 2], [0, 0]);
        pixels(max_pool2d_with_indices_backward(
            saved.x,
            side,
            side,
            none,
            [1, 1],
            false,
            delta,
            saved.taken,
        ))
    }
}
