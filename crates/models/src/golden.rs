//! PyTorch's numbers for the tests of layers and networks, and the inputs that PyTorch had.

use std::collections::HashMap;

use burn::tensor::{DType, Device, Tensor, TensorData};

/// PyTorch's numbers for one layer or network, by name; made by `tests-data/layers.py`.
pub(crate) fn golden(layer: &str) -> HashMap<String, Vec<f64>> {
    let mut table: HashMap<String, HashMap<String, Vec<f64>>> =
        serde_json::from_str(include_str!("../tests-data/layers.json")).expect("the table parses");
    table.remove(layer).expect("a layer of the table")
}

/// `sin(phase + 0.7 k)` for the k-th number, as in `tests-data/layers.py`.
pub(crate) fn wave(phase: f64, length: usize) -> Vec<f64> {
    (0..length)
        .map(|k| (phase + 0.7 * k as f64).sin())
        .collect()
}

/// A tensor of the numbers of [`wave`].
pub(crate) fn wave_tensor<const D: usize>(
    phase: f64,
    shape: [usize; D],
    device: &Device,
    dtype: DType,
) -> Tensor<D> {
    let data = TensorData::new(wave(phase, shape.iter().product()), shape);
    Tensor::from_data(data, (device, dtype))
}

/// Fails unless a tensor has the expected numbers. The tolerance is relative to the largest of them.
pub(crate) fn assert_near<const D: usize>(
    what: &str,
    tensor: Tensor<D>,
    expected: &[f64],
    tolerance: f64,
) {
    let numbers: Vec<f64> = tensor.into_data().iter::<f64>().collect();
    assert_eq!(numbers.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(1_f64, |max, x| max.max(x.abs()));
    for (i, (number, expected)) in numbers.iter().zip(expected).enumerate() {
        assert!(
            (number - expected).abs() <= tolerance * largest,
            "{what}[{i}] is {number}, expected {expected}"
        );
    }
}
