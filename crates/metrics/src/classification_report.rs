//! The classification report: scores of every class, and their averages.

use std::cmp::Reverse;

use crate::{ConfusionMatrix, MOST_CLASSES, MetricsError, Scores};
use serde::{Deserialize, Serialize};

/// Precision, recall, F1 and support of each class, the accuracy, and two averages.
///
/// Only classes that occur among the targets or the predictions are listed and averaged, in order. Of more than
/// [`MOST_CLASSES`] classes, those with the most samples are listed, the most frequent first; all are averaged.
///
/// # Source
/// Equals scikit-learn's `classification_report(targets, predictions, output_dict=True,
/// zero_division=0)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassificationReport {
    /// The scores of each class that is listed.
    pub classes: Vec<ClassReport>,
    /// Number of classes that occur and are not listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub num_left_out: usize,
    /// Share of right predictions, in [0, 1].
    pub accuracy: f64,
    /// Mean over the classes, unweighted; `macro avg` in scikit-learn.
    pub macro_average: Scores,
    /// Mean over the classes, weighted by support; `weighted avg` in scikit-learn.
    pub weighted_average: Scores,
}

/// The scores of one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassReport {
    /// Name of the class.
    pub class: String,
    /// Precision, recall, F1 and support.
    pub scores: Scores,
}

/// One line of the report as a table: the classes, then accuracy, macro and weighted average.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportRow {
    /// Name of the class or average.
    pub label: String,
    /// Precision; `None` in the line of the accuracy.
    pub precision: Option<f64>,
    /// Recall; `None` in the line of the accuracy.
    pub recall: Option<f64>,
    /// F1; in the line of the accuracy it is the accuracy, as in the report of scikit-learn.
    pub f1: f64,
    /// Number of samples.
    pub support: u64,
}

impl ClassificationReport {
    /// The report of a confusion matrix, with one name for each of its classes.
    ///
    /// # Errors
    /// [`MetricsError::Classes`] if there is not one name per class; [`MetricsError::NoSamples`] if the
    /// matrix is empty.
    pub fn from_confusion(
        matrix: &ConfusionMatrix,
        class_names: &[impl AsRef<str>],
    ) -> Result<Self, MetricsError> {
        if class_names.len() != matrix.num_classes() {
            return Err(MetricsError::Classes {
                expected: matrix.num_classes(),
                found: class_names.len(),
            });
        }
        if matrix.num_samples() == 0 {
            return Err(MetricsError::NoSamples);
        }
        let mut present = matrix.all_scores();
        let num_left_out = present.len().saturating_sub(MOST_CLASSES);
        if num_left_out > 0 {
            present.sort_by_key(|(_, scores)| Reverse(scores.support));
            present.truncate(MOST_CLASSES);
        }
        let classes = present.into_iter().map(|(class, scores)| ClassReport {
            class: class_names[class].as_ref().to_owned(),
            scores,
        });
        Ok(Self {
            classes: classes.collect(),
            num_left_out,
            accuracy: matrix.accuracy(),
            macro_average: matrix.macro_average(),
            weighted_average: matrix.weighted_average(),
        })
    }

    /// The lines of the report, in scikit-learn's order.
    pub fn rows(&self) -> Vec<ReportRow> {
        let row = |label: &str, scores: &Scores| ReportRow {
            label: label.to_owned(),
            precision: Some(scores.precision),
            recall: Some(scores.recall),
            f1: scores.f1,
            support: scores.support,
        };
        let accuracy = ReportRow {
            label: "accuracy".to_owned(),
            precision: None,
            recall: None,
            f1: self.accuracy,
            support: self.macro_average.support,
        };
        let classes = self.classes.iter().map(|c| row(&c.class, &c.scores));
        classes
            .chain([
                accuracy,
                row("macro avg", &self.macro_average),
                row("weighted avg", &self.weighted_average),
            ])
            .collect()
    }
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

// The expected numbers are scikit-learn 1.9's, one script for all cases:
//
//     r = classification_report(targets, predictions, output_dict=True, zero_division=0)
//     for k, v in r.items():
//         print(k, v if not isinstance(v, dict) else [float(x) for x in v.values()])
#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Precision, recall, F1 and support, as printed by the script.
    type Printed = [f64; 4];

