//! One training from its configuration to what it leaves on disk, begun or resumed.

mod environment;
mod evaluate;
#[cfg(test)]
mod exact_resume_tests;
mod metrics_file;
mod model_file;
mod plan;
mod prepare;

pub(crate) use evaluate::{evaluate_run, evenly};
pub use metrics_file::MetricsFile;
pub(crate) use model_file::{standardizer, task};
pub use prepare::Prepared;

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use emberlab_menu::Problem;
use emberlab_metrics::BinaryScores;
use emberlab_models::Network;
use emberlab_run_format::files::{
    BEST, CONFIG, DIAGNOSIS, DIGESTED, ENDING, ENVIRONMENT, EVALUATION, FAILURE, METRICS, MODEL,
    NETWORK, RESULT,
};
use emberlab_run_format::{BestEpoch, Ending, Environment, Failure, RunResult, ThresholdScores};
use emberlab_storage::{
    Checkpoint, CheckpointStore, Digested, Found, Identity, Position, RunLock, StorageError,
};
use emberlab_training::{
    Dashboard, EpochRecord, Finished, Fit, Observer, Precision, Predicted, Split, SplitData,
    StopFlag, TrainingError, device, network_bytes,
};

use crate::config::ExperimentConfig;
use crate::error::ExperimentError;
use crate::finished::quick_diagnosis;
use crate::run::{Change, Run, Verdict, changes, compact_json, json};
use environment::current_environment;
use model_file::model_file;

/// How a trial runs: what is not part of the experiment.
pub struct Execution {
    /// The device's name.
    pub device: String,
    /// Threads that a tensor operation may use, as the process was set up.
    pub num_threads: usize,
    /// Where data sets lie.
    pub data_dirs: Vec<PathBuf>,
    /// What a person sees.
    pub dashboard: Dashboard,
    /// Asks to stop.
    pub stop: StopFlag,
    /// Hears of every epoch, after the run's own files.
    pub observer: Box<dyn Observer>,
}

/// A trial that is ready to train.
pub struct Trial {
    /// The run it writes to.
    pub run: Run,
    lock: RunLock,
    ready: Ready,
    from: Option<Checkpoint>,
    execution: Execution,
}

/// What a resumed training goes on from.
#[derive(Debug)]
pub struct Resumed {
    /// How far the newest valid checkpoint is; without one the training begins again from its seed.
    pub position: Option<Position>,
    /// Newer checkpoints that could not be used, set aside.
    pub damaged: Vec<StorageError>,
    /// What of the configuration changed, all of it allowed.
    pub changes: Vec<Change>,
    /// What else a person should know.
    pub notes: Vec<String>,
}

impl Trial {
    /// A new run of `config` below `artifacts`, with what the data made worth a warning.
    ///
    /// Nothing is written before data, network and device have been checked; then the run's folder appears
    /// whole, and is this process's until the trial is done.
    ///
    /// # Errors
    /// [`ExperimentError`].
    pub fn begin(
        config: ExperimentConfig,
        artifacts: &Path,
        run_name: Option<&str>,
        execution: Execution,
    ) -> Result<(Self, Vec<String>), ExperimentError> {
        let ready = Ready::prepare(config, &execution)?;
        let config = &ready.prepared.config;
        let environment = json(Path::new(ENVIRONMENT), &ready.environment(&execution))?;
        let model = json(Path::new(MODEL), &model_file(&ready.prepared))?;
        let files = [
            (CONFIG, ready.identity.config.as_bytes()),
            (ENVIRONMENT, environment.as_slice()),
            (MODEL, model.as_slice()),
        ];
        let run = Run::create(artifacts, &config.name, config.seed, run_name, &files)?;
        let warnings = ready.prepared.warnings.clone();
        let trial = Self {
            lock: run.lock()?,
            run,
            ready,
            from: None,
            execution,
        };
        Ok((trial, warnings))
    }

