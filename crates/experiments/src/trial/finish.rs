//! Finishes a run: writes its networks, evaluation, diagnosis and result.

use burn::tensor::Device;
use emberlab_metrics::BinaryScores;
use emberlab_models::Network;
use emberlab_run_format::files::{
    BASELINES, BEST, DIAGNOSIS, DIGESTED, EVALUATION, IMPORTANCE, METRICS, NETWORK, RESULT,
};
use emberlab_run_format::{BestEpoch, Ending, RunResult, ThresholdScores};
use emberlab_storage::{Digested, RunLock};
use emberlab_training::{Predicted, Split, TrainingError, TrainingResult, network_bytes};

use super::{BASELINE_VALUES_AFTER_TRAINING, ImportanceLimit};
use super::{Prepared, evaluate_run, quick_diagnosis};
use crate::error::ExperimentError;
use crate::run::{Run, compact_json};

/// A run whose training has ended but whose last files are not written.
pub(super) struct Unfinished {
    pub(super) run: Run,
    /// Held until everything is written.
    pub(super) _lock: RunLock,
    pub(super) prepared: Prepared,
    pub(super) device: Device,
    pub(super) num_parameters: usize,
    /// Whether baselines and importance are computed, where that is quick.
    pub(super) explains: bool,
}

impl Unfinished {
    /// Writes the files of a finished run, unless the training was interrupted. Returns the result.
    pub(super) fn finish(self, finished: TrainingResult) -> Result<RunResult, ExperimentError> {
        let (run, prepared) = (&self.run, &self.prepared);
        let mut result = RunResult {
            ending: finished.ending,
            epochs: finished.epoch,
            steps: finished.step,
            num_parameters: self.num_parameters,
            seconds: finished.elapsed.as_secs_f64(),
            metrics: (finished.predicted.iter())
                .map(|(split, predicted)| (*split, predicted.metrics.clone()))
                .collect(),
            best: finished.best.as_ref().map(|(best, _)| BestEpoch {
                epoch: best.epoch,
                metric: prepared.config.training.objective.metric,
                split: prepared.objective_split(),
                value: best.value,
            }),
            thresholds: Vec::new(),
            is_saved: finished.is_saved,
            files: Vec::new(),
        };
        if result.ending != Ending::Interrupted {
            let predicted = &finished.predicted;
            result.thresholds = at_thresholds(prepared, predicted)?;
            save_networks(run, &finished)?;
            let evaluation = evaluate_run(prepared, &finished.network, &self.device, predicted)?;
            run.write(EVALUATION, &compact_json(run, EVALUATION, &evaluation)?)?;
            self.write_diagnosis(Some(&finished.network))?;
            if self.explains {
                self.write_explanations(&finished.network)?;
            }
            // Its rows were appended without waiting for the disk, but what has a checksum must be on the disk.
            run.write(METRICS, &run.read(METRICS)?)?;
            for name in DIGESTED {
                if run.path().join(name).is_file() {
                    result.files.push(Digested::new(name, &run.read(name)?));
                }
            }
            run.write_json(RESULT, &result)?;
        }
        Ok(result)
    }

    /// Writes `baselines.json` and `importance.json`, where that takes a fraction of a second.
    fn write_explanations(&self, network: &Network) -> Result<(), ExperimentError> {
        if self.prepared.num_baseline_values() <= BASELINE_VALUES_AFTER_TRAINING {
            self.run.write_json(BASELINES, &self.prepared.baselines())?;
        }
        let limit = ImportanceLimit::Quick;
        let importance = self.prepared.importance(network, &self.device, limit)?;
        match importance {
            Some(importance) => self.run.write_json(IMPORTANCE, &importance),
            None => Ok(()),
        }
    }

    /// Writes `diagnosis.json`; `now` is the trained network, if there is one.
    pub(super) fn write_diagnosis(&self, now: Option<&Network>) -> Result<(), ExperimentError> {
        let curves = self.run.learning_curves()?;
        let diagnosis = quick_diagnosis(&self.prepared, &self.device, now, &curves)?;
        self.run.write_json(DIAGNOSIS, &diagnosis)
    }
}

/// The scores of the network at the thresholds in the configuration, on every split except the training split.
fn at_thresholds(
    prepared: &Prepared,
    predicted: &[(Split, Predicted)],
) -> Result<Vec<ThresholdScores>, ExperimentError> {
    let mut results = Vec::new();
    let thresholds = &prepared.config.training.thresholds;
    if thresholds.is_empty() {
        return Ok(results);
    }
    for (split, predicted) in predicted.iter().filter(|(split, _)| *split != Split::Train) {
        let targets = prepared.split_labels(*split).unwrap_or_default();
        let probabilities = prepared.probabilities(predicted)?;
        for &threshold in thresholds {
            let scores = BinaryScores::from_probabilities(&targets, &probabilities, threshold);
            results.push(ThresholdScores {
                split: *split,
                scores: scores.map_err(|e| TrainingError::Read(e.to_string()))?,
            });
        }
    }
    Ok(results)
}

/// Writes the weights after the last step and those of the best epoch.
fn save_networks(run: &Run, finished: &TrainingResult) -> Result<(), ExperimentError> {
    run.write(NETWORK, &network_bytes(&finished.network)?)?;
    if let Some((_, best)) = &finished.best {
        run.write(BEST, &network_bytes(best)?)?;
    }
    Ok(())
}
