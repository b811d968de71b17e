//! A rate that falls when a metric no longer improves.

use emberlab_menu::Problem;
use emberlab_metrics::{Direction, Metric, Split};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Interval, ScheduleFunction};
use crate::config::check_decides;
use crate::error::check;

/// A smaller fall of the learning rate is not made, as in PyTorch.
const SMALLEST_FALL: f64 = 1e-8;

/// Multiplied by `factor` after an epoch when a metric has not improved for longer than `patience`.
/// `torch.optim.lr_scheduler.ReduceLROnPlateau`.
///
/// Its rates follow from results, so they are part of checkpoints. On a GPU, fused kernels then train one epoch in each
/// call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReduceOnPlateau {
    /// The factor of each fall; above 0 and below 1.
    pub factor: f64,
    /// Number of epochs without improvement that are tolerated. The rate falls after one more.
    pub patience: usize,
    /// An improvement counts if it is larger than this; zero or positive.
    pub threshold: f64,
    /// How the threshold is measured: `relative`, as a share of the best value, or `absolute`, in units of the metric.
    pub threshold_mode: ThresholdMode,
    /// After a fall, this many epochs do not count as epochs without improvement.
    pub cooldown: usize,
    /// The lowest learning rate; zero or positive.
    pub min_learning_rate: f64,
    /// The metric that has to improve. It is computed even if `training.metrics` does not list it.
    pub metric: Metric,
    /// The split it is measured on: `train` or `valid`. Without validation rows it is the training split.
    pub split: Split,
}

/// How a threshold is measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdMode {
    /// As a share of the best value so far.
    #[default]
    Relative,
    /// In units of the metric.
    Absolute,
}

impl Default for ReduceOnPlateau {
    fn default() -> Self {
        Self {
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            threshold_mode: ThresholdMode::default(),
            cooldown: 0,
            min_learning_rate: 0.0,
            metric: Metric::Loss,
            split: Split::Valid,
        }
    }
}

impl ScheduleFunction for ReduceOnPlateau {
    fn interval(&self) -> Interval {
        Interval::Epoch
    }

    /// The rate before any result.
    fn learning_rate(&self, base: f64, _time: f64, _length: usize) -> f64 {
        base
    }

    fn plateau(&self) -> Option<&ReduceOnPlateau> {
        Some(self)
    }

    fn validate(&self) -> Result<(), Problem> {
        let is_share = self.factor > 0.0 && self.factor < 1.0;
        check("factor", self.factor, is_share, "above 0 and below 1")?;
        Problem::unless_not_negative(self.threshold, "threshold")?;
        Problem::unless_not_negative(self.min_learning_rate, "min_learning_rate")?;
        check_decides("split", self.split)
    }

    fn for_descent(&self, decay: f64, _num_steps: usize) -> Self {
        Self {
            factor: decay,
            ..self.clone()
        }
    }
}

/// The learning rate of a training with [`ReduceOnPlateau`] and the results that it follows from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlateauState {
    /// The learning rate of the next epoch.
    pub(super) learning_rate: f64,
    /// The value that the next improvement is measured against; absent while no value was finite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    best: Option<f64>,
    /// Epochs without improvement since then, or since the last fall and its cooldown.
    num_bad_epochs: usize,
    /// Epochs of the cooldown that remain.
    cooldown_left: usize,
}

impl PlateauState {
    /// The state before any result.
    pub(super) fn new(learning_rate: f64) -> Self {
        Self {
            learning_rate,
            best: None,
            num_bad_epochs: 0,
            cooldown_left: 0,
        }
    }

    /// Adds the metric of one epoch. NaN is no improvement.
    pub(super) fn observe(&mut self, schedule: &ReduceOnPlateau, value: f64) {
        if schedule.is_improvement(value, self.best) {
            self.best = Some(value);
            self.num_bad_epochs = 0;
        } else {
            self.num_bad_epochs += 1;
        }
        if self.cooldown_left > 0 {
            self.cooldown_left -= 1;
            self.num_bad_epochs = 0;
        }
        if self.num_bad_epochs > schedule.patience {
            let reduced = (self.learning_rate * schedule.factor).max(schedule.min_learning_rate);
            if self.learning_rate - reduced > SMALLEST_FALL {
                self.learning_rate = reduced;
            }
            self.cooldown_left = schedule.cooldown;
            self.num_bad_epochs = 0;
        }
    }
}

