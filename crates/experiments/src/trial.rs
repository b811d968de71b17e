//! One training from its configuration to what it leaves on disk, begun or resumed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use emberlab_metrics::SplitMetrics;
use emberlab_models::Network;
use emberlab_training::checkpoint::{Checkpoint, CheckpointError, Position};
use emberlab_training::{
    CheckpointStore, Dashboard, Ending, EpochRecord, Finished, Fit, Observer, Precision, Split,
    StopFlag, TrainingError, device, network_bytes,
};
use serde::{Deserialize, Serialize};

use crate::ConfigSource;
use crate::config::{ExperimentConfig, Problem};
use crate::environment::Environment;
use crate::error::ExperimentError;
use crate::metrics_file::MetricsFile;
use crate::model_file::ModelFile;
use crate::prepared::Prepared;
use crate::run::Run;

/// What `result.json` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialResult {
    /// How the training ended.
    pub ending: Ending,
    /// Epochs done.
    pub epochs: usize,
    /// Optimiser steps done.
    pub steps: u64,
    /// Trainable numbers of the network.
    pub num_parameters: usize,
    /// Seconds spent training, over all sessions.
    pub seconds: f64,
    /// Metrics of the last network in evaluation mode, by split.
    pub metrics: BTreeMap<Split, SplitMetrics>,
    /// The best epoch by the objective, if any value was a number.
    pub best: Option<BestResult>,
}

/// The best epoch of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BestResult {
    /// Counted from 1.
    pub epoch: usize,
    /// The metric that decided.
    pub metric: String,
    /// The split it was measured on.
    pub split: Split,
    /// Its value.
    pub value: f64,
}

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
    prepared: Prepared,
    network: Network,
    data: emberlab_training::SplitData,
    execution: Execution,
}

/// What went on before a resumed training goes on.
#[derive(Debug)]
pub struct Resumed {
    /// How far the checkpoint is.
    pub position: Position,
    /// Newer checkpoints that could not be used.
    pub damaged: Vec<CheckpointError>,
}

impl Trial {
    /// A new run of `config` below `artifacts`.
    ///
    /// Nothing is written before data, network and device have been checked.
    ///
    /// # Errors
    /// [`ExperimentError`].
    pub fn begin(
        config: ExperimentConfig,
        artifacts: &Path,
        run_name: Option<&str>,
        execution: Execution,
    ) -> Result<(Self, Vec<String>), ExperimentError> {
        let (prepared, network, data) = prepare(config, &execution)?;
        let text = prepared.config.to_toml().map_err(|e| {
            ExperimentError::Config(Problem {
                key: String::new(),
                message: e.to_string(),
            })
        })?;
        let config = &prepared.config;
        let run = Run::create(artifacts, &config.name, config.seed, run_name, &text)?;
        let checksum = prepared.samples.checksum();
        let environment = Environment::current(&execution.device, execution.num_threads, checksum);
        run.write_json("environment.json", &environment)?;
        ModelFile::new(&prepared).save(&run)?;
        let warnings = prepared.warnings.clone();
        let trial = Self {
            run,
            prepared,
            network,
            data,
            execution,
        };
        Ok((trial, warnings))
    }

    /// A run that goes on from its newest valid checkpoint.
    ///
    /// # Errors
    /// [`ExperimentError::DataChanged`] if its data are no longer the same; otherwise [`ExperimentError`].
    pub fn reopen(run: Run, execution: Execution) -> Result<Self, ExperimentError> {
        let config = load_config(&run)?;
        let (prepared, network, data) = prepare(config, &execution)?;
        check_data(&run, &prepared)?;
        Ok(Self {
            run,
            prepared,
            network,
            data,
            execution,
        })
    }

    /// The experiment.
    pub fn config(&self) -> &ExperimentConfig {
        &self.prepared.config
    }

    /// The experiment with its data.
    pub fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    /// Trainable numbers of the network.
    pub fn num_parameters(&self) -> usize {
        self.network.num_parameters()
    }

    fn store(&self) -> CheckpointStore {
        CheckpointStore::new(
            self.run.checkpoints(),
            self.prepared.config.checkpoint.keep_last,
        )
    }

    /// Trains from the first step.
    ///
    /// # Errors
    /// [`ExperimentError`]; what was saved stays.
    pub fn train(self) -> Result<TrialResult, ExperimentError> {
        self.fit(None)
    }

