//! Evaluates a loss, for the tests of losses.

use burn::tensor::{DType, Device, Tensor, TensorData};

use super::LossConfig;

/// Value and gradient of `loss` by autodiff, on flex in float64.
pub(super) fn evaluate(
    loss: &LossConfig,
    outputs: &[[f64; 2]],
    targets: &[[f64; 2]],
) -> (f64, Vec<f64>) {
    let device = Device::flex().autodiff();
    let from = |rows: &[[f64; 2]]| {
        let flat: Vec<f64> = rows.iter().flatten().copied().collect();
        TensorData::new(flat, [rows.len(), 2])
    };
    let outputs = Tensor::<2>::from_data(from(outputs), (&device, DType::F64)).require_grad();
    let targets = Tensor::<2>::from_data(from(targets), (&device, DType::F64));
    let value = loss.forward(outputs.clone(), targets);
    let gradients = value.backward();
    let gradient = outputs.grad(&gradients).expect("a gradient");
    let host = |data: TensorData| data.try_to_vec::<f64>().expect("f64");
    (host(value.into_data())[0], host(gradient.into_data()))
}

/// Panics unless both have the same numbers up to rounding.
#[track_caller]
pub(super) fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() < 1e-12, "{found:?} is not {expected:?}");
    }
}
