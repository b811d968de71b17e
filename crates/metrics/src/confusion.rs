//! The confusion matrix, and the scores computed from it.

use std::collections::BTreeMap;

use crate::error::check_lengths;
use crate::{MetricsError, NO_PREDICTION};
use serde::{Deserialize, Serialize};

/// The largest number of classes that are listed one by one, in tables, pages and files. With more, only the most
/// frequent ones are, and only the pairs that are confused most.
pub const MOST_CLASSES: usize = 50;

/// The number of samples of each class for which each class was predicted.
///
/// Samples without a prediction ([`NO_PREDICTION`]) are counted separately. They are wrong: they lower the
/// accuracy and the recall of their class, but no precision. This equals scikit-learn where such samples have a
/// label outside `labels`.
///
/// With more than [`MOST_CLASSES`] classes only counts above zero are held and written, so that the size grows with the
/// number of samples and not with the square of the number of classes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct ConfusionMatrix {
    num_classes: usize,
    counts: Counts,
    /// Number of samples without a prediction, `[target]`.
    unpredicted: Vec<u64>,
}

/// The number of samples by target and prediction.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Counts {
    /// `[target × prediction]`, for few classes.
    Dense(Vec<u64>),
    /// The counts above zero, for many classes.
    Sparse(BTreeMap<(u32, u32), u64>),
}

/// A confusion matrix as it is written.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Dense(Dense),
    Sparse(Sparse),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dense {
    counts: Vec<Vec<u64>>,
    unpredicted: Vec<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sparse {
    /// Target, prediction and number of samples.
    cells: Vec<(u32, u32, u64)>,
    unpredicted: Vec<u64>,
}

/// Two classes of which one was predicted for samples of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfusedPair {
    /// The class of the samples.
    pub target: u32,
    /// The class that was predicted.
    pub prediction: u32,
    /// Number of samples.
    pub num_samples: u64,
}

