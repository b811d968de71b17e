//! The small convolutional network.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor};
use emberlab_kernels as kernels;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::config;
use super::mlp;
use crate::activation::{Relu, SavedActivations};
use crate::layers::Patches;
use crate::layers::max_pool::{self, PooledMaxima};
use crate::normalization::Standardized;
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
            if pool_fits(height, width) {
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
        match kernels::is_on_host(&x) && x.dims()[0] > 0 {
            true => self.forward_as_products(x),
            false => self.forward_with(x, BatchNorm::forward),
        }
    }

    /// [`forward`](Self::forward) with each convolution as one matrix product, which a processor computes in a
    /// fraction of the time; a few images at a time, since their patches are many times as large as they.
    fn forward_as_products(&self, x: Tensor<2>) -> Tensor<2> {
        let [num_images, _] = x.dims();
        let device = x.device();
        let mut patches = Vec::new();
        let mut size = 0;
        let outputs = (0..num_images).step_by(IMAGES_AT_ONCE).map(|start| {
            let end = num_images.min(start + IMAGES_AT_ONCE);
            if end - start != size {
                size = end - start;
                patches = self.patches(size, &device);
            }
            self.classify(self.features(x.clone().slice_dim(0, start..end), &patches))
        });
        Tensor::cat(outputs.collect(), 0)
    }

    /// The patches of each convolution, for a batch of this size.
    fn patches(&self, batch: usize, device: &Device) -> Vec<Patches> {
        let [_, mut height, mut width] = self.image;
        let of_each = self.convolutions.iter().map(|convolution| {
            let kernel_size = convolution.weight.dims()[2];
            let patches = Patches::new([batch, height, width], kernel_size, device);
            if pool_fits(height, width) {
                (height, width) = (height / 2, width / 2);
            }
            patches
        });
        of_each.collect()
    }

    /// What the convolutions make of images, in evaluation mode.
    ///
    /// # Shapes
    /// - `x`: `[batch, channels * height * width]`
    /// - result: `[batch, d_flat]`
    fn features(&self, x: Tensor<2>, patches: &[Patches]) -> Tensor<2> {
        let [batch, _] = x.dims();
        let [mut channels, mut height, mut width] = self.image;
        let mut x = to_pixels(x, [batch, channels, height, width]);
        for (i, (convolution, patches)) in self.convolutions.iter().zip(patches).enumerate() {
            (x, _) = convolution.forward_saving(x, patches);
            if let Some(norm) = self.norms.get(i) {
                x = norm.forward(x);
            }
            (x, _) = self.activate_and_pool(x, [batch, height, width]);
            channels = x.dims()[1];
            if pool_fits(height, width) {
                (height, width) = (height / 2, width / 2);
            }
        }
        from_pixels(x, [batch, channels, height, width])
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
        self.classify(x.flatten(1, 3))
    }

    /// The dense layers.
    ///
    /// # Shapes
    /// - `x`: `[batch, d_flat]`
    /// - result: `[batch, d_output]`
    fn classify(&self, mut x: Tensor<2>) -> Tensor<2> {
        for (i, layer) in self.layers.iter().enumerate() {
            if i > 0 {
                x = self.activation.forward(x);
            }
            x = layer.forward(x); // [batch, d_hidden], then [batch, d_output]
        }
        self.output_activation.forward(x)
    }

    /// [`forward_train`](Self::forward_train), keeping what [`backward`](Self::backward) needs.
    ///
    /// Images are matrices of `[pixel, channel]` here, so that a convolution is one matrix product.
    ///
    /// # Shapes
    /// - `x`: `[batch, channels * height * width]`
    /// - result: `[batch, d_output]`
    pub(crate) fn forward_saving(
        &self,
        x: Tensor<2>,
    ) -> (Tensor<2>, ConvNetSaved, Vec<BatchStatistics>) {
        let mut statistics = Vec::new();
        let [batch, _] = x.dims();
        let [mut channels, mut height, mut width] = self.image;
        let patches = self.patches(batch, &x.device());
        let mut x = to_pixels(x, [batch, channels, height, width]);
        let mut stages = Vec::with_capacity(self.convolutions.len());
        for (i, (convolution, patches)) in self.convolutions.iter().zip(patches).enumerate() {
            let size = [batch, height, width];
            let (y, unfolded) = convolution.forward_saving(x, &patches);
            x = y; // [batch * height * width, channels_out]
            let mut standardized = None;
            if let Some(norm) = self.norms.get(i) {
                let (y, saved, batch) = norm.forward_saving(x);
                statistics.push(batch);
                standardized = Some(saved);
                x = y;
            }
            let (y, pooled) = self.activate_and_pool(x, size);
            x = y;
            channels = x.dims()[1];
            if pool_fits(height, width) {
                (height, width) = (height / 2, width / 2);
            }
            stages.push(Stage {
                patches,
                unfolded,
                standardized,
                pooled,
            });
        }
        let image = [batch, channels, height, width];
        let flat = from_pixels(x, image); // [batch, d_flat]
        let [hidden, output] = self.dense();
        let (x, activated) = self.activation.forward_saving(hidden.forward(flat.clone()));
        let (y, output_activated) = self
            .output_activation
            .forward_saving(output.forward(x.clone()));
        let saved = ConvNetSaved {
            stages,
            image,
            flat,
            activated,
            hidden: x,
            output_activated,
        };
        (y, saved, statistics)
    }

    /// The gradients of all parameters, without autodiff.
    ///
    /// # Shapes
    /// - `delta`: the loss's gradient by the outputs, `[batch, d_output]`
    pub(crate) fn backward(&self, saved: ConvNetSaved, delta: Tensor<2>) -> GradientsParams {
        let mut gradients = GradientsParams::new();
        let [hidden, output] = self.dense();
        let delta = self
            .output_activation
            .backward(saved.output_activated, delta);
        output.gradients(saved.hidden, &delta, &mut gradients);
        let delta = self
            .activation
            .backward(saved.activated, output.backward(delta));
        hidden.gradients(saved.flat, &delta, &mut gradients);
        if saved.stages.is_empty() {
            return gradients;
        }
        let mut delta = to_pixels(hidden.backward(delta), saved.image);
        for (i, stage) in saved.stages.into_iter().enumerate().rev() {
            delta = match stage.pooled {
                Pooled::Not(saved) => self.activation.backward(saved, delta),
                Pooled::Before(taken, saved) => {
                    taken.backward(self.activation.backward(saved, delta))
                }
                Pooled::After(saved, taken) => {
                    self.activation.backward(saved, taken.backward(delta))
                }
            };
            if let (Some(norm), Some(saved)) = (self.norms.get(i), stage.standardized) {
                delta = norm.backward(saved, delta, &mut gradients);
            }
            let convolution = &self.convolutions[i];
            convolution.gradients(stage.unfolded, &delta, &mut gradients);
            if i > 0 {
                delta = convolution.backward(delta, &stage.patches);
            }
        }
        gradients
    }

    /// Activation and, while it fits, max-pool; the pool first where that gives the same, on a quarter of
    /// the numbers.
    fn activate_and_pool(&self, x: Tensor<2>, size: [usize; 3]) -> (Tensor<2>, Pooled) {
        let [_, height, width] = size;
        if !pool_fits(height, width) {
            let (x, saved) = self.activation.forward_saving(x);
            (x, Pooled::Not(saved))
        } else if self.activation.is_non_decreasing() {
            let (x, taken) = max_pool::forward(x, size);
            let (x, saved) = self.activation.forward_saving(x);
            (x, Pooled::Before(taken, saved))
        } else {
            let (x, saved) = self.activation.forward_saving(x);
            let (x, taken) = max_pool::forward(x, size);
            (x, Pooled::After(saved, taken))
        }
    }

    /// The hidden dense layer and the output layer.
    fn dense(&self) -> [&Dense; 2] {
        [&self.layers[0], &self.layers[1]]
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

/// What the way back through a [`ConvNet`] needs of the way forward.
#[derive(Debug)]
pub(crate) struct ConvNetSaved {
    stages: Vec<Stage>,
    /// What the last stage left: `[batch, channels, height, width]`.
    image: [usize; 4],
    /// `[batch, d_flat]`
    flat: Tensor<2>,
    activated: SavedActivations<2>,
    /// `[batch, d_hidden]`
    hidden: Tensor<2>,
    output_activated: SavedActivations<2>,
}

/// One convolution with what follows it.
#[derive(Debug)]
struct Stage {
    patches: Patches,
    /// `[batch * height * width, kernel_size² * channels_in]`
    unfolded: Tensor<2>,
    standardized: Option<Standardized>,
    pooled: Pooled,
}

/// Whether and where the max-pool stood.
#[derive(Debug)]
enum Pooled {
    Not(SavedActivations<2>),
    Before(PooledMaxima, SavedActivations<2>),
    After(SavedActivations<2>, PooledMaxima),
}

/// Images with their channels apart, as a row of channels for each pixel.
///
/// # Shapes
/// - `x`: `[batch, channels * height * width]`
/// - result: `[batch * height * width, channels]`
fn to_pixels(x: Tensor<2>, [batch, channels, height, width]: [usize; 4]) -> Tensor<2> {
    x.reshape([batch, channels, height * width])
        .swap_dims(1, 2)
        .reshape([batch * height * width, channels])
}

/// The other way round.
fn from_pixels(x: Tensor<2>, [batch, channels, height, width]: [usize; 4]) -> Tensor<2> {
    x.reshape([batch, height * width, channels])
        .swap_dims(1, 2)
        .reshape([batch, channels * height * width])
}
