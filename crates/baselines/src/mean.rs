//! The mean of the training targets, for every row.

use crate::baseline::Method;
use crate::error::BaselineError;
use crate::predictions::Predictions;
use crate::training::Training;

/// Predicts the mean of the training targets, like scikit-learn's `DummyRegressor`.
pub(crate) struct Mean;

impl Method for Mean {
    fn fit_predict(
        &self,
        training: &Training,
        rows: &[f64],
        _seed: u64,
    ) -> Result<Predictions, BaselineError> {
        let num_rows = rows.len() / training.num_features;
        let mean = training.targets.mean(training.num_rows());
        Ok(Predictions::from_outputs(training, mean.repeat(num_rows)))
    }
}
