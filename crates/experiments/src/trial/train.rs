//! Trains trials, alone or several in one batched model.

use emberlab_run_format::files::{DIAGNOSIS, FAILURE, METRICS, RESULT};
use emberlab_run_format::{Ending, Failure, FindingKind, RunResult};
use emberlab_storage::Checkpoint;
use emberlab_training::inspection::LayerRecord;
use emberlab_training::{EpochRecord, Observer, Trainer, TrainingError};

use super::finish::{Unfinished, finish};
use super::layers_files::LayersFiles;
use super::{MetricsFile, Trial};
use crate::error::ExperimentError;
use crate::run::Run;

impl Trial {
    /// Trains to the end, or until a stop is requested.
    ///
    /// For small data the run then also has the baselines and the importance of the columns.
    ///
    /// # Errors
    /// [`ExperimentError`] if the training fails. Saved checkpoints stay, and `failure.json` holds the error.
    pub fn train(self) -> Result<RunResult, ExperimentError> {
        let run = self.run.clone();
        let mut results = train_groups(vec![self], true)?;
        results
            .pop()
            .ok_or_else(|| run.malformed(RESULT, "the training has no result"))
    }

    /// Trains trials that differ only in seed and learning rate. Those at the same step are trained in one batched
    /// model: see [`Trainer::run_all`]. Each trial writes the same files as if it were trained alone. Returns their
    /// results in no particular order; if a stop is requested, those of the trials so far.
    ///
    /// # Errors
    /// [`ExperimentError`] of the first trial that fails, as for [`train`](Self::train).
    pub fn train_together(trials: Vec<Self>) -> Result<Vec<RunResult>, ExperimentError> {
        train_groups(trials, false)
    }

    /// The training as the trainer takes it, the checkpoint to start from, and the parts that finish the run.
    fn into_fit(self) -> Result<(Trainer, Option<Checkpoint>, Unfinished), ExperimentError> {
        let Self {
            run,
            lock,
            ready,
            checkpoint,
            execution,
        } = self;
        let rows = match &checkpoint {
            Some(checkpoint) => checkpoint.file(METRICS)?.to_vec(),
            None => Vec::new(),
        };
        let rows = String::from_utf8(rows).map_err(|e| run.malformed(METRICS, e))?;
        let metrics = MetricsFile::restore(&run.metrics_path(), rows)?;
        let probe = ready.prepared.probe(&ready.network, &ready.tensor_device)?;
        let layers = match &probe {
            Some(probed) => Some(LayersFiles::restore(&run, checkpoint.as_ref(), probed)?),
            None => None,
        };
        let store = ready.store(&run);
        let num_parameters = ready.network.num_parameters();
        let prepared = ready.prepared;
        let mut shown = execution.observer;
        let known: Vec<FindingKind> = ready.findings.iter().map(|f| f.kind).collect();
        shown.begins_with(&known);
        let config = prepared.config.clone();
        let fit = Trainer {
            label: run.id(),
            network: ready.network,
            device: ready.device,
            loss: config.loss,
            task: prepared.task.clone(),
            optimizer: config.optimizer,
            scheduler: config.scheduler,
            training: config.training,
            checkpoint: config.checkpoint,
            probe: probe.map(|probed| probed.probe),
            store: Some(store),
            identity: ready.identity,
            seed: config.seed,
            data: ready.data,
            dashboard: execution.dashboard,
            least_epoch: execution.least_epoch,
            stop: execution.stop.clone(),
            observer: Box::new(RunObserver {
                metrics,
                layers,
                shown,
            }),
        };
        let unfinished = Unfinished {
            run,
            _lock: lock,
            prepared,
            device: ready.tensor_device,
            num_parameters,
            explains: false,
            stop: execution.stop,
        };
        Ok((fit, checkpoint, unfinished))
    }
}

