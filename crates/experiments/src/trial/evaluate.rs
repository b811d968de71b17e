//! Evaluates a trained network: metrics of every split, mistakes, and the decision boundary.

use burn::tensor::Device;
use emberlab_analysis::boundary;
use emberlab_datasets::{Features, Targets};
use emberlab_metrics::{
    BinaryCurves, ClassScores, ClassificationReport, ConfusionMatrix, MOST_CLASSES, Metric,
    MetricsError, NO_PREDICTION, RegressionScores, Split, SplitMetrics, ThresholdBy,
    best_threshold, thresholded,
};
use emberlab_models::Network;
use emberlab_run_format::{
    Boundary, Bytes, DEFAULT_THRESHOLD, Inputs, Mistake, Mistakes, RunEvaluation, SplitEvaluation,
    TargetScores,
};
use emberlab_training::{Predicted, Task, TrainingError, labels};

use crate::error::ExperimentError;
use crate::trial::{Prepared, evenly};

/// Points of a curve in `evaluation.json`.
const CURVE_POINTS: usize = 200;
/// Points on each side of the grid of a decision boundary.
const GRID_SIZE: usize = 60;
/// Samples drawn over a decision boundary.
const BOUNDARY_POINTS: usize = 500;
/// Mistakes in the list.
const MISTAKES: usize = 25;

/// The evaluation of the last network on every split, for `evaluation.json`.
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
        splits.push(prepared.evaluate(*split, predicted, DEFAULT_THRESHOLD)?);
    }
    let of = |split: Split| predicted.iter().find(|(s, _)| *s == split);
    let threshold_split = of(Split::Valid).or_else(|| of(Split::Train));
    let mut best_thresholds = Vec::new();
    if let (Task::Binary { .. }, Some((split, predicted))) = (&prepared.task, threshold_split) {
        let targets = prepared.split_labels(*split).unwrap_or_default();
        let probabilities = prepared.probabilities(predicted)?;
        let best = [ThresholdBy::F1, ThresholdBy::Youden]
            .map(|by| best_threshold(&targets, &probabilities, by));
        // There is no best threshold if the network outputs NaN or the split has only one class.
        best_thresholds.extend(best.into_iter().flatten());
    }
    let mistakes_split = of(Split::Test).or(threshold_split);
    let mistakes = match mistakes_split {
        Some((split, predicted)) => prepared.mistakes(*split, predicted, DEFAULT_THRESHOLD)?,
        None => None,
    };
    Ok(RunEvaluation {
        class_names: prepared.class_names(),
        thresholds_from: threshold_split
            .filter(|_| !best_thresholds.is_empty())
            .map(|(split, _)| *split),
        splits,
        best_thresholds,
        boundary: prepared.boundary(network, device)?,
        mistakes,
    })
}

impl Prepared {
    /// The evaluation of the predictions of a split; of two classes, class 1 is predicted above the probability
    /// `threshold`.
    ///
    /// # Errors
    /// [`ExperimentError::Training`] if the predictions are not of this split.
    pub fn evaluate(
        &self,
        split: Split,
        predicted: &Predicted,
        threshold: f64,
    ) -> Result<SplitEvaluation, ExperimentError> {
        let rows = self.rows(split);
        let mut evaluation = SplitEvaluation {
            split,
            num_samples: rows.len(),
            metrics: predicted.metrics.clone(),
            classification_report: None,
            confusion_matrix: None,
            confused_pairs: None,
            positive_class: None,
            curves: None,
            regression: None,
            targets: Vec::new(),
            predictions: Vec::new(),
        };
        match &self.samples.targets {
            Targets::Classes { names, .. } => {
                let targets = self.split_labels(split).unwrap_or_default();
                let predictions = self.classes(predicted, threshold)?;
                let matrix = ConfusionMatrix::from_labels(&targets, &predictions, names.len());
                let matrix = matrix.map_err(not_scored)?;
                if threshold != DEFAULT_THRESHOLD {
                    let loss = predicted.metrics.get(Metric::Loss).unwrap_or(f64::NAN);
                    let probabilities = self.probabilities(predicted)?;
                    let (outputs, width) = (&predicted.outputs, self.d_output);
                    let scores = ClassScores::new(&targets, outputs, &probabilities, width);
                    let scores = scores.map_err(not_scored)?;
                    let metrics = SplitMetrics::classification(loss, &matrix);
                    let asked = self.asked_metrics();
                    evaluation.metrics =
                        metrics.with_asked_of_classes(&asked, &matrix, Some(&scores));
                }
                let report = ClassificationReport::from_confusion(&matrix, names);
                evaluation.classification_report = Some(report.map_err(not_scored)?);
                match names.len() > MOST_CLASSES {
                    true => evaluation.confused_pairs = Some(matrix.most_confused(MOST_CLASSES)),
                    false => evaluation.confusion_matrix = Some(matrix),
                }
                if let Task::Binary { .. } = self.task {
                    evaluation.positive_class = names.get(1).cloned();
                    let probabilities = self.probabilities(predicted)?;
                    let curves = BinaryCurves::from_probabilities(&targets, &probabilities);
                    evaluation.curves = match curves {
                        Ok(curves) => Some(curves.thinned(CURVE_POINTS)),
                        Err(MetricsError::OneClass | MetricsError::NotFinite) => None,
                        Err(error) => return Err(not_scored(error)),
                    };
                }
            }
            Targets::Values { values, names } => {
                let width = names.len();
                let of = |&row: &u32| &values[row as usize * width..(row as usize + 1) * width];
                let targets: Vec<f64> = rows.iter().flat_map(of).copied().collect();
                let outputs = &predicted.outputs;
                let scores = RegressionScores::from_values(&targets, outputs, width);
                evaluation.regression = Some(scores.map_err(not_scored)?);
                if width > 1 {
                    let of_each = RegressionScores::of_each(&targets, outputs, width);
                    let of_each = of_each.map_err(not_scored)?.into_iter();
                    let named = names.iter().cloned().zip(of_each);
                    let named = named.map(|(target, scores)| TargetScores { target, scores });
                    evaluation.targets = named.collect();
                }
                if outputs.iter().all(|output| output.is_finite()) {
                    let shown = evenly(targets.len(), CURVE_POINTS);
                    evaluation.predictions = shown.map(|i| [targets[i], outputs[i]]).collect();
                }
            }
        }
        Ok(evaluation)
    }

