//! The memory of a step, which lives as long as the training.

use super::buffer::Buffer;
use super::loss::LossWork;
use super::sparse::SparseWork;
use crate::plan::Activation;
use crate::real::Real;

/// The memory of a step, which lives as long as the training.
#[derive(Debug)]
pub(super) struct Work<T> {
    /// The inputs of a tile of rows.
    pub(super) inputs: Buffer<T>,
    pub(super) layers: Vec<LayerWork<T>>,
    /// The transposed weight of a layer.
    pub(super) transposed: Buffer<T>,
    /// The gradients of some rows of a weight.
    pub(super) gradients: Buffer<T>,
    pub(super) sparse: SparseWork<T>,
    pub(super) loss: LossWork<T>,
}

/// The numbers of a layer for a tile of rows, padded.
#[derive(Debug)]
pub(super) struct LayerWork<T> {
    /// The products, which the normalisation replaces by its results.
    pub(super) before_activation: Buffer<T>,
    /// The products without scale and shift, if there is a normalisation.
    pub(super) normalized: Buffer<T>,
    /// One over the standard deviation: of each feature, or of each group of each row.
    pub(super) inverse: Buffer<T>,
    pub(super) mean: Buffer<T>,
    pub(super) variance: Buffer<T>,
    /// Unused after the identity.
    pub(super) after_activation: Buffer<T>,
    /// The factors of dropout.
    pub(super) mask: Buffer<T>,
    /// The outputs, if dropout or a residual connection changes what the activation gives.
    pub(super) changed: Buffer<T>,
    /// Whether it did in the last forward pass.
    pub(super) is_changed: bool,
    pub(super) delta: Buffer<T>,
}

impl<T: Real> LayerWork<T> {
    pub(super) fn new() -> Self {
        Self {
            before_activation: Buffer::zeros(0),
            normalized: Buffer::zeros(0),
            inverse: Buffer::zeros(0),
            mean: Buffer::zeros(0),
            variance: Buffer::zeros(0),
            after_activation: Buffer::zeros(0),
            mask: Buffer::zeros(0),
            changed: Buffer::zeros(0),
            is_changed: false,
            delta: Buffer::zeros(0),
        }
    }

    /// The outputs of the layer, whose activation is given.
    pub(super) fn output(&self, activation: Activation) -> &[T] {
        match self.is_changed {
            true => &self.changed,
            false => self.activated(activation),
        }
    }

    /// The numbers that the layer's activation, which is given, has made.
    pub(super) fn activated(&self, activation: Activation) -> &[T] {
        match activation {
            Activation::Linear => &self.before_activation,
            _ => &self.after_activation,
        }
    }
}
