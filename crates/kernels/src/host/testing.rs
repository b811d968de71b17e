//! Tensors for tests.

use burn::tensor::{Device, Tensor, TensorData};

/// The numbers of a tensor, in the order of its dimensions.
pub(super) fn numbers<const D: usize>(x: &Tensor<D>) -> Vec<f32> {
    x.to_data().try_to_vec().expect("f32")
}

/// Small integers, whose products and sums are exact in any order.
pub(super) fn tensor<const D: usize>(shape: [usize; D], factor: usize) -> Tensor<D> {
    let numbers: Vec<f32> = (0..shape.iter().product())
        .map(|i| (i * factor % 7) as f32 - 3.0)
        .collect();
    Tensor::from_data(TensorData::new(numbers, shape), &Device::flex())
}
