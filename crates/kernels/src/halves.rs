//! The larger half of each row: max-pooling compares neighbours this way.

use burn::tensor::{Bool, Tensor};

use crate::host;

/// For each place of the two halves of a row, the larger number, and whether it stands in the second half.
///
/// Of two equal numbers the first half's is taken. If one of the two is NaN, so is the larger number.
///
/// # Shapes
/// - `x`: `[num_rows, 2 * half]`
/// - both results: `[num_rows, half]`
pub fn larger_half(x: Tensor<2>) -> (Tensor<2>, Tensor<2, Bool>) {
    host::larger_half(x).unwrap_or_else(|x| {
        let [_, width] = x.dims();
        let first = x.clone().slice_dim(1, 0..width / 2);
        let second = x.slice_dim(1, width / 2..width);
        let is_second = first.clone().lower(second.clone());
        let is_second = is_second.bool_or(second.clone().is_nan());
        (first.mask_where(is_second.clone(), second), is_second)
    })
}
