//! Early stopping: the metric that decides which epoch is the best, and when a training stops for lack of a better one.

use emberlab_menu::Problem;
use emberlab_metrics::{Metric, Split};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{check, check_at_least_one};

/// The metric that decides which epoch is the best.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Objective {
    /// A metric of the task, such as `loss`, `accuracy` or `mae`.
    #[serde(default = "loss")]
    pub metric: Metric,
    /// The split it is measured on: `train` or `valid`.
    #[serde(default)]
    pub split: Split,
}

fn loss() -> Metric {
    Metric::Loss
}

impl Default for Objective {
    fn default() -> Self {
        Self {
            metric: loss(),
            split: Split::Valid,
        }
    }
}

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
        check_at_least_one("training.early_stopping.patience", self.patience as u64)?;
        check(
            "training.early_stopping.min_delta",
            self.min_delta,
            self.min_delta >= 0.0,
            "zero or positive",
        )
    }
}

/// The best epoch so far.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Counted from 1.
    pub epoch: usize,
    /// The objective's value there.
    pub value: f64,
}

/// The state of early stopping and of the choice of the best epoch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EarlyStoppingState {
    /// The best epoch so far; none while no value was finite.
    pub best: Option<Best>,
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
        let gain = |from: f64| {
            if higher_is_better {
                value - from
            } else {
                from - value
            }
        };
        let min_delta = early_stopping.map_or(0.0, |e| e.min_delta);
        let improved = value.is_finite() && self.reference.is_none_or(|r| gain(r) > min_delta);
        if improved {
            self.reference = Some(value);
            self.waited = 0;
        } else {
            self.waited += 1;
        }
        let is_best = value.is_finite() && self.best.is_none_or(|b| gain(b.value) > 0.0);
        if is_best {
            self.best = Some(Best { epoch, value });
        }
        is_best
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
        let best = Best {
            epoch: 5,
            value: 0.75,
        };
        assert_eq!(state.best, Some(best));
    }

    #[test]
    fn the_first_of_equal_epochs_is_the_best() {
        let mut state = EarlyStoppingState::default();
        for (epoch, value) in [0.9, 0.95, 0.95].into_iter().enumerate() {
            state.observe(epoch + 1, value, true, None);
        }
        assert_eq!(state.best.map(|b| b.epoch), Some(2));
    }
}
