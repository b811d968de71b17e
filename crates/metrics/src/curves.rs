//! All curves over the thresholds of a problem with two classes.

use serde::{Deserialize, Serialize};

use crate::ranked::Ranked;
use crate::threshold::threshold_table;
use crate::{Calibration, MetricsError, PrecisionRecallCurve, RocCurve, ThresholdCounts};

/// The curves that show how well probabilities of class 1 separate two classes, at every threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BinaryCurves {
    /// True positive rate against false positive rate.
    pub roc: RocCurve,
    /// Precision against recall.
    pub precision_recall: PrecisionRecallCurve,
    /// Frequency of class 1 against its predicted probability, in ten bins.
    pub calibration: Calibration,
    /// The counts at the thresholds 0, 0.01, …, 1.
    pub thresholds: Vec<ThresholdCounts>,
}

impl BinaryCurves {
    /// The curves of probabilities of class 1, each in [0, 1], for targets 0 and 1.
    ///
    /// # Errors
    /// [`MetricsError::Lengths`], [`MetricsError::Label`], [`MetricsError::OneClass`],
    /// [`MetricsError::NotFinite`].
    pub fn from_probabilities(
        targets: &[u32],
        probabilities: &[f64],
    ) -> Result<Self, MetricsError> {
        let ranked = Ranked::new(targets, probabilities)?;
        Ok(Self {
            roc: RocCurve::from_ranked(&ranked),
            precision_recall: PrecisionRecallCurve::from_ranked(&ranked),
            calibration: Calibration::from_probabilities(targets, probabilities, 10)?,
            thresholds: threshold_table(&ranked),
        })
    }

    /// The curves with at most `max_points` points each. `max_points` must be at least 2.
    pub fn thinned(self, max_points: usize) -> Self {
        Self {
            roc: self.roc.thinned(max_points),
            precision_recall: self.precision_recall.thinned(max_points),
            ..self
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    // t = np.array([0, 1, 1, 0, 1, 0, 0, 1, 1, 0])
    // p = np.array([0.1, 0.4, 0.35, 0.8, 0.9, 0.35, 0.05, 0.7, 0.6, 0.5])
    pub(crate) const TARGETS: [u32; 10] = [0, 1, 1, 0, 1, 0, 0, 1, 1, 0];
    pub(crate) const PROBABILITIES: [f64; 10] =
        [0.1, 0.4, 0.35, 0.8, 0.9, 0.35, 0.05, 0.7, 0.6, 0.5];

    #[track_caller]
    pub(crate) fn close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 1e-14, "{found:?} is not {expected:?}");
        }
    }

    #[test]
    fn arrays_that_do_not_fit_are_refused() {
        let of = |t: &[u32], p: &[f64]| BinaryCurves::from_probabilities(t, p).unwrap_err();
        assert_eq!(of(&[1, 1], &[0.1, 0.2]), MetricsError::OneClass);
        assert_eq!(of(&[], &[]), MetricsError::OneClass);
        assert_eq!(of(&[0, 1], &[0.1, f64::NAN]), MetricsError::NotFinite);
        assert!(matches!(
            of(&[0, 2], &[0.1, 0.2]),
            MetricsError::Label { label: 2, .. }
        ));
        assert!(matches!(of(&[0], &[]), MetricsError::Lengths { .. }));
    }

    #[test]
    fn curves_survive_being_stored() {
        let curves = BinaryCurves::from_probabilities(&TARGETS, &PROBABILITIES).unwrap();
        let curves = curves.thinned(200);
        let json = serde_json::to_string(&curves).unwrap();
        assert_eq!(curves, serde_json::from_str(&json).unwrap());
        assert_eq!(curves.thresholds.len(), 101);
    }
}
