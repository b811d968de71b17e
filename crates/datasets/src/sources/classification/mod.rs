//! `classification`: normal clusters at the corners of a hypercube, among features that help less.

mod per_feature;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::path::PathBuf;

use emberlab_menu::Problem;
use emberlab_rng::{StreamRng, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataSource, Origin};
use crate::error::DatasetError;
use crate::generation::{LabelledPoints, check_num_classes, check_num_features, check_num_samples};
use crate::random;
use crate::samples::{Samples, numbered_classes};

pub use per_feature::{PerFeature, RandomPerFeature};

/// Normal clusters at the corners of a hypercube, like scikit-learn's `make_classification`.
///
/// Each class has some clusters with random covariances. The sides of the hypercube are `2 · class_sep` long.
/// Redundant, repeated and random features are added to those that carry the classes.
///
/// # Source
/// The same distribution as scikit-learn's `make_classification` (Guyon 2003, "Design of experiments for the
/// NIPS 2003 variable selection benchmark").
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Classification {
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
    /// Share of each class. Their sum is at most 1, and the last may be left out (default: equal shares).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<Vec<f64>>,
    /// Share of samples that get a random class, from 0 to 1 (default 0.01).
    pub flip_y: f64,
    /// Half the side of the hypercube, above 0 (default 1.0).
    pub class_sep: f64,
    /// Whether the centres of clusters are at the corners; otherwise they are moved at random (default true).
    pub hypercube: bool,
    /// The number added to features: one for all, one per feature, or "random" within ±class_sep (default 0.0).
    pub shift: PerFeature,
    /// The factor of features after the shift, above 0: one for all, one per feature, or "random" from 1 to 101
    /// (default 1.0).
    pub scale: PerFeature,
    /// Whether rows and features are put in random order (default true).
    pub shuffle: bool,
    /// Seed of the data (default: the run's seed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

impl Default for Classification {
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

impl DataSource for Classification {
    fn origin(&self) -> Origin {
        Origin::Generated
    }

    fn validate(&self) -> Result<(), Problem> {
        check_num_samples(self.num_samples, 1)?;
        check_num_features(self.num_features, self.num_samples)?;
        check_num_classes(self.num_classes, 1)?;
        self.check_kinds_of_features()?;
        self.check_num_clusters()?;
        self.check_weights()?;
        Problem::unless(
            (0.0..=1.0).contains(&self.flip_y),
            "flip_y",
            self.flip_y,
            "a share from 0 to 1",
        )?;
        let positive = |x: f64| x.is_finite() && x > 0.0;
        Problem::unless(
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
    fn load(&self, _: &[PathBuf], seed: u64) -> Result<Samples, DatasetError> {
        let rng = &mut stream(self.seed.unwrap_or(seed), "classification", &[]);
        let mut data = self.clusters(rng);
        self.flip_labels(&mut data.labels, rng);
        self.shift_and_scale(&mut data.points, rng);

        let mut order: Vec<usize> = (0..self.num_features).collect();
        if self.shuffle {
            data.shuffle(rng);
            random::shuffle(&mut order, rng);
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
}

impl Classification {
    /// Checks that informative, redundant and repeated features are together no more than all features.
    fn check_kinds_of_features(&self) -> Result<(), Problem> {
        Problem::unless(
            (1..=self.num_features).contains(&self.num_informative),
            "num_informative",
            self.num_informative,
            format!(
                "a whole number from 1 to num_features = {}",
                self.num_features
            ),
        )?;
        let left = self.num_features - self.num_informative;
        Problem::unless(
            self.num_redundant <= left,
            "num_redundant",
            self.num_redundant,
            format!("at most the {left} features that are not informative"),
        )?;
        let left = left - self.num_redundant;
        Problem::unless(
            self.num_repeated <= left,
            "num_repeated",
            self.num_repeated,
            format!("at most the {left} features that are neither informative nor redundant"),
        )
    }

    /// Checks that every cluster has a corner of its own.
    fn check_num_clusters(&self) -> Result<(), Problem> {
        let corners = 1usize << self.num_informative.min(usize::BITS as usize - 2);
        let most = corners / self.num_classes;
        Problem::unless(
            (1..=most).contains(&self.num_clusters_per_class),
            "num_clusters_per_class",
            self.num_clusters_per_class,
            format!(
                "at least 1, and num_classes * num_clusters_per_class at most \
                 2^num_informative = {corners} (num_classes = {})",
                self.num_classes
            ),
        )
    }

    fn check_weights(&self) -> Result<(), Problem> {
        let Some(weights) = &self.weights else {
            return Ok(());
        };
        let complete = [self.num_classes - 1, self.num_classes].contains(&weights.len());
        let shares = weights.iter().all(|&w| w >= 0.0);
        Problem::unless(
            complete && shares && weights.iter().sum::<f64>() <= 1.0 + 1e-9,
            "weights",
            format!("{weights:?}"),
            format!(
                "{} shares of 0 or more, together at most 1 (the last may be left out)",
                self.num_classes
            ),
        )
    }

    /// Draws all features of all clusters, cluster by cluster. Cluster `k` has class `k mod num_classes`.
    fn clusters(&self, rng: &mut StreamRng) -> LabelledPoints {
        let informative = self.num_informative;
        let sizes = self.cluster_sizes();
        let centroids = self.centroids(sizes.len(), rng);
        let redundant = matrix(informative, self.num_redundant, rng);
        let sources: Vec<usize> = (0..self.num_repeated)
            .map(|_| {
                let last = informative + self.num_redundant - 1;
                (last as f64 * random::uniform(rng) + 0.5) as usize
            })
            .collect();

        let mut data = LabelledPoints::default();
        for (k, (size, centroid)) in sizes.into_iter().zip(&centroids).enumerate() {
            let covariance = matrix(informative, informative, rng);
            for _ in 0..size {
                let white: Vec<f64> = (0..informative).map(|_| random::normal(rng)).collect();
                let mut row = product(&white, &covariance, informative);
                for (x, center) in row.iter_mut().zip(centroid) {
                    *x += center;
                }
                row.extend(product(&row, &redundant, self.num_redundant));
                for &source in &sources {
                    row.push(row[source]);
                }
                row.resize_with(self.num_features, || random::normal(rng));
                data.push(row, k % self.num_classes);
            }
        }
        data
    }

    /// The number of samples of each cluster, `[num_classes · num_clusters_per_class]`. Rounded numbers are corrected
    /// in the first clusters.
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

    /// Draws the centres of the clusters, `[num_clusters][num_informative]`.
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
            let per_cluster: Vec<f64> = (0..num_clusters).map(|_| random::uniform(rng)).collect();
            let per_dimension: Vec<f64> = (0..dimensions).map(|_| random::uniform(rng)).collect();
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
            if random::uniform(rng) < self.flip_y {
                *label = random::below(self.num_classes as u64, rng) as u32;
            }
        }
    }

    fn shift_and_scale(&self, points: &mut [f64], rng: &mut StreamRng) {
        let shift = self.shift.numbers(self.num_features, || {
            (2.0 * random::uniform(rng) - 1.0) * self.class_sep
        });
        let scale = self
            .scale
            .numbers(self.num_features, || 1.0 + 100.0 * random::uniform(rng));
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

/// Draws different corners of the unit hypercube, the most significant dimension first.
///
/// The order decides which corners share a class, so it is that of scikit-learn: if all corners or at least 99 %
/// of them are needed, they come in counting order (reservoir sampling), else in random order. The last 30
/// dimensions ensure that the corners differ; further dimensions are random.
fn corners(count: usize, dimensions: usize, rng: &mut StreamRng) -> Vec<Vec<bool>> {
    let distinct = dimensions.min(30);
    let population = 1u64 << distinct;
    let codes = if count as f64 >= 0.99 * population as f64 {
        let mut codes: Vec<u64> = (0..count as u64).collect();
        for code in count as u64..population {
            let place = random::below(code + 1, rng) as usize;
            if let Some(slot) = codes.get_mut(place) {
                *slot = code;
            }
        }
        codes
    } else {
        let mut seen = HashSet::new();
        std::iter::repeat_with(|| random::below(population, rng))
            .filter(|&code| seen.insert(code))
            .take(count)
            .collect()
    };
    let bits = |code: u64| (0..distinct).rev().map(move |bit| code >> bit & 1 == 1);
    codes
        .into_iter()
        .map(|code| {
            let further = (distinct..dimensions).map(|_| random::below(2, rng) == 1);
            further
                .collect::<Vec<_>>()
                .into_iter()
                .chain(bits(code))
                .collect()
        })
        .collect()
}

/// Draws a matrix `[rows, columns]`, uniform in `[-1, 1)`.
fn matrix(rows: usize, columns: usize, rng: &mut StreamRng) -> Vec<f64> {
    (0..rows * columns)
        .map(|_| 2.0 * random::uniform(rng) - 1.0)
        .collect()
}

/// The product `row [d] · matrix [d, columns]`.
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
