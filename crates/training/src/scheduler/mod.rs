//! Learning rates as pure functions of the step or epoch, so that none needs saving.
//!
//! A schedule is one file and one row of the table below. The file holds the parameters of the schedule and
//! implements `Schedule`. [`Scheduler`] is the one place that says what the learning rate of a step is.

mod constant;
mod cosine;
mod cumulative;
mod exponential;
mod linear_warmup;
mod step;

use emberlab_menu::{Problem, menu};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::check;
use crate::optimizer::OptimizerConfig;

pub use constant::Constant;
pub use cosine::Cosine;
pub use cumulative::Cumulative;
pub use exponential::Exponential;
pub use linear_warmup::LinearWarmup;
pub use step::Step;

menu! {
    /// A learning-rate schedule: its name and its parameters.
    pub enum SchedulerConfig("a schedule"), written as a table, dispatched by with_schedule!($) {
        "constant" => Constant(Constant),
        "step" => Step(Step),
        "exponential" => Exponential(Exponential),
        "cumulative" => Cumulative(Cumulative),
        "cosine" => Cosine(Cosine),
        "linear_warmup" => LinearWarmup(LinearWarmup),
    }
}

/// The unit of time of a schedule.
///
/// It is a key of every schedule but the constant one, which does not look at the time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// Optimiser steps.
    Step,
    /// Epochs.
    #[default]
    Epoch,
}

/// Everything that a schedule consists of besides its parameters.
pub(crate) trait Schedule {
    /// The unit of `time` and `length`.
    fn interval(&self) -> Interval;

    /// The learning rate after `time` intervals.
    ///
    /// `base` is the learning rate of the optimiser, `length` the number of intervals of the whole training.
    fn learning_rate(&self, base: f64, time: f64, length: usize) -> f64;

    /// Whether learning rates depend on how many epochs are planned.
    fn depends_on_num_epochs(&self) -> bool {
        false
    }

    /// Checks the ranges of the parameters; a problem's key is the parameter's name.
    fn validate(&self) -> Result<(), Problem> {
        Ok(())
    }
}

impl Default for SchedulerConfig {
    fn default() -> Self {
        Constant {}.into()
    }
}

impl SchedulerConfig {
    /// Whether learning rates depend on how many epochs are planned.
    pub fn depends_on_num_epochs(&self) -> bool {
        with_schedule!(self, schedule => schedule.depends_on_num_epochs())
    }

    /// Checks the ranges of the values.
    ///
    /// # Errors
    /// [`Problem`] naming the key that is out of range.
    pub fn validate(&self) -> Result<(), Problem> {
        with_schedule!(self, schedule => schedule.validate())
            .map_err(|problem| problem.within("scheduler"))
    }
}

/// The learning rate of every step of a training.
#[derive(Debug, Clone)]
pub struct Scheduler {
    schedule: SchedulerConfig,
    base: f64,
    steps_per_epoch: usize,
    num_epochs: usize,
}

impl Scheduler {
    /// The learning rates of a training: the optimiser's, changed by a schedule.
    pub fn new(
        schedule: &SchedulerConfig,
        optimizer: &OptimizerConfig,
        steps_per_epoch: usize,
        num_epochs: usize,
    ) -> Self {
        Self {
            schedule: schedule.clone(),
            base: optimizer.learning_rate,
            steps_per_epoch: steps_per_epoch.max(1),
            num_epochs,
        }
    }

    /// The learning rate of optimiser step `step`, counted from 0.
    pub fn learning_rate(&self, step: u64) -> f64 {
        with_schedule!(&self.schedule, schedule => {
            let (time, length) = match schedule.interval() {
                Interval::Step => (step, self.num_epochs * self.steps_per_epoch),
                Interval::Epoch => (step / self.steps_per_epoch as u64, self.num_epochs),
            };
            schedule.learning_rate(self.base, time as f64, length)
        })
    }
}

