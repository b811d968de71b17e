//! Standardised rows, which layer, instance and group normalisation share.

use burn::tensor::Tensor;
use burn::tensor::module::batch_norm_train;

/// Gives every row mean 0 and, but for `epsilon`, variance 1.
///
/// It calls Burn's batch normalisation with one sample whose channels are the rows. That is one operation with one
/// gradient, while the formula takes eight operations.
///
/// # Shapes
/// - `x` and the result: `[num_rows, num_columns]`
pub(super) fn standardize_rows(x: Tensor<2>, epsilon: f64) -> Tensor<2> {
    let [num_rows, num_columns] = x.dims();
    let options = (&x.device(), x.dtype());
    let gamma = Tensor::ones([num_rows], options);
    let beta = Tensor::zeros([num_rows], options);
    let x = x.reshape([1, num_rows, num_columns]);
    batch_norm_train(x, gamma, beta, epsilon)
        .output
        .reshape([num_rows, num_columns])
}
