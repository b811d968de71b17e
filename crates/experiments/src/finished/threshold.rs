//! The threshold for two classes, chosen for a network of a run and stored in the run's folder.

use emberlab_metrics::{Split, ThresholdBy, best_threshold};
use emberlab_run_format::files::THRESHOLD;
use emberlab_run_format::{ChosenFor, ChosenThreshold, ThresholdInUse};
use emberlab_storage::sha256;
use emberlab_training::Task;

use super::LoadedRun;
use crate::error::ExperimentError;
use crate::run::Run;

impl LoadedRun {
    /// Chooses the best threshold on the validation split, or on the training split if there is no validation split,
    /// and stores it in the run for this network. From then on it decides all predictions of this network.
    ///
    /// # Errors
    /// [`ExperimentError::NoThreshold`] unless there are two classes, with samples of both;
    /// [`ExperimentError::Storage`] if it cannot be stored, or another process is training the run.
    pub fn choose_threshold(&mut self, run: &Run, by: ThresholdBy) -> Result<(), ExperimentError> {
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
        let probabilities = self.prepared.probabilities(&self.predict(split)?)?;
        let targets = self.prepared.split_labels(split).unwrap_or_default();
        let best = best_threshold(&targets, &probabilities, by);
        let best = best.map_err(|e| refused(&format!("{e} on the {split} split")))?;
        let mut chosen = ChosenThreshold {
            network: Some(self.identity.clone()),
            split,
            best,
            splits: Vec::new(),
            mistakes: None,
        };
        self.score(&mut chosen)?;
        let _lock = run.lock()?;
        run.write_json(THRESHOLD, &chosen)?;
        let ChosenFor { weights, sha256 } = &self.identity;
        self.threshold = ThresholdInUse::of(Some(chosen), *weights, sha256);
        Ok(())
    }

    /// Adds the predictions with the threshold on every split that has rows. The curves are left out: they cover all
    /// thresholds, and are in `evaluation.json`.
    fn score(&self, chosen: &mut ChosenThreshold) -> Result<(), ExperimentError> {
        let threshold = chosen.threshold();
        for split in [Split::Train, Split::Valid, Split::Test] {
            if self.prepared.rows(split).is_empty() {
                continue;
            }
            let predicted = self.predict(split)?;
            let mut evaluation = self.prepared.evaluate(split, &predicted, threshold)?;
            evaluation.curves = None;
            chosen.splits.push(evaluation);
            if split == self.prepared.evaluation_split() {
                chosen.mistakes = self.prepared.mistakes(split, &predicted, threshold)?;
            }
        }
        Ok(())
    }
}

/// The threshold of a finished run that was chosen for a network which the run no longer has, if there is one.
///
/// # Errors
/// [`ExperimentError`] if the network of the run cannot be read.
pub fn outdated_threshold(run: &Run) -> Result<Option<ChosenThreshold>, ExperimentError> {
    let Some(stored) = run.stored_threshold() else {
        return Ok(None);
    };
    let now = sha256(&run.network(stored.weights())?);
    Ok(Some(stored).filter(|stored| !stored.is_for(stored.weights(), &now)))
}
