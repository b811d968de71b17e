//! The perceptron: a multilayer perceptron without hidden layers.

use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Network;
use super::config::NetworkConfig;
use super::mlp::MlpConfig;
use crate::parameters::Parameters;
use crate::{Activation, Initializer, ModelError};

/// A perceptron: one linear layer from inputs to outputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PerceptronConfig {
    /// Whether the layer adds a bias.
    pub bias: bool,
    /// Activation of the outputs; linear outputs are logits.
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

impl Default for PerceptronConfig {
    fn default() -> Self {
        let mlp = MlpConfig::default();
        Self {
            bias: mlp.bias,
            output_activation: mlp.output_activation,
            initializer: mlp.initializer,
            bias_initializer: mlp.bias_initializer,
            d_output: mlp.d_output,
        }
    }
}

impl PerceptronConfig {
    /// The same network as a multilayer perceptron.
    fn to_mlp(&self) -> MlpConfig {
        MlpConfig {
            hidden: Vec::new(),
            bias: self.bias,
            output_activation: self.output_activation.clone(),
            initializer: self.initializer.clone(),
            bias_initializer: self.bias_initializer.clone(),
            d_output: self.d_output,
            ..MlpConfig::default()
        }
    }
}

impl NetworkConfig for PerceptronConfig {
    fn validate(&self) -> Result<(), Problem> {
        self.to_mlp().validate()
    }

    fn d_output(&self) -> Option<usize> {
        self.d_output
    }

    fn can_be_batched(&self) -> bool {
        true
    }

    fn is_linear(&self) -> bool {
        true
    }

    fn takes_images(&self) -> bool {
        false
    }

    fn output_activation(&self) -> &Activation {
        &self.output_activation
    }

    fn compares_rows(&self) -> bool {
        false
    }

    fn init(
        &self,
        input_shape: &[usize],
        d_output: usize,
        parameters: &mut Parameters,
    ) -> Result<Network, ModelError> {
        self.to_mlp().init(input_shape, d_output, parameters)
    }
}
