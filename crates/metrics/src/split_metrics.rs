//! The metrics of one split after one epoch.

use crate::json_number::JsonNumber;
use crate::{
    ClassScores, ConfusionMatrix, Metric, RegressionScores, mean_absolute_percentage_error,
    median_absolute_error,
};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The metrics of one split (train, validation or test) after one epoch, in a fixed order.
///
/// Written as a map from name to number. JSON has no NaN and no infinities: they are written as `null`, and
/// `null` is read as NaN.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SplitMetrics {
    values: Vec<(Metric, f64)>,
}

impl SplitMetrics {
    /// Loss, accuracy, and precision, recall and F1 averaged over the classes that occur.
    ///
    /// The averages equal scikit-learn's `average="macro"` with `zero_division=0`.
    pub fn classification(loss: f64, matrix: &ConfusionMatrix) -> Self {
        let scores = matrix.macro_average();
        Self {
            values: vec![
                (Metric::Loss, loss),
                (Metric::Accuracy, matrix.accuracy()),
                (Metric::Precision, scores.precision),
                (Metric::Recall, scores.recall),
                (Metric::F1, scores.f1),
            ],
        }
    }

    /// Loss, mean absolute error, mean squared error and R².
    pub fn regression(loss: f64, scores: &RegressionScores) -> Self {
        Self {
            values: vec![
                (Metric::Loss, loss),
                (Metric::Mae, scores.mae),
                (Metric::Mse, scores.mse),
                (Metric::R2, scores.r2),
            ],
        }
    }

    /// Adds those metrics of classes among `asked` that are computed on request. Those that need the outputs of all
    /// samples are left out without `scores`.
    pub fn with_asked_of_classes(
        mut self,
        asked: &[Metric],
        matrix: &ConfusionMatrix,
        scores: Option<&ClassScores<'_>>,
    ) -> Self {
        let value = |metric: &Metric| match metric {
            Metric::BalancedAccuracy => Some(matrix.balanced_accuracy()),
            Metric::Mcc => Some(matrix.mcc()),
            Metric::RocAuc => scores.map(ClassScores::roc_auc),
            Metric::AveragePrecision => scores.map(ClassScores::average_precision),
            Metric::LogLoss => scores.map(ClassScores::log_loss),
            Metric::Brier => scores.map(ClassScores::brier_score),
            Metric::Top3 => scores.map(|scores| scores.top_k_accuracy(3)),
            Metric::Top5 => scores.map(|scores| scores.top_k_accuracy(5)),
            Metric::Loss
            | Metric::Accuracy
            | Metric::Precision
            | Metric::Recall
            | Metric::F1
            | Metric::Mae
            | Metric::Mse
            | Metric::R2
            | Metric::Mape
            | Metric::MedianAbsoluteError => None,
        };
        let found = asked.iter().map(|metric| (*metric, value(metric)));
        (self.values).extend(found.filter_map(|(metric, value)| Some((metric, value?))));
        self
    }

    /// Adds those metrics of numbers among `asked` that are computed on request.
    ///
    /// # Shapes
    /// - targets, predictions: `[num_samples, num_outputs]`, row by row, of at least one output
    pub fn with_asked_of_numbers(
        mut self,
        asked: &[Metric],
        targets: &[f64],
        predictions: &[f64],
        num_outputs: usize,
    ) -> Self {
        for metric in asked {
            let value = match metric {
                Metric::Mape => mean_absolute_percentage_error(targets, predictions),
                Metric::MedianAbsoluteError => {
                    median_absolute_error(targets, predictions, num_outputs)
                }
                Metric::Loss
                | Metric::Accuracy
                | Metric::Precision
                | Metric::Recall
                | Metric::F1
                | Metric::BalancedAccuracy
                | Metric::Mcc
                | Metric::RocAuc
                | Metric::AveragePrecision
                | Metric::LogLoss
                | Metric::Brier
                | Metric::Top3
                | Metric::Top5
                | Metric::Mae
                | Metric::Mse
                | Metric::R2 => continue,
            };
            self.values.push((*metric, value));
        }
        self
    }

    /// The value of a metric, or `None` if this split does not have it.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        self.iter().find(|(m, _)| *m == metric).map(|(_, v)| v)
    }

    /// The metrics and their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Metric, f64)> {
        self.values.iter().copied()
    }

    /// The names of the metrics, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.iter().map(|(metric, _)| metric.name())
    }
}

impl FromIterator<(Metric, f64)> for SplitMetrics {
    fn from_iter<I: IntoIterator<Item = (Metric, f64)>>(values: I) -> Self {
        Self {
            values: values.into_iter().collect(),
        }
    }
}

