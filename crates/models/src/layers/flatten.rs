//! Images as rows of pixels, and as rows of features.
//!
//! Between convolutions, a batch of images is a matrix with a row for each pixel of each image and a column for each
//! channel. On a processor a convolution is then one matrix product, and the kernels of GPUs take such images without a
//! copy. A normalisation of channels is then one of features.

use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::Layer;
use crate::BatchStatistics;

/// Turns rows of pixels back into one row of features for each image, channel after channel.
///
/// # Shapes
/// - `x`: `[batch * height * width, channels]`
/// - outputs: `[batch, channels * height * width]`
pub(crate) struct Flatten {
    /// `[batch, channels, height, width]`
    pub(crate) image: [usize; 4],
}

impl Layer<2> for Flatten {
    type Saved = ();

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let [batch, channels, height, width] = self.image;
        x.reshape([batch, height * width, channels])
            .swap_dims(1, 2)
            .reshape([batch, channels * height * width])
    }

    fn forward_saving(&self, x: Tensor<2>, _: &mut Vec<BatchStatistics>) -> (Tensor<2>, ()) {
        (self.forward(x), ())
    }

    fn backward(&self, (): (), delta: Tensor<2>, _: &mut GradientsParams) -> Tensor<2> {
        to_pixels(delta, self.image)
    }
}

/// Turns rows of features into rows of pixels: the inverse of [`Flatten`].
///
/// # Shapes
/// - `x`: `[batch, channels * height * width]`
/// - result: `[batch * height * width, channels]`
pub(crate) fn to_pixels(x: Tensor<2>, [batch, channels, height, width]: [usize; 4]) -> Tensor<2> {
    x.reshape([batch, channels, height * width])
        .swap_dims(1, 2)
        .reshape([batch * height * width, channels])
}
