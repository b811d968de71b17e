//! What the loop keeps for each training it runs: how far it is, its best network, its checkpoints.

use std::time::Duration;

use emberlab_metrics::{Direction, Split, SplitMetrics};
use emberlab_models::Network;
use emberlab_run_format::files::checkpoint::{BEST, NETWORK, OPTIMIZER, PROGRESS};
use emberlab_storage::{Checkpoint, CheckpointStore, Identity, Position, StorageError};
use serde::{Deserialize, Serialize};

use crate::config::TrainingConfig;
use crate::engine::TrainingEngine;
use crate::error::TrainingError;
use crate::fit::Observer;
use crate::metric_accumulator::MetricAccumulator;
use crate::objective::EarlyStoppingState;
use crate::record::{network_bytes, unreadable};
use crate::scheduler::Scheduler;

/// How far a training is: with weights and optimiser state, all that resuming needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Epochs done, and steps done in the epoch under way.
    pub(crate) position: Position,
    /// Steps done.
    pub(crate) step: u64,
    /// Metrics of the epoch under way.
    #[serde(rename = "tally")] // as progress.toml has always called it
    pub(crate) accumulator: MetricAccumulator,
    /// What early stopping remembers.
    #[serde(rename = "watch")] // as progress.toml has always called it
    pub(crate) early_stopping: EarlyStoppingState,
    /// Seconds spent before this session.
    pub(crate) elapsed: f64,
}

impl Progress {
    pub(crate) fn new(accumulator: MetricAccumulator) -> Self {
        Self {
            position: Position::default(),
            step: 0,
            accumulator,
            early_stopping: EarlyStoppingState::default(),
            elapsed: 0.0,
        }
    }

    /// Reads what [`Replica::save`] wrote.
    ///
    /// # Errors
    /// [`StorageError`] if the checkpoint lacks it or it is damaged.
    pub(crate) fn read(checkpoint: &Checkpoint) -> Result<Self, StorageError> {
        let damaged = |error: String| checkpoint.damaged(format!("{PROGRESS}: {error}"));
        let text = std::str::from_utf8(checkpoint.file(PROGRESS)?);
        let text = text.map_err(|e| damaged(e.to_string()))?;
        toml::from_str(text).map_err(|e| damaged(e.to_string()))
    }
}

/// One training in the loop.
pub(crate) struct Replica {
    /// Its place among those the loop began with.
    pub(crate) place: usize,
    pub(crate) progress: Progress,
    pub(crate) best: Option<Network>,
    pub(crate) scheduler: Scheduler,
    pub(crate) seed: u64,
    pub(crate) store: Option<CheckpointStore>,
    pub(crate) identity: Identity,
    pub(crate) observer: Box<dyn Observer>,
    /// The position of the newest checkpoint.
    pub(crate) saved: Option<Position>,
}

impl Replica {
    /// Whether its objective has not improved for as long as early stopping waits.
    pub(crate) fn is_out_of_patience(&self, training: &TrainingConfig) -> bool {
        let stopping = training.early_stopping.as_ref();
        stopping.is_some_and(|s| self.progress.early_stopping.waited >= s.patience)
    }

    /// Takes in the metrics of an epoch that has ended; returns whether it is the best so far.
    pub(crate) fn observe(
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
    pub(crate) fn last_learning_rate(&self) -> f64 {
        let step = self.progress.step.saturating_sub(1);
        self.scheduler.learning_rate(step)
    }

    /// Time spent, over all sessions, of which this has spent `spent` so far.
    pub(crate) fn elapsed(&self, spent: Duration) -> Duration {
        Duration::from_secs_f64(self.progress.elapsed) + spent
    }

    /// Writes a checkpoint of the network at `index`, unless the newest one is already of this position.
    ///
    /// # Errors
    /// [`TrainingError::Storage`] if it cannot be written, [`TrainingError::Read`] if the device fails.
    pub(crate) fn save(
        &mut self,
        engine: &dyn TrainingEngine,
        index: usize,
        spent: Duration,
    ) -> Result<(), TrainingError> {
        let position = self.progress.position;
        let Some(store) = &self.store else {
            return Ok(());
        };
        if self.saved == Some(position) {
            return Ok(());
        }
        let progress = Progress {
            elapsed: self.elapsed(spent).as_secs_f64(),
            ..self.progress.clone()
        };
        let network = network_bytes(&engine.network(index))?;
        let best = self.best.as_ref().map(network_bytes).transpose()?;
        let optimizer = engine.optimizer_bytes(index).map_err(unreadable)?;
        let progress =
            toml::to_string(&progress).map_err(|e| TrainingError::Read(e.to_string()))?;
        let attachments = self.observer.attachments();
        let mut files: Vec<(&str, &[u8])> = vec![
            (NETWORK, &network),
            (OPTIMIZER, &optimizer),
            (PROGRESS, progress.as_bytes()),
        ];
        if let Some(best) = &best {
            files.push((BEST, best));
        }
        files.extend(
            attachments
                .iter()
                .map(|(name, content)| (*name, content.as_slice())),
        );
        store.save(&self.identity, position, &files)?;
        self.saved = Some(position);
        Ok(())
    }
}
