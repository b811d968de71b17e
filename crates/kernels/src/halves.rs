//! The larger half of each row, and numbers put back into their halves: the two passes of max-pooling.

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

/// Puts each number into the half that it came from, and zero into the other: the gradient of [`larger_half`].
///
/// # Shapes
/// - `x`, `is_second`: `[num_rows, half]`
/// - result: `[num_rows, 2 * half]`
pub fn to_halves(x: Tensor<2>, is_second: Tensor<2, Bool>) -> Tensor<2> {
    host::to_halves(x, is_second).unwrap_or_else(|(x, is_second)| {
        let first = x.clone().mask_fill(is_second.clone(), 0.0);
        let second = x.mask_fill(is_second.bool_not(), 0.0);
        Tensor::cat(vec![first, second], 1)
    })
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device};

    use super::*;

    #[test]
    fn numbers_return_to_the_halves_they_came_from() {
        let rows = [
            [1.0, 5.0, 3.0, 2.0, 5.0, f64::NAN],
            [0.0, -1.0, 7.0, -2.0, 4.0, 6.0],
        ];
        for dtype in [DType::F32, DType::F64] {
            let x = Tensor::<2>::from_data(rows, (&Device::flex(), dtype));
            let (larger, is_second) = larger_half(x);
            assert_eq!(larger.dims(), [2, 3]);
            let delta =
                Tensor::from_data([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], (&Device::flex(), dtype));
            let found = to_halves(delta, is_second).into_data();
            let expected = [0.0, 2.0, 0.0, 1.0, 0.0, 3.0, 4.0, 0.0, 6.0, 0.0, 5.0, 0.0];
            assert_eq!(found.iter::<f64>().collect::<Vec<_>>(), expected);
        }
    }
}
