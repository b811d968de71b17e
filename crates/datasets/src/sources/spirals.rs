//! `spirals`: spiral arms around one centre.

use std::f64::consts::TAU;
use std::path::PathBuf;

use emberlab_menu::Problem;
use emberlab_rng::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataSource, Origin};
use crate::error::DatasetError;
use crate::generation::{
    LabelledPoints, check_deviation, check_num_classes, check_num_samples, even_parts,
};
use crate::samples::{Samples, numbered_classes};

/// Archimedean spirals of radius 1, one arm per class, in random order.
///
/// Point `i` of the `n` points on arm `k` of `K` has radius `t = i / n` and angle `2π (turns · t + k / K)`.
/// `i` counts from 1, so that no arm holds the common centre.
///
/// # Source
/// Lang and Witbrock, "Learning to tell two spirals apart", 1988.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Spirals {
    /// Number of samples of all arms together, at least one per class (default 1000).
    pub num_samples: usize,
    /// Number of arms, from 2 (default 2).
    pub num_classes: usize,
    /// Revolutions of each arm, above 0 (default 1.0).
    pub turns: f64,
    /// Standard deviation of the normal noise on each coordinate, from 0 (default 0.02).
    pub noise: f64,
    /// Seed of the data (default: the run's seed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

impl Default for Spirals {
    fn default() -> Self {
        Self {
            num_samples: 1000,
            num_classes: 2,
            turns: 1.0,
            noise: 0.02,
            seed: None,
        }
    }
}

impl DataSource for Spirals {
    fn origin(&self) -> Origin {
        Origin::Generated
    }

    fn validate(&self) -> Result<(), Problem> {
        check_num_classes(self.num_classes, 2)?;
        check_num_samples(self.num_samples, self.num_classes)?;
        Problem::unless(
            self.turns.is_finite() && self.turns > 0.0,
            "turns",
            self.turns,
            "a number of revolutions above 0",
        )?;
        check_deviation("noise", self.noise)
    }

    /// Draws the samples: features `[num_samples, 2]`; class `k` is the arm that starts at the angle `2π k / K`.
    fn load(&self, _: &[PathBuf], seed: u64) -> Result<Samples, DatasetError> {
        let mut spirals = LabelledPoints::default();
        for (arm, count) in even_parts(self.num_samples, self.num_classes).enumerate() {
            let start = arm as f64 / self.num_classes as f64;
            for i in 1..=count {
                let radius = i as f64 / count as f64;
                let angle = TAU * (self.turns * radius + start);
                spirals.push([radius * angle.cos(), radius * angle.sin()], arm);
            }
        }
        let rng = &mut stream(self.seed.unwrap_or(seed), "spirals", &[]);
        spirals.shuffle(rng);
        spirals.add_noise(self.noise, rng);
        Ok(spirals.into_samples(numbered_classes(self.num_classes)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::generation::testing::holds_points;

    #[test]
    fn without_noise_points_lie_on_the_arms() {
        let config = Spirals {
            num_samples: 4,
            noise: 0.0,
            ..Spirals::default()
        };
        // By hand: one turn, so half way (radius 0.5) arm 0 points left and arm 1 right.
        let expected = [
            ([-0.5, 0.0], 0),
            ([1.0, 0.0], 0),
            ([0.5, 0.0], 1),
            ([-1.0, 0.0], 1),
        ];
        assert!(holds_points(&config.load(&[], 0).unwrap(), &expected));
    }

    #[test]
    fn rows_left_over_go_to_the_first_arms() {
        let config = Spirals {
            num_samples: 11,
            num_classes: 3,
            ..Spirals::default()
        };
        let samples = config.load(&[], 0).unwrap();
        let counts: Vec<_> = samples.summary().classes.iter().map(|c| c.count).collect();
        assert_eq!(counts, [4, 4, 3]);
    }
}
