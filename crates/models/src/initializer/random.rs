//! Random numbers for weights.

use emberlab_rng::StreamRng;
use rand::RngExt;
use rand_distr::StandardNormal;

/// `length` normal numbers.
pub(super) fn normal(length: usize, mean: f64, std: f64, rng: &mut StreamRng) -> Vec<f64> {
    (0..length)
        .map(|_| mean + std * rng.sample::<f64, _>(StandardNormal))
        .collect()
}

/// `length` uniform numbers in `[min, max)`.
pub(super) fn uniform(length: usize, min: f64, max: f64, rng: &mut StreamRng) -> Vec<f64> {
    (0..length)
        .map(|_| min + (max - min) * rng.random::<f64>())
        .collect()
}

/// `length` uniform numbers around zero. Half the width is √3 standard deviations.
pub(super) fn uniform_with_std(length: usize, std: f64, rng: &mut StreamRng) -> Vec<f64> {
    let bound = 3_f64.sqrt() * std;
    uniform(length, -bound, bound, rng)
}
