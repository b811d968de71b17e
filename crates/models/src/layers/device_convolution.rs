//! A convolution by Burn's own kernels, on images as rows of pixels.

use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn::tensor::module::{conv_transpose2d, conv2d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use emberlab_kernels as kernels;

use super::{Convolution, Layer};
use crate::BatchStatistics;

/// A [`Convolution`] of images of one size, as rows of pixels, by Burn's own kernels.
///
/// A GPU runs it. Burn's kernels for GPUs read and write images pixel by pixel, with the channels side by side, so rows
/// of pixels reach them without a copy.
///
/// # Shapes
/// - `x`: `[batch * height * width, channels_in]`
/// - outputs: `[batch * height * width, channels_out]`
pub(crate) struct DeviceConvolution<'a> {
    pub(crate) layer: &'a Convolution,
    /// `[batch, height, width]`
    pub(crate) size: [usize; 3],
}

/// The number of partial sums that the gradient of a weight is computed from, at most: enough for every thread of a
/// large GPU.
const MAX_PARTIAL_SUMS: usize = 1 << 18;

impl DeviceConvolution<'_> {
    /// The images of a batch, as Burn's kernels take them.
    ///
    /// # Shapes
    /// - `pixels`: `[batch * height * width, channels]`
    /// - result: `[batch, channels, height, width]`
    fn images(&self, pixels: Tensor<2>) -> Tensor<4> {
        let [batch, height, width] = self.size;
        let channels = pixels.dims()[1];
        pixels
            .reshape([batch, height, width, channels])
            .permute([0, 3, 1, 2])
    }

    /// Adds the gradients of weight and bias.
    ///
    /// # Shapes
    /// - `x`: `[batch * height * width, channels_in]`
    /// - `delta`: `[batch * height * width, channels_out]`
    fn add_gradients(&self, x: Tensor<2>, delta: &Tensor<2>, gradients: &mut GradientsParams) {
        let Convolution { weight, bias } = self.layer;
        if let Some(bias) = bias {
            gradients.register(bias.id, kernels::sum_of_rows(delta));
        }
        gradients.register(weight.id, self.weight_gradient(x, delta.clone()));
    }

    /// The gradient of the weight: the sum over all images of the convolution of an image with its `delta`.
    ///
    /// A convolution in groups computes one partial sum for each group of images. `conv2d_weight_backward` of Burn has
    /// a thread for each four numbers of the weight, 36 for one channel and 16 kernels of 3 times 3, which leaves a GPU
    /// idle.
    ///
    /// # Shapes
    /// - `x`: `[batch * height * width, channels_in]`
    /// - `delta`: `[batch * height * width, channels_out]`
    /// - result: `[channels_out, channels_in, kernel_size, kernel_size]`
    fn weight_gradient(&self, x: Tensor<2>, delta: Tensor<2>) -> Tensor<4> {
        let [batch, height, width] = self.size;
        let [channels_out, channels_in, side, _] = self.layer.weight.dims();
        let num_weights = channels_out * channels_in * side * side;
        let num_groups = num_groups(batch, num_weights);
        let in_group = batch / num_groups;
        // The channels are images now, and the images are channels.
        let images = x
            .reshape([batch, height, width, channels_in])
            .permute([3, 0, 1, 2]);
        let delta = delta
            .reshape([num_groups, in_group, height * width, channels_out])
            .permute([0, 3, 2, 1])
            .reshape([num_groups * channels_out, height, width, in_group])
            .permute([0, 3, 1, 2]);
        let options = ConvOptions::new([1, 1], [side / 2, side / 2], [1, 1], num_groups);
        conv2d(images, delta, None, options) // [channels_in, num_groups * channels_out, kernel_size, kernel_size]
            .permute([0, 2, 3, 1])
            .reshape([channels_in * side * side, num_groups, channels_out])
            .sum_dim(1)
            .reshape([channels_in, side, side, channels_out])
            .permute([3, 0, 1, 2])
    }
}

/// The number of groups of images whose gradients are summed apart: the largest divisor of `batch` with at most
/// [`MAX_PARTIAL_SUMS`] numbers in all groups.
fn num_groups(batch: usize, num_weights: usize) -> usize {
    let most = (MAX_PARTIAL_SUMS / num_weights.max(1)).clamp(1, batch.max(1));
    (1..=most)
        .rev()
        .find(|groups| batch.is_multiple_of(*groups))
        .unwrap_or(1)
}

/// The rows of pixels of a batch of images: the inverse of [`DeviceConvolution::images`].
///
/// # Shapes
/// - `images`: `[batch, channels, height, width]`
/// - result: `[batch * height * width, channels]`
fn pixels(images: Tensor<4>) -> Tensor<2> {
    let [batch, channels, height, width] = images.dims();
    images
        .permute([0, 2, 3, 1])
        .reshape([batch * height * width, channels])
}

impl Layer<2> for DeviceConvolution<'_> {
    /// The inputs.
    type Saved = Tensor<2>;

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        pixels(self.layer.forward(self.images(x)))
    }

    fn forward_saving(&self, x: Tensor<2>, _: &mut Vec<BatchStatistics>) -> (Tensor<2>, Tensor<2>) {
        (self.forward(x.clone()), x)
    }

    fn backward(
        &self,
        x: Tensor<2>,
        delta: Tensor<2>,
        gradients: &mut GradientsParams,
    ) -> Tensor<2> {
        self.add_gradients(x, &delta, gradients);
        let weight = self.layer.weight.val();
        let reach = weight.dims()[2] / 2;
        let options = ConvTransposeOptions::new([1, 1], [reach, reach], [0, 0], [1, 1], 1);
        pixels(conv_transpose2d(self.images(delta), weight, None, options))
    }

    fn parameter_gradients(&self, x: Tensor<2>, delta: Tensor<2>, gradients: &mut GradientsParams) {
        self.add_gradients(x, &delta, gradients);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // 2^18 / 4608 = 56.9 and 2^18 / 100_000 = 2.6.
    #[test]
    fn images_are_grouped_evenly_and_large_weights_have_few_groups() {
        for (batch, num_weights, expected) in [
            (64, 144, 64),
            (64, 4608, 32),
            (63, 4608, 21),
            (61, 4608, 1),
            (10, 100_000, 2),
            (10, 1_000_000, 1),
            (0, 144, 1),
        ] {
            assert_eq!(
                num_groups(batch, num_weights),
                expected,
                "{batch}, {num_weights}"
            );
        }
    }
}
