//! Calibration: whether predicted probabilities match observed frequencies.

use serde::{Deserialize, Serialize};

use crate::MetricsError;
use crate::ranked::Ranked;

/// The frequency of class 1 among samples of about the same predicted probability.
///
/// # Source
/// The points equal scikit-learn's `calibration_curve` (uniform bins), `brier_score` its
/// `brier_score_loss`; the expected calibration error is that of Naeini et al. 2015 for class 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// The bins that hold samples, by rising probability.
    pub bins: Vec<CalibrationBin>,
    /// Mean squared difference of probability and target, in [0, 1]; 0 is perfect.
    pub brier_score: f64,
    /// Mean over the samples of the distance between the probability and the frequency of their bin, in [0, 1].
    pub expected_calibration_error: f64,
}

/// Samples with about the same predicted probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationBin {
    /// Mean predicted probability of class 1, in [0, 1].
    pub mean_probability: f64,
    /// Share of the samples that are of class 1, in [0, 1].
    pub frequency: f64,
    /// Number of samples.
    pub num_samples: u64,
}

impl Calibration {
    /// Groups probabilities of class 1, each in [0, 1], into `num_bins` equal ranges.
    ///
    /// A probability on an edge belongs to the range below, as in scikit-learn.
    ///
    /// # Errors
    /// [`MetricsError::Lengths`], [`MetricsError::Label`], [`MetricsError::OneClass`],
    /// [`MetricsError::NotFinite`].
    pub fn from_probabilities(
        targets: &[u32],
        probabilities: &[f64],
        num_bins: usize,
    ) -> Result<Self, MetricsError> {
        Ranked::new(targets, probabilities)?;
        let edges: Vec<f64> = (1..num_bins).map(|i| i as f64 / num_bins as f64).collect();
        let mut sums = vec![(0.0, 0, 0); num_bins];
        for (&target, &p) in targets.iter().zip(probabilities) {
            let bin = &mut sums[edges.partition_point(|&edge| edge < p)];
            bin.0 += p;
            bin.1 += u64::from(target);
            bin.2 += 1;
        }
        let filled = sums.into_iter().filter(|bin| bin.2 > 0);
        let bins: Vec<CalibrationBin> = filled
            .map(|(sum, positive, num_samples)| CalibrationBin {
                mean_probability: sum / num_samples as f64,
                frequency: positive as f64 / num_samples as f64,
                num_samples,
            })
            .collect();
        let total = targets.len() as f64;
        let squares = targets.iter().zip(probabilities);
        let squares = squares.map(|(&t, p)| (p - f64::from(t)).powi(2));
        let distance = |b: &CalibrationBin| (b.mean_probability - b.frequency).abs();
        let errors = bins.iter().map(|b| distance(b) * b.num_samples as f64);
        Ok(Self {
            brier_score: squares.sum::<f64>() / total,
            expected_calibration_error: errors.sum::<f64>() / total,
            bins,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::curves::tests::{PROBABILITIES, TARGETS, close};

    #[test]
    fn bins_and_brier_score_equal_scikit_learn() {
        // calibration_curve(t, p, n_bins=5); brier_score_loss(t, p)
        let calibration = Calibration::from_probabilities(&TARGETS, &PROBABILITIES, 5).unwrap();
        let column = |of: fn(&CalibrationBin) -> f64| -> Vec<f64> {
            calibration.bins.iter().map(of).collect()
        };
        close(
            &column(|b| b.frequency),
            &[0.0, 0.6666666666666666, 0.5, 0.5, 1.0],
        );
        close(
            &column(|b| b.mean_probability),
            &[0.07500000000000001, 0.3666666666666667, 0.55, 0.75, 0.9],
        );
        close(&[calibration.brier_score], &[0.20675000000000004]);
    }

    #[test]
    fn the_calibration_error_is_the_mean_distance_of_the_samples_bins() {
        let calibration = Calibration::from_probabilities(&TARGETS, &PROBABILITIES, 5).unwrap();
        // (0.075 * 2 + 0.3 * 3 + 0.05 * 2 + 0.25 * 2 + 0.1 * 1) / 10
        close(&[calibration.expected_calibration_error], &[0.175]);
    }
}
