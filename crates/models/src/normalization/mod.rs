//! Normalisations: what a configuration names, and the layers they become.
//!
//! Each has a file of its own with its configuration and its layer. To add one, write its file and add its rows to
//! the table below and to [`Norm`]. Tests then ask for PyTorch's numbers in `tests-data/kernels.json`.

mod batch;
mod batched;
mod group;
mod instance;
#[cfg(test)]
mod kernel_tests;
mod layer;
mod none;
mod norm;
mod rows;
mod scale_and_shift;

use burn::tensor::{DType, Device};
use emberlab_menu::{Problem, menu};
use emberlab_rng::stream;

pub use batch::{BatchNorm, BatchNormConfig, BatchStatistics};
pub(crate) use batched::BatchedNorm;
pub use group::{GroupNorm, GroupNormConfig};
pub use instance::{InstanceNorm, InstanceNormConfig};
pub use layer::{LayerNorm, LayerNormConfig};
pub use none::NoNormalization;
pub use norm::Norm;
use norm::{NormLayer, NormParameters, Over};

use crate::parameters::Parameters;

/// PyTorch's epsilon for every normalisation.
const EPSILON: f64 = 1e-5;

menu! {
    /// The normalisation of a layer's outputs: its name, or a table of its name and parameters.
    pub enum Normalization("a normalisation"), written as a name or a table, dispatched by with_normalization!($) {
        "none" => None(NoNormalization),
        "batch" => Batch(BatchNormConfig),
        "layer" => Layer(LayerNormConfig),
        "instance" => Instance(InstanceNormConfig),
        "group" => Group(GroupNormConfig),
    }
}

/// Everything that makes an entry of the table above.
trait NormalizationKind {
    /// See [`Normalization::validate`].
    fn validate(&self, key: &str, sizes: &[usize]) -> Result<(), Problem>;

    /// See [`Normalization::fits_images`].
    fn fits_images(&self) -> bool;

    /// The number of values of each sample that are normalised together in a layer of this size, if it is not the rows of a
    /// batch that are.
    fn values_together(&self, _size: usize) -> Option<usize> {
        None
    }

    /// See [`Normalization::compares_rows`].
    fn compares_rows(&self) -> bool {
        false
    }

    /// See [`Normalization::init`].
    fn init(&self, num_features: usize, parameters: &mut Parameters) -> Option<Norm>;

    /// The layer with these parameters. `None` if there is no layer, or if it lacks a parameter.
    fn layer(&self, parameters: NormParameters) -> Option<Norm>;
}

impl Normalization {
    /// Checks the parameters for layers of these sizes. `key` is the normalisation's key in the model's table.
    pub(crate) fn validate(&self, key: &str, sizes: &[usize]) -> Result<(), Problem> {
        with_normalization!(self, kind => kind.validate(key, sizes))
    }

    /// Whether it normalises each value of a layer of this size by itself, so that each becomes 0.
    pub(crate) fn is_of_single_values(&self, size: usize) -> bool {
        with_normalization!(self, kind => kind.values_together(size)) == Some(1)
    }