    /// The class of each row of a split; `None` for a regression.
    pub fn split_labels(&self, split: Split) -> Option<Vec<u32>> {
        let labels = self.samples.labels()?;
        let rows = self.rows(split).iter();
        Some(rows.map(|&row| labels[row as usize]).collect())
    }

    /// The names of the classes; empty for a regression.
    pub fn class_names(&self) -> Vec<String> {
        let names = self.samples.class_names();
        names.map(<[String]>::to_vec).unwrap_or_default()
    }

    /// The probabilities of the classes: see [`Task::probabilities`].
    ///
    /// # Errors
    /// [`ExperimentError::Training`] if there are no classes.
    pub fn probabilities(&self, predicted: &Predicted) -> Result<Vec<f64>, ExperimentError> {
        let (loss, outputs) = (&self.config.loss, &predicted.outputs);
        Ok(self.task.probabilities(loss, outputs, self.d_output)?)
    }

    /// The predicted class of each row; of two classes, class 1 above the probability `threshold`.
    fn classes(&self, predicted: &Predicted, threshold: f64) -> Result<Vec<u32>, ExperimentError> {
        match self.task {
            Task::Binary { .. } if threshold != DEFAULT_THRESHOLD => {
                Ok(thresholded(&self.probabilities(predicted)?, threshold))
            }
            // Outputs are not rounded, so the result is exactly that of the metrics of the training.
            _ => Ok(labels(&self.task, &predicted.outputs, self.d_output)?),
        }
    }

    /// The wrong predictions of a split, the most confident ones first; `None` for a regression. Of two classes, class
    /// 1 is predicted above the probability `threshold`.
    ///
    /// # Errors
    /// [`ExperimentError::Training`] if the predictions are not of this split.
    pub fn mistakes(
        &self,
        split: Split,
        predicted: &Predicted,
        threshold: f64,
    ) -> Result<Option<Mistakes>, ExperimentError> {
        let Some(targets) = self.split_labels(split) else {
            return Ok(None);
        };
        let probabilities = self.probabilities(predicted)?;
        let predictions = self.classes(predicted, threshold)?;
        let confidence = |i: usize| match (&self.task, predictions[i]) {
            (_, NO_PREDICTION) => 0.0,
            (Task::Binary { .. }, 0) => 1.0 - probabilities[i],
            (Task::Binary { .. }, _) => probabilities[i],
            (_, class) => probabilities[i * self.d_output + class as usize],
        };
        let wrong = (0..targets.len()).filter(|&i| predictions[i] != targets[i]);
        let mut wrong: Vec<(usize, f64)> = wrong.map(|i| (i, confidence(i))).collect();
        wrong.sort_by(|a, b| b.1.total_cmp(&a.1));
        let rows = self.rows(split);
        // A row without a prediction is counted but not listed.
        let predicted = wrong
            .iter()
            .filter(|(i, _)| predictions[*i] != NO_PREDICTION);
        let samples = predicted.take(MISTAKES).map(|&(i, confidence)| Mistake {
            row: rows[i],
            line: (self.lines.as_ref()).and_then(|lines| lines.get(rows[i] as usize).copied()),
            target: targets[i],
            prediction: Some(predictions[i]),
            confidence,
            inputs: self.inputs(rows[i]),
        });
        Ok(Some(Mistakes {
            split,
            num_mistakes: wrong.len() as u64,
            input_shape: self.columns.input_shape.clone(),
            feature_names: self.columns.feature_names.clone(),
            samples: samples.collect(),
        }))
    }

    /// The columns of a row; pixels are scaled so that white is 255.
    pub(super) fn inputs(&self, row: u32) -> Inputs {
        let width = self.columns.num_features();
        let start = row as usize * width;
        match (&self.columns.features, self.config.dataset.white()) {
            (Features::Bytes(pixels), Some(white)) => {
                let white = f64::from(white);
                let shares = pixels[start..start + width].iter();
                Inputs::Pixels(Bytes::from_shares(shares.map(|p| f64::from(*p) / white)))
            }
            _ => Inputs::Features(self.columns.row(row as usize)),
        }
    }

    /// The decision boundary over the plane of the two columns of the data; `None` unless there are two, and classes.
    fn boundary(
        &self,
        network: &Network,
        device: &Device,
    ) -> Result<Option<Boundary>, ExperimentError> {
        let (2, Some(labels)) = (self.columns.num_features(), self.samples.labels()) else {
            return Ok(None);
        };
        let plane = self.plane_of_two_columns();
        let shown: Vec<usize> = evenly(self.samples.len(), BOUNDARY_POINTS).collect();
        let points = shown.iter().map(|&i| self.point(i)).collect();
        let classes = shown.iter().map(|&i| labels[i]).collect();
        let classifier = self.classifier(network, device);
        Ok(boundary(&classifier, &plane, GRID_SIZE, points, classes)?)
    }
}

/// The error of a metric that cannot be computed.
pub(super) fn not_scored(error: MetricsError) -> ExperimentError {
    TrainingError::Read(error.to_string()).into()
}
