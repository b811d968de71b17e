//! Sums over the rows of matrices.

use burn::tensor::Tensor;

use crate::host;

/// From this number of rows on, devices other than the processor add them in two steps.
const MANY_ROWS: usize = 1024;

/// The sum of all rows of a matrix.
///
/// # Shapes
/// - `x`: `[num_rows, num_columns]`
/// - result: `[num_columns]`
pub fn sum_of_rows(x: &Tensor<2>) -> Tensor<1> {
    let [_, num_columns] = x.dims();
    host::sums_of_rows(x, [num_columns]).unwrap_or_else(|| sum_along(x.clone(), 0).squeeze_dim(0))
}

/// The sum of the rows of each matrix of a batch.
///
/// # Shapes
/// - `x`: `[num_matrices, num_rows, num_columns]`
/// - result: `[num_matrices, 1, num_columns]`
pub fn batched_sum_of_rows(x: &Tensor<3>) -> Tensor<3> {
    let [num_matrices, _, num_columns] = x.dims();
    host::sums_of_rows(x, [num_matrices, 1, num_columns]).unwrap_or_else(|| sum_along(x.clone(), 1))
}

/// The sum along a dimension, which has size 1 afterwards.
///
/// Without its autotuning, Burn lets a GPU add each column of a matrix by one thread. The pixels of a batch of images
/// are tens of thousands of rows of a few columns, so those are added in two steps: first many short parts of each
/// column.
pub(crate) fn sum_along<const D: usize>(x: Tensor<D>, dim: usize) -> Tensor<D> {
    match num_parts(&x, dim) {
        1 => x.sum_dim(dim),
        num_parts => sum_in_parts(x, num_parts),
    }
}

/// The mean along a dimension, which has size 1 afterwards; computed like [`sum_along`].
pub(crate) fn mean_along<const D: usize>(x: Tensor<D>, dim: usize) -> Tensor<D> {
    match num_parts(&x, dim) {
        1 => x.mean_dim(dim),
        num_parts => {
            let num_rows = x.dims()[dim];
            sum_in_parts(x, num_parts).div_scalar(num_rows as f64)
        }
    }
}

/// The number of parts that a sum along a dimension is added from: about as many parts as each has rows, or one part.
fn num_parts<const D: usize>(x: &Tensor<D>, dim: usize) -> usize {
    let num_rows = x.dims()[dim];
    if dim + 2 != D || num_rows < MANY_ROWS || host::is_processor(&x.device()) {
        return 1;
    }
    let mut sizes = (1..=num_rows.isqrt()).rev();
    sizes
        .find(|size| num_rows.is_multiple_of(*size))
        .unwrap_or(1)
}

/// The sums of the columns of matrices, from those of `num_parts` parts, each of which takes every `num_parts`th row.
fn sum_in_parts<const D: usize>(x: Tensor<D>, num_parts: usize) -> Tensor<D> {
    let mut shape = x.dims();
    let [rows, columns] = [D - 2, D - 1];
    shape[rows] /= num_parts;
    shape[columns] *= num_parts;
    let parts = x.reshape(shape).sum_dim(rows);
    shape[rows] = num_parts;
    shape[columns] /= num_parts;
    parts.reshape(shape).sum_dim(rows)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn the_sum_of_parts_is_the_sum_of_all_rows() {
        let numbers = Tensor::arange(0..2 * 12 * 5, &Device::flex()).float();
        let matrices: Tensor<3> = numbers.reshape([2, 12, 5]);
        let expected = matrices.clone().sum_dim(1).into_data();
        for num_parts in [1, 3, 12] {
            assert_eq!(
                sum_in_parts(matrices.clone(), num_parts).into_data(),
                expected
            );
        }
    }
}