/// The pairs of classes that are confused most, where a whole confusion matrix would be too large.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfusedPairs {
    /// The pairs with the most samples, in falling order.
    pub pairs: Vec<ConfusedPair>,
    /// Number of confused pairs that are not listed.
    pub num_left_out: usize,
    /// Number of samples without a prediction.
    pub num_unpredicted: u64,
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
        let mut matrix = Self::empty(num_classes);
        for (&target, &prediction) in targets.iter().zip(predictions) {
            matrix.observe(target, prediction)?;
        }
        Ok(matrix)
    }

    /// Counts one sample; both labels are below the number of classes.
    ///
    /// # Errors
    /// [`MetricsError::Label`] for a label that is not a class ([`NO_PREDICTION`] is allowed as the prediction).
    pub fn observe(&mut self, target: u32, prediction: u32) -> Result<(), MetricsError> {
        self.observe_many(target, prediction, 1)
    }

    /// Counts samples of one target with one prediction; none need no class.
    ///
    /// # Errors
    /// As [`observe`](Self::observe).
    pub fn observe_many(
        &mut self,
        target: u32,
        prediction: u32,
        num_samples: u64,
    ) -> Result<(), MetricsError> {
        if num_samples == 0 {
            return Ok(());
        }
        let row = self.class(target)?;
        if prediction == NO_PREDICTION {
            self.unpredicted[row] += num_samples;
        } else {
            self.class(prediction)?;
            self.add(target, prediction, num_samples);
        }
        Ok(())
    }

    /// The index of a class, from its label.
    fn class(&self, label: u32) -> Result<usize, MetricsError> {
        let (class, num_classes) = (label as usize, self.num_classes);
        (class < num_classes)
            .then_some(class)
            .ok_or(MetricsError::Label { label, num_classes })
    }

    fn empty(num_classes: usize) -> Self {
        Self {
            num_classes,
            counts: match num_classes > MOST_CLASSES {
                true => Counts::Sparse(BTreeMap::new()),
                false => Counts::Dense(vec![0; num_classes * num_classes]),
            },
            unpredicted: vec![0; num_classes],
        }
    }

    /// Adds samples; both classes must be below `num_classes`.
    fn add(&mut self, target: u32, prediction: u32, num_samples: u64) {
        match &mut self.counts {
            Counts::Dense(counts) => {
                counts[target as usize * self.num_classes + prediction as usize] += num_samples;
            }
            Counts::Sparse(counts) => {
                *counts.entry((target, prediction)).or_default() += num_samples
            }
        }
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
        for cell in other.cells() {
            self.add(cell.target, cell.prediction, cell.num_samples);
        }
        for (own, added) in self.unpredicted.iter_mut().zip(&other.unpredicted) {
            *own += added;
        }
        Ok(())
    }

    /// Number of classes, including those that do not occur.
    pub fn num_classes(&self) -> usize {
        self.num_classes
    }

    /// Number of samples, with and without a prediction.
    pub fn num_samples(&self) -> u64 {
        self.cells().map(|cell| cell.num_samples).sum::<u64>() + self.num_unpredicted()
    }

    /// Number of samples without a prediction.
    pub fn num_unpredicted(&self) -> u64 {
        self.unpredicted.iter().sum()
    }

    /// Number of samples without a prediction, `[target]`.
    pub fn unpredicted(&self) -> &[u64] {
        &self.unpredicted
    }

    /// Number of samples of the class `target` for which `prediction` was predicted; 0 for classes that do not exist.
    pub fn count(&self, target: usize, prediction: usize) -> u64 {
        match &self.counts {
            Counts::Dense(counts) if target.max(prediction) < self.num_classes => {
                counts[target * self.num_classes + prediction]
            }
            Counts::Dense(_) => 0,
            Counts::Sparse(counts) => {
                let key = u32::try_from(target)
                    .ok()
                    .zip(u32::try_from(prediction).ok());
                key.and_then(|key| counts.get(&key)).copied().unwrap_or(0)
            }
        }
    }

    /// The whole matrix, `[target][prediction]`. It is meant for at most [`MOST_CLASSES`] classes.
    pub fn rows(&self) -> Vec<Vec<u64>> {
        let classes = 0..self.num_classes;
        let row = |target| classes.clone().map(|c| self.count(target, c)).collect();
        classes.clone().map(row).collect()
    }

    /// The `max` pairs of different classes with the most samples. Of equal ones, the first classes come first.
    pub fn most_confused(&self, max: usize) -> ConfusedPairs {
        let is_wrong = |cell: &ConfusedPair| cell.target != cell.prediction;
        let mut pairs: Vec<ConfusedPair> = self.cells().filter(is_wrong).collect();
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.num_samples));
        let num_left_out = pairs.len().saturating_sub(max);
        pairs.truncate(max);
        ConfusedPairs {
            pairs,
            num_left_out,
            num_unpredicted: self.num_unpredicted(),
        }
    }

    /// Share of right predictions, in [0, 1]; NaN if there are no samples.
    pub fn accuracy(&self) -> f64 {
        let hits: u64 = (0..self.num_classes).map(|c| self.count(c, c)).sum();
        hits as f64 / self.num_samples() as f64
    }

    /// The unweighted mean of the recalls of the classes that have samples, in [0, 1]; NaN if there are none.
    ///
    /// # Source
    /// Equals scikit-learn's `balanced_accuracy_score`.
    pub fn balanced_accuracy(&self) -> f64 {
        let mut present = self.present_scores();
        present.retain(|scores| scores.support > 0);
        Scores::mean(&present, |_| 1.0).recall
    }

    /// Matthews' correlation of targets and predictions, in [-1, 1]; 0 if all targets or all predictions are the same
    /// class. Samples without a prediction count as predictions of one more class.
    ///
    /// # Source
    /// Gorodkin 2004, "Comparing two K-category assignments by a K-category correlation coefficient"; equals
    /// scikit-learn's `matthews_corrcoef`.
    pub fn mcc(&self) -> f64 {
        let (support, predicted) = self.sums();
        let num_samples = self.num_samples() as f64;
        let hits: u64 = (0..self.num_classes).map(|c| self.count(c, c)).sum();
        let product = |a: &[u64], b: &[u64]| -> f64 {
            let pairs = a.iter().zip(b);
            pairs.map(|(&a, &b)| a as f64 * b as f64).sum()
        };
        let unpredicted = self.num_unpredicted() as f64;
        let of_predictions =
            num_samples.powi(2) - product(&predicted, &predicted) - unpredicted.powi(2);
        let of_targets = num_samples.powi(2) - product(&support, &support);
        match of_predictions * of_targets {
            0.0 => 0.0,
            variances => {
                let covariance = hits as f64 * num_samples - product(&support, &predicted);
                covariance / variances.sqrt()
            }
        }
    }

    /// Precision, recall and F1 of one class; all zero for a class that does not exist.
    pub fn scores(&self, class: usize) -> Scores {
        let all = self.all_scores();
        let found = all.into_iter().find(|(c, _)| *c == class);
        found.map_or(Scores::from_counts(0, 0, 0), |(_, scores)| scores)
    }

    /// The classes that occur as a target or as a prediction, in order, with their scores. Averages are taken over
    /// these.
    pub fn all_scores(&self) -> Vec<(usize, Scores)> {
        let (support, predicted) = self.sums();
        let occurs = |&class: &usize| support[class] + predicted[class] > 0;
        let scores = |class: usize| {
            Scores::from_counts(self.count(class, class), predicted[class], support[class])
        };
        let present = (0..self.num_classes).filter(occurs);
        present.map(|class| (class, scores(class))).collect()
    }

    /// The number of samples of each class, and the number of predictions of each class.
    fn sums(&self) -> (Vec<u64>, Vec<u64>) {
        let mut support = self.unpredicted.clone();
        let mut predicted = vec![0; self.num_classes];
        for cell in self.cells() {
            support[cell.target as usize] += cell.num_samples;
            predicted[cell.prediction as usize] += cell.num_samples;
        }
        (support, predicted)
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
        let all = self.all_scores();
        all.into_iter().map(|(_, scores)| scores).collect()
    }

    /// The counts above zero, in the order of the targets and then of the predictions.
    fn cells(&self) -> impl Iterator<Item = ConfusedPair> {
        let n = self.num_classes;
        let (dense, sparse) = match &self.counts {
            Counts::Dense(counts) => (Some(counts), None),
            Counts::Sparse(counts) => (None, Some(counts)),
        };
        let dense = dense.into_iter().flat_map(move |counts| {
            let cells = counts.iter().enumerate();
            cells.map(move |(i, count)| ((i / n) as u32, (i % n) as u32, *count))
        });
        let sparse = sparse.into_iter().flatten();
        let sparse = sparse.map(|(&(target, prediction), &count)| (target, prediction, count));
        let above_zero = dense.chain(sparse).filter(|(_, _, count)| *count > 0);
        above_zero.map(|(target, prediction, num_samples)| ConfusedPair {
            target,
            prediction,
            num_samples,
        })
    }
}

