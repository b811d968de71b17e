//! Decision boundaries of a run: the predictions of its network over a plane of inputs, now and in earlier epochs.

use std::ops::ControlFlow;

use burn::module::Module;
use emberlab_analysis::{Classifier, Plane, boundary};
use emberlab_models::Network;
use emberlab_run_format::Boundary;
use emberlab_training::TrainingError;

use super::LoadedRun;
use crate::error::ExperimentError;
use crate::trial::evenly;

/// Samples drawn over a boundary, and used for principal components.
const POINTS: usize = 500;

/// The plane of a boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axes {
    /// Both columns of the data if there are two; the first two principal components if there are more.
    Auto,
    /// These two columns, counted from 0.
    Features([usize; 2]),
}

impl LoadedRun {
    /// The predictions over a plane of inputs, at `size` × `size` points; `None` for a regression or a single column.
    ///
    /// # Errors
    /// [`ExperimentError::NoFeature`] if a column does not exist; [`ExperimentError::Training`] if the device
    /// fails.
    pub fn boundary(&self, axes: Axes, size: usize) -> Result<Option<Boundary>, ExperimentError> {
        match self.plane(axes)? {
            Some(plane) => Ok(plane.boundary(&self.classifier(), size)?),
            None => Ok(None),
        }
    }

    /// The boundaries after some epochs: 0, a few in geometric progression, and the last. To get them, the training is
    /// repeated, with the same result bit by bit.
    ///
    /// # Errors
    /// Those of [`boundary`](Self::boundary).
    pub fn boundaries_over_epochs(
        &self,
        axes: Axes,
        size: usize,
        last_epoch: usize,
    ) -> Result<Vec<(usize, Boundary)>, ExperimentError> {
        let Some(plane) = self.plane(axes)? else {
            return Ok(Vec::new());
        };
        let shown = shown_epochs(last_epoch);
        let train = self.prepared.upload_train(&self.device)?;
        let replay = self
            .prepared
            .replay(&self.device, &train, &self.epoch_rates)?;
        let mut found = Vec::new();
        let mut draw = |epoch: usize, network: &Network| {
            let network = network.valid();
            let classifier = self.prepared.classifier(&network, &self.device);
            let drawn = plane.boundary(&classifier, size)?;
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

    /// The plane through these axes; `None` for a regression or a single column.
    fn plane(&self, axes: Axes) -> Result<Option<PlaneWithSamples>, ExperimentError> {
        let samples = &self.prepared.columns;
        let num_features = samples.num_features();
        let Some(labels) = samples.labels().filter(|_| num_features > 1) else {
            return Ok(None);
        };
        let shown: Vec<usize> = evenly(samples.len(), POINTS).collect();
        let rows: Vec<Vec<f64>> = shown.iter().map(|&i| samples.row(i)).collect();
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
        Ok(Some(PlaneWithSamples {
            points: rows.iter().map(|row| plane.nearest(row)).collect(),
            classes: shown.iter().map(|&i| labels[i]).collect(),
            plane,
        }))
    }
}

/// A plane of inputs, with samples as points on it.
struct PlaneWithSamples {
    plane: Plane,
    /// Coordinates of each sample on the plane.
    points: Vec<[f64; 2]>,
    /// The class of each sample.
    classes: Vec<u32>,
}

impl PlaneWithSamples {
    fn boundary(
        &self,
        classifier: &Classifier,
        size: usize,
    ) -> Result<Option<Boundary>, TrainingError> {
        let (points, classes) = (self.points.clone(), self.classes.clone());
        boundary(classifier, &self.plane, size, points, classes)
    }
}

/// The epochs to show of `last` epochs: from 1 to the last in geometric progression, at most five.
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
    fn a_few_epochs_are_shown_and_early_ones_more_often() {
        assert_eq!(shown_epochs(1000), [1, 6, 32, 178, 1000]);
        assert_eq!(shown_epochs(4), [1, 2, 3, 4]);
        assert_eq!(shown_epochs(1), [1]);
        assert_eq!(shown_epochs(0), Vec::<usize>::new());
    }
}
