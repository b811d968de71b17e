//! Scores of the outputs for classes over all samples of a split: of probabilities, and of the order of outputs.

use crate::error::{check_lengths, check_rows};
use crate::{MetricsError, PrecisionRecallCurve, RocCurve};

/// The outputs of a network for some samples and the probabilities that follow from them, beside the right classes.
///
/// A NaN among the probabilities makes their scores NaN.
#[derive(Debug, Clone)]
pub struct ClassScores<'a> {
    targets: &'a [u32],
    outputs: &'a [f64],
    probabilities: &'a [f64],
    /// Numbers for each sample: the number of classes, or 1 for two classes.
    width: usize,
}

impl<'a> ClassScores<'a> {
    /// The scores of these outputs and probabilities.
    ///
    /// # Shapes
    /// - targets: `[num_samples]`
    /// - outputs, probabilities: `[num_samples, width]`, row by row; `width` is the number of classes, or 1 for class 1
    ///   of two
    ///
    /// # Errors
    /// [`MetricsError::Rows`], [`MetricsError::Lengths`]; [`MetricsError::Label`] for a target that is not a class.
    pub fn new(
        targets: &'a [u32],
        outputs: &'a [f64],
        probabilities: &'a [f64],
        width: usize,
    ) -> Result<Self, MetricsError> {
        check_rows(probabilities.len(), width)?;
        check_lengths(outputs.len(), probabilities.len())?;
        check_lengths(targets.len(), probabilities.len() / width)?;
        let num_classes = width.max(2);
        match targets.iter().find(|&&label| label as usize >= num_classes) {
            Some(&label) => Err(MetricsError::Label { label, num_classes }),
            None => Ok(Self {
                targets,
                outputs,
                probabilities,
                width,
            }),
        }
    }

    /// The area under the ROC curve, in [0, 1]: for two classes that of class 1, for several the unweighted mean of the
    /// curves of each class against all others.
    ///
    /// A class without samples is left out, and the mean is over the others; with a single class it is NaN.
    ///
    /// # Source
    /// Equals scikit-learn's `roc_auc_score`, with `multi_class="ovr"` for several classes. That is NaN as soon as one
    /// class has no samples.
    pub fn roc_auc(&self) -> f64 {
        self.mean_over_classes(|targets, probabilities| {
            RocCurve::from_probabilities(targets, probabilities).map(|curve| curve.auc)
        })
    }

    /// The average precision, in [0, 1]: for two classes that of class 1, for several the unweighted mean of each class
    /// against all others.
    ///
    /// A class without samples is left out, and the mean is over the others; with a single class it is NaN.
    ///
    /// # Source
    /// Equals scikit-learn's `average_precision_score`. That counts a class without samples as 0, and is 1 where all
    /// samples are of class 1.
    pub fn average_precision(&self) -> f64 {
        self.mean_over_classes(|targets, probabilities| {
            PrecisionRecallCurve::from_probabilities(targets, probabilities)
                .map(|curve| curve.average_precision)
        })
    }

    /// The mean negative logarithm of the probability of the right class, at least 0. Probabilities are bounded to
    /// [ε, 1 − ε], where ε is `f64::EPSILON`.
    ///
    /// # Source
    /// Equals scikit-learn's `log_loss`.
    pub fn log_loss(&self) -> f64 {
        self.mean(|row, target| {
            let probability = match row {
                [of_class_1] if target == 0 => 1.0 - of_class_1,
                [of_class_1] => *of_class_1,
                of_classes => of_classes[target],
            };
            -probability.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()
        })
    }

    /// The mean squared difference of probabilities and targets: for two classes of class 1, in [0, 1]; for several
    /// summed over the classes, in [0, 2].
    ///
    /// # Source
    /// Equals scikit-learn's `brier_score_loss`.
    pub fn brier_score(&self) -> f64 {
        self.mean(|row, target| {
            let square = |(class, p): (usize, &f64)| (f64::from(class == target) - p).powi(2);
            let sum = |row: &[f64]| row.iter().enumerate().map(square).sum::<f64>();
            match row {
                [of_class_1] => (target as f64 - of_class_1).powi(2),
                [_, _] => sum(row) / 2.0,
                _ => sum(row),
            }
        })
    }

