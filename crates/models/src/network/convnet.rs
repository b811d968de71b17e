//! The small convolutional network.

use burn::module::Module;
use burn::tensor::Tensor;
use emberlab_kernels as kernels;
use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::config::{self, NetworkConfig};
use super::dense_layers::DenseLayers;
use super::forward_pass::{ForwardPass, Mode, Operation};
use super::mlp::MlpConfig;
use crate::activation::Relu;
use crate::layers::{DeviceConvolution, Flatten, MaxPool, PixelConvolution, to_pixels};
use crate::normalization::NoNormalization;
use crate::parameters::Parameters;
use crate::{
    Activation, BatchNorm, BatchStatistics, Convolution, Dense, Initializer, ModelError, Network,
    Norm, Normalization,
};

/// A small convolutional network: convolution → normalisation → activation → max-pool 2, some times over,
/// then a hidden dense layer with the same activation, then the output layer.
///
/// Convolutions keep the image's size. Pools halve it, as long as both sides have two pixels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ConvNetConfig {
    /// Output channels of each convolution, each at least 1.
    pub channels: Vec<usize>,
    /// Side of the square kernels, odd, in pixels.
    pub kernel_size: usize,
    /// Size of the hidden dense layer, at least 1.
    pub d_hidden: usize,
    /// Activation of the convolutions and of the hidden dense layer.
    pub activation: Activation,
    /// Normalisation of the convolutions, before their activation: `none` or `batch`.
    pub normalization: Normalization,
    /// The share of units that each step drops behind the hidden dense layer, in [0, 1).
    #[serde(skip_serializing_if = "is_zero")]
    pub dropout: f64,
    /// Whether convolutions and linear layers add a bias.
    pub bias: bool,
    /// Activation of the output layer; linear outputs are logits.
    pub output_activation: Activation,
    /// How weights start.
    pub initializer: Initializer,
    /// How biases start; zero unless given, or like the weights where those are `pytorch_default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bias_initializer: Option<Initializer>,
    /// Number of outputs; the number that the data need unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub d_output: Option<usize>,
}

impl Default for ConvNetConfig {
    fn default() -> Self {
        let mlp = MlpConfig::default();
        Self {
            channels: vec![16, 32],
            kernel_size: 3,
            d_hidden: 128,
            activation: Relu {}.into(),
            normalization: NoNormalization {}.into(),
            dropout: 0.0,
            bias: mlp.bias,
            output_activation: mlp.output_activation,
            initializer: mlp.initializer,
            bias_initializer: mlp.bias_initializer,
            d_output: mlp.d_output,
        }
    }
}

fn is_zero(rate: &f64) -> bool {
    *rate == 0.0
}

impl NetworkConfig for ConvNetConfig {
    fn validate(&self) -> Result<(), Problem> {
        for (i, channels) in self.channels.iter().enumerate() {
            config::validate_size(&format!("channels[{i}]"), *channels)?;
        }
        Problem::unless(
            !self.kernel_size.is_multiple_of(2),
            "kernel_size",
            self.kernel_size,
            "an odd number, so that the image keeps its size",
        )?;
        config::validate_size("kernel_size", self.kernel_size)?;
        config::validate_size("d_hidden", self.d_hidden)?;
        self.activation.validate("activation")?;
        Problem::unless(
            self.normalization.fits_images(),
            "normalization",
            format!("`{}`", self.normalization.name()),
            "`none` or `batch` in a convnet",
        )?;
        self.normalization.validate("normalization", &[])?;
        config::validate_dropout("dropout", self.dropout)?;
        self.output_activation.validate("output_activation")?;
        config::validate_initializers(&self.initializer, self.bias_initializer.as_ref())?;
        config::validate_output(self.d_output)
    }

    fn d_output(&self) -> Option<usize> {
        self.d_output
    }

    fn can_be_batched(&self) -> bool {
        false
    }

    fn is_linear(&self) -> bool {
        false
    }

    fn takes_images(&self) -> bool {
        true
    }

    fn compares_rows(&self) -> bool {
        false
    }

    fn output_activation(&self) -> &Activation {
        &self.output_activation
    }

    fn drops_units(&self) -> bool {
        self.dropout > 0.0
    }