impl ReduceOnPlateau {
    /// Whether a value is better than the best one by more than the threshold.
    fn is_improvement(&self, value: f64, best: Option<f64>) -> bool {
        let Some(best) = best else {
            return value.is_finite();
        };
        match (self.metric.direction(), self.threshold_mode) {
            (Direction::Lower, ThresholdMode::Relative) => value < best * (1.0 - self.threshold),
            (Direction::Lower, ThresholdMode::Absolute) => value < best - self.threshold,
            (Direction::Higher, ThresholdMode::Relative) => value > best * (1.0 + self.threshold),
            (Direction::Higher, ThresholdMode::Absolute) => value > best + self.threshold,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rates after each of these results.
    fn rates(schedule: &ReduceOnPlateau, values: &[f64]) -> Vec<f64> {
        let mut state = PlateauState::new(0.1);
        let after = |&value: &f64| {
            state.observe(schedule, value);
            state.learning_rate
        };
        values.iter().map(after).collect()
    }

    const NAN: f64 = f64::NAN;

    #[test]
    fn rates_equal_pytorchs() {
        // o = SGD([p], lr=.1); s = ReduceLROnPlateau(o, mode, factor=…, patience=…, threshold=…, threshold_mode=…,
        //     cooldown=…, min_lr=…); for value in values: s.step(value); print(o.param_groups[0]["lr"])
        let losses = [
            1.0, 0.9, 0.95, 0.9, 0.899, 0.5, 0.5, 0.5, 0.6, 0.5, 0.5, 0.4995, NAN, 0.5, 0.5, 0.1,
        ];
        let scores = [
            0.5, 0.6, 0.6, 0.605, 0.59, 0.7, 0.7, 0.7, 0.7, 0.701, 0.7, 0.7, 0.7, 0.7, 0.7, 0.9,
        ];
        let default = ReduceOnPlateau::default();
        let cases: [(&str, ReduceOnPlateau, &[f64], &[f64]); 6] = [
            (
                "patience 1",
                ReduceOnPlateau {
                    patience: 1,
                    ..default.clone()
                },
                &losses,
                &[
                    0.1,
                    0.1,
                    0.1,
                    0.010000000000000002,
                    0.010000000000000002,
                    0.010000000000000002,
                    0.010000000000000002,
                    0.0010000000000000002,
                    0.0010000000000000002,
                    0.00010000000000000003,
                    0.00010000000000000003,
                    0.00010000000000000003,
                    0.00010000000000000003,
                    1.0000000000000004e-05,
                    1.0000000000000004e-05,
                    1.0000000000000004e-05,
                ],
            ),
            (
                "factor, patience 0, cooldown",
                ReduceOnPlateau {
                    factor: 0.5,
                    patience: 0,
                    cooldown: 2,
                    ..default.clone()
                },
                &losses,
                &[
                    0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025, 0.0125, 0.0125, 0.0125,
                    0.00625, 0.00625, 0.00625, 0.00625,
                ],
            ),
            (
                "absolute threshold",
                ReduceOnPlateau {
                    factor: 0.3,
                    patience: 2,
                    threshold: 0.01,
                    threshold_mode: ThresholdMode::Absolute,
                    ..default.clone()
                },
                &losses,
                &[
                    0.1,
                    0.1,
                    0.1,
                    0.1,
                    0.03,
                    0.03,
                    0.03,
                    0.03,
                    0.009,
                    0.009,
                    0.009,
                    0.0026999999999999997,
                    0.0026999999999999997,
                    0.0026999999999999997,
                    0.0008099999999999998,
                    0.0008099999999999998,
                ],
            ),
            (
                "smallest rate",
                ReduceOnPlateau {
                    factor: 0.2,
                    patience: 0,
                    min_learning_rate: 0.003,
                    ..default.clone()
                },
                &losses,
                &[
                    0.1,
                    0.1,
                    0.020000000000000004,
                    0.004000000000000001,
                    0.004000000000000001,
                    0.004000000000000001,
                    0.003,
                    0.003,
                    0.003,
                    0.003,
                    0.003,
                    0.003,
                    0.003,
                    0.003,
                    0.003,
                    0.003,
                ],
            ),
            (
                "a metric that rises",
                ReduceOnPlateau {
                    factor: 0.5,
                    patience: 1,
                    threshold: 0.01,
                    metric: Metric::Accuracy,
                    ..default.clone()
                },
                &scores,
                &[
                    0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.025, 0.025, 0.0125, 0.0125, 0.00625,
                    0.00625, 0.003125, 0.003125, 0.003125,
                ],
            ),
            (
                "a metric that rises, absolute threshold",
                ReduceOnPlateau {
                    factor: 0.5,
                    patience: 1,
                    threshold: 0.01,
                    threshold_mode: ThresholdMode::Absolute,
                    metric: Metric::Accuracy,
                    ..default.clone()
                },
                &scores,
                &[
                    0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.025, 0.025, 0.0125, 0.0125, 0.00625,
                    0.00625, 0.003125, 0.003125, 0.003125,
                ],
            ),
        ];
        for (what, schedule, values, expected) in cases {
            assert_eq!(rates(&schedule, values), expected, "{what}");
        }
    }

    #[test]
    fn values_out_of_range_are_refused() {
        let default = ReduceOnPlateau::default();
        for (schedule, expected) in [
            (
                ReduceOnPlateau {
                    factor: 1.0,
                    ..default.clone()
                },
                "`factor` is 1, expected above 0 and below 1",
            ),
            (
                ReduceOnPlateau {
                    threshold: -0.1,
                    ..default.clone()
                },
                "`threshold` is -0.1, expected zero or positive",
            ),
            (
                ReduceOnPlateau {
                    split: Split::Test,
                    ..default
                },
                "`split` is test, expected `train` or `valid`: the test split must decide nothing",
            ),
        ] {
            let problem = schedule.validate().expect_err("out of range");
            assert_eq!(problem.to_string(), expected);
        }
    }
}