    fn report(targets: &[u32], predictions: &[u32], num_classes: usize) -> ClassificationReport {
        let matrix = ConfusionMatrix::from_labels(targets, predictions, num_classes).unwrap();
        let names: Vec<String> = (0..num_classes).map(|c| c.to_string()).collect();
        ClassificationReport::from_confusion(&matrix, &names).unwrap()
    }

    fn assert_scores(scores: &Scores, expected: Printed, what: &str) {
        let ours = [
            scores.precision,
            scores.recall,
            scores.f1,
            scores.support as f64,
        ];
        for (a, b) in ours.iter().zip(expected) {
            assert!(
                (a - b).abs() < 1e-15,
                "{what}: {ours:?} is not {expected:?}"
            );
        }
    }

    fn assert_report(
        report: &ClassificationReport,
        classes: &[(&str, Printed)],
        accuracy: f64,
        macro_average: Printed,
        weighted_average: Printed,
    ) {
        let names: Vec<&str> = report.classes.iter().map(|c| c.class.as_str()).collect();
        let expected: Vec<&str> = classes.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, expected);
        for (ours, (name, scores)) in report.classes.iter().zip(classes) {
            assert_scores(&ours.scores, *scores, name);
        }
        assert_eq!(report.accuracy, accuracy);
        assert_scores(&report.macro_average, macro_average, "macro avg");
        assert_scores(&report.weighted_average, weighted_average, "weighted avg");
    }

    #[test]
    fn balanced_classes_equal_scikit_learn() {
        assert_report(
            &report(&[0, 0, 1, 1, 2, 2], &[0, 1, 1, 1, 2, 0], 3),
            &[
                ("0", [0.5, 0.5, 0.5, 2.0]),
                ("1", [0.6666666666666666, 1.0, 0.8, 2.0]),
                ("2", [1.0, 0.5, 0.6666666666666666, 2.0]),
            ],
            0.6666666666666666,
            [
                0.7222222222222222,
                0.6666666666666666,
                0.6555555555555556,
                6.0,
            ],
            [
                0.7222222222222222,
                0.6666666666666666,
                0.6555555555555556,
                6.0,
            ],
        );
    }

    #[test]
    fn imbalanced_classes_equal_scikit_learn() {
        assert_report(
            &report(
                &[0, 0, 0, 0, 0, 0, 0, 0, 1, 1],
                &[0, 0, 0, 0, 0, 0, 0, 1, 1, 0],
                2,
            ),
            &[
                ("0", [0.875, 0.875, 0.875, 8.0]),
                ("1", [0.5, 0.5, 0.5, 2.0]),
            ],
            0.8,
            [0.6875, 0.6875, 0.6875, 10.0],
            [0.8, 0.8, 0.8, 10.0],
        );
    }

    #[test]
    fn a_class_never_predicted_scores_zero() {
        assert_report(
            &report(&[0, 0, 1, 1, 2], &[0, 0, 1, 0, 1], 3),
            &[
                ("0", [0.6666666666666666, 1.0, 0.8, 2.0]),
                ("1", [0.5, 0.5, 0.5, 2.0]),
                ("2", [0.0, 0.0, 0.0, 1.0]),
            ],
            0.6,
            [0.38888888888888884, 0.5, 0.43333333333333335, 5.0],
            [0.4666666666666666, 0.6, 0.52, 5.0],
        );
    }

    #[test]
    fn a_class_absent_from_the_targets_counts_in_the_macro_average() {
        assert_report(
            &report(&[0, 0, 1], &[0, 2, 1], 3),
            &[
                ("0", [1.0, 0.5, 0.6666666666666666, 2.0]),
                ("1", [1.0, 1.0, 1.0, 1.0]),
                ("2", [0.0, 0.0, 0.0, 0.0]),
            ],
            0.6666666666666666,
            [0.6666666666666666, 0.5, 0.5555555555555555, 3.0],
            [1.0, 0.6666666666666666, 0.7777777777777777, 3.0],
        );
    }

    #[test]
    fn classes_that_never_occur_are_left_out() {
        assert_report(
            &report(&[0, 0, 3, 3], &[0, 3, 3, 3], 5),
            &[
                ("0", [1.0, 0.5, 0.6666666666666666, 2.0]),
                ("3", [0.6666666666666666, 1.0, 0.8, 2.0]),
            ],
            0.75,
            [0.8333333333333333, 0.75, 0.7333333333333334, 4.0],
            [0.8333333333333333, 0.75, 0.7333333333333334, 4.0],
        );
    }

    #[test]
    fn two_classes_equal_scikit_learn() {
        assert_report(
            &report(&[0, 1, 1, 0, 1, 0, 1, 1], &[0, 1, 0, 0, 1, 1, 1, 1], 2),
            &[
                (
                    "0",
                    [
                        0.6666666666666666,
                        0.6666666666666666,
                        0.6666666666666666,
                        3.0,
                    ],
                ),
                ("1", [0.8, 0.8, 0.8, 5.0]),
            ],
            0.75,
            [
                0.7333333333333334,
                0.7333333333333334,
                0.7333333333333334,
                8.0,
            ],
            [0.75, 0.75, 0.75, 8.0],
        );
    }

    #[test]
    fn one_sample_equals_scikit_learn() {
        let ones = [1.0, 1.0, 1.0, 1.0];
        assert_report(&report(&[1], &[1], 2), &[("1", ones)], 1.0, ones, ones);
        let zeros = [0.0, 0.0, 0.0, 1.0];
        assert_report(
            &report(&[1], &[0], 2),
            &[("0", [0.0; 4]), ("1", zeros)],
            0.0,
            zeros,
            zeros,
        );
    }

    #[test]
    fn ten_classes_equal_scikit_learn() {
        // targets = [i % 10 for i in range(40)]
        // predictions = [(i * i + i // 7) % 10 for i in range(40)]
        let targets: Vec<u32> = (0..40).map(|i| i % 10).collect();
        let predictions: Vec<u32> = (0..40).map(|i| (i * i + i / 7) % 10).collect();
        let ninth = [0.2, 0.25, 0.2222222222222222, 4.0];
        let quarter = [0.25, 0.25, 0.25, 4.0];
        let none = [0.0, 0.0, 0.0, 4.0];
        assert_report(
            &report(&targets, &predictions, 10),
            &[
                ("0", ninth),
                ("1", quarter),
                ("2", none),
                ("3", [0.5, 0.25, 0.3333333333333333, 4.0]),
                ("4", none),
                ("5", ninth),
                ("6", quarter),
                ("7", none),
                ("8", ninth),
                ("9", none),
            ],
            0.15,
            [0.15999999999999998, 0.15, 0.15, 40.0],
            [0.15999999999999998, 0.15, 0.15, 40.0],
        );
    }

    #[test]
    fn rows_follow_scikit_learns_printed_report() {
        let rows = report(&[0, 1], &[0, 0], 2).rows();
        let labels: Vec<&str> = rows.iter().map(|r| r.label.as_str()).collect();
        assert_eq!(labels, ["0", "1", "accuracy", "macro avg", "weighted avg"]);
        let accuracy = ReportRow {
            label: "accuracy".into(),
            precision: None,
            recall: None,
            f1: 0.5,
            support: 2,
        };
        assert_eq!(rows[2], accuracy);
    }

    #[test]
    fn the_report_survives_json() {
        let report = report(&[0, 1, 2, 2], &[0, 2, 2, 1], 3);
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(
            serde_json::from_str::<ClassificationReport>(&json).unwrap(),
            report
        );
    }

    #[test]
    fn names_must_match_the_classes() {
        let matrix = ConfusionMatrix::from_labels(&[0], &[0], 2).unwrap();
        assert_eq!(
            ClassificationReport::from_confusion(&matrix, &["only one"]),
            Err(MetricsError::Classes {
                expected: 2,
                found: 1
            })
        );
    }

    #[test]
    fn an_empty_matrix_is_refused() {
        let matrix = ConfusionMatrix::from_labels(&[], &[], 1).unwrap();
        assert_eq!(
            ClassificationReport::from_confusion(&matrix, &["a"]),
            Err(MetricsError::NoSamples)
        );
    }

    #[test]
    fn of_many_classes_the_most_frequent_are_listed_and_the_others_counted() {
        let targets: Vec<u32> = (0..60).chain([59, 59, 3]).collect();
        let report = report(&targets, &targets, 60);
        assert_eq!((report.classes.len(), report.num_left_out), (50, 10));
        let first: Vec<&str> = report.classes[..3]
            .iter()
            .map(|c| c.class.as_str())
            .collect();
        assert_eq!(first, ["59", "3", "0"]);
        assert_eq!(report.macro_average.support, 63);
    }
}
