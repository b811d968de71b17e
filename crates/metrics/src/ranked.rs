//! Samples of two classes, sorted by probability: the basis of all curves over thresholds.

use crate::MetricsError;
use crate::error::check_lengths;

/// The number of samples of each class at or above each distinct probability, the highest first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ranked {
    /// The distinct probabilities, falling.
    pub(crate) scores: Vec<f64>,
    /// Samples of class 1 at or above each.
    pub(crate) true_positives: Vec<u64>,
    /// Samples of class 0 at or above each.
    pub(crate) false_positives: Vec<u64>,
}

impl Ranked {
    /// Sorts the samples by probability and counts them.
    ///
    /// # Errors
    /// [`MetricsError::Lengths`]; [`MetricsError::Label`] for a target that is neither 0 nor 1;
    /// [`MetricsError::OneClass`] if a class has no sample; [`MetricsError::NotFinite`] for a probability that is
    /// NaN or infinite.
    pub(crate) fn new(targets: &[u32], probabilities: &[f64]) -> Result<Self, MetricsError> {
        check_lengths(targets.len(), probabilities.len())?;
        if let Some(&label) = targets.iter().find(|&&t| t > 1) {
            let num_classes = 2;
            return Err(MetricsError::Label { label, num_classes });
        }
        if probabilities.iter().any(|p| !p.is_finite()) {
            return Err(MetricsError::NotFinite);
        }
        let mut samples: Vec<(f64, u32)> = probabilities
            .iter()
            .copied()
            .zip(targets.iter().copied())
            .collect();
        samples.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut ranked = Self {
            scores: Vec::new(),
            true_positives: Vec::new(),
            false_positives: Vec::new(),
        };
        let mut counts = [0, 0];
        for (i, &(score, target)) in samples.iter().enumerate() {
            counts[target as usize] += 1;
            if samples.get(i + 1).is_none_or(|next| next.0 != score) {
                ranked.scores.push(score);
                ranked.true_positives.push(counts[1]);
                ranked.false_positives.push(counts[0]);
            }
        }
        match counts {
            [0, _] | [_, 0] => Err(MetricsError::OneClass),
            _ => Ok(ranked),
        }
    }

    /// Samples of class 1.
    pub(crate) fn num_positive(&self) -> u64 {
        self.true_positives.last().copied().unwrap_or(0)
    }

    /// Samples of class 0.
    pub(crate) fn num_negative(&self) -> u64 {
        self.false_positives.last().copied().unwrap_or(0)
    }
}
