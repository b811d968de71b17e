//! Standardised numbers and the gradient of standardising, of which every normalisation is made.

use burn::tensor::Tensor;

use crate::row_sums::mean_along;

/// Numbers with mean 0 and, but for `epsilon`, variance 1 along one dimension.
#[derive(Debug, Clone)]
pub struct Standardized<const D: usize = 2> {
    /// `(x - mean) / sqrt(variance + epsilon)`, shaped like `x`.
    pub normalized: Tensor<D>,
    /// `1 / sqrt(variance + epsilon)`, of size 1 along the dimension.
    pub inverse_deviation: Tensor<D>,
    pub(crate) dim: usize,
}

/// Mean and biased variance along a dimension, of size 1 there.
#[derive(Debug, Clone)]
pub struct Moments<const D: usize> {
    /// The mean.
    pub mean: Tensor<D>,
    /// The biased variance.
    pub variance: Tensor<D>,
}

/// Standardises `x` along `dim`.
pub fn standardize<const D: usize>(
    x: Tensor<D>,
    dim: usize,
    epsilon: f64,
) -> (Standardized<D>, Moments<D>) {
    let mean = mean_along(x.clone(), dim);
    let centred = x - mean.clone();
    let variance = mean_along(centred.clone() * centred.clone(), dim);
    let inverse_deviation = variance.clone().add_scalar(epsilon).sqrt().recip();
    let standardized = Standardized {
        normalized: centred * inverse_deviation.clone(),
        inverse_deviation,
        dim,
    };
    (standardized, Moments { mean, variance })
}

impl<const D: usize> Standardized<D> {
    /// The loss's gradient by `x`, from the gradient by the standardised numbers.
    ///
    /// # Shapes
    /// - `delta` and the result: like `x`
    pub fn backward(self, delta: Tensor<D>) -> Tensor<D> {
        let mean = mean_along(delta.clone(), self.dim);
        let slope = mean_along(delta.clone() * self.normalized.clone(), self.dim);
        (delta - mean - self.normalized * slope) * self.inverse_deviation
    }
}
