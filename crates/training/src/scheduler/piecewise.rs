//! Rates between milestones.

use emberlab_menu::{Example, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Interval, ScheduleFunction, third};

/// A constant rate between milestones: each gives a factor of the learning rate until the next one.
/// `torch.optim.lr_scheduler.MultiStepLR` has the factors `gamma`, `gamma²` and so on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Piecewise {
    /// The milestones in the order of their times, such as `[{ at = 30, factor = 0.1 }, { at = 60, factor = 0.01 }]`.
    pub milestones: Vec<Milestone>,
    /// The unit of time: `step` or `epoch`.
    #[serde(default)]
    pub interval: Interval,
}

/// A time from which on another learning rate holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Milestone {
    /// Intervals before the rate changes; at least 1.
    pub at: usize,
    /// The factor of the learning rate from then on; zero or positive.
    pub factor: f64,
}

impl Example for Piecewise {
    fn example() -> Self {
        let milestone = |at, factor| Milestone { at, factor };
        Self {
            milestones: vec![milestone(10, 0.1), milestone(20, 0.01)],
            interval: Interval::default(),
        }
    }
}

impl ScheduleFunction for Piecewise {
    fn interval(&self) -> Interval {
        self.interval
    }

    fn learning_rate(&self, base: f64, time: f64, _length: usize) -> f64 {
        let reached = |milestone: &&Milestone| milestone.at as f64 <= time;
        let last = self.milestones.iter().take_while(reached).last();
        base * last.map_or(1.0, |milestone| milestone.factor)
    }

    fn validate(&self) -> Result<(), Problem> {
        let no_milestones = self.milestones.is_empty();
        Problem::unless(!no_milestones, "milestones", "[]", "at least one milestone")?;
        let mut before = 0;
        for (index, &Milestone { at, factor }) in self.milestones.iter().enumerate() {
            let key = |name| format!("milestones[{index}].{name}");
            Problem::unless(at > before, key("at"), at, format!("more than {before}"))?;
            Problem::unless_not_negative(factor, key("factor"))?;
            before = at;
        }
        Ok(())
    }

    fn for_descent(&self, decay: f64, num_steps: usize) -> Self {
        let third = third(num_steps);
        let milestone = |at, factor| Milestone { at, factor };
        Self {
            milestones: vec![milestone(third, decay), milestone(2 * third, decay * decay)],
            interval: Interval::Step,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milestones_out_of_order_or_range_are_refused() {
        let of = |milestones: &[(usize, f64)]| Piecewise {
            milestones: milestones
                .iter()
                .map(|&(at, factor)| Milestone { at, factor })
                .collect(),
            ..Piecewise::example()
        };
        for (milestones, expected) in [
            (
                &[][..],
                "`milestones` is [], expected at least one milestone",
            ),
            (&[(0, 0.1)], "`milestones[0].at` is 0, expected more than 0"),
            (
                &[(3, 0.1), (3, 0.01)],
                "`milestones[1].at` is 3, expected more than 3",
            ),
            (
                &[(3, -0.1)],
                "`milestones[0].factor` is -0.1, expected zero or positive",
            ),
        ] {
            let problem = of(milestones).validate().expect_err("out of range");
            assert_eq!(problem.to_string(), expected);
        }
        assert_eq!(of(&[(1, 0.0), (2, 3.0)]).validate(), Ok(()));
    }
}
