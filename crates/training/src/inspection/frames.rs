//! Pictures of a network at one moment: maps of its units, its predictions, views of its activations, its weights.

use burn::tensor::Tensor;
use emberlab_metrics::MOST_CLASSES;
use emberlab_models::{Mode, Network};
use emberlab_run_format::{FeatureMaps, Frame, LayerFrame, Maps, Packed, View};

use super::image_layers::{columns, feature_maps, first_weights};
use super::principal_components::{leading_eigenvectors, with_sign};
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
/// The components are those of the covariance of the units. Where there are more units than rows, they follow from the
/// products of the rows, which are fewer: the largest eigenvalues are the same, and an eigenvector of these holds the
/// coordinates of the rows.
///
/// # Shapes
/// - activations: `[num_rows, num_units]`
fn view(activations: Tensor<2>) -> Result<View, TrainingError> {
    let [num_rows, units] = activations.dims();
    let centered = activations.clone() - activations.mean_dim(0);
    let is_wide = units > num_rows;
    let transposed = centered.clone().transpose();
    let products = match is_wide {
        true => centered.clone().matmul(transposed),
        false => transposed.matmul(centered.clone()),
    };
    let products = host(products / num_rows as f64)?;
    let centered = host(centered)?;
    let size = units.min(num_rows);
    let trace: f64 = (0..size).map(|i| products[i * size + i]).sum();
    let components = leading_eigenvectors(&products, size);
    let mut coordinates = vec![0.0; 2 * num_rows];
    for (place, (value, vector)) in components.iter().enumerate() {
        let along: Vec<f64> = match is_wide {
            true => {
                let length = (num_rows as f64 * value.max(0.0)).sqrt();
                let sign = sign_of_component(&centered, units, vector);
                vector.iter().map(|x| sign * length * x).collect()
            }
            false => {
                let rows = centered.chunks(units);
                rows.map(|row| row.iter().zip(vector).map(|(x, v)| x * v).sum())
                    .collect()
            }
        };
        for (row, along) in along.into_iter().enumerate() {
            coordinates[2 * row + place] = along;
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

/// The sign with which the entry of largest size of a principal component is positive. `rows` are the centred activations,
/// `[num_rows × units]`, and `vector` is the eigenvector of their products, `[num_rows]`.
fn sign_of_component(rows: &[f64], units: usize, vector: &[f64]) -> f64 {
    let mut component = vec![0.0; units];
    for (row, share) in rows.chunks(units).zip(vector) {
        component
            .iter_mut()
            .zip(row)
            .for_each(|(sum, x)| *sum += share * x);
    }
    let first = component.iter().position(|x| *x != 0.0);
    let signed = with_sign(component.clone());
    match first.is_some_and(|i| signed[i] != component[i]) {
        true => -1.0,
        false => 1.0,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use burn::tensor::TensorData;

    use super::*;
    use crate::device;

    /// Activations of eight rows and three units.
    fn activations() -> Vec<f32> {
        let value = |i: usize| (1.3 * i as f64).sin() + 0.2 * (i % 3) as f64;
        (0..24).map(|i| value(i) as f32).collect()
    }

    fn view_of(values: Vec<f32>, rows: usize) -> View {
        let units = values.len() / rows;
        let device = device::open("flex").unwrap();
        view(Tensor::from_data(
            TensorData::new(values, [rows, units]),
            &device,
        ))
        .unwrap()
    }

    /// Units that are always zero change no component, but make more units than rows.
    #[test]
    fn a_wide_layer_is_seen_as_the_narrow_one_inside_it() {
        let narrow = view_of(activations(), 8);
        let rows = activations();
        let wide = rows.chunks(3).flat_map(|row| [row, &[0.0; 20]].concat());
        let wide = view_of(wide.collect(), 8);
        assert!((narrow.scale - wide.scale).abs() < 1e-5 * narrow.scale);
        for (a, b) in narrow.explained.iter().zip(wide.explained) {
            assert!((a - b).abs() < 1e-5, "{narrow:?} {wide:?}");
        }
        let distance = |(a, b): (&u8, &u8)| a.abs_diff(*b);
        let points = narrow.points.0.iter().zip(&wide.points.0);
        assert!(points.map(distance).all(|apart| apart <= 1));
    }

    /// Its covariance would have 4·10¹⁰ numbers.
    #[test]
    fn a_layer_of_two_hundred_thousand_units_needs_no_covariance_of_its_units() {
        let value = |i: usize| ((i / 200_000) as f64 * (i % 200_000 % 7) as f64) as f32;
        let seen = view_of((0..800_000).map(value).collect(), 4);
        assert!(seen.explained[0] > 0.999, "{seen:?}");
    }
}
