//! Scores of two classes at one threshold.

use crate::predictions::thresholded;
use crate::{ConfusionMatrix, Metric, MetricsError};
use serde::{Deserialize, Serialize};

/// Accuracy, and precision, recall and F1 of class 1, at one threshold; 0/0 counts as 0.
///
/// # Source
/// Equals scikit-learn's `accuracy_score` and `precision_score`, `recall_score`, `f1_score` with
/// `zero_division=0`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BinaryScores {
    /// A probability above it is class 1.
    pub threshold: f64,
    /// Share of right predictions, in [0, 1].
    pub accuracy: f64,
    /// Share of the predictions of class 1 that are right, in [0, 1].
    pub precision: f64,
    /// Share of the samples of class 1 that are found, in [0, 1].
    pub recall: f64,
    /// Harmonic mean of precision and recall, in [0, 1].
    pub f1: f64,
}

impl BinaryScores {
    /// The metrics that depend on the threshold.
    pub const METRICS: [Metric; 4] = [
        Metric::Accuracy,
        Metric::Precision,
        Metric::Recall,
        Metric::F1,
    ];

    /// The values of [`METRICS`](Self::METRICS), in their order.
    pub fn metrics(&self) -> impl Iterator<Item = (Metric, f64)> {
        let values = [self.accuracy, self.precision, self.recall, self.f1];
        Self::METRICS.into_iter().zip(values)
    }

    /// The scores of probabilities of class 1 against targets 0 and 1. A NaN counts as a wrong prediction.
    ///
    /// # Errors
    /// [`MetricsError::Lengths`], [`MetricsError::Label`] for a target that is neither 0 nor 1,
    /// [`MetricsError::NoSamples`].
    pub fn from_probabilities<F>(
        targets: &[u32],
        probabilities: &[F],
        threshold: f64,
    ) -> Result<Self, MetricsError>
    where
        F: Copy + Into<f64>,
    {
        let labels = thresholded(probabilities, threshold);
        let matrix = ConfusionMatrix::from_labels(targets, &labels, 2)?;
        if matrix.num_samples() == 0 {
            return Err(MetricsError::NoSamples);
        }
        let positive = matrix.scores(1);
        Ok(Self {
            threshold,
            accuracy: matrix.accuracy(),
            precision: positive.precision,
            recall: positive.recall,
            f1: positive.f1,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TARGETS: [u32; 5] = [0, 1, 1, 0, 1];

    #[test]
    fn thresholds_equal_scikit_learn() {
        // t = np.array([0, 1, 1, 0, 1]); q = np.array([0.2, 0.5, 0.7, 0.6, 0.05])
        // for th in (0.1, 0.5, 0.9):
        //     y = (q > th).astype(int)
        //     print(accuracy_score(t, y), precision_score(t, y, zero_division=0),
        //           recall_score(t, y, zero_division=0), f1_score(t, y, zero_division=0))
        let expected = [
            (0.1, [0.4, 0.5, 0.6666666666666666, 0.5714285714285714]),
            (0.5, [0.4, 0.5, 0.3333333333333333, 0.4]),
            (0.9, [0.4, 0.0, 0.0, 0.0]),
        ];
        for (threshold, numbers) in expected {
            let probabilities = [0.2, 0.5, 0.7, 0.6, 0.05];
            let s = BinaryScores::from_probabilities(&TARGETS, &probabilities, threshold).unwrap();
            assert_eq!([s.accuracy, s.precision, s.recall, s.f1], numbers);
        }
    }

    #[test]
    fn a_nan_counts_as_wrong() {
        let probabilities = [0.0, f64::NAN, 1.0, 0.0, 1.0];
        let s = BinaryScores::from_probabilities(&TARGETS, &probabilities, 0.5).unwrap();
        assert_eq!([s.accuracy, s.precision, s.recall], [0.8, 1.0, 2.0 / 3.0]);
    }

    #[test]
    fn targets_are_0_or_1() {
        let refused = MetricsError::Label {
            label: 2,
            num_classes: 2,
        };
        assert_eq!(
            BinaryScores::from_probabilities(&[2], &[0.5], 0.5),
            Err(refused)
        );
    }
}
