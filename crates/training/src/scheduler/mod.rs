//! Learning rates as pure functions of the step or epoch, so that none needs saving; only those of [`ReduceOnPlateau`]
//! follow from results.
//!
//! A schedule is one file and one row of the table below. The file holds the parameters of the schedule and
//! implements `ScheduleFunction`. [`Scheduler`] is the one place that says what the learning rate of a step is.

mod constant;
mod cosine;
mod cosine_restarts;
mod cumulative;
mod exponential;
mod linear_warmup;
mod one_cycle;
mod piecewise;
mod polynomial;
mod reduce_on_plateau;
mod step;

use emberlab_menu::{Problem, menu, read_with_shared_keys};
use emberlab_metrics::{Metric, Split, SplitMetrics};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::optimizer::OptimizerConfig;

pub use constant::Constant;
pub use cosine::Cosine;
pub use cosine_restarts::CosineRestarts;
pub use cumulative::Cumulative;
pub use exponential::Exponential;
pub use linear_warmup::LinearWarmup;
pub use one_cycle::{Annealing, OneCycle};
pub use piecewise::{Milestone, Piecewise};
pub use polynomial::Polynomial;
pub use reduce_on_plateau::{PlateauState, ReduceOnPlateau, ThresholdMode};
pub use step::Step;

menu! {
    /// A learning-rate schedule: its name and its parameters.
    pub enum Schedule("a schedule"), written as a table, dispatched by with_schedule!($) {
        "constant" => Constant(Constant),
        "step" => Step(Step),
        "piecewise" => Piecewise(Piecewise),
        "exponential" => Exponential(Exponential),
        "cumulative" => Cumulative(Cumulative),
        "polynomial" => Polynomial(Polynomial),
        "cosine" => Cosine(Cosine),
        "cosine_restarts" => CosineRestarts(CosineRestarts),
        "one_cycle" => OneCycle(OneCycle),
        "linear_warmup" => LinearWarmup(LinearWarmup),
        "reduce_on_plateau" => ReduceOnPlateau(ReduceOnPlateau),
    }
}

/// The unit of time of a schedule.
///
/// It is a key of every schedule but the constant one, which does not depend on time.
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
pub(crate) trait ScheduleFunction: Clone {
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

    /// Whether the learning rate never changes.
    fn is_constant(&self) -> bool {
        false
    }

    /// The schedule for a descent of `num_steps` steps on a surface: it counts steps, its parts are a third of them, and
    /// `decay` is its factor if it has one for every step or milestone.
    fn for_descent(&self, _decay: f64, _num_steps: usize) -> Self {
        self.clone()
    }

    /// The schedule whose rates follow from results, if it is that one.
    fn plateau(&self) -> Option<&ReduceOnPlateau> {
        None
    }

    /// Checks the ranges of the parameters; a problem's key is the parameter's name.
    fn validate(&self) -> Result<(), Problem> {
        Ok(())
    }
}

impl Schedule {
    /// Whether the learning rate never changes.
    pub fn is_constant(&self) -> bool {
        with_schedule!(self, schedule => schedule.is_constant())
    }

    /// The schedule with parameters that suit a descent of `num_steps` steps: it counts steps, its parts are a third of
    /// them, and `decay` is its factor if it has one for every step or milestone.
    #[must_use]
    pub fn for_descent(&self, decay: f64, num_steps: usize) -> Self {
        with_schedule!(self, schedule => schedule.for_descent(decay, num_steps).into())
    }
}

/// The steps of a third of a descent, at least 1.
fn third(num_steps: usize) -> usize {
    num_steps.div_ceil(3).max(1)
}

/// How the learning rate changes during a training, as written in the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(extend("unevaluatedProperties" = false))]
pub struct SchedulerConfig {
    /// The schedule and its parameters.
    #[serde(flatten)]
    pub schedule: Schedule,
    /// A line that leads to the first learning rate of the schedule, which begins after it: `{ num_steps = 100,
    /// start_factor = 0.01, interval = "step" }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warmup: Option<LinearWarmup>,
}

impl<'de> Deserialize<'de> for SchedulerConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Table {
            #[serde(flatten)]
            schedule: Schedule,
            #[serde(default)]
            warmup: Option<LinearWarmup>,
        }
        let Table { schedule, warmup } = read_with_shared_keys(deserializer, &["warmup"])?;
        Ok(Self { schedule, warmup })
    }
}

impl Default for SchedulerConfig {
    fn default() -> Self {
        Constant {}.into()
    }
}

impl<S: Into<Schedule>> From<S> for SchedulerConfig {
    /// The schedule without a warm-up.
    fn from(schedule: S) -> Self {
        Self {
            schedule: schedule.into(),
            warmup: None,
        }
    }
}

