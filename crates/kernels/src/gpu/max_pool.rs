//! [`crate::max_pool`] and its backward pass on a GPU.

use burn::tensor::Tensor;
use emberlab_fused::gpu::operations;

use super::memory::{argument, empty, is_on_gpu, rows, tensor};

/// The largest of each square of two by two pixels, or NaN if there is one. An odd last row or column is left out.
///
/// # Shapes
/// - size: `[batch, height, width]`
/// - x: `[batch * height * width, channels]`
/// - result: `[batch * (height / 2) * (width / 2), channels]`
///
/// # Errors
/// `x`, unless it is on a GPU.
pub fn max_pool(x: Tensor<2>, size: [usize; 3]) -> Result<Tensor<2>, Tensor<2>> {
    if !is_on_gpu(&x) {
        return Err(x);
    }
    let ([batch, height, width], [_, channels]) = (size, x.dims());
    let x = rows(x);
    let pooled = empty(&x, [batch * (height / 2) * (width / 2), channels]);
    operations::max_pool(&x.client, argument(&x), argument(&pooled), size, channels);
    Ok(tensor(pooled))
}

/// The gradient by the inputs `x` of a [`max_pool`], from that by its results: each goes to the pixel that was taken, the
/// first of equal ones.
///
/// # Shapes
/// - as for [`max_pool`]; delta like its result, and the gradient like `x`
///
/// # Panics
/// If `x` or `delta` is not [on a GPU](crate::is_on_gpu).
pub fn max_pool_backward(x: Tensor<2>, delta: Tensor<2>, size: [usize; 3]) -> Tensor<2> {
    let [num_pixels, channels] = x.dims();
    let (x, delta) = (rows(x), rows(delta));
    let gradient = empty(&x, [num_pixels, channels]);
    let arguments = [&x, &delta, &gradient].map(argument);
    operations::max_pool_backward(&x.client, arguments, size, channels);
    tensor(gradient)
}
