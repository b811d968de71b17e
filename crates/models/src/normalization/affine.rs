//! The scale and shift per feature that end most normalisations.

use burn::module::Param;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// `x gamma + beta`.
///
/// # Shapes
/// - gamma, beta: `[num_features]`
/// - `x` and the result: `[batch, num_features]`
pub(super) fn forward(
    gamma: &Param<Tensor<1>>,
    beta: &Param<Tensor<1>>,
    x: Tensor<2>,
) -> Tensor<2> {
    x * gamma.val().unsqueeze() + beta.val().unsqueeze()
}

/// The loss's gradient by `x`; those of scale and shift are added to `gradients`.
///
/// # Shapes
/// - `x`, `delta` and the result: `[batch, num_features]`
pub(super) fn backward(
    gamma: &Param<Tensor<1>>,
    beta: &Param<Tensor<1>>,
    x: Tensor<2>,
    delta: Tensor<2>,
    gradients: &mut GradientsParams,
) -> Tensor<2> {
    let scale = (delta.clone() * x).sum_dim(0); // [1, num_features]
    let shift = delta.clone().sum_dim(0); // [1, num_features]
    gradients.register(gamma.id, scale.squeeze_dim::<1>(0));
    gradients.register(beta.id, shift.squeeze_dim::<1>(0));
    delta * gamma.val().unsqueeze()
}
