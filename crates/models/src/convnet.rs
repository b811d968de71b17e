//! The small convolutional network.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mlp;
use crate::parameters::Parameters;
use crate::{
    Activation, BatchNorm, BatchStatistics, Convolution, Dense, Initializer, ModelError, Norm,
    Normalization, network,
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
    Activation::Relu
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
            network::validate_size(&format!("channels[{i}]"), *channels)?;
        }
        if self.kernel_size.is_multiple_of(2) {
            return Err(ModelError::value(
                "kernel_size",
                self.kernel_size,
                "an odd number, so that the image keeps its size",
            ));
        }
        network::validate_size("kernel_size", self.kernel_size)?;
        network::validate_size("d_hidden", self.d_hidden)?;
        self.activation.validate("activation")?;
        match &self.normalization {
            Normalization::None | Normalization::Batch { .. } => {}
            other => {
                return Err(ModelError::value(
                    "normalization",
                    format!("`{}`", other.name()),
                    "`none` or `batch` in a convnet",
                ));
            }
        }
        self.normalization.validate("normalization", &[])?;
        self.output_activation.validate("output_activation")?;
        network::validate_start(&self.initializer, self.bias_initializer.as_ref())?;
        network::validate_output(self.d_output)
    }

    /// Expects a valid config and sizes.
    pub(crate) fn init(
        &self,
        image: [usize; 3],
        d_output: usize,
        parameters: &mut Parameters,
    ) -> Result<ConvNet, ModelError> {
        let biases =
            network::bias_initializer(self.bias, &self.initializer, self.bias_initializer.as_ref());
        let [mut channels_in, mut height, mut width] = image;
        let mut convolutions = Vec::new();
        let mut norms = Vec::new();
        for channels_out in self.channels.iter().copied() {
            network::validate_weights(
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
            if pool_fits(height, width) {
                (height, width) = (height / 2, width / 2);
            }
        }
        network::validate_weights("d_hidden", &[channels_in, height, width, self.d_hidden])?;
        network::validate_weights("d_hidden", &[self.d_hidden, d_output])?;
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

/// Whether an image can still be halved.
fn pool_fits(height: usize, width: usize) -> bool {
    height >= 2 && width >= 2
}

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
    /// # Shapes
    /// - `x`: `[batch, channels * height * width]`
    /// - result: `[batch, d_output]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.forward_with(x, BatchNorm::forward)
    }

    /// Outputs in training mode, and the statistics of each batch norm.
    ///
    /// # Shapes
    /// - `x`: `[batch, channels * height * width]`
    /// - result: `[batch, d_output]`
    pub fn forward_train(&self, x: Tensor<2>) -> (Tensor<2>, Vec<BatchStatistics>) {
        let mut statistics = Vec::new();
        let y = self.forward_with(x, |norm, x| {
            let (x, batch) = norm.forward_train(x);
            statistics.push(batch);
            x
        });
        (y, statistics)
    }

    fn forward_with(
        &self,
        x: Tensor<2>,
        mut normalize: impl FnMut(&BatchNorm, Tensor<4>) -> Tensor<4>,
    ) -> Tensor<2> {
        let [batch, _] = x.dims();
        let [channels, height, width] = self.image;
        let mut x = x.reshape([batch, channels, height, width]);
        for (i, convolution) in self.convolutions.iter().enumerate() {
            x = convolution.forward(x); // [batch, channels_out, height, width]
            if let Some(norm) = self.norms.get(i) {
                x = normalize(norm, x);
            }
            x = self.activation.forward(x);
            let [_, _, height, width] = x.dims();
            if pool_fits(height, width) {
                x = max_pool2d(x, MaxPoolOptions::new([2, 2])); // [batch, channels_out, height / 2, width / 2]
            }
        }
        let mut x = x.flatten::<2>(1, 3); // [batch, d_flat]
        for (i, layer) in self.layers.iter().enumerate() {
            if i > 0 {
                x = self.activation.forward(x);
            }
            x = layer.forward(x); // [batch, d_hidden], then [batch, d_output]
        }
        self.output_activation.forward(x)
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
