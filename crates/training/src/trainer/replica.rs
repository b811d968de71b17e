//! The state of each training in the loop: its progress, its best network, its checkpoints.

use std::sync::Arc;
use std::time::Duration;

use emberlab_metrics::{Direction, Split, SplitMetrics};
use emberlab_run_format::files::checkpoint::{BEST, NETWORK, OPTIMIZER, PROGRESS};
use emberlab_storage::{Batch, Checkpoint, CheckpointStore, Identity, Position, StorageError};
use serde::{Deserialize, Serialize};

use super::early_stopping::EarlyStoppingState;
use super::observer::{EpochRecord, Observer};
use crate::config::TrainingConfig;
use crate::engine::{Shared, TrainingEngine};
use crate::error::TrainingError;
use crate::inspection::Inspector;
use crate::metric_accumulator::MetricAccumulator;
use crate::record::network_bytes;
use crate::scheduler::{PlateauState, Scheduler};

/// The progress of a training. Together with the weights and the state of the optimiser, it is all that resuming needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Epochs done, and steps done in the current epoch.
    pub(super) position: Position,
    /// Steps done.
    pub(super) step: u64,
    /// The metrics of the current epoch so far.
    #[serde(rename = "tally")] // the key in progress.toml since the first version
    pub(super) accumulator: MetricAccumulator,
    /// The best objective so far, and how long ago it was.
    #[serde(rename = "watch")] // the key in progress.toml since the first version
    pub(super) early_stopping: EarlyStoppingState,
    /// Seconds of training before the training was last started or resumed.
    pub(super) elapsed: f64,
    /// In a checkpoint, the state that learning rates follow from besides the step. In a training, the scheduler has
    /// it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) plateau: Option<PlateauState>,
}

impl Progress {
    /// The start of a training.
    pub(super) fn new(accumulator: MetricAccumulator) -> Self {
        Self {
            position: Position::default(),
            step: 0,
            accumulator,
            early_stopping: EarlyStoppingState::default(),
            elapsed: 0.0,
            plateau: None,
        }
    }

    /// Reads the progress from a checkpoint that [`Replica::write_checkpoint`] wrote.
    ///
    /// # Errors
    /// [`StorageError`] if the checkpoint has no progress, or if it is damaged.
    pub(super) fn read(checkpoint: &Checkpoint) -> Result<Self, StorageError> {
        let damaged = |error: String| checkpoint.damaged(format!("{PROGRESS}: {error}"));
        let text = std::str::from_utf8(checkpoint.file(PROGRESS)?);
        let text = text.map_err(|e| damaged(e.to_string()))?;
        Self::parse(text).map_err(damaged)
    }

    /// Reads the text that [`to_toml`](Self::to_toml) wrote.
    ///
    /// # Errors
    /// A message if it is another text, or has a time that no training can have taken.
    fn parse(text: &str) -> Result<Self, String> {
        let progress: Self = toml::from_str(text).map_err(|e| e.to_string())?;
        match Duration::try_from_secs_f64(progress.elapsed) {
            Ok(_) => Ok(progress),
            Err(error) => Err(format!("`elapsed` is {}: {error}", progress.elapsed)),
        }
    }

    /// The progress as it is written into a checkpoint.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if a number cannot be written as TOML.
    pub(super) fn to_toml(&self) -> Result<String, TrainingError> {
        toml::to_string(self).map_err(|e| TrainingError::Read(e.to_string()))
    }
}

/// The number of epochs at a checkpoint since the objective last improved enough for early stopping.
///
/// # Errors
/// [`StorageError`] if the checkpoint is damaged.
pub fn epochs_without_improvement(checkpoint: &Checkpoint) -> Result<usize, StorageError> {
    Ok(Progress::read(checkpoint)?.early_stopping.waited)
}

/// One training in the loop, whose network the engine holds.
pub(super) struct Replica {
    /// Its place among the trainings that the loop began with.
    pub(super) place: usize,
    pub(super) progress: Progress,
    pub(super) scheduler: Scheduler,
    /// The folder of its checkpoints, if it saves any.
    pub(super) store: Option<CheckpointStore>,
    pub(super) identity: Identity,
    pub(super) observer: Box<dyn Observer>,
    /// Records its layers, if they are recorded.
    pub(super) inspector: Option<Arc<Inspector>>,
    /// The position of the newest checkpoint.
    pub(super) saved: Option<Position>,
    /// Whether the last failure to save was for want of room on the disk.
    pub(super) lacks_room: bool,
}

impl Replica {
    /// Whether the objective has not improved for long enough that early stopping ends the training.
    pub(super) fn is_out_of_patience(&self, training: &TrainingConfig) -> bool {
        let stopping = training.early_stopping.as_ref();
        stopping.is_some_and(|stopping| stopping.is_due(&self.progress.early_stopping))
    }

