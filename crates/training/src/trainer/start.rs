//! The start of a training: its configuration, or a checkpoint.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::Bytes;
use emberlab_metrics::Metric;
use emberlab_run_format::files::checkpoint::{BEST, NETWORK, OPTIMIZER, PROGRESS};
use emberlab_storage::{Checkpoint, Position};

use super::Trainer;
use super::replica::{Progress, Replica};
use crate::engine::Beginning;
use crate::error::TrainingError;
use crate::inspection::Inspector;
use crate::metric_accumulator::MetricAccumulator;
use crate::optimizer::Optimizer;
use crate::record::load_network;
use crate::scheduler::Scheduler;
use crate::supervised_model::SupervisedModel;
use crate::task::Task;

/// A training at its start or its checkpoint, and the network for its engine. `place` is its number among those that
/// train at once.
///
/// # Errors
/// [`TrainingError::Storage`] for a damaged checkpoint.
pub(super) fn start(
    place: usize,
    trainer: Trainer,
    from: Option<&Checkpoint>,
) -> Result<(Replica, Beginning), TrainingError> {
    let batches = trainer.training.batches();
    let num_batches = batches.num_batches(trainer.data.train.len());
    let num_epochs = trainer.training.num_epochs;
    let mut scheduler = Scheduler::new(
        &trainer.scheduler,
        &trainer.optimizer,
        num_batches,
        num_epochs,
    );
    let inspector = trainer.probe.and_then(|probe| {
        let (loss, task) = (&trainer.loss, &trainer.task);
        Inspector::new(probe, loss, task, num_batches, num_epochs)
    });
    let mut network = trainer.network;
    let mut best = None;
    let asked = trainer.training.asked_metrics(&trainer.scheduler);
    let mut progress = Progress::new(MetricAccumulator::new(&trainer.task, &asked)?);
    if let Some(from) = from {
        progress = Progress::read(from)?;
        scheduler = scheduler.with_plateau(progress.plateau.take());
        let load = |network, bytes| load_network(network, bytes).map_err(|e| from.damaged(e));
        if let Some(bytes) = from.optional(BEST) {
            best = Some(load(network.clone(), bytes)?.valid());
        }
        network = load(network, from.file(NETWORK)?)?;
    }
    let supervised = SupervisedModel::new(network, trainer.loss).for_training();
    let (training, num_train) = (&trainer.training, trainer.data.train.len());
    let mut optimizer =
        Optimizer::of_training(&trainer.optimizer, training, num_train, &supervised);
    if let Some(from) = from {
        let bytes = Bytes::from_bytes_vec(from.file(OPTIMIZER)?.to_vec());
        optimizer = optimizer
            .load_bytes(bytes, progress.step)
            .map_err(|e| from.damaged(format!("{OPTIMIZER}: {e}")))?;
    }
    let replica = Replica {
        place,
        saved: from.map(|from| from.position),
        lacks_room: false,
        progress,
        scheduler: scheduler.clone(),
        store: trainer.store,
        identity: trainer.identity,
        observer: trainer.observer,
        inspector: inspector.map(Arc::new),
    };
    let beginning = Beginning {
        network: supervised.network,
        optimizer,
        best,
        data: trainer.data,
        seed: trainer.seed,
        scheduler,
    };
    Ok((replica, beginning))
}

/// A checkpoint whose epoch under way, if there is one, begins anew with the weights of the checkpoint.
///
/// # Errors
/// [`TrainingError::Storage`] for a damaged checkpoint.
pub(super) fn with_epoch_begun_anew(
    checkpoint: &Checkpoint,
    task: &Task,
    asked: &[Metric],
) -> Result<Checkpoint, TrainingError> {
    let mut progress = Progress::read(checkpoint)?;
    progress.position = Position {
        step_in_epoch: 0,
        ..progress.position
    };
    progress.accumulator = MetricAccumulator::new(task, asked)?;
    let text = progress.to_toml()?;
    Ok(checkpoint.with_file(PROGRESS, text.into_bytes(), progress.position))
}
