//! PyTorch's numbers for the tests of activations, normalisations and layers: `tests-data/kernels.json`.
//!
//! They are compared twice. Tests called `kernel_tests` compute in f32 on flex without autodiff, as most trainings do;
//! there the host kernels run. Other tests compute with autodiff, also in f64; there Burn's operations run.
//!
//! `tests-data/kernels.py` makes the file, and says how to add a row.

use std::collections::BTreeMap;

use burn::module::{Param, ParamId};
use burn::tensor::{DType, Device, Tensor, TensorData};
use emberlab_kernels as kernels;
use emberlab_reference::host_tensor;
pub(crate) use emberlab_reference::{Number, is_near, run, values};
use serde::Deserialize;

use crate::Activation;

/// The content of `tests-data/kernels.json`.
#[derive(Deserialize)]
pub(crate) struct Table {
    pub activations: Vec<ActivationRow>,
    /// By name.
    pub normalizations: BTreeMap<String, NormalizationRow>,
    pub dense: BTreeMap<String, Case>,
    pub max_pool: BTreeMap<String, Case>,
    pub convolution: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
pub(crate) struct ActivationRow {
    pub activation: Activation,
    /// Whether it has a host kernel.
    pub is_fused: bool,
    #[serde(flatten)]
    pub case: Case,
}

#[derive(Deserialize)]
pub(crate) struct NormalizationRow {
    /// Whether it has a host kernel.
    pub is_fused: bool,
    pub cases: BTreeMap<String, Case>,
}

/// The inputs and outputs of a function, and the gradients of a loss.
#[derive(Deserialize)]
pub(crate) struct Case {
    /// The shape of the inputs.
    pub shape: Vec<usize>,
    pub inputs: Vec<Number>,
    /// The loss's gradient by the outputs.
    pub delta: Vec<Number>,
    pub outputs: Vec<Number>,
    /// The loss's gradient by the inputs.
    pub gradient: Vec<Number>,
    pub gamma_gradient: Option<Vec<Number>>,
    pub beta_gradient: Option<Vec<Number>>,
    pub weight_gradient: Option<Vec<Number>>,
    pub bias_gradient: Option<Vec<Number>>,
    pub running_mean: Option<Vec<Number>>,
    pub running_var: Option<Vec<Number>>,
    /// The outputs in evaluation mode, where they differ from those in training.
    pub evaluated: Option<Vec<Number>>,
}

pub(crate) fn table() -> Table {
    serde_json::from_str(include_str!("../tests-data/kernels.json")).expect("the table parses")
}

/// A tensor on any device.
pub(crate) fn tensor_on<const D: usize>(
    numbers: &[Number],
    shape: [usize; D],
    options: (&Device, DType),
) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values(numbers), shape), options)
}

/// A tensor that host kernels apply to.
pub(crate) fn tensor<const D: usize>(numbers: &[Number], shape: [usize; D]) -> Tensor<D> {
    host_tensor(values(numbers), shape)
}

/// A parameter that host kernels apply to.
pub(crate) fn param<const D: usize>(id: u64, value: Tensor<D>) -> Param<Tensor<D>> {
    assert!(kernels::is_on_host(&value));
    Param::initialized(ParamId::from(id), value)
}

/// The largest distance of a number from the expected one.
#[derive(Clone, Copy)]
pub(crate) enum Tolerance {
    /// Relative to the expected number, if that is above 1.
    Each(f64),
    /// Relative to the largest expected number: sums lose the digits of small numbers beside large ones.
    Largest(f64),
}

/// For sums of a few numbers in f32, which has 7 digits.
pub(crate) const SUMMED: Tolerance = Tolerance::Largest(2e-6);

/// Fails unless each number of a tensor is near the expected one, and NaN and infinity stand where they are expected
/// and nowhere else.
pub(crate) fn assert_equal<const D: usize>(
    what: &str,
    found: &Tensor<D>,
    expected: &[Number],
    tolerance: Tolerance,
) {
    let found: Vec<f64> = found.to_data().iter::<f64>().collect();
    let expected = values(expected);
    assert_eq!(found.len(), expected.len(), "{what}");
    let finite = expected.iter().filter(|x| x.is_finite());
    let largest = finite.fold(1_f64, |max, x| max.max(x.abs()));
    for (i, (&found, &expected)) in found.iter().zip(&expected).enumerate() {
        let tolerance = match tolerance {
            Tolerance::Each(relative) => relative * expected.abs().max(1.0),
            Tolerance::Largest(relative) => relative * largest,
        };
        assert!(
            is_near(found, expected, tolerance),
            "{what}[{i}] is {found}, expected {expected}"
        );
    }
}

/// The shape of a matrix.
pub(crate) fn matrix(shape: &[usize]) -> [usize; 2] {
    shape.try_into().expect("rows and columns")
}
