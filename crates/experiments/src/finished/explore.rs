//! What can be seen of a finished run's network: boundaries over planes, over the epochs, weights, features.

use burn::module::Module;
use burn::tensor::Tensor;
use emberlab_analysis::{Mode, Operation, Plane, boundary, stages};
use emberlab_metrics::{Split, ThresholdBy, best_threshold};
use emberlab_models::Network;
use emberlab_run_format::files::THRESHOLD;
use emberlab_run_format::{Boundary, ChosenThreshold};
use emberlab_training::{Predicted, Task, TrainingError, host};
use std::ops::ControlFlow;

use crate::error::ExperimentError;
use crate::finished::LoadedRun;
use crate::run::Run;
use crate::trial::evenly;

/// Samples shown over a boundary, and looked at for principal components.
const POINTS: usize = 500;

/// The plane of a boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axes {
    /// The two features of two; of more, the first two principal components.
    Auto,
    /// Two features, counted from 0.
    Features([usize; 2]),
}

/// Numbers to draw as a small picture.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberImage {
    /// What it is.
    pub name: String,
    /// Numbers in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Row by row from the top.
    pub values: Vec<f64>,
}

impl LoadedRun {
    /// What the network predicts over a plane of inputs, `size` × `size` points; none of a regression, or with
    /// a single feature.
    ///
    /// # Errors
    /// [`ExperimentError::NoFeature`] if a feature does not exist; [`ExperimentError::Training`] if the device
    /// fails.
    pub fn boundary(&self, axes: Axes, size: usize) -> Result<Option<Boundary>, ExperimentError> {
        match self.plane(axes)? {
            Some((plane, points, classes)) => {
                let found = boundary(&self.classifier(), &plane, size, points, classes)?;
                Ok(found)
            }
            None => Ok(None),
        }
    }

    /// The boundary as it was after some of the epochs: 0, then about twice as many each time, the last. The
    /// training is done again for it, to the bit.
    ///
    /// # Errors
    /// As [`boundary`](Self::boundary).
    pub fn boundaries_over_epochs(
        &self,
        axes: Axes,
        size: usize,
        last_epoch: usize,
    ) -> Result<Vec<(usize, Boundary)>, ExperimentError> {
        let Some((plane, points, classes)) = self.plane(axes)? else {
            return Ok(Vec::new());
        };
        let shown = shown_epochs(last_epoch);
        let train = self.prepared.upload_all(&self.device)?.train;
        let replay = self.prepared.replay(&self.device, &train)?;
        let mut found = Vec::new();
        let mut draw = |epoch: usize, network: &Network| {
            let network = network.valid();
            let classifier = self.prepared.classifier(&network, &self.device);
            let drawn = boundary(&classifier, &plane, size, points.clone(), classes.clone())?;
            found.extend(drawn.map(|boundary| (epoch, boundary)));
            Ok::<(), TrainingError>(())
        };
        draw(0, &replay.network)?;
        replay.run(last_epoch, |step| {
            if step.ends_epoch && shown.contains(&step.epoch) {
                draw(step.epoch, &step.after.network)?;
            }
            Ok(ControlFlow::<()>::Continue(()))
        })?;
        Ok(found)
    }

