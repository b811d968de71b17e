//! Normal clusters on the corners of a hypercube, among features that help less.

use std::collections::HashSet;

use emberlab_rng::{StreamRng, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Labelled, check_num_classes, check_num_features, check_num_samples};
use crate::draws;
use crate::error::{DatasetError, require};
use crate::samples::{Samples, numbered_classes};

/// A random classification problem: each class is some normal clusters with random covariances around
/// corners of a hypercube of side `2 · class_sep`; redundant, repeated and random features are added.
///
/// # Source
/// Equals scikit-learn's `make_classification` in distribution (Guyon 2003, "Design of experiments for
/// the NIPS 2003 variable selection benchmark").
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClassificationConfig {
    /// Number of samples, from 1 (default 1000).
    pub num_samples: usize,
    /// Number of all features (default 20).
    pub num_features: usize,
    /// Features that carry the classes, from 1; `2^num_informative` corners must be enough for
    /// `num_classes · num_clusters_per_class` clusters (default 2).
    pub num_informative: usize,
    /// Features that are random linear combinations of the informative ones (default 2).
    pub num_redundant: usize,
    /// Features that repeat informative or redundant ones (default 0).
    pub num_repeated: usize,
    /// Number of classes, from 1 (default 2).
    pub num_classes: usize,
    /// Clusters of each class, from 1 (default 2).
    pub num_clusters_per_class: usize,
    /// Share of each class, together at most 1; the last may be left out (default: equal shares).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<Vec<f64>>,
    /// Share of samples whose class is drawn anew, from 0 to 1 (default 0.01).
    pub flip_y: f64,
    /// Half the side of the hypercube, above 0 (default 1.0).
    pub class_sep: f64,
    /// Whether the clusters stay on the corners; otherwise corners are moved at random (default true).
    pub hypercube: bool,
    /// Added to features: a number, one per feature, or "random" within ±class_sep (default 0.0).
    pub shift: PerFeature,
    /// Multiplies features after the shift, above 0: a number, one per feature, or "random" from 1 to 101
    /// (default 1.0).
    pub scale: PerFeature,
    /// Whether rows and features are put in random order (default true).
    pub shuffle: bool,
    /// Seed of the data (default: the run's seed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

impl Default for ClassificationConfig {
    fn default() -> Self {
        Self {
            num_samples: 1000,
            num_features: 20,
            num_informative: 2,
            num_redundant: 2,
            num_repeated: 0,
            num_classes: 2,
            num_clusters_per_class: 2,
            weights: None,
            flip_y: 0.01,
            class_sep: 1.0,
            hypercube: true,
            shift: PerFeature::Same(0.0),
            scale: PerFeature::Same(1.0),
            shuffle: true,
            seed: None,
        }
    }
}

/// One number for all features, one for each, or drawn at random.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a number, a list of one number per feature, or \"random\""
)]
pub enum PerFeature {
    /// The same number for all.
    Same(f64),
    /// One number per feature.
    Each(Vec<f64>),
    /// Drawn for each feature.
    Random(RandomPerFeature),
}

/// The word "random".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RandomPerFeature {
    /// Drawn for each feature.
    Random,
}

impl PerFeature {
    fn check(
        &self,
        key: &'static str,
        num_features: usize,
        accepts: impl Fn(f64) -> bool,
        expected: &str,
    ) -> Result<(), DatasetError> {
        match self {
            Self::Same(x) => require(accepts(*x), key, x, expected),
            Self::Each(xs) => {
                let good = xs.len() == num_features && xs.iter().all(|&x| accepts(x));
                let expected = format!("{num_features} numbers, each {expected}");
                require(good, key, format!("{xs:?}"), expected)
            }
            Self::Random(_) => Ok(()),
        }
    }

    fn numbers(&self, num_features: usize, draw: impl FnMut() -> f64) -> Vec<f64> {
        match self {
            Self::Same(x) => vec![*x; num_features],
            Self::Each(xs) => xs.clone(),
            Self::Random(_) => std::iter::repeat_with(draw).take(num_features).collect(),
        }
    }
}

