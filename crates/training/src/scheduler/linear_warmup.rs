//! A linear warm-up.

use emberlab_menu::{Example, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Interval, ScheduleFunction, third};
use crate::error::check;

/// A line from `start_factor` times the learning rate up to it, constant afterwards.
/// `torch.optim.lr_scheduler.LinearLR` with an end factor of 1.
///
/// The key `warmup` of every other schedule holds the same table, for a line before that schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinearWarmup {
    /// Intervals until the full learning rate; at least 1.
    pub num_steps: usize,
    /// The share of the learning rate at the start of the line; in (0, 1].
    #[serde(default = "one_third")]
    pub start_factor: f64,
    /// The unit of time: `step` or `epoch`.
    #[serde(default)]
    pub interval: Interval,
}

fn one_third() -> f64 {
    1.0 / 3.0
}

impl Example for LinearWarmup {
    fn example() -> Self {
        Self {
            num_steps: 5,
            start_factor: one_third(),
            interval: Interval::default(),
        }
    }
}

impl ScheduleFunction for LinearWarmup {
    fn interval(&self) -> Interval {
        self.interval
    }

    fn learning_rate(&self, base: f64, time: f64, _length: usize) -> f64 {
        base * self.factor(time)
    }

    fn validate(&self) -> Result<(), Problem> {
        let factor = self.start_factor;
        let is_share = factor > 0.0 && factor <= 1.0;
        Problem::unless_at_least_one(self.num_steps as u64, "num_steps")?;
        check("start_factor", factor, is_share, "above 0 and at most 1")
    }

    fn for_descent(&self, _decay: f64, num_steps: usize) -> Self {
        Self {
            num_steps: third(num_steps),
            interval: Interval::Step,
            ..self.clone()
        }
    }
}

impl LinearWarmup {
    /// The factor after `time` intervals, at most 1.
    pub(super) fn factor(&self, time: f64) -> f64 {
        let done = (time / self.num_steps as f64).min(1.0);
        self.start_factor + (1.0 - self.start_factor) * done
    }
}
