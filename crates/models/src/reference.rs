//! PyTorch's numbers for the tests of activations, normalizations and layers: `tests-data/kernels.json`.
//!
//! They are compared twice. Tests called `kernel_tests` compute f32 on flex without autodiff, as most trainings do; there
//! the fused kernels run. Other tests compute with autodiff, also in f64; there Burn's operations run.
//!
//! `tests-data/kernels.py` makes the file, and says how to add a row.

use std::collections::BTreeMap;

use burn::module::{Param, ParamId};
use burn::tensor::{DType, Device, Tensor, TensorData};
use emberlab_kernels as kernels;
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
    /// Whether it has a fused kernel.
    pub is_fused: bool,
    #[serde(flatten)]
    pub case: Case,
}

#[derive(Deserialize)]
pub(crate) struct NormalizationRow {
    /// Whether it has a fused kernel.
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

/// A number. JSON has no NaN and no infinity; they are written as text.
#[derive(Deserialize, Clone)]
#[serde(untagged)]
pub(crate) enum Number {
    Finite(f64),
    Text(String),
}

impl Number {
    pub(crate) fn value(&self) -> f64 {
        match self {
            Self::Finite(value) => *value,
            Self::Text(text) => text.parse().expect("nan, inf or -inf"),
        }
    }
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
    let values: Vec<f64> = numbers.iter().map(Number::value).collect();
    Tensor::from_data(TensorData::new(values, shape), options)
}

/// A tensor that fused kernels apply to.
pub(crate) fn tensor<const D: usize>(numbers: &[Number], shape: [usize; D]) -> Tensor<D> {
    let tensor = tensor_on(numbers, shape, (&Device::flex(), DType::F32));
    assert!(kernels::is_on_host(&tensor));
    tensor
}

/// A parameter that fused kernels apply to.
pub(crate) fn param<const D: usize>(id: u64, value: Tensor<D>) -> Param<Tensor<D>> {
    assert!(kernels::is_on_host(&value));
    Param::initialized(ParamId::from(id), value)
}

/// Runs an operation, and fails unless it runs as a fused kernel, or by Burn's operations if `is_fused` is false.
pub(crate) fn run<T>(what: &str, is_fused: bool, operation: impl FnOnce() -> T) -> T {
    let (result, ran_fused) = kernels::ran_fused(operation);
    assert_eq!(ran_fused, is_fused, "whether a fused kernel ran: {what}");
    result
}

/// How far a number may be from the expected one.
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
    let expected: Vec<f64> = expected.iter().map(Number::value).collect();
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

/// Whether a number is within a tolerance of the expected one, or the same infinity, or NaN as expected.
pub(crate) fn is_near(found: f64, expected: f64, tolerance: f64) -> bool {
    match expected.is_finite() {
        true => (found - expected).abs() <= tolerance,
        false => found == expected || found.is_nan() && expected.is_nan(),
    }
}

/// The shape of a matrix.
pub(crate) fn matrix(shape: &[usize]) -> [usize; 2] {
    shape.try_into().expect("rows and columns")
}
