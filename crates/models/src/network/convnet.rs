//! The small convolutional network.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use emberlab_kernels as kernels;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::dense_layers::DenseLayers;
use super::forward_pass::{ForwardPass, Mode, Operation};
use super::{config, mlp};
use crate::activation::Relu;
use crate::layers::{Flatten, MaxPool, Patches, PixelConvolution, to_pixels};
use crate::parameters::Parameters;
use crate::{
    Activation, BatchNorm, BatchStatistics, Convolution, Dense, Initializer, ModelError, Norm,
    Normalization,
};

/// A small convolutional network: convolution → normalization → activation → max-pool 2, some times over,
/// then a hidden dense layer with the same activation, then the output layer.
///
/// Convolutions keep the image's size. Pools halve it, as long as both sides have two pixels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConvNetConfig {
    /// Output channels of each convolution, each at least 1.
    #[serde(default = "default_channels")]
    pub channels: Vec<usize>,
    /// Side of the square kernels, odd, in pixels.
    #[serde(default = "default_kernel_size")]
    pub kernel_size: usize,
    /// Size of the hidden dense layer, at least 1.
    #[serde(default = "default_d_hidden")]
    pub d_hidden: usize,
    /// Activation of the convolutions and of the hidden dense layer.
    #[serde(default = "default_activation")]
    pub activation: Activation,
    /// Normalization of the convolutions, before their activation: `none` or `batch`.
    #[serde(default = "mlp::default_normalization")]
    pub normalization: Normalization,
    /// Whether convolutions and linear layers add a bias.
    #[serde(default = "mlp::default_bias")]
    pub bias: bool,
    /// Activation of the output layer; linear outputs are logits.
    #[serde(default = "mlp::default_output_activation")]
    pub output_activation: Activation,
    /// How weights start.
    #[serde(default = "mlp::default_initializer")]
    pub initializer: Initializer,
    /// How biases start; zero unless given, or like the weights where those are `pytorch_default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias_initializer: Option<Initializer>,
    /// Number of outputs; what the data need unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d_output: Option<usize>,
}

fn default_channels() -> Vec<usize> {
    vec![16, 32]
}

fn default_kernel_size() -> usize {
    3
}

fn default_d_hidden() -> usize {
    128
}

fn default_activation() -> Activation {
    Relu {}.into()
}

impl Default for ConvNetConfig {
    fn default() -> Self {
        Self {
            channels: default_channels(),
            kernel_size: default_kernel_size(),
            d_hidden: default_d_hidden(),
            activation: default_activation(),
            normalization: mlp::default_normalization(),
            bias: mlp::default_bias(),
            output_activation: mlp::default_output_activation(),
            initializer: mlp::default_initializer(),
            bias_initializer: None,
            d_output: None,
        }
    }
}

impl ConvNetConfig {
    pub(crate) fn validate(&self) -> Result<(), ModelError> {
        for (i, channels) in self.channels.iter().enumerate() {
            config::validate_size(&format!("channels[{i}]"), *channels)?;
        }
        if self.kernel_size.is_multiple_of(2) {
            return Err(ModelError::value(
                "kernel_size",
                self.kernel_size,
                "an odd number, so that the image keeps its size",
            ));
        }
        config::validate_size("kernel_size", self.kernel_size)?;
        config::validate_size("d_hidden", self.d_hidden)?;
        self.activation.validate("activation")?;
        if !self.normalization.fits_images() {
            return Err(ModelError::value(
                "normalization",
                format!("`{}`", self.normalization.name()),
                "`none` or `batch` in a convnet",
            ));
        }
        self.normalization.validate("normalization", &[])?;
        self.output_activation.validate("output_activation")?;
        config::validate_start(&self.initializer, self.bias_initializer.as_ref())?;
        config::validate_output(self.d_output)
    }

    /// Expects a valid config and sizes.
    pub(crate) fn init(
        &self,
        image: [usize; 3],
        d_output: usize,
        parameters: &mut Parameters,
    ) -> Result<ConvNet, ModelError> {
        let biases =
            config::bias_initializer(self.bias, &self.initializer, self.bias_initializer.as_ref());
        let [mut channels_in, mut height, mut width] = image;
        let mut convolutions = Vec::new();
        let mut norms = Vec::new();
        for channels_out in self.channels.iter().copied() {
            config::validate_weights(
                "channels",
                &[
                    channels_in,
                    channels_out,
                    self.kernel_size,
                    self.kernel_size,
                ],
            )?;
            convolutions.push(Convolution::init(
                channels_in,
                channels_out,
                self.kernel_size,
                &self.initializer,
                biases,
                parameters,
            ));
            if let Some(Norm::Batch(norm)) = self.normalization.init(channels_out, parameters) {
                norms.push(norm);
            }
            channels_in = channels_out;
            if MaxPool::fits(height, width) {
                (height, width) = (height / 2, width / 2);
            }
        }
        config::validate_weights("d_hidden", &[channels_in, height, width, self.d_hidden])?;
        config::validate_weights("d_hidden", &[self.d_hidden, d_output])?;
        let d_flat = channels_in * height * width;
        let layers = [(d_flat, self.d_hidden), (self.d_hidden, d_output)]
            .map(|(d_input, d_output)| {
                Dense::init(d_input, d_output, &self.initializer, biases, parameters)
            })
            .into();
        Ok(ConvNet {
            convolutions,
            norms,
            layers,
            image,
            activation: self.activation.clone(),
            output_activation: self.output_activation.clone(),
        })
    }
}