    /// A plane with the samples on it and their classes.
    #[expect(
        clippy::type_complexity,
        reason = "three things that belong together once"
    )]
    fn plane(
        &self,
        axes: Axes,
    ) -> Result<Option<(Plane, Vec<[f32; 2]>, Vec<u32>)>, ExperimentError> {
        let samples = &self.prepared.samples;
        let num_features = samples.num_features();
        let Some(labels) = samples.labels().filter(|_| num_features > 1) else {
            return Ok(None);
        };
        let shown: Vec<usize> = evenly(samples.len(), POINTS).collect();
        let rows: Vec<Vec<f32>> = shown.iter().map(|&i| samples.row(i)).collect();
        let names = &samples.feature_names;
        let plane = match axes {
            Axes::Features(chosen) => {
                if let Some(missing) = chosen.iter().find(|i| **i >= num_features) {
                    return Err(ExperimentError::NoFeature {
                        feature: *missing,
                        num_features,
                    });
                }
                Plane::of_chosen_features(&rows, names, chosen)
            }
            Axes::Auto if num_features == 2 => Plane::of_chosen_features(&rows, names, [0, 1]),
            Axes::Auto => Plane::of_principal_components(&rows),
        };
        let points = rows.iter().map(|row| plane.nearest(row)).collect();
        let classes = shown.iter().map(|&i| labels[i]).collect();
        Ok(Some((plane, points, classes)))
    }

    /// The weights of each unit of the first layer as an image, or the kernels of the first convolution; at
    /// most `max` of them. Empty where inputs are no images.
    pub fn first_layer_images(&self, max: usize) -> Vec<NumberImage> {
        let &[channels, height, width] = self.prepared.samples.input_shape.as_slice() else {
            return Vec::new();
        };
        let tensors = self.network.named_tensors();
        let of = |name: &str| {
            let found = tensors.iter().find(|(tensor, _)| tensor == name);
            found.map(|(_, data)| {
                (
                    data.shape().to_vec(),
                    data.iter::<f64>().collect::<Vec<f64>>(),
                )
            })
        };
        let image = |unit: usize, (width, height): (usize, usize), values: Vec<f64>| NumberImage {
            name: format!("unit {}", unit + 1),
            width,
            height,
            values,
        };
        if let Some((shape, weights)) = of("convolutions.0.weight") {
            let size = shape[2] * shape[3];
            // The first channel of each kernel.
            let kernels = weights.chunks(size * shape[1]).take(max).enumerate();
            return kernels
                .map(|(unit, kernel)| image(unit, (shape[3], shape[2]), kernel[..size].to_vec()))
                .collect();
        }
        match of("layers.0.weight") {
            // [d_input, d_output]
            Some((shape, weights)) if channels == 1 => {
                let column = |unit: usize| {
                    let rows = weights.chunks(shape[1]);
                    image(unit, (width, height), rows.map(|row| row[unit]).collect())
                };
                (0..shape[1].min(max)).map(column).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The first row of a split, and what each convolution makes of it, channel by channel, at most `max` of
    /// each; empty for networks without.
    ///
    /// # Errors
    /// [`ExperimentError::Training`] if the device fails.
    pub fn feature_maps(
        &self,
        split: Split,
        max: usize,
    ) -> Result<Vec<Vec<NumberImage>>, ExperimentError> {
        let (Network::ConvNet(_), Some(data)) =
            (&self.network, self.prepared.upload(split, &self.device)?)
        else {
            return Ok(Vec::new());
        };
        let &[_, height, width] = self.prepared.samples.input_shape.as_slice() else {
            return Ok(Vec::new());
        };
        let first: Tensor<2> = data.inputs.narrow(0, 0, 1);
        let mut layers = vec![vec![NumberImage {
            name: "input".to_string(),
            width,
            height,
            values: host(first.clone())?,
        }]];
        // A convolution keeps the image's size; a pool halves it, where it fits.
        let (mut width, mut height) = (width, height);
        for stage in stages(&self.network, first, Mode::Evaluation) {
            let [places, channels] = stage.values.dims();
            if !matches!(stage.operation, Operation::Activation(_)) || places != width * height {
                continue;
            }
            let values = host(stage.values)?;
            let map = |channel: usize| NumberImage {
                name: format!("channel {}", channel + 1),
                width,
                height,
                values: values
                    .chunks(channels)
                    .map(|place| place[channel])
                    .collect(),
            };
            layers.push((0..channels.min(max)).map(map).collect());
            if width >= 2 && height >= 2 {
                (width, height) = (width / 2, height / 2);
            }
        }
        Ok(layers)
    }

    /// Chooses the best threshold on the validation split, or on the training split without one, and stores it
    /// with the run's model, for predictions to use.
    ///
    /// # Errors
    /// [`ExperimentError::NoThreshold`] unless there are two classes, with samples of both;
    /// [`ExperimentError::Storage`] if it cannot be stored, or another process works on the run.
    pub fn choose_threshold(
        &self,
        run: &Run,
        by: ThresholdBy,
    ) -> Result<ChosenThreshold, ExperimentError> {
        let refused = |reason: &str| ExperimentError::NoThreshold(reason.to_string());
        let Task::Binary { .. } = self.prepared.task else {
            return Err(refused(
                "a threshold needs two classes and a loss with one output",
            ));
        };
        let split = match self.prepared.rows(Split::Valid) {
            [] => Split::Train,
            _ => Split::Valid,
        };
        let predicted: Predicted = self.predict(split)?;
        let probabilities = self.prepared.probabilities(&predicted)?;
        let targets = self.prepared.split_labels(split).unwrap_or_default();
        let best = best_threshold(&targets, &probabilities, by);
        let best = best.map_err(|e| refused(&format!("{e} on the {split} split")))?;
        let chosen = ChosenThreshold { split, best };
        let _lock = run.lock()?;
        run.write_json(THRESHOLD, &chosen)?;
        Ok(chosen)
    }
}

/// Epochs to show of `last`: 1 and about twice as many each time, at most six with 0 and the last.
fn shown_epochs(last: usize) -> Vec<usize> {
    let factor = (last as f64).powf(0.25).max(1.0);
    let mut epochs: Vec<usize> = (0..5).map(|i| factor.powi(i).round() as usize).collect();
    epochs.retain(|&epoch| epoch <= last);
    epochs.extend((last > 0).then_some(last));
    epochs.dedup();
    epochs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_epochs_are_shown_early_ones_more_densely() {
        assert_eq!(shown_epochs(1000), [1, 6, 32, 178, 1000]);
        assert_eq!(shown_epochs(4), [1, 2, 3, 4]);
        assert_eq!(shown_epochs(1), [1]);
        assert_eq!(shown_epochs(0), Vec::<usize>::new());
    }
}
