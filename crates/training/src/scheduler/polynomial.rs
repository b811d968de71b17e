//! A polynomial.

use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Interval, ScheduleFunction};

/// A fall along `(1 − t)^power` from the learning rate to `min_learning_rate`; a line by default.
/// `torch.optim.lr_scheduler.PolynomialLR`, which ends at zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Polynomial {
    /// Intervals to the minimum, at which the rate stays; the whole training when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_steps: Option<usize>,
    /// The exponent; positive. 1 is a line; a larger one falls faster at first.
    pub power: f64,
    /// The learning rate at the end; zero or positive.
    pub min_learning_rate: f64,
    /// The unit of time: `step` or `epoch`.
    pub interval: Interval,
}

impl Default for Polynomial {
    fn default() -> Self {
        Self {
            num_steps: None,
            power: 1.0,
            min_learning_rate: 0.0,
            interval: Interval::default(),
        }
    }
}

impl ScheduleFunction for Polynomial {
    fn interval(&self) -> Interval {
        self.interval
    }

    fn learning_rate(&self, base: f64, time: f64, length: usize) -> f64 {
        let length = self.num_steps.unwrap_or(length).max(1) as f64;
        let left = (1.0 - time / length).max(0.0);
        self.min_learning_rate + (base - self.min_learning_rate) * left.powf(self.power)
    }

    fn depends_on_num_epochs(&self) -> bool {
        self.num_steps.is_none()
    }

    fn validate(&self) -> Result<(), Problem> {
        Problem::unless_at_least_one(self.num_steps.unwrap_or(1) as u64, "num_steps")?;
        Problem::unless_positive(self.power, "power")?;
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
    fn it_ends_at_the_minimum_and_stays_there() {
        let schedule = Polynomial {
            num_steps: Some(4),
            power: 2.0,
            min_learning_rate: 0.02,
            ..Polynomial::default()
        };
        // 0.02 + 0.08 (1 − t / 4)²
        let expected = [0.1, 0.065, 0.04, 0.025, 0.02, 0.02];
        for (time, expected) in expected.into_iter().enumerate() {
            let found = schedule.learning_rate(0.1, time as f64, 9);
            assert!(
                (found - expected).abs() < 1e-15,
                "{found} is not {expected}"
            );
        }
    }

    #[test]
    fn a_power_of_zero_is_refused() {
        let schedule = Polynomial {
            power: 0.0,
            ..Polynomial::default()
        };
        let problem = schedule.validate().expect_err("out of range");
        assert_eq!(
            problem.to_string(),
            "`power` is 0, expected a finite number above zero"
        );
    }
}
