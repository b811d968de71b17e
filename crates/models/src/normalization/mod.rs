//! Normalisations: what a config names, and the layers they become.

mod affine;
mod batch;
mod batched;
mod fused;
mod group;
mod instance;
mod layer;
mod rows;
mod standardized;

pub use batch::{BatchNorm, BatchStatistics};
pub(crate) use batched::BatchedNorm;
pub use group::GroupNorm;
pub use instance::InstanceNorm;
pub use layer::LayerNorm;
pub(crate) use standardized::Standardized;

use burn::module::Module;
use burn::optim::GradientsParams;
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
    /// The name it is written by, such as `batch`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Batch { .. } => "batch",
            Self::Layer { .. } => "layer",
            Self::Instance { .. } => "instance",
            Self::Group { .. } => "group",
        }
    }

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
        self.name()
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
    pub fn forward_train(&self, x: Tensor<2>, statistics: &mut Vec<BatchStatistics>) -> Tensor<2> {
        match self {
            Self::Batch(norm) => {
                let (y, batch) = norm.forward_train(x);
                statistics.push(batch);
                y
            }
            _ => self.forward(x),
        }
    }

    /// [`forward_train`](Self::forward_train), keeping what [`backward`](Self::backward) needs.
    ///
    /// # Shapes
    /// - `x` and the first result: `[batch, num_features]`
    pub(crate) fn forward_saving(
        &self,
        x: Tensor<2>,
        statistics: &mut Vec<BatchStatistics>,
    ) -> (Tensor<2>, Standardized) {
        match self {
            Self::Batch(norm) => {
                let (y, saved, batch) = norm.forward_saving(x);
                statistics.push(batch);
                (y, saved)
            }
            Self::Layer(norm) => norm.forward_saving(x),
            Self::Instance(norm) => norm.forward_saving(x),
            Self::Group(norm) => norm.forward_saving(x),
        }
    }

    /// The loss's gradient by the inputs; those of the parameters are added to `gradients`.
    ///
    /// # Shapes
    /// - `delta` and the result: `[batch, num_features]`
    pub(crate) fn backward(
        &self,
        saved: Standardized,
        delta: Tensor<2>,
        gradients: &mut GradientsParams,
    ) -> Tensor<2> {
        match self {
            Self::Batch(norm) => norm.backward(saved, delta, gradients),
            Self::Layer(norm) => norm.backward(saved, delta, gradients),
            Self::Instance(_) => saved.backward(delta),
            Self::Group(norm) => norm.backward(saved, delta, gradients),
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

#[cfg(test)]
mod tests {
    use burn::module::Param;
    use burn::tensor::{DType, Device};
    use emberlab_rng::stream;

    use super::*;
    use crate::golden::{assert_near, golden, wave_tensor};

    const PRECISIONS: [(DType, f64); 2] = [(DType::F64, 1e-12), (DType::F32, 1e-5)];

    fn scale_and_shift(device: &Device, dtype: DType) -> [Tensor<1>; 2] {
        let features = [6];
        [
            wave_tensor(3.0, features, device, dtype)
                .mul_scalar(0.5)
                .add_scalar(1.0),
            wave_tensor(4.0, features, device, dtype),
        ]
    }

    fn set(param: Param<Tensor<1>>, value: &Tensor<1>) -> Param<Tensor<1>> {
        param.map(|_| value.clone())
    }

    fn init(normalization: &Normalization, device: &Device, dtype: DType) -> Norm {
        let mut rng = stream(0, "init", &[]);
        let mut parameters = Parameters::new(&mut rng, device, dtype);
        normalization
            .init(6, &mut parameters)
            .expect("a normalization")
    }

    #[test]
    fn outputs_and_gradients_equal_pytorch() {
        let device = Device::flex().autodiff();
        for normalization in &Normalization::choices()[1..] {
            let expected = golden(normalization.name());
            for (dtype, tolerance) in PRECISIONS {
                let [gamma, beta] = scale_and_shift(&device, dtype).map(Tensor::require_grad);
                let norm = match init(normalization, &device, dtype) {
                    Norm::Batch(mut norm) => {
                        norm.gamma = set(norm.gamma, &gamma);
                        norm.beta = set(norm.beta, &beta);
                        Norm::Batch(norm)
                    }
                    Norm::Layer(mut norm) => {
                        norm.gamma = set(norm.gamma, &gamma);
                        norm.beta = set(norm.beta, &beta);
                        Norm::Layer(norm)
                    }
                    Norm::Group(mut norm) => {
                        norm.gamma = set(norm.gamma, &gamma);
                        norm.beta = set(norm.beta, &beta);
                        Norm::Group(norm)
                    }
                    Norm::Instance(norm) => Norm::Instance(norm),
                };
                let x = wave_tensor(1.0, [4, 6], &device, dtype)
                    .mul_scalar(2.0)
                    .require_grad();
                let outputs = norm.forward_train(x.clone(), &mut Vec::new());
                assert_near("outputs", outputs.clone(), &expected["outputs"], tolerance);
                let direction = wave_tensor(2.0, [4, 6], &device, dtype);
                let gradients = (outputs * direction).sum().backward();
                let gradient = x.grad(&gradients).expect("x is tracked");
                assert_near("gradient", gradient, &expected["gradient"], tolerance);
                if let Some(expected) = expected.get("gamma_gradient") {
                    let gradient = gamma.grad(&gradients).expect("gamma is tracked");
                    assert_near("gamma's gradient", gradient, expected, tolerance);
                }
                if let Some(expected) = expected.get("beta_gradient") {
                    let gradient = beta.grad(&gradients).expect("beta is tracked");
                    assert_near("beta's gradient", gradient, expected, tolerance);
                }
            }
        }
    }

    #[test]
    fn running_statistics_follow_pytorchs_convention() {
        let device = Device::flex();
        let expected = golden("batch");
        for (dtype, tolerance) in PRECISIONS {
            let [gamma, beta] = scale_and_shift(&device, dtype);
            let Norm::Batch(mut norm) = init(&Normalization::choices()[1], &device, dtype) else {
                panic!("batch norm comes first");
            };
            norm.gamma = set(norm.gamma, &gamma);
            norm.beta = set(norm.beta, &beta);
            let batches = [
                wave_tensor(0.0, [4, 6], &device, dtype),
                wave_tensor(1.0, [4, 6], &device, dtype).mul_scalar(2.0),
            ];
            for batch in &batches {
                let (_, statistics) = norm.forward_train(batch.clone());
                norm = norm.with_running_statistics(statistics);
            }
            assert_near(
                "mean",
                norm.running_mean.val(),
                &expected["running_mean"],
                tolerance,
            );
            assert_near(
                "variance",
                norm.running_var.val(),
                &expected["running_var"],
                tolerance,
            );
            let [_, batch] = batches;
            assert_near(
                "evaluated",
                norm.forward(batch),
                &expected["evaluated"],
                tolerance,
            );
        }
    }

    #[test]
    fn images_are_batch_normalised_per_channel() {
        let device = Device::flex();
        let expected = golden("batch_images");
        for (dtype, tolerance) in PRECISIONS {
            let mut rng = stream(0, "init", &[]);
            let mut parameters = Parameters::new(&mut rng, &device, dtype);
            let mut norm = BatchNorm::init(3, MOMENTUM, EPSILON, &mut parameters);
            norm.gamma = norm.gamma.map(|_| {
                wave_tensor(3.0, [3], &device, dtype)
                    .mul_scalar(0.5)
                    .add_scalar(1.0)
            });
            norm.beta = norm.beta.map(|_| wave_tensor(4.0, [3], &device, dtype));
            let shape = [2, 3, 2, 2];
            let (_, statistics) = norm.forward_train(wave_tensor(0.0, shape, &device, dtype));
            norm = norm.with_running_statistics(statistics);
            let x = wave_tensor(1.0, shape, &device, dtype).mul_scalar(2.0);
            let (outputs, statistics) = norm.forward_train(x.clone());
            assert_near("outputs", outputs, &expected["outputs"], tolerance);
            norm = norm.with_running_statistics(statistics);
            assert_near(
                "variance",
                norm.running_var.val(),
                &expected["running_var"],
                tolerance,
            );
            assert_near(
                "evaluated",
                norm.forward(x),
                &expected["evaluated"],
                tolerance,
            );
        }
    }

    #[test]
    fn a_batch_of_one_has_finite_statistics() {
        let device = Device::flex();
        let Norm::Batch(norm) = init(&Normalization::choices()[1], &device, DType::F32) else {
            panic!("batch norm comes first");
        };
        let (outputs, statistics) =
            norm.forward_train(wave_tensor(0.0, [1, 6], &device, DType::F32));
        assert_near("outputs", outputs, &[0.0; 6], 0.0);
        assert_near("variance", statistics.variance, &[0.0; 6], 0.0);
    }

    #[test]
    fn impossible_parameters_are_refused_with_their_key() {
        for (normalization, key, value) in [
            (
                Normalization::Group {
                    num_groups: 4,
                    epsilon: EPSILON,
                },
                "normalization.num_groups",
                "4",
            ),
            (
                Normalization::Group {
                    num_groups: 0,
                    epsilon: EPSILON,
                },
                "normalization.num_groups",
                "0",
            ),
            (
                Normalization::Batch {
                    momentum: 1.5,
                    epsilon: EPSILON,
                },
                "normalization.momentum",
                "1.5",
            ),
            (
                Normalization::Layer { epsilon: 0.0 },
                "normalization.epsilon",
                "0",
            ),
        ] {
            match normalization.validate("normalization", &[8, 6]) {
                Err(ModelError::Value {
                    key: got_key,
                    value: got_value,
                    ..
                }) => {
                    assert_eq!((got_key.as_str(), got_value.as_str()), (key, value));
                }
                other => panic!("{normalization:?}: {other:?}"),
            }
        }
        for normalization in Normalization::choices() {
            assert_eq!(normalization.validate("normalization", &[8, 6]), Ok(()));
        }
    }
}
