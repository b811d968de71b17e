//! Convolutions of images as rows of pixels.

use burn::tensor::Tensor;

use crate::patches::unfold;
use crate::{affine, host, product};

/// A convolution of stride 1 with square kernels of an odd side, the images padded with zeros so that they keep their
/// size: the product of the patch around each pixel with the kernel, and the bias if there is one.
///
/// The rows of `kernel` are the numbers of a patch: line by line, pixel by pixel, channel by channel.
///
/// # Shapes
/// - `x`: `[batch * height * width, channels_in]`
/// - `size`: `[batch, height, width]`
/// - `kernel`: `[kernel_size² * channels_in, channels_out]`
/// - `bias`: `[channels_out]`
/// - result: `[batch * height * width, channels_out]`
///
/// # Source
/// Chellapilla et al. 2006, "High performance convolutional neural networks for document processing" (im2col), with
/// the channels of a pixel side by side.
pub fn convolution(
    x: Tensor<2>,
    size: [usize; 3],
    kernel: Tensor<2>,
    bias: Option<Tensor<1>>,
) -> Tensor<2> {
    host::convolution(x, size, kernel, bias).unwrap_or_else(|(x, kernel, bias)| {
        let area = kernel.dims()[0] / x.dims()[1].max(1);
        affine(unfold(x, size, area.isqrt()), kernel, bias)
    })
}

/// The gradient of a [`convolution`] by its kernel.
///
/// # Shapes
/// - `x`: `[batch * height * width, channels_in]`
/// - `size`: `[batch, height, width]`
/// - `delta`: the loss's gradient by the outputs, `[batch * height * width, channels_out]`
/// - result: `[kernel_size² * channels_in, channels_out]`
pub fn convolution_kernel_gradient(
    x: Tensor<2>,
    size: [usize; 3],
    kernel_size: usize,
    delta: Tensor<2>,
) -> Tensor<2> {
    host::convolution_kernel_gradient(x, size, kernel_size, delta)
        .unwrap_or_else(|(x, delta)| product(unfold(x, size, kernel_size).transpose(), delta))
}
