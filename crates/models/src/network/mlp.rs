//! The multilayer perceptron.

use burn::module::Module;
use burn::tensor::Tensor;
use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::config::{self, NetworkConfig};
use super::dense_layers::DenseLayers;
use super::forward_pass::ForwardPass;
use crate::activation::{Linear, Relu};
use crate::initializer::{Initializer, KaimingNormal};
use crate::normalization::NoNormalization;
use crate::parameters::Parameters;
use crate::{
    Activation, BatchStatistics, Dense, ModelError, Network, Norm, Normalization, OneOrMany,
};

/// A multilayer perceptron: linear → normalisation → activation → dropout for each hidden layer, then an output layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MlpConfig {
    /// Sizes of the hidden layers, each at least 1.
    pub hidden: Vec<usize>,
    /// Activation of the hidden layers: one for all, or a list with one for each.
    pub activation: OneOrMany<Activation>,
    /// Normalisation of the hidden layers, before their activation: one for all, or a list with one for each.
    pub normalization: OneOrMany<Normalization>,
    /// The share of units that each step drops behind each hidden layer, in [0, 1): one for all, or a list with one for
    /// each.
    #[serde(skip_serializing_if = "drops_nothing")]
    pub dropout: OneOrMany<f64>,
    /// Whether a hidden layer adds its inputs to its outputs, where it follows a hidden layer of the same size.
    #[serde(skip_serializing_if = "is_off")]
    pub residual: bool,
    /// Whether linear layers add a bias.
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

impl Default for MlpConfig {
    fn default() -> Self {
        Self {
            hidden: Vec::new(),
            activation: OneOrMany::One(Relu {}.into()),
            normalization: OneOrMany::One(NoNormalization {}.into()),
            dropout: OneOrMany::One(0.0),
            residual: false,
            bias: true,
            output_activation: Linear {}.into(),
            initializer: KaimingNormal::default().into(),
            bias_initializer: None,
            d_output: None,
        }
    }
}

fn drops_nothing(dropout: &OneOrMany<f64>) -> bool {
    dropout.iter().all(|(_, &rate)| rate == 0.0)
}

fn is_off(flag: &bool) -> bool {
    !flag
}

impl MlpConfig {
    /// Whether no hidden layer has a normalisation.
    fn is_never_normalized(&self) -> bool {
        self.normalization.iter().all(|(_, n)| n.is_none())
    }

    /// Whether each hidden layer adds its inputs to its outputs; none at all if none does.
    fn residual_layers(&self) -> Vec<bool> {
        match self.residual {
            false => Vec::new(),
            true => (0..self.hidden.len())
                .map(|i| i > 0 && self.hidden[i - 1] == self.hidden[i])
                .collect(),
        }
    }
}

impl NetworkConfig for MlpConfig {
    fn validate(&self) -> Result<(), Problem> {
        let num_hidden = self.hidden.len();
        for (i, size) in self.hidden.iter().enumerate() {
            config::validate_size(&format!("hidden[{i}]"), *size)?;
        }
        Problem::unless(
            self.activation.spread(num_hidden).is_some(),
            "activation",
            format!("a list of {}", self.activation.iter().count()),
            format!("one activation, or as many as hidden layers ({num_hidden})"),
        )?;
        for (i, activation) in self.activation.iter() {
            let key = i.map_or("activation".to_owned(), |i| format!("activation[{i}]"));
            activation.validate(&key)?;
        }
        Problem::unless(
            self.normalization.spread(num_hidden).is_some(),
            "normalization",
            format!("a list of {}", self.normalization.iter().count()),
            format!("one normalisation, or as many as hidden layers ({num_hidden})"),
        )?;
        for (i, normalization) in self.normalization.iter() {
            match i {
                None => normalization.validate("normalization", &self.hidden)?,
                Some(i) => {
                    normalization.validate(&format!("normalization[{i}]"), &self.hidden[i..=i])?;
                }
            }
        }
        Problem::unless(
            self.dropout.spread(num_hidden).is_some(),
            "dropout",
            format!("a list of {}", self.dropout.iter().count()),
            format!("one rate, or as many as hidden layers ({num_hidden})"),
        )?;
        for (i, &rate) in self.dropout.iter() {
            let key = i.map_or("dropout".to_owned(), |i| format!("dropout[{i}]"));
            config::validate_dropout(&key, rate)?;
        }
        Problem::unless(
            !self.residual || self.residual_layers().contains(&true),
            "residual",
            "true",
            format!(
                "two neighbouring hidden layers of one size, or false; the sizes are {:?}",
                self.hidden
            ),
        )?;
        self.output_activation.validate("output_activation")?;
        config::validate_initializers(&self.initializer, self.bias_initializer.as_ref())?;
        config::validate_output(self.d_output)
    }

