//! The precision–recall curve.

use serde::{Deserialize, Serialize};

use crate::MetricsError;
use crate::ranked::Ranked;
use crate::thinning::{chosen, thinned};

/// Precision and recall of class 1 at all thresholds, in the order of rising thresholds.
///
/// # Shapes
/// - `precision`, `recall`: `[num_points]`; the last point is (precision 1, recall 0) by convention
/// - `thresholds`: `[num_points − 1]`; the last point has none
///
/// # Source
/// Equals scikit-learn's `precision_recall_curve` and `average_precision_score`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrecisionRecallCurve {
    /// Share of the predictions of class 1 that are right, in [0, 1].
    pub precision: Vec<f64>,
    /// Share of the samples of class 1 that are found, in [0, 1], falling.
    pub recall: Vec<f64>,
    /// The thresholds, rising: class 1 is predicted for probabilities at or above them.
    pub thresholds: Vec<f64>,
    /// The mean of the precisions, each weighted by the increase in recall, in [0, 1].
    pub average_precision: f64,
}

impl PrecisionRecallCurve {
    pub(crate) fn from_ranked(ranked: &Ranked) -> Self {
        let num_positive = ranked.num_positive() as f64;
        let points = ranked.true_positives.iter().zip(&ranked.false_positives);
        let (mut precision, mut recall): (Vec<f64>, Vec<f64>) = points
            .map(|(&tp, &fp)| (tp as f64 / (tp + fp) as f64, tp as f64 / num_positive))
            .rev()
            .unzip();
        precision.push(1.0);
        recall.push(0.0);
        let gains = (1..recall.len()).map(|i| (recall[i - 1] - recall[i]) * precision[i - 1]);
        Self {
            average_precision: gains.sum(),
            thresholds: ranked.scores.iter().rev().copied().collect(),
            precision,
            recall,
        }
    }

    /// The curve of probabilities of class 1 for targets 0 and 1.
    ///
    /// # Errors
    /// [`MetricsError::Lengths`], [`MetricsError::Label`], [`MetricsError::OneClass`],
    /// [`MetricsError::NotFinite`].
    pub fn from_probabilities(
        targets: &[u32],
        probabilities: &[f64],
    ) -> Result<Self, MetricsError> {
        Ok(Self::from_ranked(&Ranked::new(targets, probabilities)?))
    }

    /// The curve with at most `max_points` points, rounded to five decimals. `max_points` must be at least 2; the
    /// average precision stays that of the whole curve.
    pub fn thinned(&self, max_points: usize) -> Self {
        let kept = thinned(&self.recall, &self.precision, max_points);
        // The last point is always kept, and has no threshold.
        let with_threshold = &kept[..kept.len() - 1];
        Self {
            precision: chosen(&self.precision, &kept),
            recall: chosen(&self.recall, &kept),
            thresholds: chosen(&self.thresholds, with_threshold),
            average_precision: self.average_precision,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::curves::tests::{PROBABILITIES, TARGETS, close};

    #[test]
    fn the_curve_and_its_average_equal_scikit_learn() {
        // precision_recall_curve(t, p); average_precision_score(t, p)
        let curve = PrecisionRecallCurve::from_probabilities(&TARGETS, &PROBABILITIES).unwrap();
        close(
            &curve.precision,
            &[
                0.5,
                0.5555555555555556,
                0.625,
                0.6666666666666666,
                0.6,
                0.75,
                0.6666666666666666,
                0.5,
                1.0,
                1.0,
            ],
        );
        close(
            &curve.recall,
            &[1.0, 1.0, 1.0, 0.8, 0.6, 0.6, 0.4, 0.2, 0.2, 0.0],
        );
        close(
            &curve.thresholds,
            &[0.05, 0.1, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
        );
        close(&[curve.average_precision], &[0.7416666666666667]);
    }

    #[test]
    fn a_thinned_curve_has_a_threshold_for_every_point_but_the_last() {
        let targets: Vec<u32> = (0..4000).map(|i| u32::from(i % 7 < 3)).collect();
        let probabilities: Vec<f64> = (0..4000).map(|i| f64::from(i * 37 % 4001)).collect();
        let whole = PrecisionRecallCurve::from_probabilities(&targets, &probabilities).unwrap();
        let thin = whole.thinned(200);
        assert!(thin.recall.len() <= 200);
        assert_eq!(thin.thresholds.len() + 1, thin.recall.len());
        assert_eq!((thin.recall[0], thin.recall.last()), (1.0, Some(&0.0)));
    }
}
