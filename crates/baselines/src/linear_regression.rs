//! Linear regression by least squares.

use faer::Mat;

use crate::baseline::Method;
use crate::error::BaselineError;
use crate::predictions::Predictions;
use crate::training::Training;

/// Singular values below this share of the largest count as 0, as in scikit-learn.
const RELATIVE_TOLERANCE: f64 = 1e-6;
/// The limit on rows × features × the smaller of the two: a few seconds on one core.
const MAX_WORK: usize = 10_000_000_000;

/// Predicts with the linear function of least squared error, like scikit-learn's `LinearRegression`.
///
/// Features and targets are centred, which gives the intercept. Of several coefficients with the same error (features
/// that depend on each other, such as all columns of a one-hot code, or more features than rows) those of smallest norm
/// are taken, by the singular value decomposition. Several targets are predicted independently.
///
/// The decomposition is faer's. linfa-linear 0.8.1 takes the inverse of a triangle instead, and gives a constant
/// feature a coefficient of -3.8e12 without an error.
pub(crate) struct LinearRegression;

impl Method for LinearRegression {
    fn max_train_rows(&self, training: &Training, _num_rows: usize) -> usize {
        let num_features = training.num_features;
        let tall = MAX_WORK / num_features.saturating_mul(num_features).max(1);
        if tall >= num_features {
            tall
        } else {
            (MAX_WORK / num_features.max(1)).isqrt()
        }
    }

    fn fit_predict(
        &self,
        training: &Training,
        rows: &[f64],
        _seed: u64,
    ) -> Result<Predictions, BaselineError> {
        let (values, num_targets) = training.targets.values("linear_regression")?;
        let num_features = training.num_features;
        let fit = LinearFit::new(training.features, num_features, values, num_targets)?;
        let mut outputs = Vec::with_capacity(rows.len() / num_features * num_targets);
        for row in rows.chunks_exact(num_features) {
            for target in 0..num_targets {
                let terms = (0..num_features)
                    .map(|j| (row[j] - fit.feature_means[j]) * fit.coefficients[(j, target)]);
                outputs.push(fit.target_means[target] + terms.sum::<f64>());
            }
        }
        Ok(Predictions::from_outputs(training, outputs))
    }
}

/// A linear function: `target_means + (row − feature_means) · coefficients`.
pub(crate) struct LinearFit {
    /// `[num_features × num_targets]`.
    pub(crate) coefficients: Mat<f64>,
    feature_means: Vec<f64>,
    target_means: Vec<f64>,
}

impl LinearFit {
    pub(crate) fn new(
        features: &[f64],
        num_features: usize,
        values: &[f64],
        num_targets: usize,
    ) -> Result<LinearFit, BaselineError> {
        let (features, feature_means) = centred(features, num_features);
        let (targets, target_means) = centred(values, num_targets);
        let svd = features
            .thin_svd()
            .map_err(|_| BaselineError::Decomposition)?;
        let singular_values = svd.S().column_vector();
        let cutoff = RELATIVE_TOLERANCE
            * singular_values
                .iter()
                .fold(0.0, |largest: f64, value| largest.max(*value));
        let mut projected = svd.U().transpose() * &targets;
        for (i, singular_value) in singular_values.iter().enumerate() {
            let factor = if *singular_value > cutoff {
                1.0 / singular_value
            } else {
                0.0
            };
            for target in 0..num_targets {
                projected[(i, target)] *= factor;
            }
        }
        Ok(LinearFit {
            coefficients: svd.V() * projected,
            feature_means,
            target_means,
        })
    }
}

/// The rows as a matrix less the mean of each column, and the means.
pub(crate) fn centred(rows: &[f64], width: usize) -> (Mat<f64>, Vec<f64>) {
    let num_rows = rows.len() / width;
    let mut means = vec![0.0; width];
    for row in rows.chunks_exact(width) {
        for (mean, value) in means.iter_mut().zip(row) {
            *mean += value / num_rows as f64;
        }
    }
    (
        Mat::from_fn(num_rows, width, |i, j| rows[i * width + j] - means[j]),
        means,
    )
}
