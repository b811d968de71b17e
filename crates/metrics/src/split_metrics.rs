//! The named numbers of one split after one epoch.

use crate::json_number::JsonNumber;
use crate::{BinaryScores, ConfusionMatrix, RegressionScores};
use schemars::JsonSchema;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// One number that is followed over the epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The loss that is trained on, as that loss is reduced; lower is better.
    Loss,
    /// Share of right predictions, in [0, 1]; higher is better.
    Accuracy,
    /// Share of right ones among the predictions of a class, in [0, 1]; higher is better.
    Precision,
    /// Share of found ones among the samples of a class, in [0, 1]; higher is better.
    Recall,
    /// Harmonic mean of precision and recall, in [0, 1]; higher is better.
    F1,
    /// Mean absolute error, in the units of the targets; lower is better.
    Mae,
    /// Mean squared error, in squared units of the targets; lower is better.
    Mse,
    /// Share of the targets' variance that is explained, at most 1; higher is better.
    R2,
}

/// Which way a metric improves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Smaller values are better.
    Lower,
    /// Larger values are better.
    Higher,
}

impl Metric {
    /// All metrics, in the order of the columns of a table.
    pub const ALL: [Metric; 8] = [
        Metric::Loss,
        Metric::Accuracy,
        Metric::Precision,
        Metric::Recall,
        Metric::F1,
        Metric::Mae,
        Metric::Mse,
        Metric::R2,
    ];

    /// The name in files and tables.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Loss => "loss",
            Metric::Accuracy => "accuracy",
            Metric::Precision => "precision",
            Metric::Recall => "recall",
            Metric::F1 => "f1",
            Metric::Mae => "mae",
            Metric::Mse => "mse",
            Metric::R2 => "r2",
        }
    }

    /// The metric of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.name() == name)
    }

    /// Which way the metric improves.
    pub fn direction(self) -> Direction {
        match self {
            Metric::Loss | Metric::Mae | Metric::Mse => Direction::Lower,
            Metric::Accuracy | Metric::Precision | Metric::Recall | Metric::F1 | Metric::R2 => {
                Direction::Higher
            }
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Direction {
    /// Whether a value is strictly better than the best so far; NaN never is, and anything beats NaN.
    pub fn is_improvement(self, value: f64, best: f64) -> bool {
        if best.is_nan() {
            return !value.is_nan();
        }
        match self {
            Direction::Lower => value < best,
            Direction::Higher => value > best,
        }
    }
}

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

    /// Loss, accuracy, and precision, recall and F1 of class 1.
    pub fn binary(loss: f64, scores: &BinaryScores) -> Self {
        Self {
            values: vec![
                (Metric::Loss, loss),
                (Metric::Accuracy, scores.accuracy),
                (Metric::Precision, scores.precision),
                (Metric::Recall, scores.recall),
                (Metric::F1, scores.f1),
            ],
        }
    }

    /// Loss, mean absolute and squared error, and R².
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

    /// The value of a metric, if this split has it.
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
        let names: Vec<_> = metrics.names().collect();
        assert_eq!(names, ["loss", "accuracy", "precision", "recall", "f1"]);
        assert_eq!(metrics.get(Metric::Loss), Some(0.25));
        assert_eq!(metrics.get(Metric::Accuracy), Some(0.6666666666666666));
        assert_eq!(metrics.get(Metric::Precision), Some(0.6666666666666666));
        assert_eq!(metrics.get(Metric::Recall), Some(0.5));
        let f1 = metrics.get(Metric::F1).unwrap();
        assert!((f1 - 0.5555555555555555).abs() < 1e-15, "{f1}");
        assert_eq!(metrics.get(Metric::R2), None);
    }

    #[test]
    fn binary_scores_are_those_of_class_1() {
        let scores = BinaryScores::from_probabilities(&[0, 1, 1], &[0.9, 0.9, 0.1], 0.5).unwrap();
        let metrics = SplitMetrics::binary(1.0, &scores);
        assert_eq!(metrics.get(Metric::Recall), Some(0.5));
        assert_eq!(metrics.get(Metric::Precision), Some(0.5));
        assert_eq!(metrics.get(Metric::Accuracy), Some(1.0 / 3.0));
    }

    #[test]
    fn regression_has_its_own_names() {
        let scores = RegressionScores::from_values(&[1.0, 2.0], &[1.0, 4.0], 1).unwrap();
        let metrics = SplitMetrics::regression(2.0, &scores);
        let names: Vec<_> = metrics.names().collect();
        assert_eq!(names, ["loss", "mae", "mse", "r2"]);
        assert_eq!(metrics.get(Metric::Mae), Some(1.0));
    }

    #[test]
    fn every_name_leads_back_to_its_metric_and_is_its_wire_name() {
        for metric in Metric::ALL {
            assert_eq!(Metric::from_name(metric.name()), Some(metric));
            let wire = serde_json::to_string(&metric).unwrap();
            assert_eq!(wire, format!("\"{}\"", metric.name()));
        }
        assert_eq!(Metric::from_name("auc"), None);
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

    #[test]
    fn an_improvement_is_strict_and_never_nan() {
        assert!(Metric::Loss.direction().is_improvement(0.1, 0.2));
        assert!(!Metric::Loss.direction().is_improvement(0.2, 0.2));
        assert!(Metric::Accuracy.direction().is_improvement(0.9, 0.8));
        for direction in [Direction::Lower, Direction::Higher] {
            assert!(!direction.is_improvement(f64::NAN, 0.5));
            assert!(!direction.is_improvement(f64::NAN, f64::NAN));
            assert!(direction.is_improvement(0.5, f64::NAN));
        }
    }
}