impl SchedulerConfig {
    /// Whether learning rates depend on how many epochs are planned.
    pub fn depends_on_num_epochs(&self) -> bool {
        with_schedule!(&self.schedule, schedule => schedule.depends_on_num_epochs())
    }

    /// The metric that learning rates follow from, if they follow from results.
    pub fn metric(&self) -> Option<Metric> {
        self.plateau().map(|plateau| plateau.metric)
    }

    fn plateau(&self) -> Option<&ReduceOnPlateau> {
        with_schedule!(&self.schedule, schedule => schedule.plateau())
    }

    /// Checks the ranges of the values.
    ///
    /// # Errors
    /// [`Problem`] naming the key that is out of range.
    pub fn validate(&self) -> Result<(), Problem> {
        let of_warmup = |warmup: &LinearWarmup| warmup.validate().map_err(in_table("warmup"));
        with_schedule!(&self.schedule, schedule => schedule.validate())
            .and_then(|()| self.warmup.as_ref().map_or(Ok(()), of_warmup))
            .map_err(in_table("scheduler"))
    }
}

/// Puts a table before the key of a problem.
fn in_table(table: &'static str) -> impl Fn(Problem) -> Problem {
    move |problem| problem.within(table)
}

/// The learning rate of every step of a training.
#[derive(Debug, Clone)]
pub struct Scheduler {
    config: SchedulerConfig,
    base: f64,
    steps_per_epoch: u64,
    num_epochs: u64,
    /// The rate that follows from results, with a schedule that follows them.
    plateau: Option<PlateauState>,
}

impl Scheduler {
    /// The learning rates of a training: the optimiser's, changed by a schedule.
    pub fn new(
        config: &SchedulerConfig,
        optimizer: &OptimizerConfig,
        steps_per_epoch: usize,
        num_epochs: usize,
    ) -> Self {
        Self {
            config: config.clone(),
            base: optimizer.learning_rate,
            steps_per_epoch: steps_per_epoch.max(1) as u64,
            num_epochs: num_epochs as u64,
            plateau: (config.plateau()).map(|_| PlateauState::new(optimizer.learning_rate)),
        }
    }

    /// The part of the state of a training that learning rates follow from; `None` if they follow from the step alone.
    pub fn plateau(&self) -> Option<&PlateauState> {
        self.plateau.as_ref()
    }

    /// The learning rates of a training that goes on with this state.
    #[must_use]
    pub fn with_plateau(mut self, state: Option<PlateauState>) -> Self {
        if self.plateau.is_some() && state.is_some() {
            self.plateau = state;
        }
        self
    }

    /// Gives the metrics of an epoch, which ended after `step` steps, to a schedule that follows results. Epochs that
    /// begin within the warm-up do not count.
    pub fn end_epoch(&mut self, step: u64, train: &SplitMetrics, valid: Option<&SplitMetrics>) {
        let Some(plateau) = self.config.plateau() else {
            return;
        };
        let watched = match plateau.split {
            Split::Valid => valid.unwrap_or(train),
            _ => train,
        };
        let value = watched.get(plateau.metric).unwrap_or(f64::NAN);
        let began_at = step.saturating_sub(self.steps_per_epoch);
        if began_at >= self.warmup_steps()
            && let Some(state) = &mut self.plateau
        {
            state.observe(plateau, value);
        }
    }

    /// Sets the learning rate from step `step` on to a recorded one. Only `reduce_on_plateau` needs it; other schedules
    /// compute their rates.
    pub fn recall(&mut self, step: u64, learning_rate: f64) {
        if step >= self.warmup_steps()
            && let Some(state) = &mut self.plateau
        {
            state.learning_rate = learning_rate;
        }
    }

    /// The steps of the warm-up.
    fn warmup_steps(&self) -> u64 {
        let steps = |warmup: &LinearWarmup| {
            let interval = self.steps_in(warmup.interval);
            interval.saturating_mul(warmup.num_steps as u64)
        };
        self.config.warmup.as_ref().map_or(0, steps)
    }

    /// The learning rate of optimiser step `step`, counted from 0.
    ///
    /// With a warm-up of `n` steps, the schedule begins at step `n` and ends with the training, as in PyTorch's
    /// `SequentialLR`. The line leads to the first rate of the schedule.
    pub fn learning_rate(&self, step: u64) -> f64 {
        let Some(warmup) = &self.config.warmup else {
            return self.scheduled(step, 0);
        };
        let num_steps = self.warmup_steps();
        match step.checked_sub(num_steps) {
            Some(after) => self.scheduled(after, num_steps),
            None => {
                let time = step / self.steps_in(warmup.interval);
                self.scheduled(0, num_steps) * warmup.factor(time as f64)
            }
        }
    }

