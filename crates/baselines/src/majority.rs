//! The most frequent class of the training rows, for every row.

use crate::baseline::Method;
use crate::error::BaselineError;
use crate::predictions::Predictions;
use crate::training::Training;

/// Predicts the most frequent class, the lowest of several, with the frequencies of the classes as probabilities, like
/// scikit-learn's `DummyClassifier`.
pub(crate) struct Majority;

impl Method for Majority {
    fn fit_predict(
        &self,
        training: &Training,
        rows: &[f64],
        _seed: u64,
    ) -> Result<Predictions, BaselineError> {
        let num_rows = rows.len() / training.num_features;
        let frequencies = training.targets.mean(training.num_rows());
        Ok(Predictions::from_outputs(
            training,
            frequencies.repeat(num_rows),
        ))
    }
}
