//! Exclusive or of two signs.

use emberlab_rng::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Labelled, check_deviation, check_num_samples};
use crate::draws;
use crate::error::DatasetError;
use crate::samples::{Samples, names};

/// Continuous XOR: uniform points in `[-1, 1]²`, class 1 where the signs of the coordinates differ.
///
/// The four quadrants hold equally many samples (up to one); noise moves points after they are labelled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct XorConfig {
    /// Number of samples of all quadrants together, from 4 (default 1000).
    pub num_samples: usize,
    /// Standard deviation of the normal noise on each coordinate, from 0 (default 0.1).
    pub noise: f64,
    /// Seed of the data (default: the run's seed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

impl Default for XorConfig {
    fn default() -> Self {
        Self {
            num_samples: 1000,
            noise: 0.1,
            seed: None,
        }
    }
}

impl XorConfig {
    /// Checks every value.
    ///
    /// # Errors
    /// [`DatasetError::Value`] names the first key outside its range.
    pub fn validate(&self) -> Result<(), DatasetError> {
        check_num_samples(self.num_samples, 4)?;
        check_deviation("noise", self.noise)
    }

    /// Draws the samples: features `[num_samples, 2]`.
    ///
    /// # Errors
    /// As [`validate`](Self::validate).
    pub fn generate(&self, seed: u64) -> Result<Samples, DatasetError> {
        self.validate()?;
        let rng = &mut stream(self.seed.unwrap_or(seed), "xor", &[]);
        let mut xor = Labelled::default();
        for i in 0..self.num_samples {
            let signs = [i & 1, i >> 1 & 1];
            // 1 - uniform is never 0, where a sign would be lost.
            let point = signs.map(|sign| (1.0 - draws::uniform(rng)) * [1.0, -1.0][sign]);
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
        let config = XorConfig {
            noise: 0.0,
            ..XorConfig::default()
        };
        let samples = config.generate(0).unwrap();
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
