//! The multilayer perceptron.

use burn::module::Module;
use burn::tensor::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::config;
use super::dense_layers::DenseLayers;
use super::forward_pass::ForwardPass;
use crate::activation::{Linear, Relu};
use crate::initializer::{Initializer, KaimingNormal};
use crate::normalization::NoNormalization;
use crate::parameters::Parameters;
use crate::{Activation, BatchStatistics, Dense, ModelError, Norm, Normalization, OneOrMany};

/// A multilayer perceptron: linear → normalization → activation for each hidden layer, then an output layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MlpConfig {
    /// Sizes of the hidden layers, each at least 1.
    #[serde(default)]
    pub hidden: Vec<usize>,
    /// Activation of the hidden layers: one for all, or a list with one for each.
    #[serde(default = "default_activation")]
    pub activation: OneOrMany<Activation>,
    /// Normalization of the hidden layers, before their activation.
    #[serde(default = "default_normalization")]
    pub normalization: Normalization,
    /// Whether linear layers add a bias.
    #[serde(default = "default_bias")]
    pub bias: bool,
    /// Activation of the output layer; linear outputs are logits.
    #[serde(default = "default_output_activation")]
    pub output_activation: Activation,
    /// How weights start.
    #[serde(default = "default_initializer")]
    pub initializer: Initializer,
    /// How biases start; zero unless given, or like the weights where those are `pytorch_default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias_initializer: Option<Initializer>,
    /// Number of outputs; what the data need unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d_output: Option<usize>,
}

fn default_activation() -> OneOrMany<Activation> {
    OneOrMany::One(Relu {}.into())
}

pub(crate) fn default_normalization() -> Normalization {
    NoNormalization {}.into()
}

pub(crate) fn default_bias() -> bool {
    true
}

pub(crate) fn default_output_activation() -> Activation {
    Linear {}.into()
}

pub(crate) fn default_initializer() -> Initializer {
    KaimingNormal::default().into()
}

impl Default for MlpConfig {
    fn default() -> Self {
        Self {
            hidden: Vec::new(),
            activation: default_activation(),
            normalization: default_normalization(),
            bias: default_bias(),
            output_activation: default_output_activation(),
            initializer: default_initializer(),
            bias_initializer: None,
            d_output: None,
        }
    }
}

impl MlpConfig {
    pub(crate) fn validate(&self) -> Result<(), ModelError> {
        for (i, size) in self.hidden.iter().enumerate() {
            config::validate_size(&format!("hidden[{i}]"), *size)?;
        }
        if let (OneOrMany::Many(list), None) =
            (&self.activation, self.activation.spread(self.hidden.len()))
        {
            return Err(ModelError::value(
                "activation",
                format!("a list of {}", list.len()),
                format!(
                    "one activation, or as many as hidden layers ({})",
                    self.hidden.len()
                ),
            ));
        }
        for (i, activation) in self.activation.iter() {
            activation
                .validate(&i.map_or("activation".into(), |i: usize| format!("activation[{i}]")))?;
        }
        self.normalization.validate("normalization", &self.hidden)?;
        self.output_activation.validate("output_activation")?;
        config::validate_start(&self.initializer, self.bias_initializer.as_ref())?;
        config::validate_output(self.d_output)
    }

    /// Expects a valid config and sizes.
    pub(crate) fn init(
        &self,
        d_input: usize,
        d_output: usize,
        parameters: &mut Parameters,
    ) -> Result<Mlp, ModelError> {
        let biases =
            config::bias_initializer(self.bias, &self.initializer, self.bias_initializer.as_ref());
        let mut sizes = vec![d_input];
        sizes.extend(&self.hidden);
        sizes.push(d_output);
        for pair in sizes.windows(2) {
            config::validate_weights("hidden", pair)?;
        }
        let layers = sizes
            .windows(2)
            .map(|pair| Dense::init(pair[0], pair[1], &self.initializer, biases, parameters))
            .collect();
        let norms = self
            .hidden
            .iter()
            .filter_map(|size| self.normalization.init(*size, parameters))
            .collect();
        Ok(Mlp {
            layers,
            norms,
            activations: self
                .activation
                .spread(self.hidden.len())
                .unwrap_or_default(),
            output_activation: self.output_activation.clone(),
        })
    }
}

/// A multilayer perceptron.
#[derive(Module, Debug)]
pub struct Mlp {
    /// The hidden layers and the output layer.
    pub layers: Vec<Dense>,
    /// One for each hidden layer, or none at all.
    pub norms: Vec<Norm>,
    /// One for each hidden layer.
    #[module(skip)]
    pub activations: Vec<Activation>,
    /// Of the output layer.
    #[module(skip)]
    pub output_activation: Activation,
}

impl Mlp {
    /// The forward pass.
    ///
    /// # Shapes
    /// - `x`: `[batch, d_input]`
    /// - result: `[batch, d_output]`
    pub(crate) fn forward<'a>(&'a self, x: Tensor<2>, pass: &mut ForwardPass<'a>) -> Tensor<2> {
        let layers = DenseLayers {
            layers: &self.layers,
            norms: &self.norms,
            activations: &self.activations,
            output_activation: &self.output_activation,
            first_activation: 0,
        };
        layers.forward(x, pass)
    }

    pub(crate) fn with_running_statistics(mut self, statistics: Vec<BatchStatistics>) -> Self {
        let mut statistics = statistics.into_iter();
        self.norms = self
            .norms
            .into_iter()
            .map(|norm| norm.with_running_statistics(&mut statistics))
            .collect();
        self
    }

    pub(crate) fn num_running(&self) -> usize {
        self.norms.iter().map(Norm::num_running).sum()
    }
}