    fn init(
        &self,
        input_shape: &[usize],
        d_output: usize,
        parameters: &mut Parameters,
    ) -> Result<Network, ModelError> {
        let &[channels, height, width] = input_shape else {
            let expected = "images, [channels, height, width]";
            return Err(ModelError::input_shape(input_shape, expected));
        };
        let biases =
            config::bias_initializer(self.bias, &self.initializer, self.bias_initializer.as_ref());
        let image = [channels, height, width];
        let [mut channels_in, mut height, mut width] = image;
        let mut convolutions = Vec::new();
        let mut norms = Vec::new();
        for channels_out in self.channels.iter().copied() {
            let side = self.kernel_size;
            config::validate_weights("channels", &[channels_in, channels_out, side, side])?;
            convolutions.push(Convolution::init(
                channels_in,
                channels_out,
                side,
                &self.initializer,
                biases,
                parameters,
            ));
            if let Some(Norm::Batch(norm)) = self.normalization.init(channels_out, parameters) {
                norms.push(norm);
            }
            channels_in = channels_out;
            (height, width) = MaxPool::halved(height, width);
        }
        config::validate_weights("d_hidden", &[channels_in, height, width, self.d_hidden])?;
        config::validate_weights("d_hidden", &[self.d_hidden, d_output])?;
        let d_flat = channels_in * height * width;
        let layers = [(d_flat, self.d_hidden), (self.d_hidden, d_output)]
            .map(|(d_input, d_output)| {
                Dense::init(d_input, d_output, &self.initializer, biases, parameters)
            })
            .into();
        Ok(Network::ConvNet(ConvNet {
            convolutions,
            norms,
            layers,
            image,
            activation: self.activation.clone(),
            dropout: self.dropout,
            output_activation: self.output_activation.clone(),
        }))
    }
}

/// The number of images that are evaluated at once on a processor.
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
    /// The activation of all layers but the output layer.
    #[module(skip)]
    pub activation: Activation,
    /// The share of units that each step drops behind the hidden dense layer.
    #[module(skip)]
    pub dropout: f64,
    /// The activation of the output layer.
    #[module(skip)]
    pub output_activation: Activation,
}

impl ConvNet {
    /// Outputs in evaluation mode.
    ///
    /// On a processor only a few images are evaluated at once, since the outputs of convolutions need many times the
    /// memory of the images.
    ///
    /// # Shapes
    /// - `x`: `[batch, channels * height * width]`
    /// - result: `[batch, d_output]`
    pub(crate) fn evaluate(&self, x: Tensor<2>) -> Tensor<2> {
        let [num_images, _] = x.dims();
        if num_images == 0 || !kernels::is_on_host(&x) {
            return self.forward(x, &mut ForwardPass::new(Mode::Evaluation));
        }
        let outputs = (0..num_images).step_by(IMAGES_AT_ONCE).map(|start| {
            let end = num_images.min(start + IMAGES_AT_ONCE);
            let images = x.clone().slice_dim(0, start..end);
            self.forward(images, &mut ForwardPass::new(Mode::Evaluation))
        });
        Tensor::cat(outputs.collect(), 0)
    }

    /// The forward pass.
    ///
    /// A processor computes convolutions by matrix products over rows of pixels, other devices by Burn's own kernels.
    ///
    /// A max-pool stands before the activation where that gives the same numbers, because the activation has a
    /// quarter of the work then. A pass that records stages shows the activation of all pixels.
    ///
    /// # Shapes
    /// - `x`: `[batch, channels * height * width]`
    /// - result: `[batch, d_output]`
    pub(crate) fn forward<'a>(&'a self, mut x: Tensor<2>, pass: &mut ForwardPass<'a>) -> Tensor<2> {
        let [batch, _] = x.dims();
        let [mut channels, mut height, mut width] = self.image;
        let on_processor = kernels::is_processor(&x.device());
        let pools_first = self.activation.is_non_decreasing() && !pass.is_recording();
        if !self.convolutions.is_empty() {
            x = to_pixels(x, [batch, channels, height, width]); // [batch * height * width, channels]
        }
        for (i, layer) in self.convolutions.iter().enumerate() {
            let size = [batch, height, width];
            let operation = Operation::Convolution(i);
            x = match on_processor {
                true => pass.apply_as(operation, PixelConvolution { layer, size }, x),
                false => pass.apply_as(operation, DeviceConvolution { layer, size }, x),
            }; // [batch * height * width, channels_out]
            if let Some(norm) = self.norms.get(i) {
                x = pass.apply_as(Operation::Normalization(i), norm, x);
            }
            let pools = MaxPool::fits(height, width);
            let pooled = |x, pass: &mut ForwardPass<'a>| pass.apply(MaxPool { size }, x);
            if pools && pools_first {
                x = pooled(x, pass);
            }
            let activation = Operation::Activation(i, &self.activation);
            x = pass.apply_as(activation, &self.activation, x);
            if pools && !pools_first {
                x = pooled(x, pass);
            }
            (height, width) = MaxPool::halved(height, width);
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
            dropout: std::slice::from_ref(&self.dropout),
            residual: &[],
            first_activation: self.convolutions.len(),
        };
        layers.forward(x, pass)
    }

    /// Moves the running statistics of each batch norm towards the statistics of a batch.
    pub(crate) fn with_running_statistics(
        mut self,
        statistics: Vec<BatchStatistics>,
        momentum: Option<f64>,
    ) -> Self {
        self.norms = self
            .norms
            .into_iter()
            .zip(statistics)
            .map(|(norm, batch)| norm.with_running_statistics(batch, momentum))
            .collect();
        self
    }

    /// The number of running statistics, which are tensors but not trained.
    pub(crate) fn num_running(&self) -> usize {
        self.norms.iter().map(BatchNorm::num_running).sum()
    }
}