    /// The learning rate of the schedule after `step` of its steps, if it begins after `start` steps of the training.
    fn scheduled(&self, step: u64, start: u64) -> f64 {
        if let Some(state) = &self.plateau {
            return state.learning_rate;
        }
        with_schedule!(&self.config.schedule, schedule => {
            let unit = self.steps_in(schedule.interval());
            let num_steps = (self.num_epochs * self.steps_per_epoch).saturating_sub(start);
            let (time, length) = (step / unit, num_steps.div_ceil(unit));
            schedule.learning_rate(self.base, time as f64, length as usize)
        })
    }

    /// Optimiser steps in an interval.
    fn steps_in(&self, interval: Interval) -> u64 {
        match interval {
            Interval::Step => 1,
            Interval::Epoch => self.steps_per_epoch,
        }
    }
}

#[cfg(test)]
mod tests {
    use emberlab_menu::Menu as _;

    use super::*;
    use crate::optimizer::Sgd;

    /// The learning rates of the first steps, two steps an epoch.
    fn rates(config: impl Into<SchedulerConfig>, steps: usize) -> Vec<f64> {
        let optimizer = OptimizerConfig::new(Sgd::default(), 0.1);
        let scheduler = Scheduler::new(&config.into(), &optimizer, 2, 4);
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
        let references: [(Schedule, &[f64]); 11] = [
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
                Piecewise {
                    milestones: [(1, 0.1), (3, 0.01)]
                        .map(|(at, factor)| Milestone { at, factor })
                        .into(),
                    interval,
                }
                .into(),
                // MultiStepLR(…, [1, 3], gamma=.1)
                &[0.1, 0.01, 0.01, 0.001, 0.001],
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
                Polynomial {
                    num_steps: Some(4),
                    power: 2.0,
                    interval,
                    ..Polynomial::default()
                }
                .into(),
                &[0.1, 0.05625, 0.025, 0.00625, 0.0, 0.0],
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
                CosineRestarts {
                    num_steps: 2,
                    multiplier: 2,
                    min_learning_rate: 0.02,
                    interval,
                }
                .into(),
                &[
                    0.1,
                    0.06,
                    0.1,
                    0.08828427124746191,
                    0.06,
                    0.0317157287525381,
                    0.1,
                    0.09695518130045147,
                ],
            ),
            (
                // OneCycleLR(…, max_lr=.1, total_steps=8, cycle_momentum=False)
                OneCycle::default().into(),
                &[
                    0.004,
                    0.08192751048921922,
                    0.09719417773875232,
                    0.0811745653949763,
                    0.05559840141227016,
                    0.028306099820869922,
                    0.0076641593834256404,
                    4e-7,
                ],
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
            // Without results; a test in the file of `reduce_on_plateau` has those that need results.
            (ReduceOnPlateau::default().into(), &[0.1, 0.1, 0.1]),
        ];
        let names: Vec<_> = references.iter().map(|(config, _)| config.name()).collect();
        assert_eq!(names, Schedule::NAMES);
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
        for schedule in Schedule::examples() {
            let config = SchedulerConfig::from(schedule);
            let rates = |num_epochs| {
                let scheduler = Scheduler::new(&config, &optimizer, 2, num_epochs);
                (0..8)
                    .map(|s| scheduler.learning_rate(s))
                    .collect::<Vec<_>>()
            };
            let name = config.schedule.name();
            let depends = rates(4) != rates(5);
            assert_eq!(depends, config.depends_on_num_epochs(), "{name}");
        }
    }

    #[test]
    fn a_warm_up_leads_to_the_schedule_which_begins_after_it() {
        let warmup = |num_steps, start_factor, interval| {
            Some(LinearWarmup {
                num_steps,
                start_factor,
                interval,
            })
        };
        let interval = Interval::Step;
        // SequentialLR(o, [LinearLR(o, .5, total_iters=2), CosineAnnealingLR(o, 6, eta_min=.02)], milestones=[2])
        let cosine = SchedulerConfig {
            schedule: Cosine {
                min_learning_rate: 0.02,
                interval,
                ..Cosine::default()
            }
            .into(),
            warmup: warmup(2, 0.5, interval),
        };
        let expected = [
            0.05,
            0.075,
            0.1,
            0.09464101615137756,
            0.08,
            0.06,
            0.04,
            0.02535898384862245,
        ];
        assert_close(&rates(cosine, 8), &expected);
        // An epoch has two steps; the schedule's first epoch begins after the two of the warm-up.
        let exponential = SchedulerConfig {
            schedule: Exponential {
                gamma: 0.5,
                interval: Interval::Epoch,
            }
            .into(),
            warmup: warmup(2, 0.2, Interval::Epoch),
        };
        let expected = [0.02, 0.02, 0.06, 0.06, 0.1, 0.1, 0.05, 0.05];
        assert_close(&rates(exponential, 8), &expected);
        // The line leads to the first rate of the schedule, which is not that of the optimiser.
        let one_cycle = SchedulerConfig {
            schedule: OneCycle::default().into(),
            warmup: warmup(2, 0.5, interval),
        };
        assert_close(&rates(one_cycle, 3), &[0.002, 0.003, 0.004]);
    }

