//! Pictures of a network at one moment: maps of its units, its predictions, views of its activations, its weights.

use burn::tensor::Tensor;
use emberlab_metrics::MOST_CLASSES;
use emberlab_models::{Mode, Network};
use emberlab_run_format::{Frame, LayerFrame, Maps, Packed, View};

use super::principal_components::leading_eigenvectors;
use super::record::{Probe, layer_outputs};
use crate::cells::cells;
use crate::error::TrainingError;
use crate::loss::LossConfig;
use crate::metric_accumulator::host;
use crate::task::Task;

/// The most pictures of first-layer weights.
const MOST_WEIGHT_PICTURES: usize = 16;

/// Makes the pictures of a network.
pub(super) struct Pictures<'a> {
    pub(super) probe: &'a Probe,
    pub(super) loss: &'a LossConfig,
    pub(super) task: &'a Task,
}

impl Pictures<'_> {
    /// The pictures after `step` steps. `layers` are the outputs of every layer for the probe batch.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    pub(super) fn frame(
        &self,
        network: &Network,
        layers: Vec<(String, Tensor<2>)>,
        epoch: f64,
        step: u64,
    ) -> Result<Frame, TrainingError> {
        let num_rows = self.probe.batch.inputs.dims()[0];
        let last = layers.len().saturating_sub(1);
        let mut frames = Vec::new();
        for (i, (layer, outputs)) in layers.into_iter().enumerate() {
            // Between convolutions, a row is a pixel and not a sample.
            let has_view = i < last && outputs.dims()[0] == num_rows;
            let view = has_view.then(|| view(outputs)).transpose()?;
            frames.push(LayerFrame {
                layer,
                maps: None,
                view,
            });
        }
        let mut boundary = None;
        if let Some(grid) = &self.probe.grid {
            let stages = network.stages(grid.clone(), Mode::Evaluation);
            let outputs = layer_outputs(stages);
            let last = outputs.len().saturating_sub(1);
            for (i, ((_, _, outputs), frame)) in outputs.into_iter().zip(&mut frames).enumerate() {
                let units = outputs.dims()[1];
                let values = host(outputs)?;
                if i == last && self.task.num_classes().is_some() {
                    boundary = cells(self.task, self.loss, &values, units)?;
                }
                // With many classes there are too many outputs to look at one by one.
                if i < last || units <= MOST_CLASSES {
                    frame.maps = Some(maps(&values, units));
                }
            }
        }
        Ok(Frame {
            epoch,
            step,
            layers: frames,
            boundary,
            weights: self
                .probe
                .pixels
                .and_then(|pixels| weights(network, pixels)),
        })
    }
}

/// A picture of each column of a table with `units` columns.
fn maps(values: &[f64], units: usize) -> Maps {
    let mut scales = vec![0.0_f64; units];
    for row in values.chunks(units) {
        for (scale, value) in scales.iter_mut().zip(row) {
            *scale = scale.max(value.abs()); // passes over NaN
        }
    }
    let mut bytes = Vec::with_capacity(values.len());
    for (unit, scale) in scales.iter().enumerate() {
        let column = values.iter().skip(unit).step_by(units);
        bytes.extend(Packed::from_values(column.copied(), *scale).0);
    }
    Maps {
        scales: scales.iter().map(|scale| *scale as f32).collect(),
        values: Packed(bytes),
    }
}

/// Activations along their first two principal components.
///
/// # Shapes
/// - activations: `[num_rows, num_units]`
fn view(activations: Tensor<2>) -> Result<View, TrainingError> {
    let [num_rows, units] = activations.dims();
    let centered = activations.clone() - activations.mean_dim(0);
    let covariance = centered.clone().transpose().matmul(centered.clone()) / num_rows as f64;
    let covariance = host(covariance)?;
    let centered = host(centered)?;
    let trace: f64 = (0..units).map(|i| covariance[i * units + i]).sum();
    let components = leading_eigenvectors(&covariance, units);
    let mut coordinates = Vec::with_capacity(2 * num_rows);
    for row in centered.chunks(units) {
        for (_, vector) in &components {
            let along = row.iter().zip(vector).map(|(x, v)| x * v);
            coordinates.push(along.sum::<f64>());
        }
    }
    let scale = coordinates
        .iter()
        .fold(0.0_f64, |scale, x| scale.max(x.abs()));
    let share = |value: f64| match trace > 0.0 {
        true => (value / trace).clamp(0.0, 1.0) as f32,
        false => 0.0,
    };
    Ok(View {
        scale: scale as f32,
        explained: [share(components[0].0), share(components[1].0)],
        points: Packed::from_values(coordinates, scale),
    })
}

/// The weights of the first units of a dense first layer, a picture each; none if the first layer is another one.
fn weights(network: &Network, pixels: usize) -> Option<Maps> {
    let tensors = network.named_tensors();
    let (name, weights) = tensors.first()?;
    let &[d_input, units] = &weights.shape()[..] else {
        return None;
    };
    if name != "layers.0.weight" || d_input != pixels {
        return None;
    }
    let values: Vec<f64> = weights.iter::<f64>().collect();
    let shown = units.min(MOST_WEIGHT_PICTURES);
    let of_shown = values.chunks(units).flat_map(|row| &row[..shown]).copied();
    Some(maps(&of_shown.collect::<Vec<_>>(), shown))
}
