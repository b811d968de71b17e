//! Every activation, loss, normalisation and layer, as functions whose gradients are checked.

mod activations;
mod layers;
mod losses;
mod normalizations;

use burn::module::{Param, ParamId};
use burn::tensor::{Tensor, TensorData};

use super::TensorFunction;

/// Rows of inputs that are a batch.
const BATCH: usize = 5;
/// Columns of inputs that are a batch.
const WIDTH: usize = 6;

/// All functions: every entry of the menus, and the layers with weights.
///
/// The outputs of a function with more than one are multiplied by fixed weights and summed, so that no derivatives
/// cancel.
pub fn functions() -> Vec<TensorFunction> {
    let mut all = activations::all();
    all.extend(losses::all());
    all.extend(normalizations::all());
    all.extend(layers::all());
    all
}

/// `count` numbers without pattern, of magnitude 1.5 at most.
fn waves(count: usize, phase: f64) -> Vec<f64> {
    (0..count)
        .map(|i| 1.5 * (1.7 * i as f64 + phase).sin())
        .collect()
}

/// The fixed weights of `count` outputs.
fn output_weights(count: usize) -> Vec<f64> {
    waves(count, 0.4)
}

/// `Σ w y` with the fixed weights.
fn weighted<const D: usize>(y: Tensor<D>) -> Tensor<1> {
    let count = y.shape().num_elements();
    let data = TensorData::new(output_weights(count), [count]);
    let weights = Tensor::<1>::from_data(data, (&y.device(), y.dtype()));
    (y.reshape([count]) * weights).sum()
}

fn parameter<const D: usize>(tensor: Tensor<D>) -> Param<Tensor<D>> {
    Param::initialized(ParamId::from(0), tensor)
}
