//! Cosines one after the other.

use emberlab_menu::{Example, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cosine, Interval, ScheduleFunction, third};

/// Half cosines one after the other, each from the learning rate to `min_learning_rate`.
/// `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts`; Loshchilov and Hutter 2017,
/// <https://arxiv.org/abs/1608.03983>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CosineRestarts {
    /// Intervals of the first cosine; at least 1.
    pub num_steps: usize,
    /// Each cosine is this many times as long as the one before; at least 1.
    #[serde(default = "one")]
    pub multiplier: usize,
    /// The learning rate at the end of each cosine; zero or positive.
    #[serde(default)]
    pub min_learning_rate: f64,
    /// The unit of time: `step` or `epoch`.
    #[serde(default)]
    pub interval: Interval,
}

fn one() -> usize {
    1
}

impl Example for CosineRestarts {
    fn example() -> Self {
        Self {
            num_steps: 10,
            multiplier: one(),
            min_learning_rate: 0.0,
            interval: Interval::default(),
        }
    }
}

impl ScheduleFunction for CosineRestarts {
    fn interval(&self) -> Interval {
        self.interval
    }

    fn learning_rate(&self, base: f64, time: f64, _length: usize) -> f64 {
        let (start, length) = self.period(time);
        let cosine = Cosine {
            min_learning_rate: self.min_learning_rate,
            ..Cosine::default()
        };
        cosine.learning_rate(base, time - start, length as usize)
    }

    fn validate(&self) -> Result<(), Problem> {
        Problem::unless_at_least_one(self.num_steps as u64, "num_steps")?;
        Problem::unless_at_least_one(self.multiplier as u64, "multiplier")?;
        Problem::unless_not_negative(self.min_learning_rate, "min_learning_rate")
    }

    fn for_descent(&self, _decay: f64, num_steps: usize) -> Self {
        Self {
            num_steps: third(num_steps),
            interval: Interval::Step,
            ..self.clone()
        }
    }
}

impl CosineRestarts {
    /// The start and the length of the cosine at `time`.
    fn period(&self, time: f64) -> (f64, f64) {
        let (mut length, multiplier) = (self.num_steps as f64, self.multiplier as f64);
        if self.multiplier == 1 {
            return (length * (time / length).floor(), length);
        }
        let mut start = 0.0;
        while time >= start + length {
            start += length;
            length *= multiplier;
        }
        (start, length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosines_that_grow_start_again_after_each_other() {
        let restarts = CosineRestarts {
            num_steps: 2,
            multiplier: 3,
            ..CosineRestarts::example()
        };
        let starts = [0, 1, 2, 7, 8, 25, 26].map(|time| restarts.period(f64::from(time)));
        let expected = [
            (0.0, 2.0),
            (0.0, 2.0),
            (2.0, 6.0),
            (2.0, 6.0),
            (8.0, 18.0),
            (8.0, 18.0),
            (26.0, 54.0),
        ];
        assert_eq!(starts, expected);
    }

    #[test]
    fn values_out_of_range_are_refused() {
        let example = CosineRestarts::example();
        for (schedule, expected) in [
            (
                CosineRestarts {
                    num_steps: 0,
                    ..example.clone()
                },
                "`num_steps` is 0, expected at least 1",
            ),
            (
                CosineRestarts {
                    multiplier: 0,
                    ..example.clone()
                },
                "`multiplier` is 0, expected at least 1",
            ),
            (
                CosineRestarts {
                    min_learning_rate: -0.1,
                    ..example
                },
                "`min_learning_rate` is -0.1, expected zero or positive",
            ),
        ] {
            let problem = schedule.validate().expect_err("out of range");
            assert_eq!(problem.to_string(), expected);
        }
    }
}
