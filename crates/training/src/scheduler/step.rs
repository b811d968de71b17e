//! Decay in steps.

use emberlab_menu::{Example, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Interval, ScheduleFunction, third};

/// Multiplied by `gamma` after every `step_size` intervals. `torch.optim.lr_scheduler.StepLR`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Intervals between two drops; at least 1.
    pub step_size: usize,
    /// The factor of a drop; positive.
    #[serde(default = "tenth")]
    pub gamma: f64,
    /// The unit of time: `step` or `epoch`.
    #[serde(default)]
    pub interval: Interval,
}

fn tenth() -> f64 {
    0.1
}

impl Example for Step {
    fn example() -> Self {
        Self {
            step_size: 10,
            gamma: tenth(),
            interval: Interval::default(),
        }
    }
}

impl ScheduleFunction for Step {
    fn interval(&self) -> Interval {
        self.interval
    }

    fn learning_rate(&self, base: f64, time: f64, _length: usize) -> f64 {
        base * self.gamma.powf((time / self.step_size as f64).floor())
    }

    fn validate(&self) -> Result<(), Problem> {
        Problem::unless_at_least_one(self.step_size as u64, "step_size")?;
        Problem::unless_positive(self.gamma, "gamma")
    }

    fn for_descent(&self, _decay: f64, num_steps: usize) -> Self {
        Self {
            step_size: third(num_steps),
            interval: Interval::Step,
            ..self.clone()
        }
    }
}
