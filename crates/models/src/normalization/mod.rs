//! Normalisations: what a config names, and the layers they become.

mod batch;
mod group;
mod instance;
mod layer;
mod rows;

pub use batch::{BatchNorm, BatchStatistics};
pub use group::GroupNorm;
pub use instance::InstanceNorm;
pub use layer::LayerNorm;

use burn::module::Module;
use burn::tensor::Tensor;

use crate::ModelError;
use crate::choice::{Choice, Parameter, ParameterValue, wire_choice};
use crate::parameters::Parameters;

/// PyTorch's epsilon for every normalisation.
const EPSILON: f64 = 1e-5;
/// PyTorch's momentum for batch normalisation.
const MOMENTUM: f64 = 0.1;

/// What a layer's outputs are normalised over, before the activation.
///
/// Written as a name, `"batch"`, or as a table, `{ name = "group", num_groups = 2, epsilon = 1e-5 }`.
#[derive(Debug, Clone, PartialEq)]
pub enum Normalization {
    /// Nothing.
    None,
    /// Each feature over the batch, then scaled and shifted; see [`BatchNorm`].
    Batch {
        /// Share of each new batch in the running statistics, in [0, 1]; 0.1 unless given.
        momentum: f64,
        /// Added to the variance, above zero; 1e-5 unless given.
        epsilon: f64,
    },
    /// Each sample over its features, then scaled and shifted; see [`LayerNorm`].
    Layer {
        /// Added to the variance, above zero; 1e-5 unless given.
        epsilon: f64,
    },
    /// Each sample over its features, with neither scale nor shift; see [`InstanceNorm`].
    Instance {
        /// Added to the variance, above zero; 1e-5 unless given.
        epsilon: f64,
    },
    /// Each sample over groups of its features, then scaled and shifted; see [`GroupNorm`].
    Group {
        /// Number of groups, a divisor of every normalised layer's size; 2 unless given.
        num_groups: usize,
        /// Added to the variance, above zero; 1e-5 unless given.
        epsilon: f64,
    },
}

impl Normalization {
    /// Checks the parameters for layers of these sizes; `key` is where it stands in the model's table.
    pub(crate) fn validate(&self, key: &str, sizes: &[usize]) -> Result<(), ModelError> {
        let epsilon = match self {
            Self::None => return Ok(()),
            Self::Batch { momentum, epsilon } => {
                if !(0.0..=1.0).contains(momentum) {
                    let key = format!("{key}.momentum");
                    return Err(ModelError::value(key, momentum, "a number in [0, 1]"));
                }
                epsilon
            }
            Self::Layer { epsilon } | Self::Instance { epsilon } => epsilon,
            Self::Group {
                num_groups,
                epsilon,
            } => {
                if let Some(size) = sizes
                    .iter()
                    .find(|size| *num_groups == 0 || *size % num_groups != 0)
                {
                    return Err(ModelError::value(
                        format!("{key}.num_groups"),
                        num_groups,
                        format!("a divisor of every hidden layer's size, such as {size}"),
                    ));
                }
                epsilon
            }
        };
        if !epsilon.is_finite() || *epsilon <= 0.0 {
            let key = format!("{key}.epsilon");
            return Err(ModelError::value(
                key,
                epsilon,
                "a finite number above zero",
            ));
        }
        Ok(())
    }

    /// The layer for this many features; none for [`None`](Self::None).
    pub(crate) fn init(&self, num_features: usize, parameters: &mut Parameters) -> Option<Norm> {
        match *self {
            Self::None => None,
            Self::Batch { momentum, epsilon } => Some(Norm::Batch(BatchNorm::init(
                num_features,
                momentum,
                epsilon,
                parameters,
            ))),
            Self::Layer { epsilon } => Some(Norm::Layer(LayerNorm::init(
                num_features,
                epsilon,
                parameters,
            ))),
            Self::Instance { epsilon } => Some(Norm::Instance(InstanceNorm { epsilon })),
            Self::Group {
                num_groups,
                epsilon,
            } => Some(Norm::Group(GroupNorm::init(
                num_features,
                num_groups,
                epsilon,
                parameters,
            ))),
        }
    }
}

impl Choice for Normalization {
    const WHAT: &'static str = "a normalization";

    fn choices() -> Vec<Self> {
        vec![
            Self::None,
            Self::Batch {
                momentum: MOMENTUM,
                epsilon: EPSILON,
            },
            Self::Layer { epsilon: EPSILON },
            Self::Instance { epsilon: EPSILON },
            Self::Group {
                num_groups: 2,
                epsilon: EPSILON,
            },
        ]
    }

    fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Batch { .. } => "batch",
            Self::Layer { .. } => "layer",
            Self::Instance { .. } => "instance",
            Self::Group { .. } => "group",
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        fn epsilon_of(value: &mut f64) -> Parameter<'_> {
            Parameter {
                key: "epsilon",
                help: "Added to the variance, above zero.",
                value: ParameterValue::Number(value),
            }
        }
        match self {
            Self::None => Vec::new(),
            Self::Batch { momentum, epsilon } => vec![
                Parameter {
                    key: "momentum",
                    help: "Share of each new batch in the running statistics, in [0, 1].",
                    value: ParameterValue::Number(momentum),
                },
                epsilon_of(epsilon),
            ],
            Self::Layer { epsilon } | Self::Instance { epsilon } => vec![epsilon_of(epsilon)],
            Self::Group {
                num_groups,
                epsilon,
            } => vec![
                Parameter {
                    key: "num_groups",
                    help: "Number of groups, a divisor of every normalised layer's size.",
                    value: ParameterValue::Count(num_groups),
                },
                epsilon_of(epsilon),
            ],
        }
    }
}

wire_choice!(
    Normalization,
    "What a layer's outputs are normalised over: a name, or a table of a name and parameters."
);

/// A normalisation layer over the features of an MLP.
#[derive(Module, Debug)]
pub enum Norm {
    /// Over the batch.
    Batch(BatchNorm),
    /// Over the features of each sample.
    Layer(LayerNorm),
    /// Over the features of each sample, without scale and shift.
    Instance(InstanceNorm),
    /// Over groups of features of each sample.
    Group(GroupNorm),
}

impl Norm {
    /// Normalises in evaluation mode: batch norm by its running statistics.
    ///
    /// # Shapes
    /// - `x` and the result: `[batch, num_features]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Batch(norm) => norm.forward(x),
            Self::Layer(norm) => norm.forward(x),
            Self::Instance(norm) => norm.forward(x),
            Self::Group(norm) => norm.forward(x),
        }
    }

    /// Normalises in training mode: batch norm by the batch's statistics, which it adds to the list.
    ///
    /// # Shapes
    /// - `x` and the result: `[batch, num_features]`
    pub fn forward_train(
        &self,
        x: Tensor<2>,
        statistics: &mut Vec<BatchStatistics>,
    ) -> Tensor<2> {
        match self {
            Self::Batch(norm) => {
                let (y, batch) = norm.forward_train(x);
                statistics.push(batch);
                y
            }
            _ => self.forward(x),
        }
    }

    /// The batch norm in it, if it is one.
    pub fn as_batch(&self) -> Option<&BatchNorm> {
        match self {
            Self::Batch(norm) => Some(norm),
            _ => None,
        }
    }
}