    #[test]
    fn rates_that_follow_from_results_begin_after_the_warm_up() {
        let config = SchedulerConfig {
            schedule: ReduceOnPlateau {
                patience: 0,
                factor: 0.5,
                ..ReduceOnPlateau::default()
            }
            .into(),
            warmup: Some(LinearWarmup {
                num_steps: 3,
                start_factor: 0.5,
                interval: Interval::Step,
            }),
        };
        assert_eq!(config.metric(), Some(Metric::Loss));
        let optimizer = OptimizerConfig::new(Sgd::default(), 0.1);
        let mut scheduler = Scheduler::new(&config, &optimizer, 2, 6);
        let mut found = Vec::new();
        // Epochs have two steps. The second begins within the warm-up, the third sets the best loss.
        for epoch in 1..=5_u64 {
            found.extend([2 * epoch - 2, 2 * epoch - 1].map(|step| scheduler.learning_rate(step)));
            let metrics: SplitMetrics = [(Metric::Loss, 1.0)].into_iter().collect();
            scheduler.end_epoch(2 * epoch, &metrics, None);
        }
        let expected = [
            0.05,
            0.2 / 3.0,
            0.25 / 3.0,
            0.1,
            0.1,
            0.1,
            0.1,
            0.1,
            0.05,
            0.05,
        ];
        assert_close(&found, &expected);
        let resumed = Scheduler::new(&config, &optimizer, 2, 6);
        let resumed = resumed.with_plateau(scheduler.plateau().cloned());
        assert_eq!(resumed.learning_rate(10), scheduler.learning_rate(10));
        let mut recalled = Scheduler::new(&config, &optimizer, 2, 6);
        recalled.recall(2, 0.7);
        assert_eq!(recalled.learning_rate(4), 0.1);
        recalled.recall(4, 0.7);
        assert_eq!(recalled.learning_rate(4), 0.7);
    }

    #[test]
    fn a_constant_rate_with_a_warm_up_is_the_linear_warm_up() {
        for interval in [Interval::Step, Interval::Epoch] {
            let warmup = LinearWarmup {
                num_steps: 3,
                start_factor: 0.1,
                interval,
            };
            let constant = SchedulerConfig {
                warmup: Some(warmup.clone()),
                ..SchedulerConfig::default()
            };
            assert_eq!(rates(constant, 8), rates(warmup, 8));
        }
    }

    #[test]
    fn a_warm_up_longer_than_the_training_never_reaches_the_schedule() {
        for schedule in Schedule::examples() {
            let name = schedule.name();
            let config = SchedulerConfig {
                schedule,
                warmup: Some(LinearWarmup {
                    num_steps: usize::MAX,
                    start_factor: 0.5,
                    interval: Interval::Epoch,
                }),
            };
            assert!(
                rates(config, 8).iter().all(|rate| rate.is_finite()),
                "{name}"
            );
        }
    }

    #[test]
    fn the_warm_up_is_written_beside_every_schedule() {
        let read =
            |text: &str| serde_json::from_str::<SchedulerConfig>(text).map_err(|e| e.to_string());
        for schedule in Schedule::examples() {
            let config = SchedulerConfig {
                schedule,
                warmup: Some(LinearWarmup {
                    num_steps: 7,
                    start_factor: 0.01,
                    interval: Interval::Step,
                }),
            };
            let text = serde_json::to_string(&config).expect("it can be written");
            assert_eq!(read(&text), Ok(config));
        }
        let misspelt = read(r#"{ "name": "constant", "warm_up": {} }"#).expect_err("unknown key");
        let expected = "unknown field `warm_up`, expected `warmup`";
        assert!(misspelt.starts_with(expected), "{misspelt}");
    }

    #[test]
    fn a_warm_up_out_of_range_is_named_with_its_table() {
        let config = SchedulerConfig {
            warmup: Some(LinearWarmup {
                num_steps: 1,
                start_factor: 0.0,
                interval: Interval::Step,
            }),
            ..SchedulerConfig::default()
        };
        let problem = config.validate().expect_err("out of range").to_string();
        assert_eq!(
            problem,
            "`scheduler.warmup.start_factor` is 0, expected above 0 and at most 1"
        );
    }

    #[test]
    fn an_interval_of_the_constant_schedule_is_refused() {
        let read = |text| serde_json::from_str::<SchedulerConfig>(text);
        assert!(read(r#"{ "name": "exponential", "gamma": 0.5, "interval": "step" }"#).is_ok());
        assert!(read(r#"{ "name": "constant", "interval": "step" }"#).is_err());
    }
}
