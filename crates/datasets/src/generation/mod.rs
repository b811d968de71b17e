//! Data sets drawn from a stream: what their generators share.

pub(crate) mod blobs;
pub(crate) mod circles;
pub(crate) mod classification;
pub(crate) mod gates;
pub(crate) mod moons;
pub(crate) mod regression;
pub(crate) mod spirals;
pub(crate) mod xor;

use emberlab_rng::StreamRng;

use crate::draws;
use crate::error::{DatasetError, require};
use crate::samples::{Features, Samples, Targets, numbered_features};

/// Labelled points, not yet shuffled or noisy.
#[derive(Debug, Default)]
struct Labelled {
    /// `[num_samples, num_features]`.
    points: Vec<f64>,
    labels: Vec<u32>,
}

impl Labelled {
    fn push(&mut self, point: impl IntoIterator<Item = f64>, label: usize) {
        self.points.extend(point);
        self.labels.push(label as u32);
    }

    fn num_features(&self) -> usize {
        self.points.len() / self.labels.len()
    }

    /// Puts the rows in random order.
    fn shuffle(&mut self, rng: &mut StreamRng) {
        let width = self.num_features();
        let order = draws::permutation(self.labels.len(), rng);
        let rows = order.iter().map(|&row| row as usize);
        self.labels = rows.clone().map(|row| self.labels[row]).collect();
        self.points = rows
            .flat_map(|row| &self.points[row * width..(row + 1) * width])
            .copied()
            .collect();
    }

    /// Moves every coordinate by normal noise of standard deviation `std`.
    fn add_noise(&mut self, std: f64, rng: &mut StreamRng) {
        for coordinate in &mut self.points {
            *coordinate += std * draws::normal(rng);
        }
    }

    fn into_samples(self, class_names: Vec<String>) -> Samples {
        let num_features = self.num_features();
        Samples {
            features: Features::Floats(self.points.iter().map(|&x| x as f32).collect()),
            targets: Targets::Classes {
                labels: self.labels,
                names: class_names,
            },
            input_shape: vec![num_features],
            feature_names: numbered_features(num_features),
        }
    }
}

/// `count` evenly spaced numbers from 0 to `end`, without `end` itself unless `with_end`.
fn spaced(count: usize, end: f64, with_end: bool) -> impl Iterator<Item = f64> {
    let gaps = (count - usize::from(with_end)).max(1);
    (0..count).map(move |i| end * i as f64 / gaps as f64)
}

/// `total` cut into `parts` that differ by at most one, the larger ones first.
fn even_parts(total: usize, parts: usize) -> impl Iterator<Item = usize> {
    (0..parts).map(move |part| total / parts + usize::from(part < total % parts))
}

/// More rows than anyone generates, few enough for the memory of a small machine.
const MAX_SAMPLES: usize = 10_000_000;
/// Likewise for all numbers of a data set together.
const MAX_NUMBERS: usize = 1_000_000_000;

fn check_num_samples(num_samples: usize, least: usize) -> Result<(), DatasetError> {
    require(
        (least..=MAX_SAMPLES).contains(&num_samples),
        "num_samples",
        num_samples,
        format!("a whole number from {least} to {MAX_SAMPLES}"),
    )
}

fn check_num_features(num_features: usize, num_samples: usize) -> Result<(), DatasetError> {
    let most = MAX_NUMBERS / num_samples.max(1);
    require(
        (1..=most).contains(&num_features),
        "num_features",
        num_features,
        format!("a whole number from 1 to {most} for {num_samples} samples"),
    )
}

fn check_num_classes(num_classes: usize, least: usize) -> Result<(), DatasetError> {
    const MOST: usize = 10_000;
    require(
        (least..=MOST).contains(&num_classes),
        "num_classes",
        num_classes,
        format!("a whole number from {least} to {MOST}"),
    )
}

fn check_deviation(key: &'static str, value: f64) -> Result<(), DatasetError> {
    require(
        value.is_finite() && value >= 0.0,
        key,
        value,
        "a standard deviation: 0 or more",
    )
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// Mean and population standard deviation of feature `j` over the rows of class `label` (or all).
    pub(crate) fn moments(samples: &Samples, j: usize, label: Option<u32>) -> (f64, f64) {
        let labels = samples.labels().unwrap_or_default();
        let column: Vec<f64> = (0..samples.len())
            .filter(|&i| label.is_none_or(|label| labels[i] == label))
            .map(|i| f64::from(samples.row(i)[j]))
            .collect();
        let n = column.len() as f64;
        let mean = column.iter().sum::<f64>() / n;
        let var = column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        (mean, var.sqrt())
    }

    /// Whether the rows hold just these points and labels, in any order, to 1e-6.
    pub(crate) fn holds_points(samples: &Samples, expected: &[([f64; 2], u32)]) -> bool {
        let labels = samples.labels().unwrap_or_default();
        let near = |i: usize, point: &[f64; 2]| {
            (0..2).all(|j| (f64::from(samples.row(i)[j]) - point[j]).abs() < 1e-6)
        };
        samples.len() == expected.len()
            && expected.iter().all(|(point, label)| {
                (0..samples.len()).any(|i| labels[i] == *label && near(i, point))
            })
    }
}