    /// A run that goes on from its newest valid checkpoint, or from its seed if it never came to one.
    ///
    /// `overrides` change its configuration, as `--set` does, as far as a training that is under way
    /// allows; `force` accepts changes of when it ends.
    ///
    /// # Errors
    /// [`ExperimentError::ConfigChanged`] and [`ExperimentError::DataChanged`] if it would no longer be the
    /// same training, [`ExperimentError::Storage`] if another process works on the run; otherwise
    /// [`ExperimentError`].
    pub fn reopen(
        run: Run,
        overrides: &[String],
        force: bool,
        execution: Execution,
    ) -> Result<(Self, Resumed), ExperimentError> {
        let lock = run.lock()?;
        let written = run.source()?;
        let source = written.with_overrides(overrides)?;
        let ready = Ready::prepare(ExperimentConfig::from_source(&source)?, &execution)?;
        let store = ready.store(&run);
        let Found {
            checkpoint,
            damaged,
        } = store.newest()?;
        let before = match &checkpoint {
            Some(checkpoint) => checkpoint.identity.config.clone(),
            None => written.text,
        };
        let position = checkpoint.as_ref().map(|c| c.position);
        let epochs = position.map_or(0, |p| p.epoch);
        let changes = changes(&before, &ready.identity.config, epochs)
            .map_err(|e| run.malformed(CONFIG, e))?;
        let allowed = if force {
            Verdict::NeedsForce
        } else {
            Verdict::Allowed
        };
        if changes.iter().any(|c| c.verdict > allowed) {
            return Err(ExperimentError::ConfigChanged {
                run: run.id(),
                changes,
            });
        }
        let mut environment: Environment = run.read_json(ENVIRONMENT)?;
        let trained_on = match &checkpoint {
            Some(checkpoint) => &checkpoint.identity.data_sha256,
            None => &environment.data_sha256,
        };
        same_data(&run, trained_on, &ready.identity.data_sha256)?;

        // Everything is agreed: only now the run changes.
        store.set_aside(&damaged)?;
        if !changes.is_empty() {
            run.write(CONFIG, ready.identity.config.as_bytes())?;
        }
        let mut notes = environment.resume(ready.environment(&execution), epochs);
        run.write_json(ENVIRONMENT, &environment)?;
        let planned = ready.prepared.config.scheduler.depends_on_num_epochs();
        if planned && changes.iter().any(|c| c.key == "training.num_epochs") {
            notes.push(
                "the learning rates of the epochs to come follow the new number of epochs; \
                 those of the epochs done followed the old one"
                    .to_string(),
            );
        }
        let resumed = Resumed {
            position,
            damaged,
            changes,
            notes,
        };
        let trial = Self {
            run,
            lock,
            ready,
            from: checkpoint,
            execution,
        };
        Ok((trial, resumed))
    }

    /// The experiment.
    pub fn config(&self) -> &ExperimentConfig {
        &self.ready.prepared.config
    }

    /// The experiment with its data.
    pub fn prepared(&self) -> &Prepared {
        &self.ready.prepared
    }

    /// Trainable numbers of the network.
    pub fn num_parameters(&self) -> usize {
        self.ready.network.num_parameters()
    }

    /// Trains to the end, or until somebody asks to stop.
    ///
    /// # Errors
    /// [`ExperimentError`]; what was saved stays, and `failure.json` says what happened.
    pub fn train(self) -> Result<RunResult, ExperimentError> {
        let run = self.run.clone();
        let mut results = Self::train_stack(vec![self])?;
        results
            .pop()
            .ok_or_else(|| run.malformed(RESULT, "the training left none"))
    }

