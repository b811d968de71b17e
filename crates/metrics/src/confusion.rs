//! The confusion matrix, and the scores computed from it.

use crate::error::check_lengths;
use crate::{MetricsError, NO_PREDICTION};
use serde::{Deserialize, Serialize};

/// The number of samples of each class for which each class was predicted.
///
/// Samples without a prediction ([`NO_PREDICTION`]) are counted separately. They are wrong: they lower the
/// accuracy and the recall of their class, but no precision. This equals scikit-learn where such samples have a
/// label outside `labels`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfusionMatrix {
    /// Number of samples, `[target][prediction]`.
    pub counts: Vec<Vec<u64>>,
    /// Number of samples without a prediction, `[target]`.
    pub unpredicted: Vec<u64>,
}

/// Precision, recall and F1, of one class or averaged over classes; 0/0 counts as 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scores {
    /// Share of the predictions of the class that are right, in [0, 1].
    pub precision: f64,
    /// Share of the samples of the class that are found, in [0, 1].
    pub recall: f64,
    /// Harmonic mean of precision and recall, in [0, 1].
    pub f1: f64,
    /// Number of samples.
    pub support: u64,
}

impl Scores {
    /// The scores for `hits` right predictions among `predicted` predictions of a class that has `support` samples.
    ///
    /// `f1 = 2 hits / (predicted + support)`, as scikit-learn computes it.
    fn from_counts(hits: u64, predicted: u64, support: u64) -> Self {
        Self {
            precision: share(hits, predicted),
            recall: share(hits, support),
            f1: share(2 * hits, predicted + support),
            support,
        }
    }

    /// The weighted mean of scores; NaN if all weights are zero. The supports are summed.
    fn mean(scores: &[Scores], weight: impl Fn(&Scores) -> f64) -> Self {
        let total: f64 = scores.iter().map(&weight).sum();
        let mean = |score: fn(&Scores) -> f64| {
            scores.iter().map(|s| weight(s) * score(s)).sum::<f64>() / total
        };
        Self {
            precision: mean(|s| s.precision),
            recall: mean(|s| s.recall),
            f1: mean(|s| s.f1),
            support: scores.iter().map(|s| s.support).sum(),
        }
    }
}

/// `part / whole`, or 0 if `whole` is 0.
pub(crate) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

impl ConfusionMatrix {
    /// Counts predictions and targets; both are labels below `num_classes`.
    ///
    /// # Errors
    /// [`MetricsError::Lengths`] if there is not one prediction per target; [`MetricsError::Label`] for
    /// a label that is not a class ([`NO_PREDICTION`] is allowed among the predictions).
    pub fn from_labels(
        targets: &[u32],
        predictions: &[u32],
        num_classes: usize,
    ) -> Result<Self, MetricsError> {
        check_lengths(targets.len(), predictions.len())?;
        let class = |label: u32| {
            let class = label as usize;
            (class < num_classes)
                .then_some(class)
                .ok_or(MetricsError::Label { label, num_classes })
        };
        let mut matrix = Self {
            counts: vec![vec![0; num_classes]; num_classes],
            unpredicted: vec![0; num_classes],
        };
        for (&target, &prediction) in targets.iter().zip(predictions) {
            let target = class(target)?;
            if prediction == NO_PREDICTION {
                matrix.unpredicted[target] += 1;
            } else {
                matrix.counts[target][class(prediction)?] += 1;
            }
        }
        Ok(matrix)
    }

    /// Adds the counts of other samples of the same classes.
    ///
    /// # Errors
    /// [`MetricsError::Classes`] if the matrices differ in size.
    pub fn merge(&mut self, other: &Self) -> Result<(), MetricsError> {
        if self.num_classes() != other.num_classes() {
            return Err(MetricsError::Classes {
                expected: self.num_classes(),
                found: other.num_classes(),
            });
        }
        let cells = self
            .counts
            .iter_mut()
            .flatten()
            .chain(&mut self.unpredicted);
        let others = other.counts.iter().flatten().chain(&other.unpredicted);
        for (cell, added) in cells.zip(others) {
            *cell += added;
        }
        Ok(())
    }

    /// Number of classes, including those that do not occur.
    pub fn num_classes(&self) -> usize {
        self.counts.len()
    }

    /// Number of samples, with and without a prediction.
    pub fn num_samples(&self) -> u64 {
        (0..self.num_classes()).map(|c| self.support(c)).sum()
    }

    /// Share of right predictions, in [0, 1]; NaN if there are no samples.
    pub fn accuracy(&self) -> f64 {
        let hits: u64 = (0..self.num_classes()).map(|c| self.counts[c][c]).sum();
        hits as f64 / self.num_samples() as f64
    }

    /// The classes that occur as a target or as a prediction. Averages are taken over these.
    pub fn present_classes(&self) -> Vec<usize> {
        (0..self.num_classes())
            .filter(|&c| self.support(c) + self.predicted(c) > 0)
            .collect()
    }

