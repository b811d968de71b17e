//! A convolution that keeps the image's size.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use emberlab_kernels as kernels;

use super::{DeviceConvolution, Layer, Patches};
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
/// A processor runs it. Training computes it as one matrix product of the [`Patches`] around all pixels, for which the
/// backward pass is two more products. Evaluation does so if it has the patches, and else calls Burn's convolution,
/// which needs less memory.
///
/// # Shapes
/// - `x`: `[batch * height * width, channels_in]`
/// - outputs: `[batch * height * width, channels_out]`
pub(crate) struct PixelConvolution<'a> {
    pub(crate) layer: &'a Convolution,
    /// `[batch, height, width]`
    pub(crate) size: [usize; 3],
    /// The patches of images of this size, if they are known already.
    pub(crate) patches: Option<Patches>,
}

/// The saved activations of a convolution.
#[derive(Debug)]
pub(crate) struct SavedPatches {
    patches: Patches,
    /// `[batch * height * width, kernel_size² * channels_in]`
    unfolded: Tensor<2>,
}

impl PixelConvolution<'_> {
    /// The layer as one matrix product.
    ///
    /// # Shapes
    /// - unfolded: `[batch * height * width, kernel_size² * channels_in]`
    fn product(&self, unfolded: Tensor<2>) -> Tensor<2> {
        let Convolution { weight, bias } = self.layer;
        let [channels_out, channels_in, side, _] = weight.dims();
        let kernel = weight.val().permute([2, 3, 1, 0]);
        let kernel = kernel.reshape([side * side * channels_in, channels_out]);
        kernels::affine(unfolded, kernel, bias.as_ref().map(Param::val))
    }

    /// Adds the gradients of weight and bias.
    ///
    /// # Shapes
    /// - unfolded: `[batch * height * width, kernel_size² * channels_in]`
    /// - `delta`: `[batch * height * width, channels_out]`
    fn add_gradients(
        &self,
        unfolded: Tensor<2>,
        delta: &Tensor<2>,
        gradients: &mut GradientsParams,
    ) {
        let Convolution { weight, bias } = self.layer;
        let [channels_out, channels_in, side, _] = weight.dims();
        if let Some(bias) = bias {
            gradients.register(bias.id, kernels::sum_of_rows(delta));
        }
        let kernel = kernels::product(unfolded.transpose(), delta.clone());
        let kernel = kernel.reshape([side, side, channels_in, channels_out]);
        gradients.register(weight.id, kernel.permute([3, 2, 0, 1]));
    }
}

impl Layer<2> for PixelConvolution<'_> {
    type Saved = SavedPatches;

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        if let Some(patches) = &self.patches {
            return self.product(patches.unfold(x));
        }
        let Self { layer, size, .. } = *self;
        DeviceConvolution { layer, size }.forward(x)
    }

    fn forward_saving(
        &self,
        x: Tensor<2>,
        _: &mut Vec<BatchStatistics>,
    ) -> (Tensor<2>, SavedPatches) {
        let side = self.layer.weight.dims()[2];
        let patches = Patches::new(self.size, side, &x.device());
        let unfolded = patches.unfold(x);
        let saved = SavedPatches {
            patches,
            unfolded: unfolded.clone(),
        };
        (self.product(unfolded), saved)
    }

    /// The gradient by the inputs is the convolution of `delta` with the kernels turned by half a turn.
    fn backward(
        &self,
        saved: SavedPatches,
        delta: Tensor<2>,
        gradients: &mut GradientsParams,
    ) -> Tensor<2> {
        self.add_gradients(saved.unfolded, &delta, gradients);
        let weight = &self.layer.weight;
        let [channels_out, channels_in, side, _] = weight.dims();
        let turned = weight.val().flip([2, 3]).permute([2, 3, 0, 1]);
        let turned = turned.reshape([side * side * channels_out, channels_in]);
        kernels::product(saved.patches.unfold(delta), turned)
    }

    fn parameter_gradients(
        &self,
        saved: SavedPatches,
        delta: Tensor<2>,
        gradients: &mut GradientsParams,
    ) {
        self.add_gradients(saved.unfolded, &delta, gradients);
    }
}
