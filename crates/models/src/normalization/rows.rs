//! Standardises rows: the part that layer, instance and group normalisation share.

use burn::tensor::Tensor;
use burn::tensor::module::batch_norm_train;

/// Gives every row mean 0 and, but for `epsilon`, variance 1.
///
/// It is batch normalisation of one sample whose channels are the rows: one operation with one gradient,
/// where the formula written out takes eight.
///
/// # Shapes
/// - `x` and the result: `[num_rows, num_columns]`
pub(super) fn standardize(x: Tensor<2>, epsilon: f64) -> Tensor<2> {
    let [num_rows, num_columns] = x.dims();
    let options = (&x.device(), x.dtype());
    let gamma = Tensor::ones([num_rows], options);
    let beta = Tensor::zeros([num_rows], options);
    let x = x.reshape([1, num_rows, num_columns]);
    batch_norm_train(x, gamma, beta, epsilon)
        .output
        .reshape([num_rows, num_columns])
}
