//! The scale and shift per feature that end most normalisations.

use burn::module::Param;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use emberlab_kernels::NormGradients;

/// `x gamma + beta`.
///
/// # Shapes
/// - `x` and the result: `[…, batch, num_features]`
/// - `gamma`, `beta`: `[…, 1, num_features]`
pub(super) fn forward<const D: usize>(
    gamma: Tensor<D>,
    beta: Tensor<D>,
    x: Tensor<D>,
) -> Tensor<D> {
    x * gamma + beta
}

/// The loss's gradients by scale, shift and `x`.
///
/// # Shapes
/// - `gamma`: `[…, 1, num_features]`
/// - `x`, `delta`: `[…, batch, num_features]`
pub(super) fn backward<const D: usize>(
    gamma: Tensor<D>,
    x: Tensor<D>,
    delta: Tensor<D>,
) -> NormGradients<D> {
    NormGradients {
        gamma: (delta.clone() * x).sum_dim(D - 2),
        beta: delta.clone().sum_dim(D - 2),
        x: delta * gamma,
    }
}

/// Adds the gradients of scale and shift to those of a network. Returns the gradient by the inputs.
pub(super) fn register(
    found: NormGradients<2>,
    gamma: &Param<Tensor<1>>,
    beta: &Param<Tensor<1>>,
    gradients: &mut GradientsParams,
) -> Tensor<2> {
    gradients.register(gamma.id, found.gamma.squeeze_dim::<1>(0));
    gradients.register(beta.id, found.beta.squeeze_dim::<1>(0));
    found.x
}
