//! Learning rates as pure functions of the step or epoch, so that none needs saving.

use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::check;

/// What a scheduler counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// Optimiser steps.
    Step,
    /// Epochs.
    #[default]
    Epoch,
}

/// A learning-rate schedule as written in the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum SchedulerConfig {
    /// The learning rate as configured, throughout.
    Constant {},
    /// Multiplied by `gamma` after every `step_size` intervals. `torch.optim.lr_scheduler.StepLR`.
    Step {
        /// Intervals between two drops; at least 1.
        step_size: usize,
        /// The factor of a drop; positive.
        #[serde(default = "tenth")]
        gamma: f64,
        /// What is counted: steps or epochs.
        #[serde(default)]
        interval: Interval,
    },
    /// Multiplied by `gamma` after every interval. `torch.optim.lr_scheduler.ExponentialLR`.
    Exponential {
        /// The factor of one interval; positive.
        gamma: f64,
        /// What is counted: steps or epochs.
        #[serde(default)]
        interval: Interval,
    },
    /// Multiplied by `gamma` to the power of the intervals so far, again and again: after `t` of them the
    /// learning rate has the factor `gamma^(t (t + 1) / 2)`. As a course's code has it, where the formula
    /// beside it is that of `exponential`.
    Cumulative {
        /// The factor of the first interval; positive.
        gamma: f64,
        /// What is counted: steps or epochs.
        #[serde(default)]
        interval: Interval,
    },
    /// Half a cosine from the learning rate to `min_learning_rate`.
    /// `torch.optim.lr_scheduler.CosineAnnealingLR`; Loshchilov and Hutter 2017, eq. 5.
    Cosine {
        /// Intervals to the minimum; the whole training when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        num_steps: Option<usize>,
        /// Where the cosine ends.
        #[serde(default)]
        min_learning_rate: f64,
        /// What is counted: steps or epochs.
        #[serde(default)]
        interval: Interval,
    },
    /// A line from `start_factor` times the learning rate up to it, constant afterwards.
    /// `torch.optim.lr_scheduler.LinearLR` with an end factor of 1.
    LinearWarmup {
        /// Intervals until the full learning rate; at least 1.
        num_steps: usize,
        /// Where the line starts, as a share of the learning rate; in (0, 1].
        #[serde(default = "third")]
        start_factor: f64,
        /// What is counted: steps or epochs.
        #[serde(default)]
        interval: Interval,
    },
}

impl Default for SchedulerConfig {
    fn default() -> Self {
        Self::Constant {}
    }
}

fn tenth() -> f64 {
    0.1
}

fn third() -> f64 {
    1.0 / 3.0
}

impl SchedulerConfig {
    /// Whether learning rates depend on how many epochs are planned.
    pub fn depends_on_num_epochs(&self) -> bool {
        matches!(
            self,
            Self::Cosine {
                num_steps: None,
                ..
            }
        )
    }

    /// Checks the ranges of the values.
    ///
    /// # Errors
    /// [`Problem`] naming the key that is out of range.
    pub fn validate(&self) -> Result<(), Problem> {
        let at_least_one = |key: &str, n: usize| match n {
            0 => Err(Problem::new(key, 0, "at least 1")),
            _ => Ok(()),
        };
        match self {
            Self::Constant {} => Ok(()),
            Self::Step {
                step_size, gamma, ..
            } => {
                at_least_one("scheduler.step_size", *step_size)?;
                check("scheduler.gamma", *gamma, *gamma > 0.0, "a positive number")
            }
            Self::Exponential { gamma, .. } | Self::Cumulative { gamma, .. } => {
                check("scheduler.gamma", *gamma, *gamma > 0.0, "a positive number")
            }
            Self::Cosine {
                num_steps,
                min_learning_rate,
                ..
            } => {
                at_least_one("scheduler.num_steps", num_steps.unwrap_or(1))?;
                check(
                    "scheduler.min_learning_rate",
                    *min_learning_rate,
                    *min_learning_rate >= 0.0,
                    "zero or a positive number",
                )
            }
            Self::LinearWarmup {
                num_steps,
                start_factor,
                ..
            } => {
                at_least_one("scheduler.num_steps", *num_steps)?;
                check(
                    "scheduler.start_factor",
                    *start_factor,
                    *start_factor > 0.0 && *start_factor <= 1.0,
                    "above 0 and at most 1",
                )
            }
        }
    }
}

/// A schedule that knows its training: `learning_rate(step)` of each optimiser step.
#[derive(Debug, Clone)]
pub struct Scheduler {
    config: SchedulerConfig,
    base: f64,
    steps_per_epoch: usize,
    num_epochs: usize,
}

