//! The trainer: trains one network, or many at once, from a start or a checkpoint to a result.
//!
//! [`Trainer`] holds everything that a training needs. It checks the parts, then `training_loop` does epochs and
//! steps inside Burn's learner, whose dashboard people see (`burn_dashboard` says why).

pub mod best_epoch;
pub mod burn_dashboard;
pub mod early_stopping;
pub mod interrupt;
mod observer;
mod replica;
mod result;
mod split_data;
mod start;
mod stepwise;
mod training_loop;

use std::time::Duration;

use burn::tensor::Device;
use emberlab_datasets::DeviceDataset;
use emberlab_models::Network;
use emberlab_storage::{Checkpoint, CheckpointStore, Identity};

pub use burn_dashboard::{Dashboard, OpenDashboard, Stay};
pub use observer::{EpochRecord, Observer};
pub use replica::epochs_without_improvement;
pub use result::TrainingResult;
pub use split_data::SplitData;
pub use stepwise::{EpochUnderWay, StepwiseTraining};

use crate::checkpoint::CheckpointConfig;
use crate::config::TrainingConfig;
use crate::error::TrainingError;
use crate::inspection::Probe;
use crate::loss::LossConfig;
use crate::optimizer::OptimizerConfig;
use crate::scheduler::SchedulerConfig;
use crate::task::Task;
use interrupt::StopFlag;
use training_loop::TrainingLoop;

/// Everything that one training needs.
pub struct Trainer {
    /// The title of its dashboard.
    pub label: String,
    /// The network to start from, on the [device of tensors](crate::TrainedBy::tensor_device) with autodiff.
    pub network: Network,
    /// The device that trains.
    pub device: Device,
    /// Its loss.
    pub loss: LossConfig,
    /// The task that it learns.
    pub task: Task,
    /// Its optimiser.
    pub optimizer: OptimizerConfig,
    /// Its learning-rate schedule.
    pub scheduler: SchedulerConfig,
    /// How long it trains, in which batches, and when it stops early.
    pub training: TrainingConfig,
    /// When it writes checkpoints.
    pub checkpoint: CheckpointConfig,
    /// The rows on which its layers are recorded, if they are.
    pub probe: Option<Probe>,
    /// Where it writes checkpoints, if anywhere.
    pub store: Option<CheckpointStore>,
    /// The configuration and the data, as its checkpoints record them.
    pub identity: Identity,
    /// The seed of shuffles.
    pub seed: u64,
    /// The data.
    pub data: SplitData,
    /// The display for a person.
    pub dashboard: Dashboard,
    /// The shortest time that an epoch may take, so that people can watch: a faster training waits. Waiting changes no
    /// result and is not part of the recorded time.
    pub least_epoch: Duration,
    /// Asks the training to stop.
    pub stop: StopFlag,
    /// Receives every epoch.
    pub observer: Box<dyn Observer>,
}

impl Trainer {
    /// Trains from the start, or from a checkpoint of the same training.
    ///
    /// # Errors
    /// [`TrainingError`]; everything saved before stays. A panic inside Burn is an error too, after one more attempt
    /// to save.
    pub fn run(self, from: Option<&Checkpoint>) -> Result<TrainingResult, TrainingError> {
        let (mut results, _) = Self::run_all(vec![(self, from)])?;
        results
            .pop()
            .ok_or_else(|| TrainingError::Panic("the training has no result".into()))
    }

    /// Trains many networks at once, each from the start or from its checkpoint. Returns their results, in order, and
    /// the dashboard, which closes when it is dropped.
    ///
    /// Each result equals that of [`run`](Self::run) up to rounding, and each training saves the same files. The
    /// dashboard shows the first training.
    ///
    /// A training that stops early leaves, and the others go on. A training whose weights become NaN or infinite
    /// goes on as it would alone, and changes no other.
    ///
    /// # Errors
    /// As for `run`, of the first training that fails; [`TrainingError::NotAlike`] if there are none, or unless all are
    /// [alike](Self::is_like), have networks that a [`BatchedModel`](emberlab_models::BatchedModel) takes, and begin at
    /// the same step.
    pub fn run_all(
        trainers: Vec<(Self, Option<&Checkpoint>)>,
    ) -> Result<(Vec<TrainingResult>, OpenDashboard), TrainingError> {
        let label = trainers.first().map(|(first, _)| first.label.clone());
        burn_dashboard::run(TrainingLoop::new(trainers)?, &label.unwrap_or_default())
    }

    /// Whether two trainings differ at most in seed, data and learning rate, and their splits have as many rows:
    /// then they can train at once.
    pub fn is_like(&self, other: &Self) -> bool {
        let rows = |data: &SplitData| {
            let splits = [Some(&data.train), data.valid.as_ref(), data.test.as_ref()];
            splits.map(|split| split.map(DeviceDataset::len))
        };
        let inspect = |one: &Self| one.probe.as_ref().map(|probe| probe.config.clone());
        self.device == other.device
            && self.loss == other.loss
            && self.task == other.task
            && self.optimizer.rule == other.optimizer.rule
            && self.scheduler == other.scheduler
            && self.training == other.training
            && self.checkpoint == other.checkpoint
            && inspect(self) == inspect(other)
            && rows(&self.data) == rows(&other.data)
    }
}