/// Trains groups of trials, one after the other. `explains` asks for baselines and importance after each training.
fn train_groups(trials: Vec<Trial>, explains: bool) -> Result<Vec<RunResult>, ExperimentError> {
    let mut results = Vec::new();
    for group in at_the_same_step(trials) {
        let runs: Vec<Run> = group.iter().map(|trial| trial.run.clone()).collect();
        let trained = fit(group, explains).inspect_err(|error| {
            let failure = Failure {
                message: error.to_string(),
            };
            for run in runs.iter().filter(|run| !run.is_done()) {
                // If this fails as well, for example because the disk is full, the first error is the important one.
                let _ = run.write_json(FAILURE, &failure);
            }
        })?;
        results.extend(trained);
        if results
            .iter()
            .any(|result| result.ending == Ending::Interrupted)
        {
            break;
        }
    }
    Ok(results)
}

/// Groups of trials that can be trained in one batched model: at the same step, with the same numbers of rows and
/// features. With another seed, the training rows of a table may have other categories, and so other features.
fn at_the_same_step(trials: Vec<Trial>) -> Vec<Vec<Trial>> {
    let key = |trial: &Trial| {
        let position = trial.checkpoint.as_ref().map(|c| c.position);
        let splits = &trial.prepared().splits;
        let rows = [&splits.train, &splits.valid, &splits.test].map(Vec::len);
        let num_features = trial.prepared().samples.num_features();
        (position.unwrap_or_default(), rows, num_features)
    };
    let mut groups: Vec<Vec<Trial>> = Vec::new();
    for trial in trials {
        match groups
            .iter_mut()
            .find(|group| key(&group[0]) == key(&trial))
        {
            Some(group) => group.push(trial),
            None => groups.push(vec![trial]),
        }
    }
    groups
}

/// Trains trials in one batched model, and finishes their runs. The dashboard closes only after that, so that nothing
/// is lost if it stays open for long.
fn fit(trials: Vec<Trial>, explains: bool) -> Result<Vec<RunResult>, ExperimentError> {
    let mut fits = Vec::new();
    let mut checkpoints = Vec::new();
    let mut unfinished = Vec::new();
    for trial in trials {
        let (fit, checkpoint, run) = trial.into_fit()?;
        fits.push(fit);
        checkpoints.push(checkpoint);
        unfinished.push(Unfinished { explains, ..run });
    }
    let from = checkpoints.iter().map(Option::as_ref);
    let (finished, dashboard) = match Trainer::run_all(fits.into_iter().zip(from).collect()) {
        Err(error @ TrainingError::FlatLoss { .. }) => {
            for run in &unfinished {
                let diagnosis = run.diagnosis(None, None)?;
                run.run.write_json(DIAGNOSIS, &diagnosis)?;
            }
            return Err(error.into());
        }
        finished => finished?,
    };
    let stop = unfinished.first().map(|run| run.stop.clone());
    let results = finish(unfinished.into_iter().zip(finished).collect())?;
    let is_interrupted = |result: &RunResult| result.ending == Ending::Interrupted;
    if !results.iter().any(is_interrupted) {
        dashboard.stay(&stop.unwrap_or_default());
    }
    Ok(results)
}

/// Writes the metrics and the layers of a run and passes everything on to the observer that shows it.
struct RunObserver {
    metrics: MetricsFile,
    /// Writes the records of its layers, if there are any.
    layers: Option<LayersFiles>,
    shown: Box<dyn Observer>,
}

impl Observer for RunObserver {
    fn epoch_ended(&mut self, record: &EpochRecord) -> Result<(), TrainingError> {
        let written = self.metrics.epoch_ended(record);
        self.shown.epoch_ended(record)?;
        written
    }

    fn inspected(&mut self, record: &LayerRecord) -> Result<(), TrainingError> {
        let written = match &mut self.layers {
            Some(layers) => layers.inspected(record),
            None => Ok(()),
        };
        self.shown.inspected(record)?;
        written
    }

    fn flush(&mut self) -> Result<(), TrainingError> {
        let layers = self.layers.as_mut().map_or(Ok(()), LayersFiles::flush);
        self.metrics.flush()?;
        layers
    }

    fn findings(&self) -> Vec<String> {
        self.shown.findings()
    }

    fn attachments(&self) -> Vec<(&'static str, Vec<u8>)> {
        let mut files = self.metrics.attachments();
        files.extend(self.layers.iter().flat_map(LayersFiles::attachments));
        files
    }

    fn save_failed(&mut self, error: &TrainingError) {
        self.shown.save_failed(error);
    }

    fn waits_for_room(&mut self) {
        self.shown.waits_for_room();
    }
}