    /// Ends an epoch with these metrics. Returns its record, and whether the observer could write it down.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if a class number is not one of the task's; checked tasks have none.
    pub(super) fn end_epoch(
        &mut self,
        shared: &Shared,
        train: SplitMetrics,
        valid: Option<SplitMetrics>,
        spent: Duration,
    ) -> Result<(EpochRecord, Result<(), TrainingError>), TrainingError> {
        self.progress.position = Position {
            epoch: self.progress.position.epoch + 1,
            step_in_epoch: 0,
        };
        self.progress.accumulator = MetricAccumulator::new(&shared.task, &shared.asked)?;
        let is_best = self.observe(&shared.training, &train, valid.as_ref());
        let learning_rate = self.last_learning_rate();
        (self.scheduler).end_epoch(self.progress.step, &train, valid.as_ref());
        let record = EpochRecord {
            epoch: self.progress.position.epoch,
            num_epochs: shared.training.num_epochs,
            step: self.progress.step,
            learning_rate,
            train,
            valid,
            is_best,
            elapsed: self.elapsed(spent),
        };
        let written = self.observer.epoch_ended(&record);
        Ok((record, written))
    }

    /// Shows early stopping the metrics of an epoch that has ended. Returns whether the epoch is the best so far.
    fn observe(
        &mut self,
        training: &TrainingConfig,
        train: &SplitMetrics,
        valid: Option<&SplitMetrics>,
    ) -> bool {
        let objective = &training.objective;
        let watched = match objective.split {
            Split::Valid => valid.unwrap_or(train),
            _ => train,
        };
        let value = watched.get(objective.metric).unwrap_or(f64::NAN);
        let higher = objective.metric.direction() == Direction::Higher;
        let epoch = self.progress.position.epoch;
        let stopping = training.early_stopping.as_ref();
        (self.progress.early_stopping).observe(epoch, value, higher, stopping)
    }

    /// The learning rate of the last step.
    pub(super) fn last_learning_rate(&self) -> f64 {
        let step = self.progress.step.saturating_sub(1);
        self.scheduler.learning_rate(step)
    }

    /// The time spent on the training, including the time before it was resumed; `spent` is the time since then.
    pub(super) fn elapsed(&self, spent: Duration) -> Duration {
        Duration::from_secs_f64(self.progress.elapsed).saturating_add(spent)
    }

    /// Whether a checkpoint is to be written: there is a place for it, and the newest one has another position.
    pub(super) fn has_to_save(&self) -> bool {
        self.store.is_some() && self.saved != Some(self.progress.position)
    }

    /// Writes a checkpoint of the network at `index`, which appears with the `batch`.
    ///
    /// # Errors
    /// [`TrainingError::Storage`] if it cannot be written, [`TrainingError::Read`] if the device fails.
    pub(super) fn write_checkpoint(
        &self,
        engine: &mut dyn TrainingEngine,
        index: usize,
        spent: Duration,
        batch: &mut Batch,
    ) -> Result<(), TrainingError> {
        let Some(store) = &self.store else {
            return Ok(());
        };
        let files = self.checkpoint_files(engine, index, spent, self.observer.attachments())?;
        let files: Vec<(&str, &[u8])> = files
            .iter()
            .map(|(name, content)| (*name, content.as_slice()))
            .collect();
        store.write(&self.identity, self.progress.position, &files, batch)?;
        Ok(())
    }

    /// The files of a checkpoint of the network at `index`, by name.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    pub(super) fn checkpoint_files(
        &self,
        engine: &mut dyn TrainingEngine,
        index: usize,
        spent: Duration,
        attachments: Vec<(&'static str, Vec<u8>)>,
    ) -> Result<Vec<(&'static str, Vec<u8>)>, TrainingError> {
        let progress = Progress {
            elapsed: self.elapsed(spent).as_secs_f64(),
            plateau: self.scheduler.plateau().cloned(),
            ..self.progress.clone()
        };
        let network = network_bytes(&engine.network(index)?)?;
        let best = engine
            .best(index)?
            .as_ref()
            .map(network_bytes)
            .transpose()?;
        let optimizer = engine.optimizer_bytes(index)?.to_vec();
        let mut files = vec![
            (NETWORK, network.to_vec()),
            (OPTIMIZER, optimizer),
            (PROGRESS, progress.to_toml()?.into_bytes()),
        ];
        files.extend(best.map(|best| (BEST, best.to_vec())));
        files.extend(attachments);
        Ok(files)
    }

    /// Notes that the checkpoint of this position has appeared, and removes the oldest ones.
    ///
    /// # Errors
    /// [`TrainingError::Storage`] if one cannot be removed.
    pub(super) fn has_saved(&mut self) -> Result<(), TrainingError> {
        self.saved = Some(self.progress.position);
        match &self.store {
            Some(store) => Ok(store.remove_old()?),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::task::Task;

    #[test]
    fn a_time_that_no_training_can_have_taken_is_damage() {
        let task = Task::Binary { on_logits: true };
        let with = |elapsed: f64| {
            let start = Progress::new(MetricAccumulator::new(&task, &[]).unwrap());
            Progress { elapsed, ..start }
        };
        let read = |elapsed: f64| Progress::parse(&with(elapsed).to_toml().unwrap());
        assert_eq!(read(2.5).unwrap(), with(2.5));
        for elapsed in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
            let message = read(elapsed).unwrap_err();
            assert!(message.starts_with("`elapsed` is "), "{message}");
        }
    }
}