impl From<ConfusionMatrix> for Written {
    fn from(matrix: ConfusionMatrix) -> Self {
        let is_small = matrix.num_classes <= MOST_CLASSES;
        if is_small {
            return Self::Dense(Dense {
                counts: matrix.rows(),
                unpredicted: matrix.unpredicted,
            });
        }
        let cells = matrix
            .cells()
            .map(|c| (c.target, c.prediction, c.num_samples));
        Self::Sparse(Sparse {
            cells: cells.collect(),
            unpredicted: matrix.unpredicted,
        })
    }
}

impl TryFrom<Written> for ConfusionMatrix {
    type Error = MetricsError;

    fn try_from(written: Written) -> Result<Self, MetricsError> {
        let (cells, unpredicted, num_rows) = match written {
            Written::Dense(Dense {
                counts,
                unpredicted,
            }) => {
                let num_rows = counts.len();
                let rows = (0_u32..).zip(counts);
                let cells = rows.flat_map(|(target, row)| {
                    let cells = (0_u32..).zip(row);
                    cells.map(move |(prediction, count)| (target, prediction, count))
                });
                (cells.collect::<Vec<_>>(), unpredicted, num_rows)
            }
            Written::Sparse(Sparse { cells, unpredicted }) => {
                let num_rows = unpredicted.len();
                (cells, unpredicted, num_rows)
            }
        };
        let num_classes = unpredicted.len();
        if num_rows != num_classes {
            return Err(MetricsError::Classes {
                expected: num_classes,
                found: num_rows,
            });
        }
        let mut matrix = Self::empty(num_classes);
        matrix.unpredicted = unpredicted;
        for (target, prediction, num_samples) in cells {
            let label = target.max(prediction);
            if label as usize >= num_classes {
                return Err(MetricsError::Label { label, num_classes });
            }
            if num_samples > 0 {
                matrix.add(target, prediction, num_samples);
            }
        }
        Ok(matrix)
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
        assert_eq!(matrix.rows(), [vec![1, 1, 0], vec![0, 2, 0], vec![1, 0, 1]]);
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

    /// 60 classes, more than are listed one by one.
    fn many() -> ConfusionMatrix {
        let targets: Vec<u32> = (0..60).chain([7, 7, 7, 9, 9]).collect();
        let n = NO_PREDICTION;
        let predictions: Vec<u32> = (0..60).chain([8, 8, n, 7, 59]).collect();
        ConfusionMatrix::from_labels(&targets, &predictions, 60).unwrap()
    }

    #[test]
    fn many_classes_have_the_same_scores_and_only_the_counts_above_zero_are_written() {
        let matrix = many();
        assert_eq!(matrix.num_samples(), 65);
        assert_eq!(matrix.accuracy(), 60.0 / 65.0);
        assert_eq!(matrix.scores(7).recall, 1.0 / 4.0);
        assert_eq!(matrix.scores(8).precision, 1.0 / 3.0);
        assert_eq!((matrix.count(7, 8), matrix.count(8, 7)), (2, 0));
        let json = serde_json::to_string(&matrix).unwrap();
        assert!(json.len() < 1000, "{json}");
        let read: ConfusionMatrix = serde_json::from_str(&json).unwrap();
        assert_eq!(read, matrix);
        let mut twice = read;
        twice.merge(&matrix).unwrap();
        assert_eq!((twice.num_samples(), twice.count(7, 8)), (130, 4));
    }

    #[test]
    fn the_most_confused_classes_come_first_and_the_others_are_counted() {
        let pair = |target, prediction, num_samples| ConfusedPair {
            target,
            prediction,
            num_samples,
        };
        let found = many().most_confused(2);
        assert_eq!(found.pairs, [pair(7, 8, 2), pair(9, 7, 1)]);
        assert_eq!((found.num_left_out, found.num_unpredicted), (1, 1));
    }

    #[test]
    fn few_classes_are_written_as_rows() {
        let matrix = ConfusionMatrix::from_labels(&[0, 1], &[1, 1], 2).unwrap();
        let json = r#"{"counts":[[0,1],[0,1]],"unpredicted":[0,0]}"#;
        assert_eq!(serde_json::to_string(&matrix).unwrap(), json);
        assert_eq!(matrix, serde_json::from_str(json).unwrap());
    }

    #[test]
    fn a_written_matrix_that_is_not_square_is_refused() {
        for json in [
            r#"{"counts":[[0,1]],"unpredicted":[0,0]}"#,
            r#"{"counts":[[0,1,5],[0,1,0]],"unpredicted":[0,0]}"#,
            r#"{"cells":[[0,2,1]],"unpredicted":[0,0]}"#,
        ] {
            assert!(
                serde_json::from_str::<ConfusionMatrix>(json).is_err(),
                "{json}"
            );
        }
    }
}
