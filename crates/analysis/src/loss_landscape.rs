//! The loss around a trained network, along two random directions as long as its weights.

use burn::tensor::{Tensor, TensorData};
use emberlab_datasets::Batch;
use emberlab_models::{ModelError, Network};
use emberlab_rng::stream;
use emberlab_training::{LossConfig, TrainingError, host};
use rand_distr::{Distribution, StandardNormal};

/// A landscape that cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum LandscapeError {
    /// The weights cannot be changed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The device failed.
    #[error(transparent)]
    Training(#[from] TrainingError),
}

/// The losses of a network moved by `a` along one direction and by `b` along another.
#[derive(Debug, Clone, PartialEq)]
pub struct Landscape {
    /// Both directions are covered from `−reach` to `reach`, in lengths of the weights.
    pub reach: f64,
    /// Points along each direction.
    pub num_nodes: usize,
    /// The loss at every point, row by row: `a` changes fastest, both from `−reach` to `reach`.
    pub losses: Vec<f64>,
    /// The loss of the network as it is.
    pub center: f64,
}

/// Measures the loss of `network` on a batch, in evaluation mode, around its weights.
///
/// Directions are normal random numbers, scaled filter by filter (unit by unit in dense layers) to the length
/// of the weights there. Biases, and the scales and shifts of normalisations, do not change.
///
/// # Source
/// Li et al. 2018, section 4, <https://arxiv.org/abs/1712.09913>.
///
/// # Errors
/// [`LandscapeError`] if the device fails.
pub fn landscape(
    network: &Network,
    loss: &LossConfig,
    batch: &Batch,
    num_nodes: usize,
    reach: f64,
    seed: u64,
) -> Result<Landscape, LandscapeError> {
    let weights: Vec<(String, TensorData)> = network.named_tensors();
    let directions: Vec<[Vec<f64>; 2]> = weights
        .iter()
        .enumerate()
        .map(|(i, (name, data))| [0, 1].map(|which| direction(name, data, seed, [which, i as u64])))
        .collect();
    let loss_at = |a: f64, b: f64| -> Result<f64, LandscapeError> {
        let moved = weights
            .iter()
            .zip(&directions)
            .map(|((name, data), [first, second])| {
                let numbers: Vec<f64> = data
                    .iter::<f64>()
                    .zip(first.iter().zip(second))
                    .map(|(weight, (first, second))| weight + a * first + b * second)
                    .collect();
                (name.clone(), TensorData::new(numbers, data.shape().clone()))
            });
        let moved = network.clone().load_named_tensors(moved.collect())?;
        let value: Tensor<1> =
            loss.forward(moved.forward(batch.inputs.clone()), batch.targets.clone());
        Ok(host(value)?[0])
    };
    let at = |i: usize| reach * (2.0 * i as f64 / (num_nodes.max(2) - 1) as f64 - 1.0);
    let mut losses = Vec::with_capacity(num_nodes * num_nodes);
    for row in 0..num_nodes {
        for column in 0..num_nodes {
            losses.push(loss_at(at(column), at(row))?);
        }
    }
    Ok(Landscape {
        reach,
        num_nodes,
        losses,
        center: loss_at(0.0, 0.0)?,
    })
}

/// A random direction of one tensor, as long as its weights filter by filter.
fn direction(name: &str, data: &TensorData, seed: u64, index: [u64; 2]) -> Vec<f64> {
    let weights: Vec<f64> = data.iter::<f64>().collect();
    let shape = data.shape();
    if !name.ends_with("weight") || shape.len() < 2 {
        return vec![0.0; weights.len()];
    }
    let mut rng = stream(seed, "landscape", &index);
    let mut numbers: Vec<f64> = weights
        .iter()
        .map(|_| StandardNormal.sample(&mut rng))
        .collect();
    // Dense weights are [d_input, d_output]: a unit is a column. Kernels are [channels_out, …]: a filter is
    // a contiguous range.
    let (count, stride, step) = match shape.len() {
        2 => (shape[1], 1, shape[1]),
        _ => (shape[0], weights.len() / shape[0].max(1), 1),
    };
    for filter in 0..count {
        let members: Vec<usize> = match shape.len() {
            2 => (0..shape[0])
                .map(|row| filter * stride + row * step)
                .collect(),
            _ => (filter * stride..(filter + 1) * stride).collect(),
        };
        let length = |of: &[f64]| members.iter().map(|&i| of[i] * of[i]).sum::<f64>().sqrt();
        let scale = length(&weights) / length(&numbers).max(f64::MIN_POSITIVE);
        for &i in &members {
            numbers[i] *= scale;
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_are_as_long_as_the_weights_of_each_unit_and_zero_for_biases() {
        let weights = vec![3.0, 0.5, 4.0, 1.2];
        let data = TensorData::new(weights, [2, 2]);
        let found = direction("layers.0.weight", &data, 1, [0, 0]);
        assert!((found[0].hypot(found[2]) - 5.0).abs() < 1e-12);
        assert!((found[1].hypot(found[3]) - 1.3).abs() < 1e-12);
        let bias = TensorData::new(vec![1.0, 2.0], [2]);
        assert_eq!(direction("layers.0.bias", &bias, 1, [0, 1]), [0.0, 0.0]);
        let kernels = TensorData::new(vec![3.0, 4.0, 0.6, 0.8], [2, 1, 1, 2]);
        let found = direction("convolutions.0.weight", &kernels, 1, [0, 2]);
        assert!((found[0].hypot(found[1]) - 5.0).abs() < 1e-12);
        assert!((found[2].hypot(found[3]) - 1.0).abs() < 1e-12);
    }
}
