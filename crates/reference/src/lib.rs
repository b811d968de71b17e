//! For tests: numbers of PyTorch as JSON, and whether a host kernel meets them.
//!
//! The tables are in `tests-data/kernels.json` of `models` and `training`. Only tests use this crate.

use burn::tensor::{DType, Device, Tensor, TensorData};
use emberlab_kernels as kernels;
use serde::Deserialize;

/// A number. JSON has no NaN and no infinity; they are written as text.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Number {
    /// An ordinary number.
    Finite(f64),
    /// `nan`, `inf` or `-inf`.
    Text(String),
}

impl Number {
    /// The number.
    ///
    /// # Panics
    /// If the text is none of the three.
    pub fn value(&self) -> f64 {
        match self {
            Self::Finite(value) => *value,
            Self::Text(text) => text.parse().expect("nan, inf or -inf"),
        }
    }
}

/// Numbers as floats.
pub fn values(numbers: &[Number]) -> Vec<f64> {
    numbers.iter().map(Number::value).collect()
}

/// A tensor that host kernels apply to: f32 on flex, without autodiff.
///
/// # Panics
/// If host kernels do not apply to such tensors.
pub fn host_tensor<const D: usize>(values: Vec<f64>, shape: [usize; D]) -> Tensor<D> {
    let data = TensorData::new(values, shape);
    let tensor = Tensor::from_data(data, (&Device::flex(), DType::F32));
    assert!(kernels::is_on_host(&tensor));
    tensor
}

/// Runs an operation.
///
/// # Panics
/// Unless it runs as a host kernel, or by Burn's operations if `is_fused` is false.
pub fn run<T>(what: &str, is_fused: bool, operation: impl FnOnce() -> T) -> T {
    let (result, ran_fused) = kernels::ran_fused(operation);
    assert_eq!(ran_fused, is_fused, "whether a fused kernel ran: {what}");
    result
}

/// Whether a number is within a tolerance of the expected one, or the same infinity, or NaN as expected.
pub fn is_near(found: f64, expected: f64, tolerance: f64) -> bool {
    match expected.is_finite() {
        true => (found - expected).abs() <= tolerance,
        false => found == expected || found.is_nan() && expected.is_nan(),
    }
}
