//! `circles`: a circle within a circle.

use std::f64::consts::TAU;
use std::path::PathBuf;

use emberlab_menu::Problem;
use emberlab_rng::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataSource, Origin};
use crate::error::DatasetError;
use crate::generation::{LabelledPoints, check_deviation, check_num_samples, spaced};
use crate::samples::{Samples, names};

/// A circle of radius 1 around a smaller one, in random order.
///
/// Class 0 is the outer circle, class 1 the inner.
///
/// # Source
/// The same distribution as scikit-learn's `make_circles`; without noise the same points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Circles {
    /// Number of samples of both circles together, from 2 (default 1000).
    pub num_samples: usize,
    /// Standard deviation of the normal noise on each coordinate, from 0 (default 0.1).
    pub noise: f64,
    /// Radius of the inner circle, 0 to below 1 (default 0.5).
    pub factor: f64,
    /// Seed of the data (default: the run's seed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

impl Default for Circles {
    fn default() -> Self {
        Self {
            num_samples: 1000,
            noise: 0.1,
            factor: 0.5,
            seed: None,
        }
    }
}

impl DataSource for Circles {
    fn origin(&self) -> Origin {
        Origin::Generated
    }

    fn validate(&self) -> Result<(), Problem> {
        check_num_samples(self.num_samples, 2)?;
        check_deviation("noise", self.noise)?;
        Problem::unless(
            (0.0..1.0).contains(&self.factor),
            "factor",
            self.factor,
            "a radius from 0 to below 1",
        )
    }

    /// Draws the samples: features `[num_samples, 2]`.
    fn load(&self, _: &[PathBuf], seed: u64) -> Result<Samples, DatasetError> {
        let outer = self.num_samples / 2;
        let mut circles = LabelledPoints::default();
        for (label, count, radius) in [(0, outer, 1.0), (1, self.num_samples - outer, self.factor)]
        {
            for angle in spaced(count, TAU, false) {
                circles.push([radius * angle.cos(), radius * angle.sin()], label);
            }
        }
        let rng = &mut stream(self.seed.unwrap_or(seed), "circles", &[]);
        circles.shuffle(rng);
        circles.add_noise(self.noise, rng);
        Ok(circles.into_samples(names(&["outer", "inner"])))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::generation::testing::{holds_points, moments};

    #[test]
    fn without_noise_equals_scikit_learn() {
        let config = Circles {
            num_samples: 5,
            noise: 0.0,
            ..Circles::default()
        };
        // sklearn.datasets.make_circles(5, shuffle=False, factor=0.5)
        let expected = [
            ([1.0, 0.0], 0),
            ([-1.0, 0.0], 0),
            ([0.5, 0.0], 1),
            ([-0.25, 0.4330127018922193], 1),
            ([-0.25, -0.4330127018922193], 1),
        ];
        assert!(holds_points(&config.load(&[], 0).unwrap(), &expected));
    }

    #[test]
    fn moments_equal_scikit_learn() {
        let config = Circles {
            num_samples: 20_000,
            ..Circles::default()
        };
        let samples = config.load(&[], 0).unwrap();
        // make_circles(1000, noise=0.1, factor=0.5, random_state=s) for s in range(20), concatenated:
        // std of the coordinates of each class; the means are 0.
        for (label, std) in [(0, 0.714), (1, 0.367)] {
            for j in 0..2 {
                let (m, s) = moments(&samples, j, Some(label));
                assert!(m.abs() < 0.01 && (s - std).abs() < 0.01, "{m} {s}");
            }
        }
    }

    #[test]
    fn a_factor_of_one_is_refused() {
        let config = Circles {
            factor: 1.0,
            ..Circles::default()
        };
        assert_eq!(
            config.validate().unwrap_err().to_string(),
            "`factor` is 1, expected a radius from 0 to below 1"
        );
    }
}