    /// Trains trials that differ in seed and learning rate alone, as one program those that can be: see
    /// [`Fit::run_all`]. Each leaves what it leaves alone. Returns their results, in no order, up to where
    /// somebody asked to stop.
    ///
    /// # Errors
    /// [`ExperimentError`] of the first that fails; as for [`train`](Self::train).
    pub fn train_stack(trials: Vec<Self>) -> Result<Vec<RunResult>, ExperimentError> {
        let mut results = Vec::new();
        for stack in at_the_same_step(trials) {
            let runs: Vec<Run> = stack.iter().map(|trial| trial.run.clone()).collect();
            let trained = fit(stack).inspect_err(|error| {
                let failure = Failure {
                    message: error.to_string(),
                };
                for run in runs.iter().filter(|run| !run.is_done()) {
                    // The disk may be what failed: the error itself says what matters.
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

    /// What the loop needs of it, and what is needed when the loop has ended.
    fn into_fit(self) -> Result<(Fit, Option<Checkpoint>, After), ExperimentError> {
        let Self {
            run,
            lock,
            ready,
            from,
            execution,
        } = self;
        // A run that goes on has not ended: nothing that says how it did stays.
        for name in ENDING {
            run.remove(name)?;
        }
        let rows = match &from {
            Some(checkpoint) => checkpoint.file(METRICS)?.to_vec(),
            None => Vec::new(),
        };
        let rows = String::from_utf8(rows).map_err(|e| run.malformed(METRICS, e))?;
        let metrics = MetricsFile::restore(&run.metrics_path(), rows)?;
        let store = ready.store(&run);
        let num_parameters = ready.network.num_parameters();
        let prepared = ready.prepared;
        let config = prepared.config.clone();
        let fit = Fit {
            label: run.id(),
            network: ready.network,
            loss: config.loss,
            task: prepared.task,
            optimizer: config.optimizer,
            scheduler: config.scheduler,
            training: config.training,
            checkpoint: config.checkpoint,
            store: Some(store),
            identity: ready.identity,
            seed: config.seed,
            data: ready.data,
            dashboard: execution.dashboard,
            stop: execution.stop,
            observer: Box::new(Both(metrics, execution.observer)),
        };
        let after = After {
            run,
            _lock: lock,
            prepared,
            device: ready.device,
            num_parameters,
        };
        Ok((fit, from, after))
    }
}

/// Trials in groups that can be one program: at the same step, with as many rows.
fn at_the_same_step(trials: Vec<Trial>) -> Vec<Vec<Trial>> {
    let key = |trial: &Trial| {
        let position = trial.from.as_ref().map(|from| from.position);
        let splits = &trial.prepared().splits;
        let rows = [&splits.train, &splits.valid, &splits.test].map(Vec::len);
        (position.unwrap_or_default(), rows)
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

/// Trains trials as one program.
fn fit(trials: Vec<Trial>) -> Result<Vec<RunResult>, ExperimentError> {
    let mut fits = Vec::new();
    let mut checkpoints = Vec::new();
    let mut afters = Vec::new();
    for trial in trials {
        let (fit, from, after) = trial.into_fit()?;
        fits.push(fit);
        checkpoints.push(from);
        afters.push(after);
    }
    let from = checkpoints.iter().map(Option::as_ref);
    let finished = match Fit::run_all(fits.into_iter().zip(from).collect()) {
        Err(error @ TrainingError::FlatLoss { .. }) => {
            for after in &afters {
                after.leave_diagnosis(None)?;
            }
            return Err(error.into());
        }
        finished => finished?,
    };
    let ends = afters.into_iter().zip(finished);
    ends.map(|(after, finished)| after.conclude(finished))
        .collect()
}

/// What is left to do with a trial whose loop has ended.
struct After {
    run: Run,
    /// Held until all is written.
    _lock: RunLock,
    prepared: Prepared,
    device: Device,
    num_parameters: usize,
}

impl After {
    /// Writes what a training leaves that came to its end, and says how it did.
    fn conclude(self, finished: Finished) -> Result<RunResult, ExperimentError> {
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
                split: prepared.config.training.objective.split,
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
            self.leave_diagnosis(Some(&finished.network))?;
            for name in DIGESTED {
                if run.path().join(name).is_file() {
                    result.files.push(Digested::new(name, &run.read(name)?));
                }
            }
            run.write_json(RESULT, &result)?;
        }
        Ok(result)
    }

    fn leave_diagnosis(&self, now: Option<&Network>) -> Result<(), ExperimentError> {
        let curves = self.run.learning_curves()?;
        let diagnosis = quick_diagnosis(&self.prepared, &self.device, now, &curves)?;
        self.run.write_json(DIAGNOSIS, &diagnosis)
    }
}

/// The network's scores at the thresholds asked for, on every split but the one it was trained on.
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

/// An experiment with data and network on their device.
struct Ready {
    prepared: Prepared,
    identity: Identity,
    device: Device,
    network: Network,
    data: SplitData,
}

impl Ready {
    fn prepare(config: ExperimentConfig, execution: &Execution) -> Result<Self, ExperimentError> {
        if config.training.precision == Precision::F64 && !device::supports_f64(&execution.device) {
            let expected = format!(
                "`f32` or a CPU device, because the device `{}` has no 64-bit floats",
                execution.device
            );
            return Err(Problem::new("training.precision", "f64", expected).into());
        }
        let device = device::open(&execution.device).map_err(TrainingError::from)?;
        let prepared = Prepared::load(config.without_comparison(), &execution.data_dirs)?;
        let config = prepared.config.to_toml()?;
        Ok(Self {
            identity: Identity {
                config,
                data_sha256: prepared.samples.checksum(),
            },
            network: prepared.init_network(&device.clone().autodiff())?,
            data: prepared.upload_all(&device)?,
            device,
            prepared,
        })
    }

    fn store(&self, run: &Run) -> CheckpointStore {
        let keep_last = self.prepared.config.checkpoint.keep_last;
        CheckpointStore::new(run.checkpoints(), keep_last)
    }

    fn environment(&self, execution: &Execution) -> Environment {
        let checksum = self.identity.data_sha256.clone();
        current_environment(&execution.device, execution.num_threads, checksum)
    }
}

/// The configuration a run was trained with.
///
/// # Errors
/// [`ExperimentError::Malformed`] if it is no longer one.
pub fn load_config(run: &Run) -> Result<ExperimentConfig, ExperimentError> {
    ExperimentConfig::from_source(&run.source()?).map_err(|e| run.malformed(CONFIG, e))
}

/// Fails unless the data are those the run was begun with.
///
/// # Errors
/// [`ExperimentError::DataChanged`].
pub fn check_data(run: &Run, prepared: &Prepared) -> Result<(), ExperimentError> {
    let environment: Environment = run.read_json(ENVIRONMENT)?;
    same_data(run, &environment.data_sha256, &prepared.samples.checksum())
}

fn same_data(run: &Run, expected: &str, found: &str) -> Result<(), ExperimentError> {
    if expected == found {
        Ok(())
    } else {
        Err(ExperimentError::DataChanged {
            run: run.path().to_path_buf(),
            expected: expected.to_string(),
            found: found.to_string(),
        })
    }
}

fn save_networks(run: &Run, finished: &Finished) -> Result<(), ExperimentError> {
    run.write(NETWORK, &network_bytes(&finished.network)?)?;
    if let Some((_, best)) = &finished.best {
        run.write(BEST, &network_bytes(best)?)?;
    }
    Ok(())
}

/// The run's own file, then what a person or a program sees.
struct Both(MetricsFile, Box<dyn Observer>);

impl Observer for Both {
    fn epoch_ended(&mut self, record: &EpochRecord) -> Result<(), TrainingError> {
        let written = self.0.epoch_ended(record);
        self.1.epoch_ended(record)?;
        written
    }

    fn findings(&self) -> Vec<String> {
        self.1.findings()
    }

    fn attachments(&self) -> Vec<(&'static str, Vec<u8>)> {
        self.0.attachments()
    }

    fn save_failed(&mut self, error: &TrainingError) {
        self.1.save_failed(error);
    }
}
