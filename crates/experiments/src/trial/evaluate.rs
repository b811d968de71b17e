//! What predictions of a run's network are worth, and what there is to see of it.

use emberlab_analysis::{Plane, boundary};
use emberlab_datasets::{Features, Targets};
use emberlab_metrics::{
    BinaryCurves, ClassificationReport, ConfusionMatrix, MetricsError, NO_PREDICTION,
    RegressionScores, Split, ThresholdBy, best_threshold,
};
use emberlab_models::Network;
use emberlab_run_format::{
    Boundary, Bytes, Inputs, Mistake, Mistakes, RunEvaluation, SplitEvaluation,
};
use emberlab_training::{Predicted, Task, TrainingError, labels};

use burn::tensor::Device;

use crate::error::ExperimentError;
use crate::trial::Prepared;

/// Points of a curve that are kept.
const CURVE_POINTS: usize = 200;
/// Points of a boundary's grid on each side.
const GRID_SIZE: usize = 60;
/// Samples shown over a boundary.
const BOUNDARY_POINTS: usize = 500;
/// Mistakes that are listed.
const MISTAKES: usize = 25;

/// What the last network is worth on every split, and what there is to see of it.
///
/// # Errors
/// [`ExperimentError::Training`] if the device fails.
pub(crate) fn evaluate_run(
    prepared: &Prepared,
    network: &Network,
    device: &Device,
    predicted: &[(Split, Predicted)],
) -> Result<RunEvaluation, ExperimentError> {
    let mut splits = Vec::new();
    for (split, predicted) in predicted {
        splits.push(prepared.evaluate(*split, predicted)?);
    }
    let of = |split: Split| predicted.iter().find(|(s, _)| *s == split);
    let chooser = of(Split::Valid).or_else(|| of(Split::Train));
    let mut best_thresholds = Vec::new();
    if let (Task::Binary { .. }, Some((split, predicted))) = (prepared.task, chooser) {
        let targets = prepared.split_labels(*split).unwrap_or_default();
        let probabilities = prepared.probabilities(predicted)?;
        let best = [ThresholdBy::F1, ThresholdBy::Youden]
            .map(|by| best_threshold(&targets, &probabilities, by));
        // A network that puts out NaN, or a split of one class, has no best threshold.
        best_thresholds.extend(best.into_iter().flatten());
    }
    let judge = of(Split::Test).or(chooser);
    let mistakes = match judge {
        Some((split, predicted)) => prepared.mistakes(*split, predicted)?,
        None => None,
    };
    Ok(RunEvaluation {
        class_names: prepared.class_names(),
        thresholds_from: chooser
            .filter(|_| !best_thresholds.is_empty())
            .map(|(split, _)| *split),
        splits,
        best_thresholds,
        boundary: prepared.boundary(network, device)?,
        mistakes,
    })
}

impl Prepared {
    /// What predictions of a split are worth.
    ///
    /// # Errors
    /// [`ExperimentError::Training`] if they are not of this split.
    pub fn evaluate(
        &self,
        split: Split,
        predicted: &Predicted,
    ) -> Result<SplitEvaluation, ExperimentError> {
        let rows = self.rows(split);
        let mut evaluation = SplitEvaluation {
            split,
            num_samples: rows.len(),
            metrics: predicted.metrics.clone(),
            classification_report: None,
            confusion_matrix: None,
            curves: None,
            regression: None,
            predictions: Vec::new(),
        };
        match &self.samples.targets {
            Targets::Classes { names, .. } => {
                let targets = self.split_labels(split).unwrap_or_default();
                let predictions = labels(&self.task, &predicted.outputs, self.d_output)?;
                let matrix = ConfusionMatrix::from_labels(&targets, &predictions, names.len());
                let matrix = matrix.map_err(unscored)?;
                let report = ClassificationReport::from_confusion(&matrix, names);
                evaluation.classification_report = Some(report.map_err(unscored)?);
                evaluation.confusion_matrix = Some(matrix);
                if let Task::Binary { .. } = self.task {
                    let probabilities = self.probabilities(predicted)?;
                    let curves = BinaryCurves::from_probabilities(&targets, &probabilities);
                    evaluation.curves = match curves {
                        Ok(curves) => Some(curves.thinned(CURVE_POINTS)),
                        Err(MetricsError::OneClass | MetricsError::NotFinite) => None,
                        Err(error) => return Err(unscored(error)),
                    };
                }
            }
            Targets::Values(values) => {
                let of = |&row: &u32| f64::from(values[row as usize]);
                let targets: Vec<f64> = rows.iter().map(of).collect();
                let outputs = &predicted.outputs;
                let scores = RegressionScores::from_values(&targets, outputs, 1);
                evaluation.regression = Some(scores.map_err(unscored)?);
                if outputs.iter().all(|output| output.is_finite()) {
                    let kept = evenly(targets.len(), CURVE_POINTS);
                    evaluation.predictions = kept.map(|i| [targets[i], outputs[i]]).collect();
                }
            }
        }
        Ok(evaluation)
    }

