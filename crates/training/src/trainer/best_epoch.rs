//! The best epoch: the objective that decides which one it is, and the choice itself.

use emberlab_metrics::{Metric, Split};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

/// The best epoch so far.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BestEpoch {
    /// Counted from 1.
    pub epoch: usize,
    /// The objective's value there.
    pub value: f64,
}

impl BestEpoch {
    /// Makes an epoch the best if its objective is finite and better than that of `best`. Returns whether it did.
    pub(super) fn update(
        best: &mut Option<Self>,
        epoch: usize,
        value: f64,
        higher_is_better: bool,
    ) -> bool {
        let is_best = value.is_finite()
            && best.is_none_or(|best| gain(best.value, value, higher_is_better) > 0.0);
        if is_best {
            *best = Some(Self { epoch, value });
        }
        is_best
    }
}

/// By how much an objective is better than another; negative if it is worse.
pub(super) fn gain(from: f64, to: f64, higher_is_better: bool) -> f64 {
    match higher_is_better {
        true => to - from,
        false => from - to,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equal_epochs_is_the_best() {
        let mut best = None;
        for (epoch, value) in [0.9, 0.95, f64::NAN, 0.95].into_iter().enumerate() {
            BestEpoch::update(&mut best, epoch + 1, value, true);
        }
        assert_eq!(best.map(|b| b.epoch), Some(2));
    }
}
