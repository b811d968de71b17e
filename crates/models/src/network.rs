//! Any network the lab knows: its config, how it is made, run, read and filled.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use emberlab_streams::StreamRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::parameters::Parameters;
use crate::{
    BatchStatistics, ConvNet, ConvNetConfig, Initializer, Mlp, MlpConfig, ModelError,
    PerceptronConfig,
};

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
<<<<<<< HEAD
    /// The name as written in a config.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Mlp(_) => "mlp",
            Self::Perceptron(_) => "perceptron",
            Self::Convnet(_) => "convnet",
        }
    }

=======
>>>>>>> models
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
        Some(Initializer::Orthogonal { .. }) => Err(ModelError::value(
            "bias_initializer",
            "`orthogonal`",
            "another initializer: a bias is no matrix",
        )),
        Some(biases) => biases.validate("bias_initializer"),
        None => Ok(()),
    }
}

/// How biases start, where there are any.
pub(crate) fn bias_initializer<'a>(
    bias: bool,
    weights: &'a Initializer,
    biases: Option<&'a Initializer>,
) -> Option<&'a Initializer> {
    bias.then(|| match (biases, weights) {
        (Some(biases), _) => biases,
        (None, Initializer::PytorchDefault) => weights,
        (None, _) => &Initializer::Zeros,
    })
}

/// A network of any kind.
#[derive(Module, Debug)]
pub enum Network {
    /// A multilayer perceptron, or a perceptron.
    Mlp(Mlp),
    /// A small convolutional network.
    ConvNet(ConvNet),
}

impl Network {
    /// Outputs in evaluation mode: batch norm uses its running statistics.
    ///
    /// # Shapes
    /// - `inputs`: `[batch, d_input]`, images flattened
    /// - result: `[batch, d_output]`
    pub fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Mlp(network) => network.forward(inputs),
            Self::ConvNet(network) => network.forward(inputs),
        }
    }

    /// Outputs in training mode, and the batch's statistics for
    /// [`with_running_statistics`](Self::with_running_statistics), one for each batch norm.
    ///
    /// # Shapes
    /// - `inputs`: `[batch, d_input]`, images flattened
    /// - result: `[batch, d_output]`
    pub fn forward_train(&self, inputs: Tensor<2>) -> (Tensor<2>, Vec<BatchStatistics>) {
        match self {
            Self::Mlp(network) => network.forward_train(inputs),
            Self::ConvNet(network) => network.forward_train(inputs),
        }
    }

    /// Moves the running statistics towards those of one batch; nothing for networks without batch norm.
    pub fn with_running_statistics(self, statistics: Vec<BatchStatistics>) -> Self {
        if statistics.is_empty() {
            return self;
        }
        match self {
            Self::Mlp(network) => Self::Mlp(network.with_running_statistics(statistics)),
            Self::ConvNet(network) => Self::ConvNet(network.with_running_statistics(statistics)),
        }
    }

    /// How many numbers are trained; running statistics are not.
    pub fn num_parameters(&self) -> usize {
        let running = match self {
            Self::Mlp(network) => network.num_running(),
            Self::ConvNet(network) => network.num_running(),
        };
        self.num_params() - running
    }

    /// Every tensor with its name, such as `layers.0.weight` or `norms.1.running_var`, in a fixed order.
    pub fn named_tensors(&self) -> Vec<(String, TensorData)> {
        let mut reader = Reader::default();
        self.visit(&mut reader);
        reader.tensors
    }

    /// Replaces every tensor by the one of its name, converted to the network's precision.
    ///
    /// # Errors
    /// [`ModelError::MissingTensor`], [`ModelError::UnknownTensor`] or [`ModelError::TensorShape`] unless
    /// names and shapes are just those of [`named_tensors`](Self::named_tensors).
    pub fn load_named_tensors(
        self,
        tensors: Vec<(String, TensorData)>,
    ) -> Result<Self, ModelError> {
        let mut given: HashMap<_, _> = tensors.into_iter().collect();
        let mut shapes = Shapes::default();
        self.visit(&mut shapes);
        for (name, expected) in &shapes.shapes {
            let shape = match given.get(name) {
                Some(data) => data.shape().to_vec(),
                None => return Err(ModelError::MissingTensor { name: name.clone() }),
            };
            if shape != *expected {
                return Err(ModelError::TensorShape {
                    name: name.clone(),
                    shape,
                    expected: expected.clone(),
                });
            }
        }
        let known = |name: &String| shapes.shapes.iter().any(|(known, _)| known == name);
        if let Some(name) = given.keys().filter(|name| !known(name)).min() {
            return Err(ModelError::UnknownTensor { name: name.clone() });
        }
        Ok(self.map(&mut Writer {
            path: Path::default(),
            given: &mut given,
        }))
    }
}

/// Where a traversal stands, named as in `layers.0.weight`.
#[derive(Default)]
struct Path(Vec<String>);

impl Path {
    fn enter(&mut self, name: &str) {
        self.0.push(name.to_owned());
    }

    fn exit(&mut self) {
        self.0.pop();
    }

    fn name(&self) -> String {
        self.0.join(".")
    }
}

/// Burn names the variants of enums too; the names of tensors go without.
fn is_named(container: &str) -> bool {
    !container.starts_with("Enum:")
}

#[derive(Default)]
struct Reader {
    path: Path,
    tensors: Vec<(String, TensorData)>,
}

impl ModuleVisitor for Reader {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.tensors.push((self.path.name(), param.val().into_data()));
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        if is_named(container) {
            self.path.enter(name);
        }
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        if is_named(container) {
            self.path.exit();
        }
    }
}

#[derive(Default)]
struct Shapes {
    path: Path,
    shapes: Vec<(String, Vec<usize>)>,
}

impl ModuleVisitor for Shapes {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.shapes
            .push((self.path.name(), param.shape().to_vec()));
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        if is_named(container) {
            self.path.enter(name);
        }
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        if is_named(container) {
            self.path.exit();
        }
    }
}

struct Writer<'a> {
    path: Path,
    given: &'a mut HashMap<String, TensorData>,
}

impl ModuleMapper for Writer<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.given.remove(&self.path.name()) {
            Some(data) => param.map(|tensor| {
                Tensor::from_data(data, (&tensor.device(), tensor.dtype()))
                    .set_require_grad(tensor.is_require_grad())
            }),
            None => param,
        }
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        if is_named(container) {
            self.path.enter(name);
        }
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        if is_named(container) {
            self.path.exit();
        }
    }
}
