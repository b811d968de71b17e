//! Scores of predicted numbers.

use crate::error::{check_lengths, check_rows};
use crate::{MetricsError, json_number};
use serde::{Deserialize, Serialize};

/// Errors of predicted numbers, in the units of the targets unless stated otherwise.
///
/// With several outputs, each score is the mean over the outputs (scikit-learn's `uniform_average`), except
/// `max_error`, which is the largest over all outputs.
///
/// # Source
/// Equals scikit-learn's `mean_absolute_error`, `mean_squared_error`, `root_mean_squared_error`,
/// `r2_score` and `max_error`, with two exceptions at R².
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegressionScores {
    /// Mean absolute error.
    #[serde(deserialize_with = "json_number::deserialize")]
    pub mae: f64,
    /// Mean squared error, in squared units.
    #[serde(deserialize_with = "json_number::deserialize")]
    pub mse: f64,
    /// Root of the mean squared error.
    #[serde(deserialize_with = "json_number::deserialize")]
    pub rmse: f64,
    /// Share of the targets' variance that is explained, at most 1 (no unit).
    ///
    /// For constant targets it is 1 if all predictions are right, else 0. There are two differences from
    /// scikit-learn: targets are constant if they are all equal (scikit-learn compares them with their mean, which
    /// may be rounded), and a single sample is constant too (scikit-learn returns NaN).
    #[serde(deserialize_with = "json_number::deserialize")]
    pub r2: f64,
    /// Largest absolute error.
    #[serde(deserialize_with = "json_number::deserialize")]
    pub max_error: f64,
}

impl RegressionScores {
    /// The scores of predictions; a NaN among the values makes them NaN.
    ///
    /// # Shapes
    /// - targets, predictions: `[num_samples, num_outputs]`, row by row
    ///
    /// # Errors
    /// [`MetricsError::Lengths`], [`MetricsError::Rows`], [`MetricsError::NoSamples`].
    pub fn from_values<F>(
        targets: &[F],
        predictions: &[F],
        num_outputs: usize,
    ) -> Result<Self, MetricsError>
    where
        F: Copy + Into<f64>,
    {
        let outputs = Self::of_each(targets, predictions, num_outputs)?;
        let mean =
            |score: fn(&Self) -> f64| outputs.iter().map(score).sum::<f64>() / num_outputs as f64;
        Ok(Self {
            mae: mean(|s| s.mae),
            mse: mean(|s| s.mse),
            rmse: mean(|s| s.rmse),
            r2: mean(|s| s.r2),
            max_error: outputs.iter().map(|s| s.max_error).fold(0.0, largest),
        })
    }

    /// The scores of each output by itself.
    ///
    /// # Shapes
    /// Those of [`from_values`](Self::from_values).
    ///
    /// # Errors
    /// Those of [`from_values`](Self::from_values).
    pub fn of_each<F>(
        targets: &[F],
        predictions: &[F],
        num_outputs: usize,
    ) -> Result<Vec<Self>, MetricsError>
    where
        F: Copy + Into<f64>,
    {
        check_lengths(targets.len(), predictions.len())?;
        check_rows(targets.len(), num_outputs)?;
        if targets.is_empty() {
            return Err(MetricsError::NoSamples);
        }
        let column = |values: &[F], output: usize| -> Vec<f64> {
            let column = values.iter().skip(output).step_by(num_outputs);
            column.map(|&x| x.into()).collect()
        };
        let outputs = 0..num_outputs;
        Ok(outputs
            .map(|o| Self::of_output(&column(targets, o), &column(predictions, o)))
            .collect())
    }

    /// Scores one output over its samples, of which there is at least one.
    fn of_output(targets: &[f64], predictions: &[f64]) -> Self {
        let num_samples = targets.len() as f64;
        let errors = || targets.iter().zip(predictions).map(|(t, p)| t - p);
        let residual: f64 = errors().map(|e| e * e).sum();
        let mse = residual / num_samples;
        Self {
            mae: errors().map(f64::abs).sum::<f64>() / num_samples,
            mse,
            rmse: mse.sqrt(),
            r2: r2(targets, residual),
            max_error: errors().map(f64::abs).fold(0.0, largest),
        }
    }
}

/// The mean absolute error as a share of the absolute targets, 1 for 100 %, averaged over the outputs. A target of 0
/// counts as `f64::EPSILON`. A NaN among the values makes it NaN.
///
/// # Shapes
/// - targets, predictions: `[num_samples, num_outputs]`, row by row
///
/// # Source
/// Equals scikit-learn's `mean_absolute_percentage_error`.
pub fn mean_absolute_percentage_error(targets: &[f64], predictions: &[f64]) -> f64 {
    let pairs = targets.iter().zip(predictions);
    let shares = pairs.map(|(t, p)| (t - p).abs() / t.abs().max(f64::EPSILON));
    shares.sum::<f64>() / targets.len() as f64
}