    fn d_output(&self) -> Option<usize> {
        self.d_output
    }

    fn can_be_batched(&self) -> bool {
        true
    }

    fn is_linear(&self) -> bool {
        let are_identities = || self.activation.iter().all(|(_, a)| a.is_identity());
        self.hidden.is_empty() || self.is_never_normalized() && are_identities()
    }

    fn takes_images(&self) -> bool {
        false
    }

    fn normalizes_single_values(&self) -> bool {
        self.normalization.iter().any(|(i, normalization)| {
            let sizes = i.map_or(self.hidden.as_slice(), |i| &self.hidden[i..=i]);
            sizes
                .iter()
                .any(|&size| normalization.is_of_single_values(size))
        })
    }

    fn compares_rows(&self) -> bool {
        !self.hidden.is_empty() && self.normalization.iter().any(|(_, n)| n.compares_rows())
    }

    fn output_activation(&self) -> &Activation {
        &self.output_activation
    }

    fn drops_units(&self) -> bool {
        !drops_nothing(&self.dropout)
    }

    /// Samples of any shape are taken as rows of numbers.
    fn init(
        &self,
        input_shape: &[usize],
        d_output: usize,
        parameters: &mut Parameters,
    ) -> Result<Network, ModelError> {
        let d_input = input_shape
            .iter()
            .try_fold(1_usize, |product, size| product.checked_mul(*size))
            .ok_or_else(|| ModelError::input_shape(input_shape, "fewer numbers"))?;
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
        let normalizations = match self.is_never_normalized() {
            true => Vec::new(),
            false => (self.normalization.spread(self.hidden.len())).unwrap_or_default(),
        };
        let norms = (normalizations.iter().zip(&self.hidden))
            .map(|(normalization, size)| normalization.init(*size, parameters))
            .collect();
        let activations = self.activation.spread(self.hidden.len());
        let dropout = match drops_nothing(&self.dropout) {
            true => None,
            false => self.dropout.spread(self.hidden.len()),
        };
        Ok(Network::Mlp(Mlp {
            layers,
            norms,
            activations: activations.unwrap_or_default(),
            dropout: dropout.unwrap_or_default(),
            residual: self.residual_layers(),
            output_activation: self.output_activation.clone(),
        }))
    }
}

/// A multilayer perceptron.
#[derive(Module, Debug)]
pub struct Mlp {
    /// The hidden layers and the output layer.
    pub layers: Vec<Dense>,
    /// One for each hidden layer that has one; none at all if none has.
    pub norms: Vec<Option<Norm>>,
    /// One for each hidden layer.
    #[module(skip)]
    pub activations: Vec<Activation>,
    /// The share of units that each step drops behind each hidden layer; none at all if nothing is dropped.
    #[module(skip)]
    pub dropout: Vec<f64>,
    /// Whether each hidden layer adds its inputs to its outputs; none at all if none does.
    #[module(skip)]
    pub residual: Vec<bool>,
    /// The activation of the output layer.
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
            dropout: &self.dropout,
            residual: &self.residual,
            first_activation: 0,
        };
        layers.forward(x, pass)
    }

    /// Moves the running statistics of each batch norm towards the statistics of a batch.
    pub(crate) fn with_running_statistics(
        mut self,
        statistics: Vec<BatchStatistics>,
        momentum: Option<f64>,
    ) -> Self {
        let mut statistics = statistics.into_iter();
        self.norms = self
            .norms
            .into_iter()
            .map(|norm| Some(norm?.with_running_statistics(&mut statistics, momentum)))
            .collect();
        self
    }

    /// The number of running statistics, which are tensors but not trained.
    pub(crate) fn num_running(&self) -> usize {
        self.norms.iter().flatten().map(Norm::num_running).sum()
    }
}
