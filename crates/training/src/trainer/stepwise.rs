//! A training that takes as many steps as its caller asks for.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use emberlab_models::Network;
use emberlab_storage::{Checkpoint, Position};

use super::burn_dashboard::Display;
use super::observer::{EpochRecord, Observer};
use super::training_loop::TrainingLoop;
use super::{Trainer, start};
use crate::error::TrainingError;

/// A training in the memory of this process. Its caller decides after every call whether it goes on.
///
/// It takes the same steps as [`Trainer::run`], to the bit. It writes no files; [`checkpoint`](Self::checkpoint) holds
/// all that is needed to go on, with other settings too, or to save it as a run.
pub struct StepwiseTraining {
    training: TrainingLoop,
    ended: Arc<Mutex<Vec<EpochRecord>>>,
}

/// How a training with other settings than before treats the epoch that was under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpochUnderWay {
    /// It goes on, as a training that is resumed does.
    GoesOn,
    /// It begins anew, because batches may be others than before.
    BeginsAnew,
}

impl StepwiseTraining {
    /// Starts a training, or goes on with one from its checkpoint. Store, dashboard and observer of the `trainer` are
    /// not used.
    ///
    /// # Errors
    /// As for [`Trainer::run`]; [`TrainingError::FlatLoss`] for a loss that cannot train.
    pub fn new(
        trainer: Trainer,
        from: Option<(&Checkpoint, EpochUnderWay)>,
    ) -> Result<Self, TrainingError> {
        let ended = Arc::default();
        let trainer = Trainer {
            store: None,
            observer: Box::new(Ended(Arc::clone(&ended))),
            ..trainer
        };
        let begun_anew = match from {
            Some((checkpoint, EpochUnderWay::BeginsAnew)) => {
                let asked = trainer.training.asked_metrics(&trainer.scheduler);
                Some(start::with_epoch_begun_anew(
                    checkpoint,
                    &trainer.task,
                    &asked,
                )?)
            }
            _ => None,
        };
        let from = begun_anew
            .as_ref()
            .or(from.map(|(checkpoint, _)| checkpoint));
        let training = TrainingLoop::new(vec![(trainer, from)])?;
        training.check_loss()?;
        Ok(Self { training, ended })
    }

    /// Trains at most `num_steps`, and at most to the end of the epoch under way. Returns whether there is more to
    /// train.
    ///
    /// # Errors
    /// [`TrainingError`]. After one, the network may be within a step: begin anew.
    pub fn advance(&mut self, num_steps: u64) -> Result<bool, TrainingError> {
        self.training.advance(num_steps, &mut Display::silent())
    }

    /// The number of steps that take about `time`; at least one.
    pub fn steps_within(&self, time: Duration) -> u64 {
        self.training.steps_within(time) as u64
    }

    /// Epochs done, and steps done in the epoch under way.
    pub fn position(&self) -> Position {
        self.training.position()
    }

    /// Steps done in all epochs.
    pub fn step(&self) -> u64 {
        self.training.step()
    }

    /// Whether early stopping has ended the training.
    pub fn has_stopped_early(&self) -> bool {
        !self.training.out_of_patience().is_empty()
    }

    /// The epochs that have ended since the last call.
    pub fn ended_epochs(&mut self) -> Vec<EpochRecord> {
        std::mem::take(&mut *self.ended.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The network as it is evaluated, on a plain device.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    pub fn network(&mut self) -> Result<Network, TrainingError> {
        self.training.evaluated_network()
    }

    /// The network as it learns, which differs from [`network`](Self::network) if weights are averaged.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    pub fn learning_network(&mut self) -> Result<Network, TrainingError> {
        self.training.learning_network()
    }

    /// All that is needed to go on, in memory. `attachments` are further files of the checkpoint.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    pub fn checkpoint(
        &mut self,
        attachments: Vec<(&'static str, Vec<u8>)>,
    ) -> Result<Checkpoint, TrainingError> {
        self.training.checkpoint(attachments)
    }
}

/// Collects the epochs that have ended.
struct Ended(Arc<Mutex<Vec<EpochRecord>>>);

impl Observer for Ended {
    fn epoch_ended(&mut self, record: &EpochRecord) -> Result<(), TrainingError> {
        let mut ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ended.push(record.clone());
        Ok(())
    }
}
