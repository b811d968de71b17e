//! Finishes runs: writes their networks, evaluations, diagnoses and results.

use burn::tensor::Device;
use emberlab_metrics::BinaryScores;
use emberlab_models::Network;
use emberlab_run_format::files::{
    BASELINES, BEST, DIAGNOSIS, DIGESTED, EVALUATION, FRAMES, IMPORTANCE, LAYERS, METRICS, NETWORK,
    RESULT,
};
use emberlab_run_format::{Baselines, BestEpoch, Diagnosis, Ending, RunResult, ThresholdScores};
use emberlab_storage::{Batch, Digested, RunLock, StorageError};
use emberlab_training::{
    Predicted, Split, StopFlag, TrainingError, TrainingResult, map_on_threads, network_bytes,
};
use serde::Serialize;

use super::{BaselineLimit, Compared, ImportanceLimit, Prepared, evaluate_run, quick_diagnosis};
use crate::error::ExperimentError;
use crate::run::{Run, json};

/// The number of runs whose files are computed at once, on several threads, before they are written.
const AT_ONCE: usize = 256;

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
    /// Requests to leave out baselines and importance.
    pub(super) stop: StopFlag,
}

/// Writes the files of finished runs, except of those whose training was interrupted. Returns their results, in order.
///
/// The files of all runs appear together. After them the results appear, which hold their checksums: a run with a
/// result is whole.
///
/// # Errors
/// The first [`ExperimentError`]. Runs whose files could be written are finished all the same.
pub(super) fn finish(
    runs: Vec<(Unfinished, TrainingResult)>,
) -> Result<Vec<RunResult>, ExperimentError> {
    let mut batch = Batch::default();
    let mut ended = Vec::new();
    let mut first_error = Ok(());
    for some in runs.chunks(AT_ONCE) {
        let device = &some[0].0.device;
        let made = map_on_threads(some, device, |(run, finished)| run.files(finished));
        for ((run, _), made) in some.iter().zip(made) {
            match made.and_then(|made| made.write(&mut batch)) {
                Ok(result) => ended.push((&run.run, result)),
                Err(error) => first_error = first_error.and(Err(error)),
            }
        }
    }
    batch.commit()?;
    let mut batch = Batch::default();
    for (run, result) in &ended {
        if result.ending != Ending::Interrupted {
            let path = run.path().join(RESULT);
            batch.replace(&path, &json(&path, result)?)?;
        }
    }
    batch.commit()?;
    first_error?;
    Ok(ended.into_iter().map(|(_, result)| result).collect())
}

/// The result of a run and its files, before they are written.
struct FinishedRun<'a> {
    result: RunResult,
    files: LastFiles<'a>,
}

impl FinishedRun<'_> {
    fn write(self, batch: &mut Batch) -> Result<RunResult, ExperimentError> {
        for (name, content) in &self.files.files {
            batch.replace(&self.files.run.path().join(name), content)?;
        }
        Ok(self.result)
    }
}

impl Unfinished {
    /// All files of a finished run but the result, and the result. `None` if the training was interrupted.
    fn files(&self, finished: &TrainingResult) -> Result<FinishedRun<'_>, ExperimentError> {
        let (run, prepared) = (&self.run, &self.prepared);
        let mut files = LastFiles {
            run,
            files: Vec::new(),
            digests: Vec::new(),
        };
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
            return Ok(FinishedRun { result, files });
        }
        let predicted = &finished.predicted;
        result.thresholds = at_thresholds(prepared, predicted)?;
        files.add(NETWORK, network_bytes(&finished.network)?.to_vec());
        if let Some((_, best)) = &finished.best {
            files.add(BEST, network_bytes(best)?.to_vec());
        }
        let evaluation = evaluate_run(prepared, &finished.network, &self.device, predicted)?;
        let json = evaluation.to_json();
        let json =
            json.map_err(|e| StorageError::io("write", &run.path().join(EVALUATION))(e.into()))?;
        files.add(EVALUATION, json.into_bytes());
        // Their rows were appended without waiting for the disk, but a file with a checksum must be on the disk.
        for name in [METRICS, LAYERS, FRAMES] {
            if name == METRICS || run.path().join(name).is_file() {
                files.add(name, run.read(name)?);
            }
        }
        let baselines = match self.explains {
            true => self.add_explanations(&finished.network, &mut files)?,
            false => None,
        };
        let compared = baselines.as_ref().map(|found| (found, &result.metrics));
        let diagnosis = self.diagnosis(Some(&finished.network), compared)?;
        files.add_json(DIAGNOSIS, &diagnosis)?;
        result.files = files.digests()?;
        Ok(FinishedRun { result, files })
    }

    /// Adds `baselines.json` and `importance.json`, if that takes a fraction of a second and no stop is requested. The
    /// training is done, and both can be computed later. Returns the baselines.
    fn add_explanations(
        &self,
        network: &Network,
        files: &mut LastFiles<'_>,
    ) -> Result<Option<Baselines>, ExperimentError> {
        let is_stopping = || self.stop.is_requested();
        let too_long = self.prepared.baselines_exceed(BaselineLimit::Quick);
        let baselines = match too_long {
            None => self.prepared.baselines_unless(&is_stopping),
            Some(_) => None,
        };
        if let Some(baselines) = &baselines {
            files.add_json(BASELINES, baselines)?;
        }
        let limit = ImportanceLimit::Quick;
        let importance = (self.prepared).importance(network, &self.device, limit, is_stopping)?;
        if let Some(importance) = importance {
            files.add_json(IMPORTANCE, &importance)?;
        }
        Ok(baselines)
    }

    /// The content of `diagnosis.json`; `now` is the trained network, if there is one.
    pub(super) fn diagnosis(
        &self,
        now: Option<&Network>,
        baselines: Option<Compared<'_>>,
    ) -> Result<Diagnosis, ExperimentError> {
        let text = std::fs::read_to_string(self.run.metrics_path()).unwrap_or_default();
        let num_epochs = self.prepared.config.training.num_epochs;
        let curves = self.run.curves(&text, num_epochs)?;
        let layers = self.run.layers()?;
        quick_diagnosis(
            &self.prepared,
            &self.device,
            now,
            &curves,
            &layers,
            baselines,
        )
    }
}

/// The last files of a run.
struct LastFiles<'a> {
    run: &'a Run,
    /// Names and contents.
    files: Vec<(&'static str, Vec<u8>)>,
    digests: Vec<Digested>,
}

impl LastFiles<'_> {
    fn add(&mut self, name: &'static str, content: Vec<u8>) {
        if DIGESTED.contains(&name) {
            self.digests.push(Digested::new(name, &content));
        }
        self.files.push((name, content));
    }

    fn add_json(
        &mut self,
        name: &'static str,
        value: &impl Serialize,
    ) -> Result<(), ExperimentError> {
        self.add(name, json(&self.run.path().join(name), value)?);
        Ok(())
    }

    /// The checksums of the files that do not change any more: those added here, and those that were there before.
    fn digests(&mut self) -> Result<Vec<Digested>, ExperimentError> {
        let mut digests = std::mem::take(&mut self.digests);
        for name in DIGESTED {
            let is_added = digests.iter().any(|file| file.name == name);
            if !is_added && self.run.path().join(name).is_file() {
                digests.push(Digested::new(name, &self.run.read(name)?));
            }
        }
        let place = |file: &Digested| DIGESTED.iter().position(|name| *name == file.name);
        digests.sort_by_key(place);
        Ok(digests)
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