impl Scheduler {
    /// A schedule that starts from the learning rate `base`.
    pub fn new(
        config: &SchedulerConfig,
        base: f64,
        steps_per_epoch: usize,
        num_epochs: usize,
    ) -> Self {
        Self {
            config: config.clone(),
            base,
            steps_per_epoch: steps_per_epoch.max(1),
            num_epochs,
        }
    }

    /// The learning rate of optimiser step `step`, counted from 0.
    pub fn learning_rate(&self, step: u64) -> f64 {
        let count = |interval: &Interval| match interval {
            Interval::Step => step as f64,
            Interval::Epoch => (step / self.steps_per_epoch as u64) as f64,
        };
        match &self.config {
            SchedulerConfig::Constant {} => self.base,
            SchedulerConfig::Step {
                step_size,
                gamma,
                interval,
            } => self.base * gamma.powf((count(interval) / *step_size as f64).floor()),
            SchedulerConfig::Exponential { gamma, interval } => {
                self.base * gamma.powf(count(interval))
            }
            SchedulerConfig::Cumulative { gamma, interval } => {
                let t = count(interval);
                self.base * gamma.powf(t * (t + 1.0) / 2.0)
            }
            SchedulerConfig::Cosine {
                num_steps,
                min_learning_rate,
                interval,
            } => {
                let whole = match interval {
                    Interval::Step => self.num_epochs * self.steps_per_epoch,
                    Interval::Epoch => self.num_epochs,
                };
                let length = num_steps.unwrap_or(whole).max(1) as f64;
                let angle = std::f64::consts::PI * count(interval) / length;
                min_learning_rate + (self.base - min_learning_rate) * (1.0 + angle.cos()) / 2.0
            }
            SchedulerConfig::LinearWarmup {
                num_steps,
                start_factor,
                interval,
            } => {
                let done = (count(interval) / *num_steps as f64).min(1.0);
                self.base * (start_factor + (1.0 - start_factor) * done)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The learning rates of the first steps, two steps an epoch.
    fn rates(config: SchedulerConfig, steps: u64) -> Vec<f64> {
        let scheduler = Scheduler::new(&config, 0.1, 2, 4);
        (0..steps).map(|s| scheduler.learning_rate(s)).collect()
    }

    fn close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 1e-15, "{found:?} is not {expected:?}");
        }
    }

    #[test]
    fn the_cumulative_schedule_multiplies_the_rate_it_has_as_the_course_does() {
        let config = SchedulerConfig::Cumulative {
            gamma: 0.5,
            interval: Interval::Step,
        };
        // The course: rate = rate * gamma ** t, for t = 0, 1, 2, …
        let mut rate = 0.1;
        let expected: Vec<f64> = (0..6)
            .map(|t| {
                rate *= 0.5_f64.powi(t);
                rate
            })
            .collect();
        close(&rates(config, 6), &expected);
    }

    #[test]
    fn schedules_equal_pytorchs() {
        // s = torch.optim.lr_scheduler.X(SGD([p], lr=.1), …); [s.get_last_lr()[0], s.step()] * n
        let exponential = SchedulerConfig::Exponential {
            gamma: 0.5,
            interval: Interval::Step,
        };
        close(&rates(exponential, 4), &[0.1, 0.05, 0.025, 0.0125]);
        let step = SchedulerConfig::Step {
            step_size: 2,
            gamma: 0.1,
            interval: Interval::Step,
        };
        close(&rates(step, 5), &[0.1, 0.1, 0.01, 0.01, 0.001]);
        let cosine = SchedulerConfig::Cosine {
            num_steps: Some(4),
            min_learning_rate: 0.02,
            interval: Interval::Step,
        };
        close(
            &rates(cosine, 5),
            &[0.1, 0.08828427124746191, 0.06, 0.03171572875253811, 0.02],
        );
        let warmup = SchedulerConfig::LinearWarmup {
            num_steps: 4,
            start_factor: 0.5,
            interval: Interval::Step,
        };
        close(&rates(warmup, 6), &[0.05, 0.0625, 0.075, 0.0875, 0.1, 0.1]);
    }

    #[test]
    fn an_epoch_schedule_changes_only_between_epochs() {
        let exponential = SchedulerConfig::Exponential {
            gamma: 0.5,
            interval: Interval::Epoch,
        };
        close(&rates(exponential, 5), &[0.1, 0.1, 0.05, 0.05, 0.025]);
    }

    #[test]
    fn a_cosine_without_a_length_spans_the_training() {
        let cosine = SchedulerConfig::Cosine {
            num_steps: None,
            min_learning_rate: 0.0,
            interval: Interval::Step,
        };
        let all = rates(cosine, 9);
        close(&[all[0], all[4], all[8]], &[0.1, 0.05, 0.0]);
    }
}