    /// The share of samples whose class has one of the `k` largest outputs, in [0, 1]. Of equal outputs, that of the
    /// last class counts as the largest. A sample with NaN among its outputs counts as wrong. Two classes with one
    /// output are always among the first two.
    ///
    /// # Source
    /// Equals scikit-learn's `top_k_accuracy_score`, for two classes with `k` from 2 on.
    pub fn top_k_accuracy(&self, k: usize) -> f64 {
        let is_right = |row: &[f64], target: usize| {
            let own = row.get(target).copied();
            let is_before = |class: usize, output: f64| {
                own.is_some_and(|own| output > own || (output == own && class > target))
            };
            let outputs = row.iter().enumerate();
            !row.iter().any(|output| output.is_nan())
                && outputs
                    .filter(|&(class, &output)| is_before(class, output))
                    .count()
                    < k
        };
        let rows = self.outputs.chunks_exact(self.width).zip(self.targets);
        let right = rows.filter(|&(row, &target)| is_right(row, target as usize));
        right.count() as f64 / self.targets.len() as f64
    }

    /// The mean over the samples of a score of their probabilities and their class; NaN if there are none.
    fn mean(&self, score: impl Fn(&[f64], usize) -> f64) -> f64 {
        let rows = self.probabilities.chunks_exact(self.width);
        let scores = rows
            .zip(self.targets)
            .map(|(row, &target)| score(row, target as usize));
        scores.sum::<f64>() / self.targets.len() as f64
    }

