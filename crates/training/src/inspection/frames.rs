//! Pictures of a network at one moment: maps of its units, its predictions, views of its activations, its weights.

use burn::tensor::Tensor;
use emberlab_metrics::MOST_CLASSES;
use emberlab_models::{Mode, Network};
use emberlab_run_format::{FeatureMaps, Frame, LayerFrame, Maps, Packed, View};

use super::image_layers::{columns, feature_maps, first_weights};
use super::principal_components::leading_eigenvectors;
use super::record::{Probe, layer_outputs};
use crate::cells::cells;
use crate::error::TrainingError;
use crate::loss::LossConfig;
use crate::metric_accumulator::host;
use crate::task::Task;

/// The most pictures of first-layer weights, and of channels of a convolution.
const MOST_PICTURES: usize = 16;
/// The most rows and columns of a feature map; larger ones are averaged down.
///
/// Images of MNIST keep their 28 × 28 pixels. The two convolutions of `mnist_convnet.toml` then have 16 · (28² + 14²) =
/// 15 680 numbers in a frame, which are 21 kB of text; 61 frames, the most that a training has, are 1.3 MB. In larger
/// images only the first convolutions reach this side, as every max-pool halves it.
const MOST_SIDE: usize = 28;

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
                features: None,
                view,
            });
        }
        if self.probe.image.is_some() {
            let first = self.probe.batch.inputs.clone().slice_dim(0, 0..1);
            for (layer, channels) in feature_maps(network, first, MOST_PICTURES)? {
                let small = channels.shrunk(MOST_SIDE);
                if let Some(frame) = frames.iter_mut().find(|frame| frame.layer == layer) {
                    frame.features = Some(FeatureMaps {
                        pixels: channels.size,
                        size: small.size,
                        maps: maps(small.pictures),
                    });
                }
            }
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
                    frame.maps = Some(maps(columns(&values, units)));
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
                .image
                .and_then(|image| first_weights(network, image, MOST_PICTURES))
                .map(|weights| maps(weights.pictures)),
        })
    }
}

/// Pictures of the same size, packed.
fn maps(pictures: impl IntoIterator<Item = Vec<f64>>) -> Maps {
    let mut maps = Maps::default();
    for picture in pictures {
        // `max` ignores NaN.
        let scale = picture
            .iter()
            .fold(0.0_f64, |most, value| most.max(value.abs()));
        maps.scales.push(scale as f32);
        maps.values.0.extend(Packed::from_values(picture, scale).0);
    }
    maps
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