/// Fails unless the factor `gamma` is finite and positive.
fn check_gamma(gamma: f64) -> Result<(), Problem> {
    check("gamma", gamma, gamma > 0.0, "a positive number")
}

#[cfg(test)]
mod tests {
    use emberlab_menu::Menu as _;

    use super::*;
    use crate::optimizer::Sgd;

    /// The learning rates of the first steps, two steps an epoch.
    fn rates(schedule: impl Into<SchedulerConfig>, steps: usize) -> Vec<f64> {
        let optimizer = OptimizerConfig::new(Sgd::default(), 0.1);
        let scheduler = Scheduler::new(&schedule.into(), &optimizer, 2, 4);
        (0..steps as u64)
            .map(|s| scheduler.learning_rate(s))
            .collect()
    }

    #[track_caller]
    fn assert_close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 1e-15, "{found:?} is not {expected:?}");
        }
    }

    #[test]
    fn every_schedule_equals_its_reference() {
        let interval = Interval::Step;
        // s = torch.optim.lr_scheduler.X(SGD([p], lr=.1), …); [s.get_last_lr()[0], s.step()] * n
        // PyTorch has no cumulative schedule; the course: rate = rate * gamma ** t, for t = 0, 1, 2, …
        let references: [(SchedulerConfig, &[f64]); 6] = [
            (Constant {}.into(), &[0.1, 0.1, 0.1]),
            (
                Step {
                    step_size: 2,
                    gamma: 0.1,
                    interval,
                }
                .into(),
                &[0.1, 0.1, 0.01, 0.01, 0.001],
            ),
            (
                Exponential {
                    gamma: 0.5,
                    interval,
                }
                .into(),
                &[0.1, 0.05, 0.025, 0.0125],
            ),
            (
                Cumulative {
                    gamma: 0.5,
                    interval,
                }
                .into(),
                &[0.1, 0.05, 0.0125, 0.0015625, 0.00009765625],
            ),
            (
                Cosine {
                    num_steps: Some(4),
                    min_learning_rate: 0.02,
                    interval,
                }
                .into(),
                &[0.1, 0.08828427124746191, 0.06, 0.03171572875253811, 0.02],
            ),
            (
                LinearWarmup {
                    num_steps: 4,
                    start_factor: 0.5,
                    interval,
                }
                .into(),
                &[0.05, 0.0625, 0.075, 0.0875, 0.1, 0.1],
            ),
        ];
        let names: Vec<_> = references.iter().map(|(config, _)| config.name()).collect();
        assert_eq!(names, SchedulerConfig::NAMES);
        for (config, expected) in references {
            assert_close(&rates(config, expected.len()), expected);
        }
    }

    #[test]
    fn an_epoch_schedule_changes_only_between_epochs() {
        let exponential = Exponential {
            gamma: 0.5,
            interval: Interval::Epoch,
        };
        assert_close(&rates(exponential, 5), &[0.1, 0.1, 0.05, 0.05, 0.025]);
    }

    #[test]
    fn a_schedule_says_whether_the_number_of_epochs_changes_its_rates() {
        let optimizer = OptimizerConfig::new(Sgd::default(), 0.1);
        for schedule in SchedulerConfig::examples() {
            let rates = |num_epochs| {
                let scheduler = Scheduler::new(&schedule, &optimizer, 2, num_epochs);
                (0..8)
                    .map(|s| scheduler.learning_rate(s))
                    .collect::<Vec<_>>()
            };
            let name = schedule.name();
            let depends = rates(4) != rates(5);
            assert_eq!(depends, schedule.depends_on_num_epochs(), "{name}");
        }
    }

    #[test]
    fn an_interval_of_the_constant_schedule_is_refused() {
        let read = |text| serde_json::from_str::<SchedulerConfig>(text);
        assert!(read(r#"{ "name": "exponential", "gamma": 0.5, "interval": "step" }"#).is_ok());
        assert!(read(r#"{ "name": "constant", "interval": "step" }"#).is_err());
    }
}
