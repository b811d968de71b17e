//! One rise and one fall.

use std::f64::consts::PI;

use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Interval, ScheduleFunction};
use crate::error::check;

/// A rise from a small rate to the learning rate, then a fall to almost nothing. `torch.optim.lr_scheduler.OneCycleLR`
/// in two phases, without its cycle of momentum; Smith and Topin 2018, <https://arxiv.org/abs/1708.07120>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OneCycle {
    /// Intervals of the cycle; the whole training when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_steps: Option<usize>,
    /// The share of the cycle in which the rate rises; from 0 to 1.
    pub pct_start: f64,
    /// The first rate is the learning rate divided by this; positive.
    pub div_factor: f64,
    /// The last rate is the first one divided by this; positive.
    pub final_div_factor: f64,
    /// The form of the rise and the fall: `cosine` or `linear`.
    pub annealing: Annealing,
    /// The unit of time: `step` or `epoch`. A cycle is meant to change with every step, so that is the default.
    pub interval: Interval,
}

/// The way from one learning rate to another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Annealing {
    /// Half a cosine: flat at both ends.
    #[default]
    Cosine,
    /// A line.
    Linear,
}

impl Annealing {
    /// The rate after a share of the way, in [0, 1].
    fn between(self, start: f64, end: f64, share: f64) -> f64 {
        match self {
            Self::Cosine => end + (start - end) / 2.0 * ((PI * share).cos() + 1.0),
            Self::Linear => start + (end - start) * share,
        }
    }
}

impl Default for OneCycle {
    fn default() -> Self {
        Self {
            num_steps: None,
            pct_start: 0.3,
            div_factor: 25.0,
            final_div_factor: 1e4,
            annealing: Annealing::default(),
            interval: Interval::Step,
        }
    }
}

impl ScheduleFunction for OneCycle {
    fn interval(&self) -> Interval {
        self.interval
    }

    /// Only the last interval of the rise has the whole learning rate. After the cycle the last rate stays.
    fn learning_rate(&self, base: f64, time: f64, length: usize) -> f64 {
        let length = self.num_steps.unwrap_or(length).max(1) as f64;
        let first = base / self.div_factor;
        let last = first / self.final_div_factor;
        let (top, end) = (self.pct_start * length - 1.0, length - 1.0);
        let share = |from: f64, to: f64| ((time - from) / (to - from)).min(1.0);
        if time < top {
            self.annealing.between(first, base, share(0.0, top))
        } else if time == top {
            base
        } else {
            self.annealing.between(base, last, share(top, end))
        }
    }

    fn depends_on_num_epochs(&self) -> bool {
        self.num_steps.is_none()
    }

    fn validate(&self) -> Result<(), Problem> {
        Problem::unless_at_least_one(self.num_steps.unwrap_or(1) as u64, "num_steps")?;
        let is_share = (0.0..=1.0).contains(&self.pct_start);
        check("pct_start", self.pct_start, is_share, "from 0 to 1")?;
        for (key, factor) in [
            ("div_factor", self.div_factor),
            ("final_div_factor", self.final_div_factor),
        ] {
            Problem::unless_positive(factor, key)?;
        }
        Ok(())
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

    fn rates(cycle: &OneCycle, length: usize) -> Vec<f64> {
        let times = 0..length;
        times
            .map(|time| cycle.learning_rate(0.1, time as f64, length))
            .collect()
    }

    #[test]
    fn a_linear_cycle_equals_pytorchs() {
        // s = torch.optim.lr_scheduler.OneCycleLR(SGD([p], lr=.1), .1, total_steps=8, pct_start=.5, div_factor=10,
        //     final_div_factor=100, anneal_strategy="linear", cycle_momentum=False)
        let cycle = OneCycle {
            pct_start: 0.5,
            div_factor: 10.0,
            final_div_factor: 100.0,
            annealing: Annealing::Linear,
            ..OneCycle::default()
        };
        let expected = [0.01, 0.04, 0.07, 0.1, 0.075025, 0.05005, 0.025075, 0.0001];
        for (found, expected) in rates(&cycle, 8).into_iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-15,
                "{found} is not {expected}"
            );
        }
    }

    #[test]
    fn a_cycle_of_any_length_begins_low_and_ends_at_its_last_rate() {
        for length in 1..=40 {
            let rates = rates(&OneCycle::default(), length);
            assert!(
                rates.iter().all(|rate| (0.0..=0.1).contains(rate)),
                "{rates:?}"
            );
            let last = rates[length - 1];
            assert!(
                (last - 0.1 / 25.0 / 1e4).abs() < 1e-15,
                "{last} of {length}"
            );
        }
        let cycle = OneCycle {
            num_steps: Some(4),
            ..OneCycle::default()
        };
        assert_eq!(
            cycle.learning_rate(0.1, 9.0, 8),
            cycle.learning_rate(0.1, 3.0, 8)
        );
    }

    #[test]
    fn values_out_of_range_are_refused() {
        let cycle = OneCycle::default();
        for (cycle, expected) in [
            (
                OneCycle {
                    pct_start: 1.5,
                    ..cycle.clone()
                },
                "`pct_start` is 1.5, expected from 0 to 1",
            ),
            (
                OneCycle {
                    div_factor: 0.0,
                    ..cycle.clone()
                },
                "`div_factor` is 0, expected a finite number above zero",
            ),
            (
                OneCycle {
                    final_div_factor: -1.0,
                    ..cycle.clone()
                },
                "`final_div_factor` is -1, expected a finite number above zero",
            ),
            (
                OneCycle {
                    num_steps: Some(0),
                    ..cycle
                },
                "`num_steps` is 0, expected at least 1",
            ),
        ] {
            let problem = cycle.validate().expect_err("out of range");
            assert_eq!(problem.to_string(), expected);
        }
    }
}
