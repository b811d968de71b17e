//! The threshold for two classes, chosen from the predictions of a run and stored in its folder.

use emberlab_metrics::{Split, ThresholdBy, best_threshold};
use emberlab_run_format::ChosenThreshold;
use emberlab_run_format::files::THRESHOLD;
use emberlab_training::{Predicted, Task};

use super::LoadedRun;
use crate::error::ExperimentError;
use crate::run::Run;

impl LoadedRun {
    /// Chooses the best threshold on the validation split, or on the training split if there is no validation split, and
    /// stores it in the run, so that predictions use it.
    ///
    /// # Errors
    /// [`ExperimentError::NoThreshold`] unless there are two classes, with samples of both;
    /// [`ExperimentError::Storage`] if it cannot be stored, or another process is training the run.
    pub fn choose_threshold(
        &self,
        run: &Run,
        by: ThresholdBy,
    ) -> Result<ChosenThreshold, ExperimentError> {
        let refused = |reason: &str| ExperimentError::NoThreshold(reason.to_string());
        let Task::Binary { .. } = self.prepared.task else {
            return Err(refused(
                "a threshold needs two classes and a loss with one output",
            ));
        };
        let split = match self.prepared.rows(Split::Valid) {
            [] => Split::Train,
            _ => Split::Valid,
        };
        let predicted: Predicted = self.predict(split)?;
        let probabilities = self.prepared.probabilities(&predicted)?;
        let targets = self.prepared.split_labels(split).unwrap_or_default();
        let best = best_threshold(&targets, &probabilities, by);
        let best = best.map_err(|e| refused(&format!("{e} on the {split} split")))?;
        let chosen = ChosenThreshold { split, best };
        let _lock = run.lock()?;
        run.write_json(THRESHOLD, &chosen)?;
        Ok(chosen)
    }
}

/// The threshold stored in a run, if one was chosen.
///
/// # Errors
/// [`ExperimentError::Malformed`] if the file cannot be read.
pub fn stored_threshold(run: &Run) -> Result<Option<ChosenThreshold>, ExperimentError> {
    match run.path().join(THRESHOLD).is_file() {
        true => run.read_json(THRESHOLD).map(Some),
        false => Ok(None),
    }
}
