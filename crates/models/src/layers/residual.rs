//! Residual connections: the inputs of some layers, added to their outputs.

use std::cell::RefCell;
use std::rc::Rc;

use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::Layer;
use crate::BatchStatistics;

/// The beginning and the end of a residual connection, as two layers around the layers that it skips.
///
/// # Source
/// He et al. 2016, <https://arxiv.org/abs/1512.03385>, equation 1.
pub(crate) fn residual<const D: usize>() -> (Begin<D>, End<D>) {
    let skipped = Skipped::default();
    (Begin(skipped.clone()), End(skipped))
}

/// The tensor that skips the layers between: their inputs in the forward pass, the gradient by the outputs in the
/// backward pass.
type Skipped<const D: usize> = Rc<RefCell<Option<Tensor<D>>>>;

/// Returns its inputs, and hands them to the end of the connection too.
pub(crate) struct Begin<const D: usize>(Skipped<D>);

/// Adds the inputs of the beginning to its own.
pub(crate) struct End<const D: usize>(Skipped<D>);

/// The sum of `numbers` and of those that skipped the layers between.
fn joined<const D: usize>(numbers: Tensor<D>, skipped: &Skipped<D>) -> Tensor<D> {
    match skipped.take() {
        Some(skipped) => numbers + skipped,
        None => numbers,
    }
}

impl<const D: usize> Layer<D> for Begin<D> {
    type Saved = ();

    fn forward(&self, x: Tensor<D>) -> Tensor<D> {
        self.0.replace(Some(x.clone()));
        x
    }

    fn forward_saving(
        &self,
        x: Tensor<D>,
        _: &mut Vec<BatchStatistics<D>>,
    ) -> (Tensor<D>, Self::Saved) {
        (self.forward(x), ())
    }

    fn backward(&self, (): Self::Saved, delta: Tensor<D>, _: &mut GradientsParams) -> Tensor<D> {
        joined(delta, &self.0)
    }
}

impl<const D: usize> Layer<D> for End<D> {
    type Saved = ();

    fn forward(&self, x: Tensor<D>) -> Tensor<D> {
        joined(x, &self.0)
    }

    fn forward_saving(
        &self,
        x: Tensor<D>,
        _: &mut Vec<BatchStatistics<D>>,
    ) -> (Tensor<D>, Self::Saved) {
        (self.forward(x), ())
    }

    fn backward(&self, (): Self::Saved, delta: Tensor<D>, _: &mut GradientsParams) -> Tensor<D> {
        self.0.replace(Some(delta.clone()));
        delta
    }
}
