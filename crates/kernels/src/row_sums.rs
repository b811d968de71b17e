//! Sums over the rows of matrices.

use burn::tensor::Tensor;

use crate::host;

/// The sum of all rows of a matrix.
///
/// # Shapes
/// - `x`: `[num_rows, num_columns]`
/// - result: `[num_columns]`
pub fn sum_of_rows(x: &Tensor<2>) -> Tensor<1> {
    let [_, num_columns] = x.dims();
    host::sums_of_rows(x, [num_columns]).unwrap_or_else(|| x.clone().sum_dim(0).squeeze_dim(0))
}

/// The sum of the rows of each matrix of a batch.
///
/// # Shapes
/// - `x`: `[num_matrices, num_rows, num_columns]`
/// - result: `[num_matrices, 1, num_columns]`
pub fn batched_sum_of_rows(x: &Tensor<3>) -> Tensor<3> {
    let [num_matrices, _, num_columns] = x.dims();
    host::sums_of_rows(x, [num_matrices, 1, num_columns]).unwrap_or_else(|| x.clone().sum_dim(1))
}