/// The median of the absolute errors, in the units of the targets, averaged over the outputs. A NaN among the values
/// makes it NaN.
///
/// # Shapes
/// - targets, predictions: `[num_samples, num_outputs]`, row by row, of at least one output
///
/// # Source
/// Equals scikit-learn's `median_absolute_error`.
pub fn median_absolute_error(targets: &[f64], predictions: &[f64], num_outputs: usize) -> f64 {
    let of_output = |output: usize| {
        let pairs = targets.iter().zip(predictions);
        let errors = pairs.skip(output).step_by(num_outputs);
        median(errors.map(|(t, p)| (t - p).abs()).collect())
    };
    (0..num_outputs).map(of_output).sum::<f64>() / num_outputs as f64
}

/// The median of some numbers, which for an even number of them is the mean of the middle two; NaN if one is NaN or if
/// there are none.
fn median(mut numbers: Vec<f64>) -> f64 {
    if numbers.is_empty() || numbers.iter().any(|number| number.is_nan()) {
        return f64::NAN;
    }
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    match numbers.len() % 2 {
        1 => numbers[middle],
        _ => f64::midpoint(numbers[middle - 1], numbers[middle]),
    }
}

/// `1 - residual / total`, with the sum of squared errors and that of squared deviations.
fn r2(targets: &[f64], residual: f64) -> f64 {
    if targets.iter().all(|t| *t == targets[0]) && residual.is_finite() {
        return if residual == 0.0 { 1.0 } else { 0.0 };
    }
    let mean = targets.iter().sum::<f64>() / targets.len() as f64;
    let total: f64 = targets.iter().map(|t| (t - mean).powi(2)).sum();
    1.0 - residual / total
}

/// The larger of two numbers, NaN if either is, unlike [`f64::max`].
fn largest(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

// The expected numbers are scikit-learn 1.9's:
//
//     print(mean_absolute_error(t, p), mean_squared_error(t, p), root_mean_squared_error(t, p),
//           r2_score(t, p), max_error(t, p))
#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn assert_scores(targets: &[f64], predictions: &[f64], num_outputs: usize, expected: [f64; 5]) {
        let s = RegressionScores::from_values(targets, predictions, num_outputs).unwrap();
        let ours = [s.mae, s.mse, s.rmse, s.r2, s.max_error];
        for (a, b) in ours.iter().zip(expected) {
            assert!((a - b).abs() < 1e-15, "{ours:?} is not {expected:?}");
        }
    }

    #[test]
    fn one_output_equals_scikit_learn() {
        let expected = [0.5, 0.375, 0.6123724356957945, 0.9486081370449679, 1.0];
        assert_scores(&[3.0, -0.5, 2.0, 7.0], &[2.5, 0.0, 2.0, 8.0], 1, expected);
    }

    #[test]
    fn two_outputs_are_averaged_as_in_scikit_learn() {
        // max_error takes one output only: 1.0 is np.abs(t - p).max()
        assert_scores(
            &[0.5, 1.0, -1.0, 1.0, 7.0, -6.0],
            &[0.0, 2.0, -1.0, 2.0, 8.0, -5.0],
            2,
            [
                0.75,
                0.7083333333333334,
                0.8227486121839513,
                0.9368005266622779,
                1.0,
            ],
        );
    }

    #[test]
    fn each_output_has_scores_of_its_own() {
        // A large and a small target: their mean says nothing about the small one.
        let (targets, predictions) = (
            [1000.0, 0.001, 1010.0, 0.003],
            [1001.0, 0.002, 1010.0, 0.003],
        );
        let each = RegressionScores::of_each(&targets, &predictions, 2).unwrap();
        assert_eq!((each[0].mae, each[1].mae), (0.5, 0.0005));
        let all = RegressionScores::from_values(&targets, &predictions, 2).unwrap();
        assert_eq!(all.mae, (each[0].mae + each[1].mae) / 2.0);
    }

    #[test]
    fn constant_targets_explain_all_or_nothing() {
        assert_scores(&[2.0; 3], &[2.0; 3], 1, [0.0, 0.0, 0.0, 1.0, 0.0]);
        let missed = [
            0.6666666666666666,
            0.6666666666666666,
            0.816496580927726,
            0.0,
            1.0,
        ];
        assert_scores(&[2.0; 3], &[1.0, 2.0, 3.0], 1, missed);
    }

    #[test]
    fn constant_targets_stay_constant_when_their_mean_is_rounded() {
        // r2_score([0.1] * 3, [0.1, 0.2, 0.3]) is -8.65e31 there.
        let s = RegressionScores::from_values(&[0.1; 3], &[0.1, 0.2, 0.3], 1).unwrap();
        assert_eq!(s.r2, 0.0);
    }

    #[test]
    fn nan_is_never_hidden() {
        let s = RegressionScores::from_values(&[1.0, 2.0], &[f64::NAN, 2.0], 1).unwrap();
        for score in [s.mae, s.mse, s.rmse, s.r2, s.max_error] {
            assert!(score.is_nan(), "{s:?}");
        }
    }

    #[test]
    fn no_samples_are_refused() {
        assert_eq!(
            RegressionScores::from_values::<f64>(&[], &[], 1),
            Err(MetricsError::NoSamples)
        );
    }
}
