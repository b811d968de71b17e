//! The dependence of predictions on a column and its values: permutation importance and partial dependence.
//!
//! # Source
//! Breiman 2001, Random Forests, section 10, and Friedman 2001, Greedy Function Approximation, section 8.2. They equal
//! scikit-learn's `permutation_importance`, and `partial_dependence` with `method="brute"`, up to the random numbers
//! and the grid.

use rand::Rng;
use rand::seq::SliceRandom;

/// Rows of features: `[num_rows × num_features]`, row by row.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// The values.
    pub values: &'a [f64],
    /// The number of features of a row, at least 1.
    pub num_features: usize,
}

impl Rows<'_> {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.values.len() / self.num_features
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The features of one column in a row.
    fn block(&self, row: usize, features: &[usize]) -> Vec<f64> {
        let start = row * self.num_features;
        features.iter().map(|f| self.values[start + f]).collect()
    }
}

/// The score of the rows after each of `num_permutations` random permutations of a column among the rows. The
/// `features` of the column, such as those of a one-hot encoding, are permuted together.
///
/// # Errors
/// The first error of `score`.
pub fn permuted_scores<E>(
    rows: Rows<'_>,
    features: &[usize],
    num_permutations: usize,
    rng: &mut impl Rng,
    mut score: impl FnMut(&[f64]) -> Result<f64, E>,
) -> Result<Vec<f64>, E> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut permuted = rows.values.to_vec();
    let mut scores = Vec::with_capacity(num_permutations);
    for _ in 0..num_permutations {
        order.shuffle(rng);
        for (row, from) in order.iter().enumerate() {
            for feature in features {
                permuted[row * rows.num_features + feature] =
                    rows.values[from * rows.num_features + feature];
            }
        }
        scores.push(score(&permuted)?);
    }
    Ok(scores)
}

/// The mean prediction over all rows with the features of a column set to each point of `grid`, `[num_outputs]` for
/// each point. `predict` returns `[num_rows × num_outputs]`, row by row.
///
/// # Errors
/// The first error of `predict`.
pub fn partial_dependence<E>(
    rows: Rows<'_>,
    features: &[usize],
    grid: &[Vec<f64>],
    mut predict: impl FnMut(&[f64]) -> Result<Vec<f64>, E>,
) -> Result<Vec<Vec<f64>>, E> {
    let mut changed = rows.values.to_vec();
    let mut means = Vec::with_capacity(grid.len());
    for point in grid {
        for row in changed.chunks_exact_mut(rows.num_features) {
            for (feature, value) in features.iter().zip(point) {
                row[*feature] = *value;
            }
        }
        let outputs = predict(&changed)?;
        let num_outputs = outputs.len() / rows.len().max(1);
        let mut mean = vec![0.0; num_outputs];
        for row in outputs.chunks_exact(num_outputs.max(1)) {
            for (sum, output) in mean.iter_mut().zip(row) {
                *sum += output / rows.len() as f64;
            }
        }
        means.push(mean);
    }
    Ok(means)
}

/// At most `max_points` values of a column, ascending by its first feature: all different ones, or those at evenly
/// spaced quantiles. Each is the block of the column's features in one of the rows, so no point mixes two rows.
pub fn numeric_grid(rows: Rows<'_>, features: &[usize], max_points: usize) -> Vec<Vec<f64>> {
    let mut blocks: Vec<Vec<f64>> = (0..rows.len())
        .map(|row| rows.block(row, features))
        .collect();
    blocks.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let mut different = blocks.clone();
    different.dedup_by(|a, b| a[0] == b[0]);
    if different.len() <= max_points {
        return different;
    }
    let last = (blocks.len() - 1) as f64;
    // The ends of the range, where rows are rare, are left out by half a step.
    let place = |i: usize| ((i as f64 + 0.5) / max_points as f64 * last).round() as usize;
    let mut grid: Vec<Vec<f64>> = (0..max_points).map(|i| blocks[place(i)].clone()).collect();
    grid.dedup_by(|a, b| a[0] == b[0]);
    grid
}