    /// Whether there is no normalisation.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None(_))
    }

    /// Whether a convolutional network can have it.
    pub(crate) fn fits_images(&self) -> bool {
        with_normalization!(self, kind => kind.fits_images())
    }

    /// Whether mean and deviation are computed over the rows of a batch.
    pub(crate) fn compares_rows(&self) -> bool {
        with_normalization!(self, kind => kind.compares_rows())
    }

    /// The layer for this many features on a device, as it starts. `None` for no normalisation.
    pub fn layer_on(&self, num_features: usize, device: &Device, dtype: DType) -> Option<Norm> {
        // A normalisation starts with constants and draws nothing.
        let mut rng = stream(0, "init", &[]);
        self.init(num_features, &mut Parameters::new(&mut rng, device, dtype))
    }

    /// The layer for this many features. `None` for no normalisation.
    pub(crate) fn init(&self, num_features: usize, parameters: &mut Parameters) -> Option<Norm> {
        with_normalization!(self, kind => NormalizationKind::init(kind, num_features, parameters))
    }

    /// The layer with these parameters. `None` if there is no layer, or if it lacks a parameter.
    pub(crate) fn layer(&self, parameters: NormParameters) -> Option<Norm> {
        with_normalization!(self, kind => kind.layer(parameters))
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Param;
    use burn::tensor::Tensor;
    use emberlab_menu::Menu as _;

    use super::*;
    use crate::golden::{assert_near, golden, wave_tensor};
    use crate::reference::{Tolerance, assert_equal, matrix, table, tensor_on};

    const PRECISIONS: [(DType, f64); 2] = [(DType::F64, 1e-12), (DType::F32, 1e-5)];

    /// The scale and shift of `tests-data/kernels.py`, which f32 holds exactly.
    pub(super) fn scale_and_shift(device: &Device, dtype: DType) -> [Tensor<1>; 2] {
        let wave = |phase| wave_tensor(phase, [6], device, DType::F32);
        let gamma: Tensor<1> = wave(3.0).cast(dtype).mul_scalar(0.5).add_scalar(1.0);
        [gamma, wave(4.0).cast(dtype)]
    }

    fn set(param: Param<Tensor<1>>, value: &Tensor<1>) -> Param<Tensor<1>> {
        param.map(|_| value.clone())
    }

    /// A layer of six features with this scale and shift. `None` for no normalisation.
    pub(super) fn layer(
        normalization: &Normalization,
        gamma: &Tensor<1>,
        beta: &Tensor<1>,
    ) -> Option<Norm> {
        let mut rng = stream(0, "init", &[]);
        let device = gamma.device();
        let mut parameters = Parameters::new(&mut rng, &device, gamma.dtype());
        let parameters = normalization.init(6, &mut parameters)?.parameters();
        let scale_and_shift = parameters
            .scale_and_shift
            .map(|(scale, shift)| (set(scale, gamma), set(shift, beta)));
        normalization.layer(NormParameters {
            scale_and_shift,
            ..parameters
        })
    }

    fn batch_norm(num_features: usize, device: &Device, dtype: DType) -> BatchNorm {
        let mut rng = stream(0, "init", &[]);
        let mut parameters = Parameters::new(&mut rng, device, dtype);
        BatchNormConfig::default().init(num_features, &mut parameters)
    }

    #[test]
    fn outputs_and_gradients_equal_pytorch() {
        let device = Device::flex().autodiff();
        let table = table();
        for normalization in Normalization::examples() {
            for (dtype, tolerance) in PRECISIONS {
                let tolerance = Tolerance::Largest(tolerance);
                let options = (&device, dtype);
                let [gamma, beta] = scale_and_shift(&device, dtype).map(Tensor::require_grad);
                let Some(norm) = layer(&normalization, &gamma, &beta) else {
                    assert!(normalization.is_none());
                    continue;
                };
                let case = &table.normalizations[normalization.name()].cases["ordinary"];
                let shape = matrix(&case.shape);
                let x = tensor_on(&case.inputs, shape, options).require_grad();
                let outputs = norm.forward_train(x.clone(), &mut Vec::new());
                assert_equal("outputs", &outputs, &case.outputs, tolerance);
                let delta = tensor_on(&case.delta, shape, options);
                let gradients = (outputs * delta).sum().backward();
                let gradient = x.grad(&gradients).expect("x is tracked");
                assert_equal("gradient", &gradient, &case.gradient, tolerance);
                for (param, expected) in
                    [(&gamma, &case.gamma_gradient), (&beta, &case.beta_gradient)]
                {
                    if let Some(expected) = expected {
                        let gradient = param.grad(&gradients).expect("it is tracked");
                        assert_equal("scale and shift", &gradient, expected, tolerance);
                    }
                }
            }
        }
    }

    #[test]
    fn running_statistics_follow_pytorchs_convention() {
        let device = Device::flex();
        let expected = golden("batch");
        for (dtype, tolerance) in PRECISIONS {
            let gamma = wave_tensor(3.0, [6], &device, dtype).mul_scalar(0.5);
            let (gamma, beta) = (gamma.add_scalar(1.0), wave_tensor(4.0, [6], &device, dtype));
            let mut norm = batch_norm(6, &device, dtype);
            norm.gamma = set(norm.gamma, &gamma);
            norm.beta = set(norm.beta, &beta);
            let batches = [
                wave_tensor(0.0, [4, 6], &device, dtype),
                wave_tensor(1.0, [4, 6], &device, dtype).mul_scalar(2.0),
            ];
            for batch in &batches {
                let (_, statistics) = norm.forward_train(batch.clone());
                norm = norm.with_running_statistics(statistics, None);
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
            let mut norm = batch_norm(3, &device, dtype);
            norm.gamma = norm.gamma.map(|_| {
                wave_tensor(3.0, [3], &device, dtype)
                    .mul_scalar(0.5)
                    .add_scalar(1.0)
            });
            norm.beta = norm.beta.map(|_| wave_tensor(4.0, [3], &device, dtype));
            let shape = [2, 3, 2, 2];
            let (_, statistics) = norm.forward_train(wave_tensor(0.0, shape, &device, dtype));
            norm = norm.with_running_statistics(statistics, None);
            let x = wave_tensor(1.0, shape, &device, dtype).mul_scalar(2.0);
            let (outputs, statistics) = norm.forward_train(x.clone());
            assert_near("outputs", outputs, &expected["outputs"], tolerance);
            norm = norm.with_running_statistics(statistics, None);
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
    fn a_tiny_batch_has_finite_statistics() {
        let device = Device::flex();
        let norm = batch_norm(6, &device, DType::F32);
        let (outputs, statistics) =
            norm.forward_train(wave_tensor(0.0, [1, 6], &device, DType::F32));
        assert_near("outputs", outputs, &[0.0; 6], 0.0);
        assert_near("variance", statistics.variance, &[0.0; 6], 0.0);
    }

    #[test]
    fn impossible_parameters_are_refused_with_their_key() {
        let group = |num_groups| GroupNormConfig {
            num_groups,
            epsilon: EPSILON,
        };
        for (normalization, key, value) in [
            (
                Normalization::from(group(4)),
                "normalization.num_groups",
                "4",
            ),
            (group(0).into(), "normalization.num_groups", "0"),
            (
                BatchNormConfig {
                    momentum: 1.5,
                    epsilon: EPSILON,
                }
                .into(),
                "normalization.momentum",
                "1.5",
            ),
            (
                LayerNormConfig { epsilon: 0.0 }.into(),
                "normalization.epsilon",
                "0",
            ),
        ] {
            let problem = normalization
                .validate("normalization", &[8, 6])
                .expect_err(key);
            assert_eq!((problem.key.as_str(), problem.value.as_str()), (key, value));
        }
        for normalization in Normalization::examples() {
            assert_eq!(normalization.validate("normalization", &[8, 6]), Ok(()));
        }
    }

    #[test]
    fn a_normalisation_of_single_values_is_told_from_one_of_several() {
        let group = |num_groups| {
            Normalization::from(GroupNormConfig {
                num_groups,
                epsilon: EPSILON,
            })
        };
        let layer = Normalization::from(LayerNormConfig { epsilon: EPSILON });
        let instance = Normalization::from(InstanceNormConfig { epsilon: EPSILON });
        let batch = Normalization::from(BatchNormConfig::default());
        for (normalization, size, expected) in [
            (group(10), 10, true),
            (group(5), 10, false),
            (layer.clone(), 1, true),
            (layer, 2, false),
            (instance, 1, true),
            (batch, 1, false),
        ] {
            let found = normalization.is_of_single_values(size);
            assert_eq!(found, expected, "{normalization:?}, {size}");
        }
    }

    #[test]
    fn the_number_of_groups_that_is_proposed_leaves_several_values_in_each() {
        let group = Normalization::from(GroupNormConfig {
            num_groups: 3,
            epsilon: EPSILON,
        });
        let problem = group
            .validate("normalization", &[10])
            .expect_err("no divisor");
        let said = problem.to_string();
        assert!(
            said.ends_with("every hidden layer's size, such as 5"),
            "{said}"
        );
    }
}
