//! `blobs`: round clouds of points.

use std::path::PathBuf;

use emberlab_menu::Problem;
use emberlab_rng::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataSource, Origin};
use crate::error::DatasetError;
use crate::generation::{
    LabelledPoints, check_deviation, check_num_classes, check_num_features, check_num_samples,
    even_parts,
};
use crate::random;
use crate::samples::{Samples, numbered_classes};

/// One round cloud of normally distributed points per class, around a random centre.
///
/// The rows are in random order.
///
/// # Source
/// The same distribution as scikit-learn's `make_blobs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Blobs {
    /// Number of samples of all clouds together, at least one per class (default 1000).
    pub num_samples: usize,
    /// Number of clouds, from 1 (default 3).
    pub num_classes: usize,
    /// Number of coordinates, from 1 (default 2).
    pub num_features: usize,
    /// Standard deviation of every cloud, from 0 (default 1.0).
    pub std: f64,
    /// Lowest and highest coordinate of the centres (default [-10.0, 10.0]).
    pub center_box: [f64; 2],
    /// Seed of the data (default: the run's seed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

impl Default for Blobs {
    fn default() -> Self {
        Self {
            num_samples: 1000,
            num_classes: 3,
            num_features: 2,
            std: 1.0,
            center_box: [-10.0, 10.0],
            seed: None,
        }
    }
}

impl DataSource for Blobs {
    fn origin(&self) -> Origin {
        Origin::Generated
    }

    fn validate(&self) -> Result<(), Problem> {
        check_num_classes(self.num_classes, 1)?;
        check_num_samples(self.num_samples, self.num_classes)?;
        check_num_features(self.num_features, self.num_samples)?;
        check_deviation("std", self.std)?;
        let [low, high] = self.center_box;
        Problem::unless(
            low.is_finite() && high.is_finite() && low <= high,
            "center_box",
            format!("[{low}, {high}]"),
            "the lowest coordinate, then the highest",
        )
    }

    /// Draws the samples: features `[num_samples, num_features]`; class `k` is the `k`-th cloud.
    fn load(&self, _: &[PathBuf], seed: u64) -> Result<Samples, DatasetError> {
        let rng = &mut stream(self.seed.unwrap_or(seed), "blobs", &[]);
        let [low, high] = self.center_box;
        let centers: Vec<f64> = (0..self.num_classes * self.num_features)
            .map(|_| low + (high - low) * random::uniform(rng))
            .collect();
        let mut blobs = LabelledPoints::default();
        let counts = even_parts(self.num_samples, self.num_classes);
        for (class, (center, count)) in centers.chunks(self.num_features).zip(counts).enumerate() {
            for _ in 0..count {
                let point = center.iter().map(|c| c + self.std * random::normal(rng));
                blobs.push(point, class);
            }
        }
        blobs.shuffle(rng);
        Ok(blobs.into_samples(numbered_classes(self.num_classes)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::generation::testing::moments;

    #[test]
    fn clouds_have_the_given_deviation_and_centres_in_the_box() {
        let config = Blobs {
            num_samples: 30_000,
            std: 0.5,
            center_box: [-2.0, 3.0],
            ..Blobs::default()
        };
        let samples = config.load(&[], 0).unwrap();
        for class in 0..3 {
            for j in 0..2 {
                let (mean, std) = moments(&samples, j, Some(class));
                assert!((-2.02..=3.02).contains(&mean), "{mean}");
                assert!((std - 0.5).abs() < 0.02, "{std}");
            }
        }
    }

    #[test]
    fn centres_are_uniform_in_the_box() {
        let config = Blobs {
            num_samples: 10_000,
            num_classes: 10_000,
            std: 0.0,
            ..Blobs::default()
        };
        // Uniform on [-10, 10]: mean 0, standard deviation 20/sqrt(12).
        let (mean, std) = moments(&config.load(&[], 0).unwrap(), 0, None);
        assert!(
            mean.abs() < 0.3 && (std - 5.7735).abs() < 0.15,
            "{mean} {std}"
        );
    }

    #[test]
    fn rows_left_over_go_to_the_first_clouds() {
        let config = Blobs {
            num_samples: 8,
            ..Blobs::default()
        };
        let samples = config.load(&[], 0).unwrap();
        let counts: Vec<_> = samples.summary().classes.iter().map(|c| c.count).collect();
        // np.bincount(make_blobs(8)[1])
        assert_eq!(counts, [3, 3, 2]);
    }

    #[test]
    fn a_box_with_exchanged_bounds_is_refused() {
        let config = Blobs {
            center_box: [1.0, -1.0],
            ..Blobs::default()
        };
        assert_eq!(
            config.validate().unwrap_err().to_string(),
            "`center_box` is [1, -1], expected the lowest coordinate, then the highest"
        );
    }
}
