//! The votes or the mean of the nearest training rows.

use faer::MatRef;

use crate::baseline::Method;
use crate::error::BaselineError;
use crate::predictions::Predictions;
use crate::training::Training;

/// The number of neighbours, as in scikit-learn.
const K: usize = 5;
/// The limit on training rows × predicted rows × features: a few seconds on one core.
const MAX_WORK: usize = 20_000_000_000;
/// The number of rows whose distances are computed together.
const ROWS_IN_BLOCK: usize = 256;
/// More than the relative error of a sum of products, for each of its terms.
const ROUNDING: f64 = 1e-15;

/// Predicts by the nearest training rows: the class with the most votes (the lowest of several), or the mean of their
/// targets, like scikit-learn's `KNeighborsClassifier` and `KNeighborsRegressor`.
///
/// The distance is Euclidean, each of the five nearest rows counts the same, and the share of the votes is the
/// probability of a class. Where rows are equally near, those that come first in the training rows are taken. (The
/// order of equally near rows is not defined in scikit-learn.) With fewer than five training rows, all of them count.
pub(crate) struct NearestNeighbors;

impl Method for NearestNeighbors {
    fn max_train_rows(&self, training: &Training, num_rows: usize) -> usize {
        let work_of_a_train_row = num_rows.saturating_mul(training.num_features).max(1);
        (MAX_WORK / work_of_a_train_row).max(K)
    }

    fn fit_predict(
        &self,
        training: &Training,
        rows: &[f64],
        _seed: u64,
    ) -> Result<Predictions, BaselineError> {
        let num_features = training.num_features;
        let num_outputs = training.targets.num_outputs();
        let mut outputs = vec![0.0; rows.len() / num_features * num_outputs];
        let blocks = rows.chunks(ROWS_IN_BLOCK * num_features);
        for (block, outputs) in blocks.zip(outputs.chunks_mut(ROWS_IN_BLOCK * num_outputs)) {
            for (nearest, output) in nearest(training, block)
                .iter()
                .zip(outputs.chunks_exact_mut(num_outputs))
            {
                for (_, neighbor) in nearest {
                    training.targets.add_to(output, *neighbor, 1.0);
                }
                output
                    .iter_mut()
                    .for_each(|sum| *sum /= nearest.len() as f64);
            }
        }
        Ok(Predictions::from_outputs(training, outputs))
    }
}

/// For each of `rows` the up to [`K`] nearest training rows, each with its squared distance, the nearest first.
///
/// Products of matrices give all distances fast but rounded, `|a|² − 2ab + |b|²`. A training row that may be near by
/// them is compared again, by the differences of its features.
fn nearest(training: &Training, rows: &[f64]) -> Vec<Vec<(f64, usize)>> {
    let num_features = training.num_features;
    let num_rows = rows.len() / num_features;
    let row_squares: Vec<f64> = rows
        .chunks_exact(num_features)
        .map(squared_length)
        .collect();
    let row_matrix = MatRef::from_row_major_slice(rows, num_rows, num_features);
    let mut nearest: Vec<Vec<(f64, usize)>> = vec![Vec::with_capacity(K + 1); num_rows];
    for (block, candidates) in training
        .features
        .chunks(ROWS_IN_BLOCK * num_features)
        .enumerate()
    {
        let num_candidates = candidates.len() / num_features;
        let products = MatRef::from_row_major_slice(candidates, num_candidates, num_features)
            * row_matrix.transpose();
        let squares: Vec<f64> = candidates
            .chunks_exact(num_features)
            .map(squared_length)
            .collect();
        for (i, nearest) in nearest.iter_mut().enumerate() {
            for (j, square) in squares.iter().enumerate() {
                let limit = if nearest.len() == K {
                    nearest[K - 1].0
                } else {
                    f64::INFINITY
                };
                let both = row_squares[i] + square;
                if both - 2.0 * products[(j, i)] - ROUNDING * num_features as f64 * both >= limit {
                    continue;
                }
                let row = &rows[i * num_features..][..num_features];
                let distance =
                    squared_distance(row, &candidates[j * num_features..][..num_features]);
                if distance < limit {
                    let place = nearest.partition_point(|(other, _)| *other <= distance);
                    nearest.insert(place, (distance, block * ROWS_IN_BLOCK + j));
                    nearest.truncate(K);
                }
            }
        }
    }
    nearest
}

fn squared_length(row: &[f64]) -> f64 {
    row.iter().map(|value| value * value).sum()
}

fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}
