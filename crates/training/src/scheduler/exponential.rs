//! Exponential decay.

use emberlab_menu::{Example, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Interval, ScheduleFunction};

/// Multiplied by `gamma` after every interval. `torch.optim.lr_scheduler.ExponentialLR`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exponential {
    /// The factor of one interval; positive.
    pub gamma: f64,
    /// The unit of time: `step` or `epoch`.
    #[serde(default)]
    pub interval: Interval,
}

impl Example for Exponential {
    fn example() -> Self {
        Self {
            gamma: 0.9,
            interval: Interval::default(),
        }
    }
}

impl ScheduleFunction for Exponential {
    fn interval(&self) -> Interval {
        self.interval
    }

    fn learning_rate(&self, base: f64, time: f64, _length: usize) -> f64 {
        base * self.gamma.powf(time)
    }

    fn validate(&self) -> Result<(), Problem> {
        Problem::unless_positive(self.gamma, "gamma")
    }

    fn for_descent(&self, decay: f64, _num_steps: usize) -> Self {
        Self {
            gamma: decay,
            interval: Interval::Step,
        }
    }
}
