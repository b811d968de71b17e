//! The probability from which on class 1 is predicted, as stored with a model.

use emberlab_metrics::{BestThreshold, Split};
use serde::{Deserialize, Serialize};

/// The threshold that predictions of a run use, and why it is this one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChosenThreshold {
    /// The split it was chosen on: validation where there is one, else training.
    pub split: Split,
    /// The threshold and what it is worth there.
    pub best: BestThreshold,
}

impl ChosenThreshold {
    /// A probability above it is class 1.
    pub fn threshold(&self) -> f64 {
        self.best.counts.threshold
    }
}
