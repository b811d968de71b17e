//! The multilayer perceptron.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::config;
use crate::activation::{Linear, Relu, SavedActivations};
use crate::initializer::{Initializer, KaimingNormal};
use crate::normalization::{NoNormalization, Standardized};
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
    /// Outputs in evaluation mode.
    ///
    /// # Shapes
    /// - `x`: `[batch, d_input]`
    /// - result: `[batch, d_output]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.forward_with(x, |norm, x| norm.forward(x))
    }

    /// Outputs in training mode, and the statistics of each batch norm.
    ///
    /// # Shapes
    /// - `x`: `[batch, d_input]`
    /// - result: `[batch, d_output]`
    pub fn forward_train(&self, x: Tensor<2>) -> (Tensor<2>, Vec<BatchStatistics>) {
        let mut statistics = Vec::new();
        let y = self.forward_with(x, |norm, x| norm.forward_train(x, &mut statistics));
        (y, statistics)
    }

    fn forward_with(
        &self,
        mut x: Tensor<2>,
        mut normalize: impl FnMut(&Norm, Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        for (i, layer) in self.layers.iter().enumerate() {
            x = layer.forward(x); // [batch, d_hidden], last [batch, d_output]
            let Some(activation) = self.activations.get(i) else {
                break;
            };
            if let Some(norm) = self.norms.get(i) {
                x = normalize(norm, x);
            }
            x = activation.forward(x);
        }
        self.output_activation.forward(x)
    }

    /// [`forward_train`](Self::forward_train), keeping what [`backward`](Self::backward) needs.
    ///
    /// # Shapes
    /// - `x`: `[batch, d_input]`
    /// - result: `[batch, d_output]`
    pub(crate) fn forward_saving(
        &self,
        mut x: Tensor<2>,
    ) -> (Tensor<2>, MlpSaved, Vec<BatchStatistics>) {
        let mut statistics = Vec::new();
        let mut layers = Vec::with_capacity(self.layers.len());
        for (i, layer) in self.layers.iter().enumerate() {
            let input = x.clone();
            x = layer.forward(x); // [batch, d_hidden], last [batch, d_output]
            let mut standardized = None;
            if let Some(norm) = self.norms.get(i) {
                let saved;
                (x, saved) = norm.forward_saving(x, &mut statistics);
                standardized = Some(saved);
            }
            let activated;
            (x, activated) = self.activation(i).forward_saving(x);
            layers.push(SavedLayer {
                input,
                standardized,
                activated,
            });
        }
        (x, MlpSaved { layers }, statistics)
    }

    /// The gradients of all parameters, without autodiff: delta in, delta and gradients out of each layer.
    ///
    /// # Shapes
    /// - `delta`: the loss's gradient by the outputs, `[batch, d_output]`
    ///
    /// # Source
    /// Rumelhart, Hinton and Williams 1986; equal to what autodiff finds.
    pub(crate) fn backward(&self, saved: MlpSaved, mut delta: Tensor<2>) -> GradientsParams {
        let mut gradients = GradientsParams::new();
        for (i, saved) in saved.layers.into_iter().enumerate().rev() {
            delta = self.activation(i).backward(saved.activated, delta);
            if let (Some(norm), Some(saved)) = (self.norms.get(i), saved.standardized) {
                delta = norm.backward(saved, delta, &mut gradients);
            }
            self.layers[i].gradients(saved.input, &delta, &mut gradients);
            if i > 0 {
                delta = self.layers[i].backward(delta);
            }
        }
        gradients
    }

    /// The activation behind a layer: of its own, or that of the outputs.
    fn activation(&self, layer: usize) -> &Activation {
        self.activations
            .get(layer)
            .unwrap_or(&self.output_activation)
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

/// What the way back through a [`Mlp`] needs of the way forward.
#[derive(Debug)]
pub(crate) struct MlpSaved {
    layers: Vec<SavedLayer>,
}

#[derive(Debug)]
struct SavedLayer {
    /// `[batch, d_input]`
    input: Tensor<2>,
    standardized: Option<Standardized>,
    activated: SavedActivations<2>,
}
