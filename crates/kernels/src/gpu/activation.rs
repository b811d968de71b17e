//! [`crate::activation`] and [`crate::activation_with_slopes`] on a GPU.

use burn::tensor::Tensor;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use emberlab_fused::Activation;
use emberlab_fused::gpu::operations;

use super::memory::{argument, empty, is_on_gpu, primitive, tensor};
use crate::Pair;

/// The values of an activation.
///
/// # Errors
/// `x`, unless it is on a GPU.
pub fn activation<const D: usize>(
    x: Tensor<D>,
    activation: Activation,
) -> Result<Tensor<D>, Tensor<D>> {
    let x = without_gaps(x)?;
    let y = alike(&x);
    launch(&x, &y, None, activation);
    Ok(tensor(y))
}

/// The values and the derivatives of an activation.
///
/// # Errors
/// `x`, unless it is on a GPU.
pub fn activation_with_slopes<const D: usize>(
    x: Tensor<D>,
    activation: Activation,
) -> Result<Pair<D>, Tensor<D>> {
    let x = without_gaps(x)?;
    let (y, slopes) = (alike(&x), alike(&x));
    launch(&x, &y, Some(&slopes), activation);
    Ok((tensor(y), tensor(slopes)))
}

fn launch(x: &CubeTensor, y: &CubeTensor, slopes: Option<&CubeTensor>, activation: Activation) {
    operations::activation(
        &x.client,
        activation,
        [argument(x), argument(y)],
        slopes.map(argument),
        x.meta.num_elements(),
    );
}

/// A tensor on a GPU whose numbers fill their memory, in any order of its dimensions. Convolutions write the channels
/// last.
///
/// # Errors
/// `x`, unless it is on a GPU.
fn without_gaps<const D: usize>(x: Tensor<D>) -> Result<CubeTensor, Tensor<D>> {
    if !is_on_gpu(&x) {
        return Err(x);
    }
    let x = primitive(x);
    Ok(match x.is_contiguous_buffer() && x.is_nonoverlapping() {
        true => x,
        false => into_contiguous(x),
    })
}

/// Memory for as many numbers in the same order.
fn alike(x: &CubeTensor) -> CubeTensor {
    let mut y = empty(x, x.meta.shape().clone());
    y.meta = x.meta.clone();
    y
}