impl ClassificationConfig {
    /// Checks every value.
    ///
    /// # Errors
    /// [`DatasetError::Value`] names the first key outside its range.
    pub fn validate(&self) -> Result<(), DatasetError> {
        check_num_samples(self.num_samples, 1)?;
        check_num_features(self.num_features, self.num_samples)?;
        check_num_classes(self.num_classes, 1)?;
        require(
            (1..=self.num_features).contains(&self.num_informative),
            "num_informative",
            self.num_informative,
            format!(
                "a whole number from 1 to num_features = {}",
                self.num_features
            ),
        )?;
        let left = self.num_features - self.num_informative;
        require(
            self.num_redundant <= left,
            "num_redundant",
            self.num_redundant,
            format!("at most the {left} features that are not informative"),
        )?;
        let left = left - self.num_redundant;
        require(
            self.num_repeated <= left,
            "num_repeated",
            self.num_repeated,
            format!("at most the {left} features that are neither informative nor redundant"),
        )?;
        let corners = 1usize << self.num_informative.min(usize::BITS as usize - 2);
        let most = corners / self.num_classes;
        require(
            (1..=most).contains(&self.num_clusters_per_class),
            "num_clusters_per_class",
            self.num_clusters_per_class,
            format!(
                "at least 1, and num_classes * num_clusters_per_class at most \
                 2^num_informative = {corners} (num_classes = {})",
                self.num_classes
            ),
        )?;
        if let Some(weights) = &self.weights {
            let complete = [self.num_classes - 1, self.num_classes].contains(&weights.len());
            let shares = weights.iter().all(|&w| w >= 0.0);
            require(
                complete && shares && weights.iter().sum::<f64>() <= 1.0 + 1e-9,
                "weights",
                format!("{weights:?}"),
                format!(
                    "{} shares of 0 or more, together at most 1 (the last may be left out)",
                    self.num_classes
                ),
            )?;
        }
        require(
            (0.0..=1.0).contains(&self.flip_y),
            "flip_y",
            self.flip_y,
            "a share from 0 to 1",
        )?;
        let positive = |x: f64| x.is_finite() && x > 0.0;
        require(
            positive(self.class_sep),
            "class_sep",
            self.class_sep,
            "a number above 0",
        )?;
        self.shift.check(
            "shift",
            self.num_features,
            f64::is_finite,
            "a finite number",
        )?;
        self.scale
            .check("scale", self.num_features, positive, "a number above 0")
    }

    /// Draws the samples: features `[num_samples, num_features]`, named by their kind.
    ///
    /// # Errors
    /// As [`validate`](Self::validate).
    pub fn generate(&self, seed: u64) -> Result<Samples, DatasetError> {
        self.validate()?;
        let rng = &mut stream(self.seed.unwrap_or(seed), "classification", &[]);
        let mut data = self.clusters(rng);
        self.flip_labels(&mut data.labels, rng);
        self.shift_and_scale(&mut data.points, rng);

        let mut order: Vec<usize> = (0..self.num_features).collect();
        if self.shuffle {
            data.shuffle(rng);
            draws::shuffle(&mut order, rng);
            for row in data.points.chunks_mut(self.num_features) {
                let reordered: Vec<f64> = order.iter().map(|&j| row[j]).collect();
                row.copy_from_slice(&reordered);
            }
        }
        let kinds = self.feature_kinds();
        let mut samples = data.into_samples(numbered_classes(self.num_classes));
        samples.feature_names = order.iter().map(|&j| kinds[j].clone()).collect();
        Ok(samples)
    }

    /// All features of all clusters, cluster by cluster, with the classes taking turns.
    fn clusters(&self, rng: &mut StreamRng) -> Labelled {
        let informative = self.num_informative;
        let sizes = self.cluster_sizes();
        let centroids = self.centroids(sizes.len(), rng);
        let redundant = matrix(informative, self.num_redundant, rng);
        let sources: Vec<usize> = (0..self.num_repeated)
            .map(|_| {
                let last = informative + self.num_redundant - 1;
                (last as f64 * draws::uniform(rng) + 0.5) as usize
            })
            .collect();

        let mut data = Labelled::default();
        for (k, (size, centroid)) in sizes.into_iter().zip(&centroids).enumerate() {
            let covariance = matrix(informative, informative, rng);
            for _ in 0..size {
                let white: Vec<f64> = (0..informative).map(|_| draws::normal(rng)).collect();
                let mut row = product(&white, &covariance, informative);
                for (x, center) in row.iter_mut().zip(centroid) {
                    *x += center;
                }
                row.extend(product(&row, &redundant, self.num_redundant));
                for &source in &sources {
                    row.push(row[source]);
                }
                row.resize_with(self.num_features, || draws::normal(rng));
                data.push(row, k % self.num_classes);
            }
        }
        data
    }

