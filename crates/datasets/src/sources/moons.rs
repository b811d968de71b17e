//! `moons`: two interleaving half circles.

use std::f64::consts::PI;
use std::path::PathBuf;

use emberlab_menu::Problem;
use emberlab_rng::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataSource, Origin};
use crate::error::DatasetError;
use crate::generation::{LabelledPoints, check_deviation, check_num_samples, spaced};
use crate::samples::{Samples, names};

/// Two interleaving half circles in the plane, in random order.
///
/// Class 0 is the upper moon, class 1 the lower.
///
/// # Source
/// The same distribution as scikit-learn's `make_moons`; without noise the same points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Moons {
    /// Number of samples of both moons together, from 2 (default 1000).
    pub num_samples: usize,
    /// Standard deviation of the normal noise on each coordinate, from 0 (default 0.1).
    pub noise: f64,
    /// Seed of the data (default: the run's seed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

impl Default for Moons {
    fn default() -> Self {
        Self {
            num_samples: 1000,
            noise: 0.1,
            seed: None,
        }
    }
}

impl DataSource for Moons {
    fn origin(&self) -> Origin {
        Origin::Generated
    }

    fn validate(&self) -> Result<(), Problem> {
        check_num_samples(self.num_samples, 2)?;
        check_deviation("noise", self.noise)
    }

    /// Draws the samples: features `[num_samples, 2]`.
    fn load(&self, _: &[PathBuf], seed: u64) -> Result<Samples, DatasetError> {
        let upper = self.num_samples / 2;
        let mut moons = LabelledPoints::default();
        for angle in spaced(upper, PI, true) {
            moons.push([angle.cos(), angle.sin()], 0);
        }
        for angle in spaced(self.num_samples - upper, PI, true) {
            moons.push([1.0 - angle.cos(), 0.5 - angle.sin()], 1);
        }
        let rng = &mut stream(self.seed.unwrap_or(seed), "moons", &[]);
        moons.shuffle(rng);
        moons.add_noise(self.noise, rng);
        Ok(moons.into_samples(names(&["upper", "lower"])))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::generation::testing::{holds_points, moments};

    #[test]
    fn without_noise_equals_scikit_learn() {
        let config = Moons {
            num_samples: 5,
            noise: 0.0,
            seed: None,
        };
        // sklearn.datasets.make_moons(5, shuffle=False)
        let expected = [
            ([1.0, 0.0], 0),
            ([-1.0, 0.0], 0),
            ([0.0, 0.5], 1),
            ([1.0, -0.5], 1),
            ([2.0, 0.5], 1),
        ];
        assert!(holds_points(&config.load(&[], 0).unwrap(), &expected));
    }

    #[test]
    fn moments_equal_scikit_learn() {
        let config = Moons {
            num_samples: 20_000,
            ..Moons::default()
        };
        let samples = config.load(&[], 0).unwrap();
        // sklearn.datasets.make_moons(1000, noise=0.1, random_state=s) for s in range(20), concatenated:
        // mean and std of each coordinate, class by class.
        for (label, j, mean, std) in [
            (0, 0, 0.000, 0.7155),
            (0, 1, 0.635, 0.323),
            (1, 0, 1.001, 0.7155),
            (1, 1, -0.134, 0.324),
        ] {
            let (m, s) = moments(&samples, j, Some(label));
            assert!((m - mean).abs() < 0.01 && (s - std).abs() < 0.01, "{m} {s}");
        }
    }

    #[test]
    fn the_data_seed_wins_over_the_seed_of_the_run() {
        let own = Moons {
            seed: Some(7),
            ..Moons::default()
        };
        let runs = Moons::default();
        assert_eq!(own.load(&[], 0).unwrap(), own.load(&[], 1).unwrap());
        assert_eq!(own.load(&[], 0).unwrap(), runs.load(&[], 7).unwrap());
        assert_ne!(runs.load(&[], 0).unwrap(), runs.load(&[], 1).unwrap());
    }

    #[test]
    fn more_noise_moves_the_same_rows_further() {
        let at = |noise| {
            let config = Moons {
                noise,
                ..Moons::default()
            };
            config.load(&[], 0).unwrap()
        };
        assert_eq!(at(0.0).targets, at(0.5).targets);
        let shift = |noise| at(noise).row(0)[0] - at(0.0).row(0)[0];
        assert!((2.0 * shift(0.1) - shift(0.2)).abs() < 1e-6);
    }

    #[test]
    fn values_outside_their_range_name_the_key() {
        for (num_samples, noise, expected) in [
            (
                1,
                0.1,
                "`num_samples` is 1, expected a whole number from 2 to 10000000",
            ),
            (
                10,
                -0.5,
                "`noise` is -0.5, expected a standard deviation of 0 or more",
            ),
            (
                10,
                f64::NAN,
                "`noise` is NaN, expected a standard deviation of 0 or more",
            ),
        ] {
            let config = Moons {
                num_samples,
                noise,
                seed: None,
            };
            assert_eq!(config.validate().unwrap_err().to_string(), expected);
        }
    }
}
