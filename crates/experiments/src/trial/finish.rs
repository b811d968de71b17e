//! Finishes runs: writes their networks, evaluations, diagnoses and results.

use burn::tensor::Device;
use emberlab_metrics::BinaryScores;
use emberlab_models::Network;
use emberlab_run_format::files::{
    BASELINES, BEST, DIAGNOSIS, DIGESTED, EVALUATION, FRAMES, IMPORTANCE, LAYERS, METRICS, NETWORK,
    RESULT,
};
use emberlab_run_format::{BestEpoch, Diagnosis, Ending, RunResult, ThresholdScores};
use emberlab_storage::{Batch, Digested, RunLock, StorageError};
use emberlab_training::{Predicted, Split, StopFlag, TrainingError, TrainingResult, network_bytes};
use serde::Serialize;

use super::{BaselineLimit, ImportanceLimit, Prepared, evaluate_run, quick_diagnosis};
use crate::error::ExperimentError;
use crate::run::{Run, json};

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
    /// Requests that baselines and importance are left out.
    pub(super) stop: StopFlag,
}

/// Writes the files of finished runs, except of those whose training was interrupted. Returns their results, in order.
///
/// The files of all runs appear together, and after them the results, which have their checksums: a run with a result is
/// whole.
///
/// # Errors
/// The first [`ExperimentError`]. The runs whose files could be written are finished all the same.
pub(super) fn finish(
    runs: impl Iterator<Item = (Unfinished, TrainingResult)>,
) -> Result<Vec<RunResult>, ExperimentError> {
    let mut batch = Batch::default();
    let mut ended = Vec::new();
    let mut first_error = Ok(());
    for (run, finished) in runs {
        match run.write_files(&finished, &mut batch) {
            Ok(result) => ended.push((run, result)),
            Err(error) => first_error = first_error.and(Err(error)),
        }
    }
    batch.commit()?;
    let mut batch = Batch::default();
    for (Unfinished { run, .. }, result) in &ended {
        if result.ending != Ending::Interrupted {
            let path = run.path().join(RESULT);
            batch.replace(&path, &json(&path, result)?)?;
        }
    }
    batch.commit()?;
    first_error?;
    Ok(ended.into_iter().map(|(_, result)| result).collect())
}

impl Unfinished {
    /// Writes all files of a finished run but the result, unless the training was interrupted. Returns the result.
    fn write_files(
        &self,
        finished: &TrainingResult,
        batch: &mut Batch,
    ) -> Result<RunResult, ExperimentError> {
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
        if result.ending == Ending::Interrupted {
            return Ok(result);
        }
        let predicted = &finished.predicted;
        result.thresholds = at_thresholds(prepared, predicted)?;
        let mut files = LastFiles {
            run,
            batch,
            digests: Vec::new(),
        };
        files.write(NETWORK, &network_bytes(&finished.network)?)?;
        if let Some((_, best)) = &finished.best {
            files.write(BEST, &network_bytes(best)?)?;
        }
        let evaluation = evaluate_run(prepared, &finished.network, &self.device, predicted)?;
        let json = evaluation.to_json();
        let json =
            json.map_err(|e| StorageError::io("write", &run.path().join(EVALUATION))(e.into()))?;
        files.write(EVALUATION, json.as_bytes())?;
        // Their rows were appended without waiting for the disk, but what has a checksum must be on the disk.
        for name in [METRICS, LAYERS, FRAMES] {
            if name == METRICS || run.path().join(name).is_file() {
                files.write(name, &run.read(name)?)?;
            }
        }
        let diagnosis = self.diagnosis(Some(&finished.network))?;
        files.write_json(DIAGNOSIS, &diagnosis)?;
        if self.explains {
            self.write_explanations(&finished.network, &mut files)?;
        }
        result.files = files.digests()?;
        Ok(result)
    }

    /// Writes `baselines.json` and `importance.json`, where that takes a fraction of a second and no stop is requested: the
    /// training is done, and both can be had later.
    fn write_explanations(
        &self,
        network: &Network,
        files: &mut LastFiles<'_>,
    ) -> Result<(), ExperimentError> {
        let is_stopping = || self.stop.is_requested();
        let too_long = self.prepared.baselines_exceed(BaselineLimit::Quick);
        if too_long.is_none()
            && let Some(baselines) = self.prepared.baselines_unless(&is_stopping)
        {
            files.write_json(BASELINES, &baselines)?;
        }
        let limit = ImportanceLimit::Quick;
        let importance = (self.prepared).importance(network, &self.device, limit, is_stopping)?;
        match importance {
            Some(importance) => files.write_json(IMPORTANCE, &importance),
            None => Ok(()),
        }
    }

    /// The content of `diagnosis.json`; `now` is the trained network, if there is one.
    pub(super) fn diagnosis(&self, now: Option<&Network>) -> Result<Diagnosis, ExperimentError> {
        let text = std::fs::read_to_string(self.run.metrics_path()).unwrap_or_default();
        let num_epochs = self.prepared.config.training.num_epochs;
        let curves = self.run.curves(&text, num_epochs)?;
        let layers = self.run.layers()?;
        quick_diagnosis(&self.prepared, &self.device, now, &curves, &layers)
    }
}

/// The last files of a run, which appear with a batch.
struct LastFiles<'a> {
    run: &'a Run,
    batch: &'a mut Batch,
    digests: Vec<Digested>,
}

impl LastFiles<'_> {
    fn write(&mut self, name: &str, content: &[u8]) -> Result<(), ExperimentError> {
        self.batch.replace(&self.run.path().join(name), content)?;
        if DIGESTED.contains(&name) {
            self.digests.push(Digested::new(name, content));
        }
        Ok(())
    }

    fn write_json(&mut self, name: &str, value: &impl Serialize) -> Result<(), ExperimentError> {
        self.write(name, &json(&self.run.path().join(name), value)?)
    }

    /// The checksums of the files that do not change any more: those written here, and those that were there before.
    fn digests(mut self) -> Result<Vec<Digested>, ExperimentError> {
        for name in DIGESTED {
            let is_written = self.digests.iter().any(|file| file.name == name);
            if !is_written && self.run.path().join(name).is_file() {
                self.digests
                    .push(Digested::new(name, &self.run.read(name)?));
            }
        }
        let place = |file: &Digested| DIGESTED.iter().position(|name| *name == file.name);
        self.digests.sort_by_key(place);
        Ok(self.digests)
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
