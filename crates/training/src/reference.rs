//! PyTorch's numbers for the tests of losses and optimisers: `tests-data/kernels.json`.
//!
//! They are compared in f32 on flex without autodiff, as most trainings compute; there the fused kernels run.
//!
//! `tests-data/kernels.py` makes the file, and says how to add a row.

use burn::tensor::{DType, Device, Tensor, TensorData};
use emberlab_kernels as kernels;
use serde::Deserialize;

use crate::{LossConfig, OptimizerConfig};

/// The content of `tests-data/kernels.json`.
#[derive(Deserialize)]
pub(crate) struct Table {
    pub losses: Vec<LossRow>,
    pub optimizers: Vec<OptimizerRow>,
}

#[derive(Deserialize)]
pub(crate) struct LossRow {
    pub loss: LossConfig,
    /// Whether it has a fused kernel.
    pub is_fused: bool,
    pub case: String,
    /// The shape of outputs and targets.
    pub shape: [usize; 2],
    pub outputs: Vec<Number>,
    pub targets: Vec<Number>,
    pub value: Number,
    /// None where Emberlab defines it otherwise than PyTorch: zero where a logarithm is bounded.
    pub gradient: Option<Vec<Number>>,
}

#[derive(Deserialize)]
pub(crate) struct OptimizerRow {
    pub optimizer: OptimizerConfig,
    /// Whether it has a fused kernel.
    pub is_fused: bool,
    pub case: String,
    /// The gradients of each step.
    pub gradients: Vec<[Number; 3]>,
    /// The parameters after each step. They start at 1, −2 and 0.5.
    pub after: Vec<[Number; 3]>,
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

pub(crate) fn values(numbers: &[Number]) -> Vec<f64> {
    numbers.iter().map(Number::value).collect()
}

pub(crate) fn table() -> Table {
    serde_json::from_str(include_str!("../tests-data/kernels.json")).expect("the table parses")
}

/// A tensor that fused kernels apply to.
pub(crate) fn tensor<const D: usize>(numbers: Vec<f64>, shape: [usize; D]) -> Tensor<D> {
    let data = TensorData::new(numbers, shape);
    let tensor = Tensor::from_data(data, (&Device::flex(), DType::F32));
    assert!(kernels::is_on_host(&tensor));
    tensor
}

pub(crate) fn numbers<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    tensor.to_data().iter::<f64>().collect()
}

/// Runs an operation, and fails unless it runs as a fused kernel, or by Burn's operations if `is_fused` is false.
pub(crate) fn run<T>(what: &str, is_fused: bool, operation: impl FnOnce() -> T) -> T {
    let (result, ran_fused) = kernels::ran_fused(operation);
    assert_eq!(ran_fused, is_fused, "whether a fused kernel ran: {what}");
    result
}

/// Whether a number is within a tolerance of the expected one, or the same infinity, or NaN as expected.
pub(crate) fn is_near(found: f64, expected: f64, tolerance: f64) -> bool {
    match expected.is_finite() {
        true => (found - expected).abs() <= tolerance,
        false => found == expected || found.is_nan() && expected.is_nan(),
    }
}
