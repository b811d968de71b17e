//! The configurations of networks: which there are, how their values are checked, how they become networks.

use burn::tensor::{DType, Device};
use emberlab_rng::StreamRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConvNetConfig, MlpConfig, Network, PerceptronConfig};
use crate::initializer::Zeros;
use crate::parameters::Parameters;
use crate::{Initializer, ModelError};

/// Most weights in one layer (8 GiB of f64): above, a size is taken for a slip.
const MAX_WEIGHTS: usize = 1 << 30;

/// A network as described in a config: `name` says which kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum ModelConfig {
    /// A multilayer perceptron.
    Mlp(MlpConfig),
    /// One linear layer.
    Perceptron(PerceptronConfig),
    /// A small convolutional network.
    Convnet(ConvNetConfig),
}

impl ModelConfig {
    /// The name as written in a config.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Mlp(_) => "mlp",
            Self::Perceptron(_) => "perceptron",
            Self::Convnet(_) => "convnet",
        }
    }

    /// Checks every value that can be checked without knowing the data.
    ///
    /// # Errors
    /// [`ModelError::Value`] for the first value that no network can have.
    pub fn validate(&self) -> Result<(), ModelError> {
        match self {
            Self::Mlp(config) => config.validate(),
            Self::Perceptron(config) => MlpConfig::from(config).validate(),
            Self::Convnet(config) => config.validate(),
        }
    }

    /// The number of outputs, if the config insists on one.
    pub fn d_output(&self) -> Option<usize> {
        match self {
            Self::Mlp(config) => config.d_output,
            Self::Perceptron(config) => config.d_output,
            Self::Convnet(config) => config.d_output,
        }
    }

    /// Makes the network, its weights drawn on the host: the same for every device.
    ///
    /// Parameters require gradients where the device is autodiff, and after [`Module::train`] elsewhere.
    ///
    /// # Shapes
    /// - `input_shape`: of one sample, `[d_input]` or `[channels, height, width]`; an MLP takes both
    /// - `d_output`: what the data need, unless the config has a [`d_output`](Self::d_output) of its own
    ///
    /// # Errors
    /// [`ModelError::Value`] as [`validate`](Self::validate), and for layers too large to hold;
    /// [`ModelError::InputShape`] for samples the network cannot take; [`ModelError::DType`] where the
    /// device has no such numbers.
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
        let input_error = |expected: &str| ModelError::InputShape {
            shape: input_shape.to_vec(),
            expected: expected.to_owned(),
        };
        if input_shape.is_empty() || input_shape.contains(&0) {
            return Err(input_error("at least one number"));
        }
        if !dtype.is_float() || !device.supports_dtype(dtype) {
            return Err(ModelError::DType { dtype });
        }
        let parameters = &mut Parameters::new(rng, device, dtype);
        let mlp = |config: &MlpConfig, parameters: &mut Parameters| {
            let d_input = input_shape
                .iter()
                .try_fold(1_usize, |product, size| product.checked_mul(*size))
                .ok_or_else(|| input_error("fewer numbers"))?;
            config.init(d_input, d_output, parameters).map(Network::Mlp)
        };
        match self {
            Self::Mlp(config) => mlp(config, parameters),
            Self::Perceptron(config) => mlp(&config.into(), parameters),
            Self::Convnet(config) => match *input_shape {
                [channels, height, width] => config
                    .init([channels, height, width], d_output, parameters)
                    .map(Network::ConvNet),
                _ => Err(input_error("images, [channels, height, width]")),
            },
        }
    }
}

/// Checks a layer's size.
pub(crate) fn validate_size(key: &str, size: usize) -> Result<(), ModelError> {
    match size {
        1..=MAX_WEIGHTS => Ok(()),
        _ => Err(ModelError::value(
            key,
            size,
            format!("a whole number from 1 to {MAX_WEIGHTS}"),
        )),
    }
}

/// Checks the number of outputs, where the config has one.
pub(crate) fn validate_output(d_output: Option<usize>) -> Result<(), ModelError> {
    d_output.map_or(Ok(()), |size| validate_size("d_output", size))
}

/// Checks that the weights of a layer can be held at all.
pub(crate) fn validate_weights(key: &str, shape: &[usize]) -> Result<(), ModelError> {
    let count = shape
        .iter()
        .try_fold(1_usize, |product, size| product.checked_mul(*size));
    match count {
        Some(count) if count <= MAX_WEIGHTS => Ok(()),
        _ => Err(ModelError::value(
            key,
            format!("a layer of weights {shape:?}"),
            format!("at most {MAX_WEIGHTS} weights in a layer"),
        )),
    }
}

/// Checks how weights and biases start.
pub(crate) fn validate_start(
    weights: &Initializer,
    biases: Option<&Initializer>,
) -> Result<(), ModelError> {
    weights.validate("initializer")?;
    match biases {
        Some(biases) if !biases.can_draw_vectors() => Err(ModelError::value(
            "bias_initializer",
            format!("`{}`", biases.name()),
            "another initializer: a bias is no matrix",
        )),
        Some(biases) => Ok(biases.validate("bias_initializer")?),
        None => Ok(()),
    }
}

/// How biases start, where there are any.
pub(crate) fn bias_initializer<'a>(
    bias: bool,
    weights: &'a Initializer,
    biases: Option<&'a Initializer>,
) -> Option<&'a Initializer> {
    bias.then_some(match (biases, weights) {
        (Some(biases), _) => biases,
        (None, weights) if weights.is_for_biases_too() => weights,
        (None, _) => &Initializer::Zeros(Zeros {}),
    })
}