    /// Trains from the newest valid checkpoint; `tell` hears where that is before training goes on.
    ///
    /// # Errors
    /// [`ExperimentError::Checkpoint`] if there is none; otherwise [`ExperimentError`].
    pub fn resume(self, tell: impl FnOnce(&Resumed)) -> Result<TrialResult, ExperimentError> {
        let (checkpoint, damaged) = self.store().newest()?;
        tell(&Resumed {
            position: checkpoint.position,
            damaged,
        });
        self.fit(Some(&checkpoint))
    }

    fn fit(self, from: Option<&Checkpoint>) -> Result<TrialResult, ExperimentError> {
        let store = self.store();
        let epochs = from.map_or(0, |checkpoint| checkpoint.position.epoch);
        let metrics = MetricsFile::open(&self.run.metrics_path(), epochs)?;
        let Prepared { config, task, .. } = self.prepared;
        let objective = config.training.objective.clone();
        let num_parameters = self.network.num_parameters();
        let fit = Fit {
            label: self.run.id(),
            network: self.network,
            loss: config.loss,
            task,
            optimizer: config.optimizer,
            scheduler: config.scheduler,
            training: config.training,
            checkpoint: config.checkpoint,
            store: Some(store),
            seed: config.seed,
            data: self.data,
            dashboard: self.execution.dashboard,
            stop: self.execution.stop,
            observer: Box::new(Both(metrics, self.execution.observer)),
        };
        let finished = fit.run(from)?;
        let result = TrialResult {
            ending: finished.ending,
            epochs: finished.epoch,
            steps: finished.step,
            num_parameters,
            seconds: finished.elapsed.as_secs_f64(),
            metrics: finished.metrics.iter().cloned().collect(),
            best: finished.best.as_ref().map(|(best, _)| BestResult {
                epoch: best.epoch,
                metric: objective.metric.name().to_string(),
                split: objective.split,
                value: best.value,
            }),
        };
        if result.ending != Ending::Interrupted {
            save_networks(&self.run, &finished)?;
            self.run.write_json("result.json", &result)?;
        }
        Ok(result)
    }
}

/// Loads data, builds the network and puts both on the device.
fn prepare(
    config: ExperimentConfig,
    execution: &Execution,
) -> Result<(Prepared, Network, emberlab_training::SplitData), ExperimentError> {
    if config.training.precision == Precision::F64 && !device::supports_f64(&execution.device) {
        return Err(ExperimentError::Config(Problem {
            key: "training.precision".to_string(),
            message: format!(
                "`{}` has no 64-bit floats; use `f32`, or a CPU device",
                execution.device
            ),
        }));
    }
    let device = device::open(&execution.device).map_err(TrainingError::from)?;
    let prepared = Prepared::load(config, &execution.data_dirs)?;
    let network = prepared.init_network(&device.clone().autodiff())?;
    let data = prepared.upload_all(&device)?;
    Ok((prepared, network, data))
}

/// The configuration a run was trained with.
///
/// # Errors
/// [`ExperimentError::Malformed`] if it is no longer one.
pub fn load_config(run: &Run) -> Result<ExperimentConfig, ExperimentError> {
    let malformed = |reason: String| ExperimentError::Malformed {
        path: run.config_path(),
        reason,
    };
    let source = ConfigSource::load(run.config_path()).map_err(|e| malformed(e.to_string()))?;
    ExperimentConfig::from_source(&source).map_err(|e| malformed(e.to_string()))
}

/// Fails unless the data are those the run was begun with.
///
/// # Errors
/// [`ExperimentError::DataChanged`].
pub fn check_data(run: &Run, prepared: &Prepared) -> Result<(), ExperimentError> {
    let environment: Environment = run.read_json("environment.json")?;
    let found = prepared.samples.checksum();
    if environment.data_sha256 == found {
        Ok(())
    } else {
        Err(ExperimentError::DataChanged {
            run: run.path().to_path_buf(),
            expected: environment.data_sha256,
            found,
        })
    }
}

fn save_networks(run: &Run, finished: &Finished) -> Result<(), ExperimentError> {
    run.write("model/network.bpk", &network_bytes(&finished.network)?)?;
    if let Some((_, best)) = &finished.best {
        run.write("model/best.bpk", &network_bytes(best)?)?;
    }
    Ok(())
}

/// Two observers, the first of which must succeed before the second hears.
struct Both(MetricsFile, Box<dyn Observer>);

impl Observer for Both {
    fn epoch_ended(&mut self, record: &EpochRecord) -> Result<(), TrainingError> {
        self.0.epoch_ended(record)?;
        self.1.epoch_ended(record)
    }
}