    /// The classes of a split's rows; none of a regression.
    pub fn split_labels(&self, split: Split) -> Option<Vec<u32>> {
        let labels = self.samples.labels()?;
        let rows = self.rows(split).iter();
        Some(rows.map(|&row| labels[row as usize]).collect())
    }

    /// Names of the classes; none of a regression.
    pub fn class_names(&self) -> Vec<String> {
        let names = self.samples.class_names();
        names.map(<[String]>::to_vec).unwrap_or_default()
    }

    /// What outputs say of classes: see [`Task::probabilities`].
    ///
    /// # Errors
    /// [`ExperimentError::Training`] if there are no classes.
    pub fn probabilities(&self, predicted: &Predicted) -> Result<Vec<f64>, ExperimentError> {
        let (loss, outputs) = (&self.config.loss, &predicted.outputs);
        Ok(self.task.probabilities(loss, outputs, self.d_output)?)
    }

    /// The wrong predictions of a split, the most confident first; none of a regression.
    ///
    /// # Errors
    /// [`ExperimentError::Training`] if the predictions are not of this split.
    pub fn mistakes(
        &self,
        split: Split,
        predicted: &Predicted,
    ) -> Result<Option<Mistakes>, ExperimentError> {
        let Some(targets) = self.split_labels(split) else {
            return Ok(None);
        };
        let probabilities = self.probabilities(predicted)?;
        let predictions = labels(&self.task, &predicted.outputs, self.d_output)?;
        let confidence = |i: usize| match (self.task, predictions[i]) {
            (_, NO_PREDICTION) => 0.0,
            (Task::Binary { .. }, 0) => 1.0 - probabilities[i],
            (Task::Binary { .. }, _) => probabilities[i],
            (_, class) => probabilities[i * self.d_output + class as usize],
        };
        let wrong = (0..targets.len()).filter(|&i| predictions[i] != targets[i]);
        let mut wrong: Vec<(usize, f64)> = wrong.map(|i| (i, confidence(i))).collect();
        wrong.sort_by(|a, b| b.1.total_cmp(&a.1));
        let rows = self.rows(split);
        // Of a row without a prediction there is nothing to see: it is counted only.
        let predicted = wrong
            .iter()
            .filter(|(i, _)| predictions[*i] != NO_PREDICTION);
        let samples = predicted.take(MISTAKES).map(|&(i, confidence)| Mistake {
            row: rows[i],
            target: targets[i],
            prediction: Some(predictions[i]),
            confidence,
            inputs: self.inputs(rows[i]),
        });
        Ok(Some(Mistakes {
            split,
            num_mistakes: wrong.len() as u64,
            input_shape: self.samples.input_shape.clone(),
            feature_names: self.samples.feature_names.clone(),
            samples: samples.collect(),
        }))
    }

    /// The inputs of a row; pixels are scaled so that white is 255.
    fn inputs(&self, row: u32) -> Inputs {
        let width = self.samples.num_features();
        let start = row as usize * width;
        match (&self.samples.features, self.config.dataset.white()) {
            (Features::Bytes(pixels), Some(white)) => {
                let white = f64::from(white);
                let shares = pixels[start..start + width].iter();
                Inputs::Pixels(Bytes::from_shares(shares.map(|p| f64::from(*p) / white)))
            }
            _ => Inputs::Features(self.samples.row(row as usize)),
        }
    }

    /// What is predicted over the plane of two inputs; none where there are not two, or no classes.
    fn boundary(
        &self,
        network: &Network,
        device: &Device,
    ) -> Result<Option<Boundary>, ExperimentError> {
        let (2, Some(labels)) = (self.samples.num_features(), self.samples.labels()) else {
            return Ok(None);
        };
        let point = |i: usize| {
            let row = self.samples.row(i);
            [row[0], row[1]]
        };
        let all: Vec<[f32; 2]> = (0..self.samples.len()).map(point).collect();
        let names = &self.samples.feature_names;
        let name = |i: usize| names.get(i).map_or("", String::as_str);
        let plane = Plane::of_two_features([name(0), name(1)], &all);
        let shown: Vec<usize> = evenly(all.len(), BOUNDARY_POINTS).collect();
        let points = shown.iter().map(|&i| all[i]).collect();
        let classes = shown.iter().map(|&i| labels[i]).collect();
        let classifier = self.classifier(network, device);
        Ok(boundary(&classifier, &plane, GRID_SIZE, points, classes)?)
    }
}

/// At most `max` of `len` indices, evenly spread.
pub(crate) fn evenly(len: usize, max: usize) -> impl Iterator<Item = usize> {
    let kept = len.min(max);
    (0..kept).map(move |k| k * len / kept)
}

fn unscored(error: MetricsError) -> ExperimentError {
    TrainingError::Read(error.to_string()).into()
}