    /// Precision, recall and F1 of one class, which must be below [`Self::num_classes`].
    pub fn scores(&self, class: usize) -> Scores {
        Scores::from_counts(
            self.counts[class][class],
            self.predicted(class),
            self.support(class),
        )
    }

    /// The unweighted mean over the classes that occur; scikit-learn's `average="macro"`.
    ///
    /// NaN if there are no samples.
    pub fn macro_average(&self) -> Scores {
        Scores::mean(&self.present_scores(), |_| 1.0)
    }

    /// The mean over the classes, weighted by their number of samples; scikit-learn's `average="weighted"`.
    ///
    /// NaN if there are no samples.
    pub fn weighted_average(&self) -> Scores {
        Scores::mean(&self.present_scores(), |s| s.support as f64)
    }

    fn present_scores(&self) -> Vec<Scores> {
        let classes = self.present_classes();
        classes.into_iter().map(|c| self.scores(c)).collect()
    }

    /// Number of samples of a class.
    fn support(&self, class: usize) -> u64 {
        self.counts[class].iter().sum::<u64>() + self.unpredicted[class]
    }

    /// Number of predictions of a class.
    fn predicted(&self, class: usize) -> u64 {
        self.counts.iter().map(|row| row[class]).sum()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rows_are_targets_and_columns_predictions() {
        // confusion_matrix([0, 0, 1, 1, 2, 2], [0, 1, 1, 1, 2, 0])
        let matrix =
            ConfusionMatrix::from_labels(&[0, 0, 1, 1, 2, 2], &[0, 1, 1, 1, 2, 0], 3).unwrap();
        assert_eq!(matrix.counts, [vec![1, 1, 0], vec![0, 2, 0], vec![1, 0, 1]]);
        assert_eq!(matrix.num_samples(), 6);
        assert_eq!(matrix.accuracy(), 4.0 / 6.0);
    }

    #[test]
    fn merged_batches_equal_the_whole() {
        let (targets, predictions) = ([0, 1, 2, 2, 1], [0, 2, 2, NO_PREDICTION, 1]);
        let whole = ConfusionMatrix::from_labels(&targets, &predictions, 3).unwrap();
        let mut merged = ConfusionMatrix::from_labels(&targets[..2], &predictions[..2], 3).unwrap();
        let rest = ConfusionMatrix::from_labels(&targets[2..], &predictions[2..], 3).unwrap();
        merged.merge(&rest).unwrap();
        assert_eq!(merged, whole);
    }

    #[test]
    fn matrices_of_different_classes_do_not_merge() {
        let mut two = ConfusionMatrix::from_labels(&[0], &[0], 2).unwrap();
        let three = ConfusionMatrix::from_labels(&[0], &[0], 3).unwrap();
        let refused = MetricsError::Classes {
            expected: 2,
            found: 3,
        };
        assert_eq!(two.merge(&three), Err(refused));
    }

    #[test]
    fn a_missing_prediction_is_wrong_and_harms_recall_only() {
        // With 9 for the missing predictions:
        // classification_report([0, 0, 1, 1, 2], [0, 9, 1, 0, 2], labels=[0, 1, 2],
        //                       output_dict=True, zero_division=0)
        let n = NO_PREDICTION;
        let matrix = ConfusionMatrix::from_labels(&[0, 0, 1, 1, 2], &[0, n, 1, 0, 2], 3).unwrap();
        assert_eq!(matrix.accuracy(), 0.6);
        assert_eq!(
            matrix.scores(0),
            Scores {
                precision: 0.5,
                recall: 0.5,
                f1: 0.5,
                support: 2
            }
        );
        let macro_average = matrix.macro_average();
        assert!((macro_average.precision - 0.8333333333333334).abs() < 1e-15);
        assert!((macro_average.recall - 0.6666666666666666).abs() < 1e-15);
        assert!((macro_average.f1 - 0.7222222222222222).abs() < 1e-15);
        assert_eq!(macro_average.support, 5);
    }

    #[test]
    fn labels_that_are_not_classes_are_refused() {
        let refused = |label| {
            Err(MetricsError::Label {
                label,
                num_classes: 2,
            })
        };
        assert_eq!(ConfusionMatrix::from_labels(&[2], &[0], 2), refused(2));
        assert_eq!(ConfusionMatrix::from_labels(&[0], &[7], 2), refused(7));
        assert_eq!(
            ConfusionMatrix::from_labels(&[NO_PREDICTION], &[0], 2),
            refused(NO_PREDICTION)
        );
    }

    #[test]
    fn unequal_lengths_are_refused() {
        let refused = MetricsError::Lengths {
            targets: 2,
            predictions: 1,
        };
        assert_eq!(ConfusionMatrix::from_labels(&[0, 1], &[0], 2), Err(refused));
    }

    #[test]
    fn no_samples_have_no_accuracy() {
        let empty = ConfusionMatrix::from_labels(&[], &[], 2).unwrap();
        assert!(empty.accuracy().is_nan());
        assert!(empty.macro_average().f1.is_nan());
    }
}
