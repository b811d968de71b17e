//! The receiver operating characteristic (ROC).

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::MetricsError;
use crate::ranked::Ranked;
use crate::thinning::{chosen, thinned};

/// True positive rate against false positive rate at all thresholds, from (0, 0) to (1, 1).
///
/// Points on a straight line between their neighbours are left out.
///
/// # Shapes
/// - `false_positive_rate`, `true_positive_rate`, `thresholds`: `[num_points]`, rates rising
///
/// # Source
/// Equals scikit-learn's `roc_curve` and `roc_auc_score`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RocCurve {
    /// Share of the samples of class 0 that are taken for class 1, in [0, 1].
    pub false_positive_rate: Vec<f64>,
    /// Share of the samples of class 1 that are found, in [0, 1].
    pub true_positive_rate: Vec<f64>,
    /// The thresholds, falling: class 1 is predicted for probabilities at or above them. The first is infinite
    /// (`null` in JSON): class 1 is never predicted.
    #[serde(serialize_with = "write", deserialize_with = "read")]
    pub thresholds: Vec<f64>,
    /// Area under the whole curve, in [0, 1]; random guesses have 0.5.
    pub auc: f64,
}

impl RocCurve {
    pub(crate) fn from_ranked(ranked: &Ranked) -> Self {
        let share = |counts: &[u64], whole: u64| -> Vec<f64> {
            counts.iter().map(|&n| n as f64 / whole as f64).collect()
        };
        let is_corner = |&i: &usize| {
            let bends = |counts: &[u64]| counts[i + 1] - counts[i] != counts[i] - counts[i - 1];
            i == 0
                || i + 1 == ranked.scores.len()
                || bends(&ranked.true_positives)
                || bends(&ranked.false_positives)
        };
        let kept: Vec<usize> = (0..ranked.scores.len()).filter(is_corner).collect();
        let keep = |numbers: Vec<f64>, first: f64| -> Vec<f64> {
            let kept = kept.iter().map(|&i| numbers[i]);
            std::iter::once(first).chain(kept).collect()
        };
        let x = keep(share(&ranked.false_positives, ranked.num_negative()), 0.0);
        let y = keep(share(&ranked.true_positives, ranked.num_positive()), 0.0);
        let trapezia = (1..x.len()).map(|i| (x[i] - x[i - 1]) * (y[i] + y[i - 1]) / 2.0);
        Self {
            auc: trapezia.sum(),
            thresholds: keep(ranked.scores.clone(), f64::INFINITY),
            false_positive_rate: x,
            true_positive_rate: y,
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
    /// area stays that of the whole curve.
    pub fn thinned(&self, max_points: usize) -> Self {
        let (x, y) = (&self.false_positive_rate, &self.true_positive_rate);
        let kept = thinned(x, y, max_points);
        Self {
            false_positive_rate: chosen(x, &kept),
            true_positive_rate: chosen(y, &kept),
            thresholds: chosen(&self.thresholds, &kept),
            auc: self.auc,
        }
    }
}

/// JSON has no infinity: `null` stands for it.
fn write<S: Serializer>(thresholds: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
    let finite = thresholds.iter().map(|t| t.is_finite().then_some(*t));
    serializer.collect_seq(finite)
}

fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    let thresholds = Vec::<Option<f64>>::deserialize(deserializer)?;
    let infinite = |t: Option<f64>| t.unwrap_or(f64::INFINITY);
    Ok(thresholds.into_iter().map(infinite).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::curves::tests::{PROBABILITIES, TARGETS, close};

    #[test]
    fn the_curve_and_its_area_equal_scikit_learn() {
        // roc_curve(t, p); roc_auc_score(t, p)
        let roc = RocCurve::from_probabilities(&TARGETS, &PROBABILITIES).unwrap();
        close(
            &roc.false_positive_rate,
            &[0.0, 0.0, 0.2, 0.2, 0.4, 0.4, 0.6, 1.0],
        );
        close(
            &roc.true_positive_rate,
            &[0.0, 0.2, 0.2, 0.6, 0.6, 0.8, 1.0, 1.0],
        );
        assert_eq!(roc.thresholds[0], f64::INFINITY);
        close(&roc.thresholds[1..], &[0.9, 0.8, 0.6, 0.5, 0.4, 0.35, 0.05]);
        close(&[roc.auc], &[0.74]);
    }

    #[test]
    fn the_infinite_threshold_survives_json() {
        let roc = RocCurve::from_probabilities(&TARGETS, &PROBABILITIES).unwrap();
        let json = serde_json::to_string(&roc).unwrap();
        assert_eq!(roc, serde_json::from_str(&json).unwrap());
    }

    #[test]
    fn a_thinned_curve_keeps_its_ends_and_the_whole_area() {
        let targets: Vec<u32> = (0..4000).map(|i| u32::from(i % 7 < 3)).collect();
        let probabilities: Vec<f64> = (0..4000).map(|i| f64::from(i * 37 % 4001)).collect();
        let whole = RocCurve::from_probabilities(&targets, &probabilities).unwrap();
        let thin = whole.thinned(200);
        assert!(whole.thresholds.len() > 200 && thin.thresholds.len() <= 200);
        assert_eq!(thin.auc, whole.auc);
        let ends = |x: &[f64]| (x[0], x[x.len() - 1]);
        assert_eq!(ends(&thin.true_positive_rate), (0.0, 1.0));
        assert_eq!(ends(&thin.false_positive_rate), (0.0, 1.0));
    }
}