    /// A score of two classes: of class 1 of two, or the mean of each class that has samples against all others.
    fn mean_over_classes(
        &self,
        score: impl Fn(&[u32], &[f64]) -> Result<f64, MetricsError>,
    ) -> f64 {
        if self.width == 1 {
            return score(self.targets, self.probabilities).unwrap_or(f64::NAN);
        }
        let classes = match self.width {
            2 => 1..2,
            width => 0..width,
        };
        let (mut sum, mut count) = (0.0, 0);
        for class in classes {
            let of_class = self.probabilities.iter().skip(class).step_by(self.width);
            let probabilities: Vec<f64> = of_class.copied().collect();
            let is_class = |&target: &u32| u32::from(target as usize == class);
            let targets: Vec<u32> = self.targets.iter().map(is_class).collect();
            match score(&targets, &probabilities) {
                Ok(score) => {
                    sum += score;
                    count += 1;
                }
                Err(MetricsError::OneClass) => {}
                Err(_) => return f64::NAN,
            }
        }
        sum / f64::from(count)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{
        ConfusionMatrix, NO_PREDICTION, mean_absolute_percentage_error, median_absolute_error,
    };
    use serde_json::Value;

    /// Cases of a kind in the file that `tests-data/scikit_learn.py` writes with scikit-learn 1.9.1.
    fn cases(kind: &str) -> Vec<Value> {
        let text = include_str!("../tests-data/scikit_learn.json");
        let all: Value = serde_json::from_str(text).unwrap();
        all[kind].as_array().unwrap().clone()
    }

    fn numbers(case: &Value, key: &str) -> Vec<f64> {
        let numbers = case[key].as_array().unwrap().iter();
        numbers.map(|number| number.as_f64().unwrap()).collect()
    }

    fn labels(case: &Value, key: &str) -> Vec<u32> {
        let labels = numbers(case, key).into_iter();
        let label = |label: f64| match label < 0.0 {
            true => NO_PREDICTION,
            false => label as u32,
        };
        labels.map(label).collect()
    }

    #[track_caller]
    fn assert_close(case: &Value, key: &str, found: f64) {
        let expected = case[key].as_f64().unwrap();
        let is_close = (found - expected).abs() <= 1e-13 * expected.abs().max(1.0);
        assert!(is_close, "{key}: {found} is not {expected} in {case}");
    }

    #[test]
    fn scores_of_probabilities_equal_scikit_learn_with_ties_and_certainties() {
        for case in cases("probabilities") {
            let (targets, probabilities) =
                (labels(&case, "targets"), numbers(&case, "probabilities"));
            let width = case["width"].as_u64().unwrap() as usize;
            let scores = ClassScores::new(&targets, &probabilities, &probabilities, width).unwrap();
            assert_close(&case, "roc_auc", scores.roc_auc());
            assert_close(&case, "average_precision", scores.average_precision());
            assert_close(&case, "log_loss", scores.log_loss());
            assert_close(&case, "brier", scores.brier_score());
            if width > 1 {
                assert_close(&case, "top_3", scores.top_k_accuracy(3));
                assert_close(&case, "top_5", scores.top_k_accuracy(5));
            }
        }
    }

    #[test]
    fn scores_of_predicted_classes_equal_scikit_learn() {
        for case in cases("classes") {
            let (targets, predictions) = (labels(&case, "targets"), labels(&case, "predictions"));
            let matrix = ConfusionMatrix::from_labels(&targets, &predictions, 4).unwrap();
            assert_close(&case, "balanced_accuracy", matrix.balanced_accuracy());
            assert_close(&case, "mcc", matrix.mcc());
        }
    }

    #[test]
    fn scores_of_numbers_equal_scikit_learn() {
        for case in cases("numbers") {
            let (targets, predictions) = (numbers(&case, "targets"), numbers(&case, "predictions"));
            let width = case["width"].as_u64().unwrap() as usize;
            let mape = mean_absolute_percentage_error(&targets, &predictions);
            assert_close(&case, "mape", mape);
            let median = median_absolute_error(&targets, &predictions, width);
            assert_close(&case, "median_absolute_error", median);
        }
    }

    #[test]
    fn a_single_class_has_no_curves_but_other_scores() {
        for (targets, width) in [([1, 1], 1), ([0, 0], 1), ([1, 1], 2), ([2, 2], 3)] {
            let probabilities = vec![0.25; 2 * width];
            let scores = ClassScores::new(&targets, &probabilities, &probabilities, width).unwrap();
            assert!(scores.roc_auc().is_nan() && scores.average_precision().is_nan());
            assert!(scores.log_loss().is_finite() && scores.brier_score().is_finite());
            assert_eq!(scores.top_k_accuracy(3), 1.0);
        }
    }

    #[test]
    fn a_class_without_samples_is_left_out_of_the_means() {
        // p = [[.5, .3, .2], [.2, .5, .3], [.1, .1, .8], [.6, .2, .2]]; t = [0, 1, 1, 0]; for c in (0, 1):
        //     roc_auc_score(t == c, p[:, c]), average_precision_score(t == c, p[:, c])
        let p = [0.5, 0.3, 0.2, 0.2, 0.5, 0.3, 0.1, 0.1, 0.8, 0.6, 0.2, 0.2];
        let scores = ClassScores::new(&[0, 1, 1, 0], &p, &p, 3).unwrap();
        assert_eq!(scores.roc_auc(), (1.0 + 0.5) / 2.0);
        assert_eq!(scores.average_precision(), (1.0 + 0.75) / 2.0);
    }

    #[test]
    fn nan_makes_scores_of_probabilities_nan_and_counts_as_wrong() {
        let p = [0.5, 0.3, 0.2, f64::NAN, f64::NAN, f64::NAN];
        let scores = ClassScores::new(&[0, 1], &p, &p, 3).unwrap();
        assert!(scores.roc_auc().is_nan() && scores.average_precision().is_nan());
        assert!(scores.log_loss().is_nan() && scores.brier_score().is_nan());
        assert_eq!(scores.top_k_accuracy(3), 0.5);
        let (targets, predictions) = ([1.0, 2.0, 3.0], [1.0, f64::NAN, 3.0]);
        assert!(mean_absolute_percentage_error(&targets, &predictions).is_nan());
        assert!(median_absolute_error(&targets, &predictions, 1).is_nan());
    }

    #[test]
    fn arrays_that_do_not_fit_are_refused() {
        let of = |targets: &[u32], p: &[f64], width| {
            ClassScores::new(targets, p, p, width)
                .map(|_| ())
                .unwrap_err()
        };
        assert_eq!(
            of(&[0], &[0.5; 3], 2),
            MetricsError::Rows { len: 3, width: 2 }
        );
        assert!(matches!(
            of(&[0, 1], &[0.5; 2], 2),
            MetricsError::Lengths { .. }
        ));
        assert!(matches!(of(&[2], &[0.5; 2], 2), MetricsError::Label { .. }));
    }
}
