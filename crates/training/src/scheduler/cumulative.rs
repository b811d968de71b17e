//! A decay whose factor shrinks with every interval.

use emberlab_menu::{Example, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Interval, ScheduleFunction};

/// Multiplied after interval `t` by `gamma^t`, so that the factor after `t` intervals is `gamma^(t (t + 1) / 2)`.
///
/// This is the code of a course, whose formula is that of `exponential`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cumulative {
    /// The factor of the first interval; positive.
    pub gamma: f64,
    /// The unit of time: `step` or `epoch`.
    #[serde(default)]
    pub interval: Interval,
}

impl Example for Cumulative {
    fn example() -> Self {
        Self {
            gamma: 0.9,
            interval: Interval::default(),
        }
    }
}

impl ScheduleFunction for Cumulative {
    fn interval(&self) -> Interval {
        self.interval
    }

    fn learning_rate(&self, base: f64, time: f64, _length: usize) -> f64 {
        base * self.gamma.powf(time * (time + 1.0) / 2.0)
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
