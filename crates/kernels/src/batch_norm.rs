//! Batch normalisation, with its backward pass.

use burn::tensor::Tensor;

use crate::host;
use crate::row_sums::sum_along;
use crate::standardize::{Moments, Standardized, standardize};

/// The loss's gradients by the inputs of a normalisation, and by its scale and shift.
#[derive(Debug, Clone)]
pub struct NormGradients<const D: usize> {
    /// By the inputs: `[…, batch, num_features]`.
    pub x: Tensor<D>,
    /// By the scale: `[…, 1, num_features]`.
    pub gamma: Tensor<D>,
    /// By the shift: `[…, 1, num_features]`.
    pub beta: Tensor<D>,
}

/// Standardises each column of `x`, then multiplies it by `gamma` and adds `beta`.
///
/// Returns the outputs, what the backward pass needs, and the moments of each column.
///
/// # Shapes
/// - `x` and the first result: `[batch, num_features]`
/// - `gamma`, `beta`: `[num_features]`
/// - the moments: `[1, num_features]`
pub fn batch_norm(
    x: Tensor<2>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
) -> (Tensor<2>, Standardized, Moments<2>) {
    host::batch_norm(x, gamma, beta, epsilon).unwrap_or_else(|(x, gamma, beta)| {
        let (saved, moments) = standardize(x, 0, epsilon);
        let y = saved.normalized.clone() * gamma.unsqueeze() + beta.unsqueeze();
        (y, saved, moments)
    })
}

/// The gradients of [`batch_norm`].
///
/// # Shapes
/// - `gamma`: `[num_features]`
/// - `delta`: the loss's gradient by the outputs, `[batch, num_features]`
pub fn batch_norm_backward(
    gamma: Tensor<1>,
    saved: Standardized,
    delta: Tensor<2>,
) -> NormGradients<2> {
    host::batch_norm_backward(gamma, saved, delta)
        .unwrap_or_else(|(gamma, saved, delta)| backward(gamma.unsqueeze(), saved, delta))
}

/// The gradients of several batch normalisations at once.
///
/// # Shapes
/// - `gamma`: `[num_layers, 1, num_features]`
/// - `saved`: standardised along dimension 1
/// - `delta`: the loss's gradient by the outputs, `[num_layers, batch, num_features]`
pub fn batched_batch_norm_backward(
    gamma: Tensor<3>,
    saved: Standardized<3>,
    delta: Tensor<3>,
) -> NormGradients<3> {
    backward(gamma, saved, delta)
}

fn backward<const D: usize>(
    gamma: Tensor<D>,
    saved: Standardized<D>,
    delta: Tensor<D>,
) -> NormGradients<D> {
    let Standardized {
        normalized,
        inverse_deviation,
        ..
    } = saved;
    // The means that standardising needs are those of the gradients of scale and shift, which run along the same
    // dimension.
    let per_sample = 1.0 / delta.dims()[D - 2] as f64;
    let by_gamma = sum_along(delta.clone() * normalized.clone(), D - 2);
    let by_beta = sum_along(delta.clone(), D - 2);
    let mean = by_beta.clone().mul_scalar(per_sample);
    let slope = by_gamma.clone().mul_scalar(per_sample);
    let factor = gamma * inverse_deviation;
    NormGradients {
        x: (delta - mean - normalized * slope) * factor,
        gamma: by_gamma,
        beta: by_beta,
    }
}