impl Serialize for SplitMetrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for SplitMetrics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = SplitMetrics;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from metric to number")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SplitMetrics, A::Error> {
                let mut values = Vec::new();
                while let Some((metric, JsonNumber(value))) = map.next_entry()? {
                    values.push((metric, value));
                }
                Ok(SplitMetrics { values })
            }
        }
        deserializer.deserialize_map(Map)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn classification() -> SplitMetrics {
        let matrix = ConfusionMatrix::from_labels(&[0, 0, 1], &[0, 2, 1], 4).unwrap();
        SplitMetrics::classification(0.25, &matrix)
    }

    #[test]
    fn classification_averages_over_the_classes_that_occur() {
        // precision_recall_fscore_support([0, 0, 1], [0, 2, 1], average="macro", zero_division=0)
        let metrics = classification();
        let always = Metric::of_classes().filter(|metric| !metric.is_on_request());
        assert!(metrics.iter().map(|(metric, _)| metric).eq(always));
        assert_eq!(metrics.get(Metric::Loss), Some(0.25));
        assert_eq!(metrics.get(Metric::Accuracy), Some(0.6666666666666666));
        assert_eq!(metrics.get(Metric::Precision), Some(0.6666666666666666));
        assert_eq!(metrics.get(Metric::Recall), Some(0.5));
        let f1 = metrics.get(Metric::F1).unwrap();
        assert!((f1 - 0.5555555555555555).abs() < 1e-15, "{f1}");
        assert_eq!(metrics.get(Metric::R2), None);
    }

    #[test]
    fn a_regression_has_the_metrics_of_numbers() {
        let scores = RegressionScores::from_values(&[1.0, 2.0], &[1.0, 4.0], 1).unwrap();
        let metrics = SplitMetrics::regression(2.0, &scores);
        let always = Metric::of_numbers().filter(|metric| !metric.is_on_request());
        assert!(metrics.iter().map(|(metric, _)| metric).eq(always));
        assert_eq!(metrics.get(Metric::Mae), Some(1.0));
    }

    #[test]
    fn every_metric_on_request_is_computed_for_its_targets_and_no_other() {
        let asked: Vec<Metric> = Metric::ALL.into();
        let matrix = ConfusionMatrix::from_labels(&[0, 1, 2], &[0, 2, 2], 3).unwrap();
        let outputs = [0.8, 0.1, 0.1, 0.2, 0.3, 0.5, 0.1, 0.1, 0.8];
        let scores = ClassScores::new(&[0, 1, 2], &outputs, &outputs, 3).unwrap();
        let metrics = SplitMetrics::classification(0.25, &matrix);
        let metrics = metrics.with_asked_of_classes(&asked, &matrix, Some(&scores));
        assert!(metrics.names().eq(Metric::of_classes().map(Metric::name)));
        assert!(metrics.iter().all(|(_, value)| value.is_finite()));
        let (targets, predictions) = ([1.0, 2.0], [1.0, 4.0]);
        let scores = RegressionScores::from_values(&targets, &predictions, 1).unwrap();
        let metrics = SplitMetrics::regression(2.0, &scores);
        let metrics = metrics.with_asked_of_numbers(&asked, &targets, &predictions, 1);
        assert!(metrics.names().eq(Metric::of_numbers().map(Metric::name)));
        assert_eq!(metrics.get(Metric::Mape), Some(0.5));
    }

    #[test]
    fn without_outputs_only_metrics_of_counts_are_computed() {
        let matrix = ConfusionMatrix::from_labels(&[0, 1], &[0, 1], 2).unwrap();
        let metrics = SplitMetrics::default();
        let metrics = metrics.with_asked_of_classes(&Metric::ALL, &matrix, None);
        assert!(metrics.names().eq(["balanced_accuracy", "mcc"]));
    }

    #[test]
    fn json_is_a_map_in_order() {
        let json = serde_json::to_string(&classification()).unwrap();
        assert!(
            json.starts_with(r#"{"loss":0.25,"accuracy":0.66"#),
            "{json}"
        );
        let back: SplitMetrics = serde_json::from_str(&json).unwrap();
        assert_eq!(back, classification());
    }

    #[test]
    fn a_loss_that_is_nan_survives_json() {
        let metrics: SplitMetrics = [(Metric::Loss, f64::NAN)].into_iter().collect();
        let json = serde_json::to_string(&metrics).unwrap();
        assert_eq!(json, r#"{"loss":null}"#);
        let back: SplitMetrics = serde_json::from_str(&json).unwrap();
        assert!(back.get(Metric::Loss).unwrap().is_nan());
    }
}
