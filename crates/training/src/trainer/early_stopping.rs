//! Early stopping: when a training stops because its objective no longer improves.

use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::best_epoch::{BestEpoch, gain};

/// Stops a training that no longer improves its objective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EarlyStopping {
    /// Epochs without improvement after which the training stops; at least 1.
    pub patience: usize,
    /// An improvement counts if it is larger than this, in units of the metric; zero or positive.
    #[serde(default)]
    pub min_delta: f64,
}

impl EarlyStopping {
    /// Whether a training in this state stops.
    pub(crate) fn is_due(&self, state: &EarlyStoppingState) -> bool {
        state.waited >= self.patience
    }

    /// Checks the ranges of the values.
    ///
    /// # Errors
    /// [`Problem`] naming the key that is out of range.
    pub fn validate(&self) -> Result<(), Problem> {
        Problem::unless_at_least_one(self.patience as u64, "training.early_stopping.patience")?;
        Problem::unless_not_negative(self.min_delta, "training.early_stopping.min_delta")
    }
}

/// The state of early stopping and of the choice of the best epoch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EarlyStoppingState {
    /// The best epoch so far; none while no value was finite.
    pub best: Option<BestEpoch>,
    /// The value that the next improvement is measured against.
    reference: Option<f64>,
    /// Epochs since the reference was set.
    pub waited: usize,
}

impl EarlyStoppingState {
    /// Adds the objective of one epoch; returns whether the epoch is the best so far.
    pub fn observe(
        &mut self,
        epoch: usize,
        value: f64,
        higher_is_better: bool,
        early_stopping: Option<&EarlyStopping>,
    ) -> bool {
        let min_delta = early_stopping.map_or(0.0, |e| e.min_delta);
        let improved = value.is_finite()
            && (self.reference).is_none_or(|r| gain(r, value, higher_is_better) > min_delta);
        if improved {
            self.reference = Some(value);
            self.waited = 0;
        } else {
            self.waited += 1;
        }
        BestEpoch::update(&mut self.best, epoch, value, higher_is_better)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_counts_epochs_without_enough_improvement() {
        let stopping = EarlyStopping {
            patience: 2,
            min_delta: 0.1,
        };
        let mut state = EarlyStoppingState::default();
        let mut waited = Vec::new();
        for (epoch, value) in [1.0, 0.95, 0.8, f64::NAN, 0.75].into_iter().enumerate() {
            state.observe(epoch + 1, value, false, Some(&stopping));
            waited.push(state.waited);
        }
        assert_eq!(waited, [0, 1, 0, 1, 2]);
        // The best epoch needs no improvement of min_delta.
        let best = BestEpoch {
            epoch: 5,
            value: 0.75,
        };
        assert_eq!(state.best, Some(best));
    }
}
