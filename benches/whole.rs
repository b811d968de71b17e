//! The loop of `emberlab train`, with metrics, events and checkpoints, without a split to validate on.

use std::path::Path;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use emberlab_datasets::DeviceDataset;
use emberlab_storage::{CheckpointStore, Identity};
use emberlab_training::{
    CheckpointConfig, Dashboard, EpochRecord, Observer, SchedulerConfig, SplitData, StopFlag, Task,
    Trainer, TrainingError,
};

use crate::cases::{Case, loss};

/// Tells when each epoch ended.
struct Clock(Sender<Instant>);

impl Observer for Clock {
    fn epoch_ended(&mut self, _: &EpochRecord) -> Result<(), TrainingError> {
        self.0.send(Instant::now()).expect("somebody listens");
        Ok(())
    }
}

/// A training of a network that saves below `folder` and tells `clock` when each epoch ended.
pub fn fit(
    case: Case,
    data: &DeviceDataset,
    num_epochs: usize,
    folder: &Path,
    clock: Sender<Instant>,
) -> Trainer {
    Trainer {
        label: case.to_string(),
        network: case.network(),
        device: data.inputs.device(),
        loss: loss(),
        task: Task::Multiclass {
            num_classes: case.dims[case.dims.len() - 1],
        },
        optimizer: case.optimizer(),
        scheduler: SchedulerConfig::default(),
        training: case.training(num_epochs),
        checkpoint: CheckpointConfig::default(),
        probe: None,
        store: Some(CheckpointStore::new(folder.join("run"), 2)),
        identity: Identity {
            config: String::new(),
            data_sha256: String::new(),
        },
        seed: 0,
        data: SplitData {
            train: data.clone(),
            valid: None,
            test: None,
        },
        dashboard: Dashboard::Quiet,
        least_epoch: Duration::ZERO,
        stop: StopFlag::default(),
        observer: Box::new(Clock(clock)),
    }
}