/// The at most `max_points` most frequent values of a column, each the block of its features in some row; of equally
/// frequent ones, the first in the rows.
pub fn frequent_grid(rows: Rows<'_>, features: &[usize], max_points: usize) -> Vec<Vec<f64>> {
    let mut counted: Vec<(Vec<f64>, usize)> = Vec::new();
    for row in 0..rows.len() {
        let block = rows.block(row, features);
        match counted.iter_mut().find(|(known, _)| *known == block) {
            Some((_, count)) => *count += 1,
            None => counted.push((block, 1)),
        }
    }
    counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let blocks = counted.into_iter().take(max_points);
    blocks.map(|(block, _)| block).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use emberlab_rng::stream;
    use std::convert::Infallible;

    /// Three features, and 500 rows of different numbers in each.
    fn values() -> Vec<f64> {
        let at = |row: usize, step: usize| (row * step % 500) as f64 / 100.0;
        (0..500)
            .flat_map(|row| [at(row, 1), at(row, 7), at(row, 13)])
            .collect()
    }

    fn rows(values: &[f64]) -> Rows<'_> {
        Rows {
            values,
            num_features: 3,
        }
    }

    /// The predictions of `2 · x1 - x2 + 5`.
    fn predict(values: &[f64]) -> Vec<f64> {
        let rows = values.chunks_exact(3);
        rows.map(|x| 2.0 * x[0] - x[1] + 5.0).collect()
    }

    #[test]
    fn the_importance_of_a_linear_network_is_twice_the_variance_of_each_term() {
        let values = values();
        let targets = predict(&values);
        let score = |permuted: &[f64]| -> Result<f64, Infallible> {
            let errors = predict(permuted).into_iter().zip(&targets);
            let squares: f64 = errors.map(|(p, t)| (p - t).powi(2)).sum();
            Ok(squares / targets.len() as f64)
        };
        // With the predictions as targets, the mean squared error is 0 before and w² E[(x - x')²] = 2 w² Var(x) after a
        // permutation, where x' is another row's value.
        let variance = {
            let mean = (0..500).map(|i| i as f64 / 100.0).sum::<f64>() / 500.0;
            let squares = (0..500).map(|i| (i as f64 / 100.0 - mean).powi(2));
            squares.sum::<f64>() / 500.0
        };
        for (feature, weight) in [2.0_f64, -1.0, 0.0].into_iter().enumerate() {
            let mut rng = stream(0, "importance", &[feature as u64]);
            let scores = permuted_scores(rows(&values), &[feature], 200, &mut rng, score).unwrap();
            let mean = scores.iter().sum::<f64>() / scores.len() as f64;
            let expected = 2.0 * weight * weight * variance;
            assert!(
                (mean - expected).abs() <= 0.02 * expected,
                "{mean} {expected}"
            );
        }
    }

    #[test]
    fn features_of_one_column_are_permuted_together() {
        // One-hot columns: whatever the order, each row keeps exactly one 1.
        let one_hot = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
        let mut rng = stream(0, "importance", &[]);
        let check = |permuted: &[f64]| -> Result<f64, Infallible> {
            assert!(permuted.chunks(3).all(|row| row.iter().sum::<f64>() == 1.0));
            Ok(0.0)
        };
        permuted_scores(rows(&one_hot), &[0, 1, 2], 20, &mut rng, check).unwrap();
    }

    #[test]
    fn the_partial_dependence_of_a_linear_network_is_its_line() {
        let values = values();
        let rows = rows(&values);
        let grid = numeric_grid(rows, &[0], 20);
        assert_eq!(grid.len(), 20);
        let found = partial_dependence(rows, &[0], &grid, |x| Ok::<_, Infallible>(predict(x)));
        // 2 x1 + 5 - E[x2], and E[x2] = 2.495.
        for (point, mean) in grid.iter().zip(found.unwrap()) {
            let expected = 2.0 * point[0] + 5.0 - 2.495;
            assert!((mean[0] - expected).abs() < 1e-9, "{mean:?} {expected}");
        }
    }

    #[test]
    fn grids_hold_all_values_if_they_are_few_else_quantiles_or_the_most_frequent() {
        let values = values();
        let grid = numeric_grid(rows(&values), &[0], 4);
        let firsts: Vec<f64> = grid.iter().map(|block| block[0]).collect();
        // The rows at 1/8, 3/8, 5/8 and 7/8 of 0.00, 0.01, …, 4.99.
        assert_eq!(firsts, [0.62, 1.87, 3.12, 4.37]);
        let categories = [0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0];
        let few = rows(&categories);
        assert_eq!(numeric_grid(few, &[0], 9), [[0.0], [1.0]]);
        assert_eq!(frequent_grid(few, &[0, 1], 1), [[1.0, 0.0]]);
        assert_eq!(
            frequent_grid(few, &[0, 1], 9),
            [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
        );
    }
}