    /// Samples of each cluster, `[num_classes · num_clusters_per_class]`; rounding favours the first.
    fn cluster_sizes(&self) -> Vec<usize> {
        let mut weights = match &self.weights {
            Some(weights) => weights.clone(),
            None => vec![1.0 / self.num_classes as f64; self.num_classes],
        };
        if weights.len() < self.num_classes {
            weights.push((1.0 - weights.iter().sum::<f64>()).max(0.0));
        }
        let clusters = self.num_classes * self.num_clusters_per_class;
        let mut sizes: Vec<usize> = (0..clusters)
            .map(|k| {
                let share = weights[k % self.num_classes] / self.num_clusters_per_class as f64;
                (self.num_samples as f64 * share) as usize
            })
            .collect();
        let given: usize = sizes.iter().sum();
        for i in 0..self.num_samples.saturating_sub(given) {
            sizes[i % clusters] += 1;
        }
        sizes
    }

    /// Centres of the clusters, `[num_clusters][num_informative]`.
    fn centroids(&self, num_clusters: usize, rng: &mut StreamRng) -> Vec<Vec<f64>> {
        let dimensions = self.num_informative;
        let mut centroids: Vec<Vec<f64>> = corners(num_clusters, dimensions, rng)
            .into_iter()
            .map(|corner| {
                let side = |bit| if bit { self.class_sep } else { -self.class_sep };
                corner.into_iter().map(side).collect()
            })
            .collect();
        if !self.hypercube {
            let per_cluster: Vec<f64> = (0..num_clusters).map(|_| draws::uniform(rng)).collect();
            let per_dimension: Vec<f64> = (0..dimensions).map(|_| draws::uniform(rng)).collect();
            for (centroid, cluster) in centroids.iter_mut().zip(per_cluster) {
                for (x, dimension) in centroid.iter_mut().zip(&per_dimension) {
                    *x *= cluster * dimension;
                }
            }
        }
        centroids
    }

    fn flip_labels(&self, labels: &mut [u32], rng: &mut StreamRng) {
        for label in labels {
            if draws::uniform(rng) < self.flip_y {
                *label = draws::below(self.num_classes as u64, rng) as u32;
            }
        }
    }

    fn shift_and_scale(&self, points: &mut [f64], rng: &mut StreamRng) {
        let shift = self.shift.numbers(self.num_features, || {
            (2.0 * draws::uniform(rng) - 1.0) * self.class_sep
        });
        let scale = self
            .scale
            .numbers(self.num_features, || 1.0 + 100.0 * draws::uniform(rng));
        for row in points.chunks_mut(self.num_features) {
            for (x, (shift, scale)) in row.iter_mut().zip(shift.iter().zip(&scale)) {
                *x = (*x + shift) * scale;
            }
        }
    }

    fn feature_kinds(&self) -> Vec<String> {
        let useful = self.num_informative + self.num_redundant + self.num_repeated;
        [
            ("informative", self.num_informative),
            ("redundant", self.num_redundant),
            ("repeated", self.num_repeated),
            ("random", self.num_features - useful),
        ]
        .into_iter()
        .flat_map(|(kind, count)| (1..=count).map(move |i| format!("{kind} {i}")))
        .collect()
    }
}

/// Different corners of the unit hypercube, most significant dimension first.
///
/// The order decides which corners share a class, so it follows scikit-learn's: all corners, or nearly
/// all (99 %), come in counting order (a reservoir); fewer come in random order. Only the last 30
/// dimensions tell corners apart for certain; further ones are random.
fn corners(count: usize, dimensions: usize, rng: &mut StreamRng) -> Vec<Vec<bool>> {
    let distinct = dimensions.min(30);
    let population = 1u64 << distinct;
    let codes = if count as f64 >= 0.99 * population as f64 {
        let mut codes: Vec<u64> = (0..count as u64).collect();
        for code in count as u64..population {
            let place = draws::below(code + 1, rng) as usize;
            if let Some(slot) = codes.get_mut(place) {
                *slot = code;
            }
        }
        codes
    } else {
        let mut seen = HashSet::new();
        std::iter::repeat_with(|| draws::below(population, rng))
            .filter(|&code| seen.insert(code))
            .take(count)
            .collect()
    };
    let bits = |code: u64| (0..distinct).rev().map(move |bit| code >> bit & 1 == 1);
    codes
        .into_iter()
        .map(|code| {
            let further = (distinct..dimensions).map(|_| draws::below(2, rng) == 1);
            further
                .collect::<Vec<_>>()
                .into_iter()
                .chain(bits(code))
                .collect()
        })
        .collect()
}

