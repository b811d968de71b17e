//! A convolution that keeps the image's size.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use emberlab_kernels as kernels;

use super::{DeviceConvolution, Layer};
use crate::BatchStatistics;
use crate::initializer::{Fans, Initializer};
use crate::parameters::Parameters;

/// A two-dimensional convolution of stride 1, padded with zeros so that the image keeps its size.
///
/// Equals `torch.nn.Conv2d(…, padding="same")` for odd kernels.
#[derive(Module, Debug)]
pub struct Convolution {
    /// `[channels_out, channels_in, kernel_size, kernel_size]`
    pub weight: Param<Tensor<4>>,
    /// `[channels_out]`
    pub bias: Option<Param<Tensor<1>>>,
}

impl Convolution {
    /// Draws weights and biases; no `biases` means a layer without a bias.
    pub(crate) fn init(
        channels_in: usize,
        channels_out: usize,
        kernel_size: usize,
        weights: &Initializer,
        biases: Option<&Initializer>,
        parameters: &mut Parameters,
    ) -> Self {
        let area = kernel_size * kernel_size;
        let fans = Fans {
            fan_in: channels_in * area,
            fan_out: channels_out * area,
        };
        let shape = [channels_out, channels_in, kernel_size, kernel_size];
        Self {
            weight: parameters.draw(weights, shape, fans),
            bias: biases.map(|biases| parameters.draw(biases, [channels_out], fans)),
        }
    }

    /// Applies the layer.
    ///
    /// # Shapes
    /// - `x`: `[batch, channels_in, height, width]`
    /// - result: `[batch, channels_out, height, width]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let weight = self.weight.val();
        let padding = weight.dims()[2] / 2;
        let options = ConvOptions::new([1, 1], [padding, padding], [1, 1], 1);
        conv2d(x, weight, self.bias.as_ref().map(Param::val), options)
    }
}

/// A [`Convolution`] of images of one size, as rows of pixels.
///
/// A processor runs it. Each convolution is a matrix product of the patches around all pixels; without host kernels
/// those need much memory, so evaluation calls Burn's convolution there.
///
/// # Shapes
/// - `x`: `[batch * height * width, channels_in]`
/// - outputs: `[batch * height * width, channels_out]`
pub(crate) struct PixelConvolution<'a> {
    pub(crate) layer: &'a Convolution,
    /// `[batch, height, width]`
    pub(crate) size: [usize; 3],
}

impl PixelConvolution<'_> {
    /// The layer as one matrix product.
    fn convolution(&self, x: Tensor<2>) -> Tensor<2> {
        let Convolution { weight, bias } = self.layer;
        let [channels_out, channels_in, side, _] = weight.dims();
        let kernel = weight.val().permute([2, 3, 1, 0]);
        let kernel = kernel.reshape([side * side * channels_in, channels_out]);
        kernels::convolution(x, self.size, kernel, bias.as_ref().map(Param::val))
    }

    /// Adds the gradients of weight and bias.
    ///
    /// # Shapes
    /// - `x`: `[batch * height * width, channels_in]`
    /// - `delta`: `[batch * height * width, channels_out]`
    fn add_gradients(&self, x: Tensor<2>, delta: &Tensor<2>, gradients: &mut GradientsParams) {
        let Convolution { weight, bias } = self.layer;
        let [channels_out, channels_in, side, _] = weight.dims();
        if let Some(bias) = bias {
            gradients.register(bias.id, kernels::sum_of_rows(delta));
        }
        let kernel = kernels::convolution_kernel_gradient(x, self.size, side, delta.clone());
        let kernel = kernel.reshape([side, side, channels_in, channels_out]);
        gradients.register(weight.id, kernel.permute([3, 2, 0, 1]));
    }
}

impl Layer<2> for PixelConvolution<'_> {
    /// The inputs.
    type Saved = Tensor<2>;

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        if kernels::is_on_host(&x) {
            return self.convolution(x);
        }
        let Self { layer, size } = *self;
        DeviceConvolution { layer, size }.forward(x)
    }

    fn forward_saving(&self, x: Tensor<2>, _: &mut Vec<BatchStatistics>) -> (Tensor<2>, Tensor<2>) {
        (self.convolution(x.clone()), x)
    }

    /// The gradient by the inputs is the convolution of `delta` with the kernels turned by half a turn.
    fn backward(
        &self,
        x: Tensor<2>,
        delta: Tensor<2>,
        gradients: &mut GradientsParams,
    ) -> Tensor<2> {
        self.add_gradients(x, &delta, gradients);
        let weight = &self.layer.weight;
        let [channels_out, channels_in, side, _] = weight.dims();
        let turned = weight.val().flip([2, 3]).permute([2, 3, 0, 1]);
        let turned = turned.reshape([side * side * channels_out, channels_in]);
        kernels::convolution(delta, self.size, turned, None)
    }

    fn parameter_gradients(&self, x: Tensor<2>, delta: Tensor<2>, gradients: &mut GradientsParams) {
        self.add_gradients(x, &delta, gradients);
    }
}
