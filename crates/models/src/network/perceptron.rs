//! The perceptron: a multilayer perceptron without hidden layers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::mlp::{self, MlpConfig};
use crate::{Activation, Initializer};

/// A perceptron: one linear layer from inputs to outputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PerceptronConfig {
    /// Whether the layer adds a bias.
    #[serde(default = "mlp::default_bias")]
    pub bias: bool,
    /// Activation of the outputs; linear outputs are logits.
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

impl Default for PerceptronConfig {
    fn default() -> Self {
        Self {
            bias: mlp::default_bias(),
            output_activation: mlp::default_output_activation(),
            initializer: mlp::default_initializer(),
            bias_initializer: None,
            d_output: None,
        }
    }
}

impl From<&PerceptronConfig> for MlpConfig {
    fn from(perceptron: &PerceptronConfig) -> Self {
        Self {
            bias: perceptron.bias,
            output_activation: perceptron.output_activation.clone(),
            initializer: perceptron.initializer.clone(),
            bias_initializer: perceptron.bias_initializer.clone(),
            d_output: perceptron.d_output,
            ..Self::default()
        }
    }
}
