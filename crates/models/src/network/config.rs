//! The menu of networks, and checks that their configurations share.

use burn::tensor::{DType, Device};
use emberlab_menu::{Problem, menu};
use emberlab_rng::StreamRng;

use super::{ConvNetConfig, MlpConfig, Network, PerceptronConfig};
use crate::initializer::Zeros;
use crate::parameters::Parameters;
use crate::{Activation, Initializer, ModelError};

/// The most weights that one layer may have, 8 GiB of f64. A larger size is taken for a typing error.
const MAX_WEIGHTS: usize = 1 << 30;

menu! {
    /// A network: a table of its `name` and its keys.
    pub enum ModelConfig("a network"), written as a table, dispatched by with_config!($) {
        "mlp" => Mlp(MlpConfig),
        "perceptron" => Perceptron(PerceptronConfig),
        "convnet" => Convnet(ConvNetConfig),
    }
}

/// Everything that makes an entry of the table above.
pub(crate) trait NetworkConfig {
    /// See [`ModelConfig::validate`].
    fn validate(&self) -> Result<(), Problem>;

    /// See [`ModelConfig::d_output`].
    fn d_output(&self) -> Option<usize>;

    /// See [`ModelConfig::can_be_batched`].
    fn can_be_batched(&self) -> bool;

    /// See [`ModelConfig::is_linear`].
    fn is_linear(&self) -> bool;

    /// See [`ModelConfig::takes_images`].
    fn takes_images(&self) -> bool;

    /// See [`ModelConfig::compares_rows`].
    fn compares_rows(&self) -> bool;

    /// See [`ModelConfig::normalizes_single_values`].
    fn normalizes_single_values(&self) -> bool {
        false
    }

    /// See [`ModelConfig::output_activation`].
    fn output_activation(&self) -> &Activation;

    /// See [`ModelConfig::drops_units`].
    fn drops_units(&self) -> bool {
        false
    }

    /// Draws the parameters of a valid configuration.
    ///
    /// # Shapes
    /// - `input_shape`: the shape of one sample; its sizes are at least 1
    /// - `d_output`: at least 1
    ///
    /// # Errors
    /// [`ModelError::Value`] for layers that are too large to hold, [`ModelError::InputShape`] for samples that the
    /// network cannot take.
    fn init(
        &self,
        input_shape: &[usize],
        d_output: usize,
        parameters: &mut Parameters,
    ) -> Result<Network, ModelError>;
}

impl ModelConfig {
    /// Checks every value that can be checked without knowing the data.
    ///
    /// # Errors
    /// [`Problem`] with the first value that no network can have.
    pub fn validate(&self) -> Result<(), Problem> {
        with_config!(self, config => config.validate())
    }

    /// The number of outputs, if the configuration says one.
    pub fn d_output(&self) -> Option<usize> {
        with_config!(self, config => config.d_output())
    }

    /// Whether networks of this configuration can be computed together, as replicas of one
    /// [`BatchedModel`](crate::BatchedModel).
    pub fn can_be_batched(&self) -> bool {
        with_config!(self, config => config.can_be_batched())
    }

    /// Whether the network is a linear function of its inputs, apart from the activation of the outputs.
    pub fn is_linear(&self) -> bool {
        with_config!(self, config => config.is_linear())
    }

    /// Whether the network takes only images, `[channels, height, width]`.
    pub fn takes_images(&self) -> bool {
        with_config!(self, config => config.takes_images())
    }

    /// Whether a layer normalises each feature by its deviation over the rows of a batch, so that a batch of one row
    /// has only zeros there. A convolution's deviation is over the pixels as well, and one image is enough.
    pub fn compares_rows(&self) -> bool {
        with_config!(self, config => config.compares_rows())
    }

    /// Whether a layer normalises each value of a sample by itself, so that all its values are 0.
    pub fn normalizes_single_values(&self) -> bool {
        with_config!(self, config => config.normalizes_single_values())
    }

