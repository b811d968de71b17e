//! The scale and shift per feature that end most normalisations.

use burn::module::Param;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// `x gamma + beta`.
///
/// # Shapes
/// - `x` and the result: `[…, batch, num_features]`
/// - gamma, beta: `[…, 1, num_features]`
pub(super) fn forward<const D: usize>(
    gamma: Tensor<D>,
    beta: Tensor<D>,
    x: Tensor<D>,
) -> Tensor<D> {
    x * gamma + beta
}

/// The loss's gradients by scale and shift.
///
/// # Shapes
/// - both: `[…, 1, num_features]`
pub(super) struct Slopes<const D: usize> {
    pub(super) gamma: Tensor<D>,
    pub(super) beta: Tensor<D>,
}

impl Slopes<2> {
    /// Adds them to the gradients of a layer.
    pub(super) fn register(
        self,
        gamma: &Param<Tensor<1>>,
        beta: &Param<Tensor<1>>,
        gradients: &mut GradientsParams,
    ) {
        gradients.register(gamma.id, self.gamma.squeeze_dim::<1>(0));
        gradients.register(beta.id, self.beta.squeeze_dim::<1>(0));
    }
}

/// The loss's gradients by scale and shift, and by `x`.
///
/// # Shapes
/// - gamma: `[…, 1, num_features]`
/// - `x`, `delta` and the result: `[…, batch, num_features]`
pub(super) fn backward<const D: usize>(
    gamma: Tensor<D>,
    x: Tensor<D>,
    delta: Tensor<D>,
) -> (Tensor<D>, Slopes<D>) {
    let slopes = Slopes {
        gamma: (delta.clone() * x).sum_dim(D - 2),
        beta: delta.clone().sum_dim(D - 2),
    };
    (delta * gamma, slopes)
}