/// How many images are evaluated at once on a processor.
const IMAGES_AT_ONCE: usize = 64;

/// A small convolutional network.
#[derive(Module, Debug)]
pub struct ConvNet {
    /// The convolutions, in order.
    pub convolutions: Vec<Convolution>,
    /// One for each convolution, or none at all.
    pub norms: Vec<BatchNorm>,
    /// The hidden dense layer and the output layer.
    pub layers: Vec<Dense>,
    /// Shape of one sample: `[channels, height, width]`.
    #[module(skip)]
    pub image: [usize; 3],
    /// Of all layers but the output layer.
    #[module(skip)]
    pub activation: Activation,
    /// Of the output layer.
    #[module(skip)]
    pub output_activation: Activation,
}

impl ConvNet {
    /// Outputs in evaluation mode.
    ///
    /// On a processor, convolutions are matrix products, which take a fraction of the time. Only a few images are
    /// evaluated at once, since their patches need many times the memory of the images.
    ///
    /// # Shapes
    /// - `x`: `[batch, channels * height * width]`
    /// - result: `[batch, d_output]`
    pub(crate) fn evaluate(&self, x: Tensor<2>) -> Tensor<2> {
        let [num_images, _] = x.dims();
        if num_images == 0 || !kernels::is_on_host(&x) {
            return self.forward(x, &[], &mut ForwardPass::new(Mode::Evaluation));
        }
        let device = x.device();
        let mut patches = Vec::new();
        let mut size = 0;
        let outputs = (0..num_images).step_by(IMAGES_AT_ONCE).map(|start| {
            let end = num_images.min(start + IMAGES_AT_ONCE);
            if end - start != size {
                size = end - start;
                patches = self.patches(size, &device);
            }
            let images = x.clone().slice_dim(0, start..end);
            self.forward(images, &patches, &mut ForwardPass::new(Mode::Evaluation))
        });
        Tensor::cat(outputs.collect(), 0)
    }

    /// The forward pass.
    ///
    /// A max-pool stands before the activation where that gives the same numbers, because the activation has a
    /// quarter of the work then. A pass that records stages shows the activation of all pixels.
    ///
    /// # Shapes
    /// - `x`: `[batch, channels * height * width]`
    /// - patches: those of each convolution for a batch of this size, where they are known already
    /// - result: `[batch, d_output]`
    pub(crate) fn forward<'a>(
        &'a self,
        mut x: Tensor<2>,
        patches: &[Patches],
        pass: &mut ForwardPass<'a>,
    ) -> Tensor<2> {
        let [batch, _] = x.dims();
        let [mut channels, mut height, mut width] = self.image;
        let pools_first = self.activation.is_non_decreasing() && !pass.is_recording();
        if !self.convolutions.is_empty() {
            x = to_pixels(x, [batch, channels, height, width]); // [batch * height * width, channels]
        }
        for (i, layer) in self.convolutions.iter().enumerate() {
            let size = [batch, height, width];
            let convolution = PixelConvolution {
                layer,
                size,
                patches: patches.get(i).cloned(),
            };
            x = pass.apply_as(Operation::Convolution(i), convolution, x); // [batch * height * width, channels_out]
            if let Some(norm) = self.norms.get(i) {
                x = pass.apply_as(Operation::Normalization(i), norm, x);
            }
            let pools = MaxPool::fits(height, width);
            if pools && pools_first {
                x = pass.apply(MaxPool { size }, x);
            }
            let activation = Operation::Activation(i, &self.activation);
            x = pass.apply_as(activation, &self.activation, x);
            if pools && !pools_first {
                x = pass.apply(MaxPool { size }, x);
            }
            if pools {
                (height, width) = (height / 2, width / 2);
            }
            channels = x.dims()[1];
        }
        if !self.convolutions.is_empty() {
            let image = [batch, channels, height, width];
            x = pass.apply(Flatten { image }, x); // [batch, channels * height * width]
        }
        let layers = DenseLayers::<Dense, Norm> {
            layers: &self.layers,
            norms: &[],
            activations: std::slice::from_ref(&self.activation),
            output_activation: &self.output_activation,
            first_activation: self.convolutions.len(),
        };
        layers.forward(x, pass)
    }

    /// The patches of each convolution, for a batch of this size.
    fn patches(&self, batch: usize, device: &Device) -> Vec<Patches> {
        let [_, mut height, mut width] = self.image;
        let of_each = self.convolutions.iter().map(|convolution| {
            let kernel_size = convolution.weight.dims()[2];
            let patches = Patches::new([batch, height, width], kernel_size, device);
            if MaxPool::fits(height, width) {
                (height, width) = (height / 2, width / 2);
            }
            patches
        });
        of_each.collect()
    }

    pub(crate) fn with_running_statistics(mut self, statistics: Vec<BatchStatistics>) -> Self {
        self.norms = self
            .norms
            .into_iter()
            .zip(statistics)
            .map(|(norm, batch)| norm.with_running_statistics(batch))
            .collect();
        self
    }

    pub(crate) fn num_running(&self) -> usize {
        self.norms.iter().map(BatchNorm::num_running).sum()
    }
}
