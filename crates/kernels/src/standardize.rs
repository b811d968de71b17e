//! Standardised numbers with their way back: what every normalisation's explicit gradient is made of.

use burn::tensor::Tensor;

/// Numbers with mean 0 and, but for `epsilon`, variance 1 along one dimension.
#[derive(Debug, Clone)]
pub struct Standardized<const D: usize = 2> {
    /// `(x - mean) / sqrt(variance + epsilon)`, shaped like `x`.
    pub(super) normalized: Tensor<D>,
    /// `1 / sqrt(variance + epsilon)`, of size 1 along the dimension.
    pub(super) inverse_deviation: Tensor<D>,
    dim: usize,
}

/// Mean and biased variance along a dimension, of size 1 there.
pub(super) struct Moments<const D: usize> {
    pub(super) mean: Tensor<D>,
    pub(super) variance: Tensor<D>,
}

impl Standardized {
    /// Rows that are standardised already, and one over the deviation of each column.
    pub(super) fn of_rows(normalized: Tensor<2>, inverse_deviation: Tensor<2>) -> Self {
        Self {
            normalized,
            inverse_deviation,
            dim: 0,
        }
    }
}

impl<const D: usize> Standardized<D> {
    /// Standardises along `dim`.
    pub(super) fn new(x: Tensor<D>, dim: usize, epsilon: f64) -> (Self, Moments<D>) {
        let mean = x.clone().mean_dim(dim);
        let centred = x - mean.clone();
        let variance = (centred.clone() * centred.clone()).mean_dim(dim);
        let inverse_deviation = variance.clone().add_scalar(epsilon).sqrt().recip();
        let standardized = Self {
            normalized: centred * inverse_deviation.clone(),
            inverse_deviation,
            dim,
        };
        (standardized, Moments { mean, variance })
    }

    /// The loss's gradient by `x`, of that by the standardised numbers.
    ///
    /// # Shapes
    /// - `delta` and the result: like `x`
    pub(super) fn backward(self, delta: Tensor<D>) -> Tensor<D> {
        let mean = delta.clone().mean_dim(self.dim);
        let slope = (delta.clone() * self.normalized.clone()).mean_dim(self.dim);
        (delta - mean - self.normalized * slope) * self.inverse_deviation
    }
}
