//! Trials: one training each, from its configuration and data to the files of a finished run.

mod baselines;
mod before_training;
mod begin;
mod continuation;
mod diagnose;
mod environment;
mod evaluate;
#[cfg(test)]
mod exact_resume_tests;
mod finish;
mod importance;
mod layers_files;
mod metrics_file;
mod model_file;
mod on_device;
mod plan;
mod prepare;
mod probe;
mod ready;
mod resume;
mod scores;
mod stepwise;
mod train;

pub use baselines::BaselineLimit;
pub(crate) use continuation::count_epochs;
pub use continuation::{NothingToDo, StoppedEarly};
pub use diagnose::evenly;
pub(crate) use diagnose::{Compared, quick_diagnosis};
pub(crate) use evaluate::evaluate_run;
pub use importance::ImportanceLimit;
pub use metrics_file::MetricsFile;
pub(crate) use model_file::{encoder, standardizer, task};
pub use prepare::Prepared;
pub use resume::{Resume, Resumed};
pub use stepwise::StepwiseTrial;

use std::path::PathBuf;
use std::time::Duration;

use emberlab_storage::{Checkpoint, RunLock};
use emberlab_training::{Dashboard, EpochRecord, Observer, StopFlag, TrainedBy, TrainingError};

use crate::config::ExperimentConfig;
use crate::run::Run;
use ready::Ready;

/// How a trial runs: everything that is not part of the experiment.
pub struct Execution {
    /// What it runs on.
    pub resources: Resources,
    /// The dashboard on the terminal.
    pub dashboard: Dashboard,
    /// The least time of an epoch: see [`Trainer`](emberlab_training::Trainer).
    pub least_epoch: Duration,
    /// Requests a stop.
    pub stop: StopFlag,
    /// Is told of every epoch, after the files of the run are written.
    pub observer: Box<dyn Observer>,
}

/// What a trial runs on.
#[derive(Debug, Clone)]
pub struct Resources {
    /// The name of the device.
    pub device: String,
    /// The number of threads for tensor operations, as set for the process.
    pub num_threads: usize,
    /// The folders of data sets.
    pub data_dirs: Vec<PathBuf>,
}

impl Execution {
    /// An execution that nobody watches.
    pub fn quiet(resources: Resources, stop: StopFlag) -> Self {
        Self {
            resources,
            dashboard: Dashboard::Quiet,
            least_epoch: Duration::ZERO,
            stop,
            observer: Box::new(Nobody),
        }
    }
}

/// An observer that wants to know nothing.
pub(crate) struct Nobody;

impl Observer for Nobody {
    fn epoch_ended(&mut self, _: &EpochRecord) -> Result<(), TrainingError> {
        Ok(())
    }
}

/// A trial that is ready to train.
pub struct Trial {
    /// The run that it writes to.
    pub run: Run,
    lock: RunLock,
    ready: Ready,
    checkpoint: Option<Checkpoint>,
    execution: Execution,
}

impl Trial {
    /// The experiment.
    pub fn config(&self) -> &ExperimentConfig {
        &self.ready.prepared.config
    }

    /// The experiment with its data.
    pub fn prepared(&self) -> &Prepared {
        &self.ready.prepared
    }

    /// The number of trainable parameters of the network.
    pub fn num_parameters(&self) -> usize {
        self.ready.network.num_parameters()
    }

    /// The engine that trains the network.
    pub fn trained_by(&self) -> &TrainedBy {
        &self.ready.trained_by
    }

    /// Whether a GPU that could train many epochs in one call trains each in a call of its own, because the learning
    /// rates of an epoch follow from the metrics of the epoch before.
    pub fn waits_for_every_epoch(&self) -> bool {
        let Ready {
            device,
            tensor_device,
            ..
        } = &self.ready;
        self.config().scheduler.metric().is_some() && device != tensor_device
    }
}
