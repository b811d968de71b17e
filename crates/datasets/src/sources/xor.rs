//! `xor`: the exclusive or of two signs.

use std::path::PathBuf;

use emberlab_menu::Problem;
use emberlab_rng::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataSource, Origin};
use crate::error::DatasetError;
use crate::generation::{LabelledPoints, check_deviation, check_num_samples};
use crate::random;
use crate::samples::{Samples, names};

/// Uniform points in the square `[-1, 1]²`; class 1 is where the signs of the coordinates differ.
///
/// The four quadrants hold equally many samples (up to one). Points get their class before noise moves them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Xor {
    /// Number of samples of all quadrants together, from 4 (default 1000).
    pub num_samples: usize,
    /// Standard deviation of the normal noise on each coordinate, from 0 (default 0.1).
    pub noise: f64,
    /// Seed of the data (default: the run's seed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

impl Default for Xor {
    fn default() -> Self {
        Self {
            num_samples: 1000,
            noise: 0.1,
            seed: None,
        }
    }
}

impl DataSource for Xor {
    fn origin(&self) -> Origin {
        Origin::Generated
    }

    fn validate(&self) -> Result<(), Problem> {
        check_num_samples(self.num_samples, 4)?;
        check_deviation("noise", self.noise)
    }

    /// Draws the samples: features `[num_samples, 2]`.
    fn load(&self, _: &[PathBuf], seed: u64) -> Result<Samples, DatasetError> {
        let rng = &mut stream(self.seed.unwrap_or(seed), "xor", &[]);
        let mut xor = LabelledPoints::default();
        for i in 0..self.num_samples {
            let signs = [i & 1, i >> 1 & 1];
            // `1 - uniform` is never 0, and 0 has no sign.
            let point = signs.map(|sign| (1.0 - random::uniform(rng)) * [1.0, -1.0][sign]);
            xor.push(point, signs[0] ^ signs[1]);
        }
        xor.shuffle(rng);
        xor.add_noise(self.noise, rng);
        Ok(xor.into_samples(names(&["same signs", "different signs"])))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn without_noise_the_signs_give_the_class() {
        let config = Xor {
            noise: 0.0,
            ..Xor::default()
        };
        let samples = config.load(&[], 0).unwrap();
        let mut quadrants = [0; 4];
        for (i, &label) in samples.labels().unwrap().iter().enumerate() {
            let row = samples.row(i);
            assert!(row.iter().all(|x| x.abs() <= 1.0));
            assert_eq!(label == 1, (row[0] > 0.0) != (row[1] > 0.0));
            quadrants[usize::from(row[0] > 0.0) * 2 + usize::from(row[1] > 0.0)] += 1;
        }
        assert_eq!(quadrants, [250; 4]);
    }
}
