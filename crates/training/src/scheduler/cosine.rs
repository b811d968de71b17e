//! Half a cosine.

use std::f64::consts::PI;

use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Interval, ScheduleFunction};

/// Half a cosine from the learning rate to `min_learning_rate`. `torch.optim.lr_scheduler.CosineAnnealingLR`;
/// Loshchilov and Hutter 2017, eq. 5.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Cosine {
    /// Intervals to the minimum; the whole training when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_steps: Option<usize>,
    /// The learning rate at the end of the cosine; zero or positive.
    pub min_learning_rate: f64,
    /// The unit of time: `step` or `epoch`.
    pub interval: Interval,
}

impl ScheduleFunction for Cosine {
    fn interval(&self) -> Interval {
        self.interval
    }

    fn learning_rate(&self, base: f64, time: f64, length: usize) -> f64 {
        let length = self.num_steps.unwrap_or(length).max(1) as f64;
        let angle = PI * time / length;
        self.min_learning_rate + (base - self.min_learning_rate) * (1.0 + angle.cos()) / 2.0
    }

    fn depends_on_num_epochs(&self) -> bool {
        self.num_steps.is_none()
    }

    fn validate(&self) -> Result<(), Problem> {
        Problem::unless_at_least_one(self.num_steps.unwrap_or(1) as u64, "num_steps")?;
        Problem::unless_not_negative(self.min_learning_rate, "min_learning_rate")
    }

    fn for_descent(&self, _decay: f64, _num_steps: usize) -> Self {
        Self {
            interval: Interval::Step,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_length_it_spans_the_training() {
        let rates = [0.0, 4.0, 8.0].map(|time| Cosine::default().learning_rate(0.1, time, 8));
        for (found, expected) in rates.into_iter().zip([0.1, 0.05, 0.0]) {
            assert!((found - expected).abs() < 1e-15, "{rates:?}");
        }
    }
}