/// `[rows, columns]`, uniform in `[-1, 1)`.
fn matrix(rows: usize, columns: usize, rng: &mut StreamRng) -> Vec<f64> {
    (0..rows * columns)
        .map(|_| 2.0 * draws::uniform(rng) - 1.0)
        .collect()
}

/// `row [d] · matrix [d, columns]`.
fn product(row: &[f64], matrix: &[f64], columns: usize) -> Vec<f64> {
    let mut out = vec![0.0; columns];
    if columns > 0 {
        for (x, weights) in row.iter().zip(matrix.chunks(columns)) {
            for (sum, weight) in out.iter_mut().zip(weights) {
                *sum += x * weight;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn two_informative() -> ClassificationConfig {
        ClassificationConfig {
            num_features: 2,
            num_redundant: 0,
            flip_y: 0.0,
            ..ClassificationConfig::default()
        }
    }

    /// Mean over `runs` data sets of: mean, standard deviation and mean square of all features, mean label.
    fn averages(config: &ClassificationConfig, runs: u64) -> [f64; 4] {
        let mut sums = [0.0; 4];
        for seed in 0..runs {
            let samples = config.generate(seed).unwrap();
            let xs: Vec<f64> = (0..samples.len())
                .flat_map(|i| samples.row(i))
                .map(f64::from)
                .collect();
            let mean = xs.iter().sum::<f64>() / xs.len() as f64;
            let square = xs.iter().map(|x| x * x).sum::<f64>() / xs.len() as f64;
            let labels = samples.labels().unwrap();
            let label = f64::from(labels.iter().sum::<u32>()) / labels.len() as f64;
            let found = [mean, (square - mean * mean).sqrt(), square, label];
            for (sum, x) in sums.iter_mut().zip(found) {
                *sum += x / runs as f64;
            }
        }
        sums
    }

    fn assert_near(found: [f64; 4], expected: [f64; 4], tolerance: [f64; 4]) {
        let near = (0..4).all(|i| (found[i] - expected[i]).abs() < tolerance[i]);
        assert!(near, "{found:?} is not {expected:?} within {tolerance:?}");
    }

    // Expected averages: sklearn.datasets.make_classification over 400 random states; the tolerances are
    // five standard errors of our mean (200 runs) and of theirs together.
    #[test]
    fn moments_equal_scikit_learn_for_two_features() {
        let config = ClassificationConfig {
            flip_y: 0.1,
            class_sep: 0.9,
            ..two_informative()
        };
        assert_near(
            averages(&config, 200),
            [0.0, 1.2111, 1.4714, 0.5],
            [0.008, 0.028, 0.067, 0.0032],
        );
    }

    #[test]
    fn moments_equal_scikit_learn_for_the_defaults() {
        let config = ClassificationConfig {
            num_samples: 500,
            ..ClassificationConfig::default()
        };
        assert_near(
            averages(&config, 200),
            [0.0, 1.0382, 1.0788, 0.5],
            [0.004, 0.0125, 0.026, 0.0014],
        );
    }

    #[test]
    fn moments_equal_scikit_learn_off_the_corners_with_weights() {
        let config = ClassificationConfig {
            num_samples: 500,
            num_features: 6,
            num_informative: 3,
            num_repeated: 1,
            num_classes: 3,
            num_clusters_per_class: 1,
            weights: Some(vec![0.6, 0.3]),
            flip_y: 0.0,
            class_sep: 2.0,
            hypercube: false,
            ..ClassificationConfig::default()
        };
        assert_near(
            averages(&config, 200),
            [0.0, 1.1620, 1.4351, 0.5],
            [0.09, 0.09, 0.23, 1e-9],
        );
    }

    #[test]
    fn random_shift_and_scale_have_the_moments_of_scikit_learn() {
        let config = ClassificationConfig {
            num_samples: 500,
            num_features: 6,
            num_informative: 3,
            num_repeated: 1,
            num_classes: 3,
            weights: Some(vec![0.6, 0.3]),
            class_sep: 2.0,
            hypercube: false,
            shift: PerFeature::Random(RandomPerFeature::Random),
            scale: PerFeature::Random(RandomPerFeature::Random),
            ..ClassificationConfig::default()
        };
        assert_near(
            averages(&config, 200),
            [-1.0, 89.72, 9418.0, 0.505],
            [13.0, 9.5, 1950.0, 0.0024],
        );
    }

    #[test]
    fn all_corners_come_in_counting_order_so_that_one_feature_separates_two_classes() {
        let config = ClassificationConfig {
            num_samples: 400,
            class_sep: 1000.0,
            shuffle: false,
            ..two_informative()
        };
        let samples = config.generate(3).unwrap();
        // make_classification(400, 2, n_informative=2, n_redundant=0, flip_y=0, class_sep=1000,
        // shuffle=False): the corners (-,-), (-,+), (+,-), (+,+) with the classes 0, 1, 0, 1.
        for (k, corner) in [[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]]
            .iter()
            .enumerate()
        {
            for i in [k * 100, k * 100 + 99] {
                let signs: Vec<f32> = samples.row(i).iter().map(|x| x.signum()).collect();
                assert_eq!(signs, corner);
                assert_eq!(samples.labels().unwrap()[i], k as u32 % 2);
            }
        }
    }

    #[test]
    fn corners_are_different_also_beyond_thirty_dimensions() {
        let rng = &mut stream(0, "test", &[]);
        for (count, dimensions) in [(4, 2), (127, 7), (128, 7), (5, 4), (100, 40)] {
            let corners = corners(count, dimensions, rng);
            assert!(corners.iter().all(|corner| corner.len() == dimensions));
            assert_eq!(corners.iter().collect::<HashSet<_>>().len(), count);
        }
    }

    #[test]
    fn weights_give_the_class_counts_of_scikit_learn() {
        let config = ClassificationConfig {
            num_samples: 1001,
            num_features: 4,
            num_informative: 3,
            num_redundant: 0,
            num_classes: 3,
            weights: Some(vec![0.5, 0.3]),
            flip_y: 0.0,
            ..ClassificationConfig::default()
        };
        let samples = config.generate(0).unwrap();
        let counts: Vec<_> = samples.summary().classes.iter().map(|c| c.count).collect();
        // np.bincount(make_classification(1001, 4, n_informative=3, n_redundant=0, n_classes=3,
        //                                 weights=[.5, .3], flip_y=0)[1])
        assert_eq!(counts, [501, 300, 200]);
    }

    #[test]
    fn repeated_features_equal_others_and_redundant_ones_are_combinations() {
        let config = ClassificationConfig {
            num_samples: 20,
            num_features: 5,
            num_redundant: 1,
            num_repeated: 1,
            shuffle: false,
            ..ClassificationConfig::default()
        };
        let samples = config.generate(0).unwrap();
        assert_eq!(
            samples.feature_names,
            [
                "informative 1",
                "informative 2",
                "redundant 1",
                "repeated 1",
                "random 1"
            ]
        );
        let rows: Vec<_> = (0..20).map(|i| samples.row(i)).collect();
        assert!((0..3).any(|j| rows.iter().all(|row| row[3] == row[j])));
        // Three rows of (informative, informative, redundant) have no volume.
        let [a, b, c] =
            [0, 7, 13].map(|i: usize| [rows[i][0], rows[i][1], rows[i][2]].map(f64::from));
        let volume = a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0])
            + a[2] * (b[0] * c[1] - b[1] * c[0]);
        assert!(volume.abs() < 1e-5, "{volume}");
    }

    #[test]
    fn impossible_counts_name_the_key() {
        let few_corners = ClassificationConfig {
            num_classes: 3,
            ..ClassificationConfig::default()
        };
        assert_eq!(
            few_corners.validate().unwrap_err().to_string(),
            "`num_clusters_per_class = 2`: expected at least 1, and num_classes * num_clusters_per_class \
             at most 2^num_informative = 4 (num_classes = 3)"
        );
        let too_wide = ClassificationConfig {
            num_features: 3,
            ..ClassificationConfig::default()
        };
        assert!(matches!(
            too_wide.validate(),
            Err(DatasetError::Value {
                key: "num_redundant",
                ..
            })
        ));
        let heavy = ClassificationConfig {
            weights: Some(vec![0.9, 0.3]),
            ..ClassificationConfig::default()
        };
        assert!(matches!(
            heavy.validate(),
            Err(DatasetError::Value { key: "weights", .. })
        ));
        let short = ClassificationConfig {
            shift: PerFeature::Each(vec![1.0]),
            ..ClassificationConfig::default()
        };
        assert!(matches!(
            short.validate(),
            Err(DatasetError::Value { key: "shift", .. })
        ));
    }
}
