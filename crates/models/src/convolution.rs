//! A convolution that keeps the image's size.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

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
}
