//! `threshold.json`: the probability above which class 1 is predicted.

use emberlab_metrics::{BestThreshold, Split};
use serde::{Deserialize, Serialize};

/// The threshold of a run's predictions, and how it was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChosenThreshold {
    /// The split it was chosen on: validation if there is one, else training.
    pub split: Split,
    /// The threshold, and its scores on that split.
    pub best: BestThreshold,
}

impl ChosenThreshold {
    /// Class 1 is predicted where its probability is above this value.
    pub fn threshold(&self) -> f64 {
        self.best.counts.threshold
    }
}
