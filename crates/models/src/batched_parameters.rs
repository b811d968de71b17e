//! Joins the parameters of several replicas into one tensor, and takes one replica's out again.

use burn::module::Param;
use burn::tensor::{Int, Tensor};

/// The same parameter of each replica, joined into one tensor. It has the id of the first.
///
/// # Shapes
/// - each part: `[d_input, d_output]` or `[num_features]`
/// - result: `[num_replicas, d_input, d_output]` or `[num_replicas, 1, num_features]`
pub(crate) fn stacked<const D: usize>(parts: &[&Param<Tensor<D>>]) -> Param<Tensor<3>> {
    let first = parts[0];
    let columns = first.dims()[D - 1];
    let rows = first.shape().num_elements() / columns.max(1);
    let flat = parts.iter().map(|part| part.val().flatten::<1>(0, D - 1));
    let all = Tensor::cat(flat.collect(), 0).reshape([parts.len(), rows, columns]);
    Param::initialized(first.id, all)
}

/// A copy of the parameter of one replica.
///
/// # Shapes
/// - index: `[1]`
/// - result: `[d_input, d_output]` or `[num_features]`
pub(crate) fn replica<const D: usize>(
    param: &Param<Tensor<3>>,
    index: &Tensor<1, Int>,
) -> Param<Tensor<D>> {
    let part = param.val().select(0, index.clone());
    let dims = part.dims();
    let shape: [usize; D] = std::array::from_fn(|i| dims[3 - D + i]);
    Param::initialized(param.id, part.reshape(shape))
}
