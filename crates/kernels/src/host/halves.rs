//! [`crate::larger_half`] on the host.

use burn::tensor::{Bool, Tensor, TensorData};

use super::{Numbers, is_on_host};

/// [`crate::larger_half`].
///
/// # Errors
/// `x`, unless it is on the host.
pub(crate) fn larger_half(x: Tensor<2>) -> Result<(Tensor<2>, Tensor<2, Bool>), Tensor<2>> {
    if !is_on_host(&x) {
        return Err(x);
    }
    let [num_rows, width] = x.dims();
    let (device, half) = (x.device(), width / 2);
    let x = Numbers::take(x);
    let mut larger = Vec::with_capacity(num_rows * half);
    let mut is_second = Vec::with_capacity(num_rows * half);
    for row in x.as_slice().chunks(width.max(1)) {
        let (first, second) = row.split_at(half);
        let both = || first.iter().zip(second);
        let takes_second = |a: f32, b: f32| a < b || b.is_nan();
        larger.extend(both().map(|(&a, &b)| if takes_second(a, b) { b } else { a }));
        is_second.extend(both().map(|(&a, &b)| takes_second(a, b)));
    }
    let shape = [num_rows, half];
    let is_second = TensorData::new(is_second, shape);
    let larger = Numbers::new(larger, shape).into_tensor();
    Ok((larger, Tensor::from_data(is_second, &device)))
}