    /// The activation of the outputs.
    pub fn output_activation(&self) -> &Activation {
        with_config!(self, config => config.output_activation())
    }

    /// Whether each step drops some units.
    pub fn drops_units(&self) -> bool {
        with_config!(self, config => config.drops_units())
    }

    /// Makes the network. Its weights are drawn on the host and are the same for every device.
    ///
    /// Parameters require gradients on an autodiff device, and after [`train`](burn::module::Module::train)
    /// elsewhere.
    ///
    /// # Shapes
    /// - `input_shape`: the shape of one sample, `[d_input]` or `[channels, height, width]`; an MLP takes both
    /// - `d_output`: the number of outputs that the data need, unless the configuration has a
    ///   [`d_output`](Self::d_output) of its own
    ///
    /// # Errors
    /// [`ModelError::Value`] as [`validate`](Self::validate), and for layers that are too large to hold;
    /// [`ModelError::InputShape`] for samples that the network cannot take; [`ModelError::DType`] if the device does
    /// not compute in this number format.
    pub fn init(
        &self,
        input_shape: &[usize],
        d_output: usize,
        rng: &mut StreamRng,
        device: &Device,
        dtype: DType,
    ) -> Result<Network, ModelError> {
        self.validate()?;
        let d_output = self.d_output().unwrap_or(d_output);
        validate_size("d_output", d_output)?;
        if input_shape.is_empty() || input_shape.contains(&0) {
            return Err(ModelError::input_shape(input_shape, "at least one number"));
        }
        if !dtype.is_float() || !device.supports_dtype(dtype) {
            return Err(ModelError::DType { dtype });
        }
        let parameters = &mut Parameters::new(rng, device, dtype);
        with_config!(self, config => config.init(input_shape, d_output, parameters))
    }
}

/// Checks the size of a layer.
pub(crate) fn validate_size(key: &str, size: usize) -> Result<(), Problem> {
    let expected = format!("a whole number from 1 to {MAX_WEIGHTS}");
    Problem::unless((1..=MAX_WEIGHTS).contains(&size), key, size, expected)
}

/// Checks the number of outputs, if the configuration has one.
pub(crate) fn validate_output(d_output: Option<usize>) -> Result<(), Problem> {
    d_output.map_or(Ok(()), |size| validate_size("d_output", size))
}

/// Checks that the weights of a layer fit into memory.
pub(crate) fn validate_weights(key: &str, shape: &[usize]) -> Result<(), Problem> {
    let count = shape
        .iter()
        .try_fold(1_usize, |product, size| product.checked_mul(*size));
    Problem::unless(
        count.is_some_and(|count| count <= MAX_WEIGHTS),
        key,
        format!("a layer of weights {shape:?}"),
        format!("at most {MAX_WEIGHTS} weights in a layer"),
    )
}

/// Checks a rate of dropout.
pub(crate) fn validate_dropout(key: &str, rate: f64) -> Result<(), Problem> {
    let expected = "from 0 to below 1: the share of units that a step drops";
    Problem::unless((0.0..1.0).contains(&rate), key, rate, expected)
}

/// Checks the initialisers of weights and biases.
pub(crate) fn validate_initializers(
    weights: &Initializer,
    biases: Option<&Initializer>,
) -> Result<(), Problem> {
    weights.validate("initializer")?;
    let Some(biases) = biases else {
        return Ok(());
    };
    Problem::unless(
        biases.can_draw_vectors(),
        "bias_initializer",
        format!("`{}`", biases.name()),
        "another initialiser: a bias is not a matrix",
    )?;
    biases.validate("bias_initializer")
}

/// The initialiser of biases, `None` for layers without a bias.
pub(crate) fn bias_initializer<'a>(
    bias: bool,
    weights: &'a Initializer,
    biases: Option<&'a Initializer>,
) -> Option<&'a Initializer> {
    bias.then_some(match biases {
        Some(biases) => biases,
        None if weights.is_for_biases_too() => weights,
        None => &Initializer::Zeros(Zeros {}),
    })
}
