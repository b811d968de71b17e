//! A convolution that keeps the image's size.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use emberlab_kernels as kernels;

use super::patches::Patches;
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

    /// Applies the layer as one matrix product, and keeps what [`gradients`](Self::gradients) needs.
    ///
    /// # Shapes
    /// - `pixels`: `[batch * height * width, channels_in]`
    /// - results: `[batch * height * width, channels_out]`; `[…, kernel_size² * channels_in]`
    pub(crate) fn forward_saving(
        &self,
        pixels: Tensor<2>,
        patches: &Patches,
    ) -> (Tensor<2>, Tensor<2>) {
        let [channels_out, channels_in, side, _] = self.weight.dims();
        let kernel = self.weight.val().permute([2, 3, 1, 0]);
        let kernel = kernel.reshape([side * side * channels_in, channels_out]);
        let unfolded = patches.unfold(pixels);
        let bias = self.bias.as_ref().map(Param::val);
        let y = kernels::affine(unfolded.clone(), kernel, bias);
        (y, unfolded)
    }

    /// Registers the gradients of weight and bias.
    ///
    /// # Shapes
    /// - `unfolded`: what [`forward_saving`](Self::forward_saving) saved
    /// - `delta`: the loss's gradient by its outputs, `[batch * height * width, channels_out]`
    pub(crate) fn gradients(
        &self,
        unfolded: Tensor<2>,
        delta: &Tensor<2>,
        gradients: &mut GradientsParams,
    ) {
        let [channels_out, channels_in, side, _] = self.weight.dims();
        if let Some(bias) = &self.bias {
            gradients.register(bias.id, kernels::sum_of_rows(delta));
        }
        let kernel = kernels::product(unfolded.transpose(), delta.clone());
        let kernel = kernel.reshape([side, side, channels_in, channels_out]);
        gradients.register(self.weight.id, kernel.permute([3, 2, 0, 1]));
    }

    /// The loss's gradient by the inputs: the convolution of `delta` with the kernels turned around.
    ///
    /// # Shapes
    /// - `delta`: as in [`gradients`](Self::gradients)
    /// - result: `[batch * height * width, channels_in]`
    pub(crate) fn backward(&self, delta: Tensor<2>, patches: &Patches) -> Tensor<2> {
        let [channels_out, channels_in, side, _] = self.weight.dims();
        let turned = self.weight.val().flip([2, 3]).permute([2, 3, 0, 1]);
        let turned = turned.reshape([side * side * channels_out, channels_in]);
        kernels::product(patches.unfold(delta), turned)
    }
}
