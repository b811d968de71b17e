//! The loop of a training whose caller decides after every call whether it goes on.

use std::time::Duration;

use emberlab_models::Network;
use emberlab_storage::Checkpoint;

use super::super::burn_dashboard::Display;
use super::TrainingLoop;
use crate::error::TrainingError;

impl TrainingLoop {
    /// Trains at most `num_steps`, and at most to the end of the epoch under way. Returns whether there is more to
    /// train.
    ///
    /// # Errors
    /// [`TrainingError`] if the device fails.
    pub(in crate::trainer) fn advance(
        &mut self,
        num_steps: u64,
        display: &mut Display<'_>,
    ) -> Result<bool, TrainingError> {
        if self.is_over() {
            return Ok(false);
        }
        self.stop.request_at(self.step().saturating_add(num_steps));
        let trained = self.train_epoch(display)?;
        // If the last step ended the epoch, no request to stop may interrupt the evaluation of the epoch.
        self.stop.request_at(u64::MAX);
        if trained.is_continue() {
            let _goes_on = self.end_epoch(display)?;
        }
        Ok(!self.is_over())
    }

    /// Whether all epochs are done, or early stopping has ended the training.
    fn is_over(&self) -> bool {
        self.position().epoch >= self.num_epochs() || !self.out_of_patience().is_empty()
    }

    /// The number of steps that take about `time`; at least one.
    pub(in crate::trainer) fn steps_within(&self, time: Duration) -> usize {
        self.engine.steps_within(time).max(1)
    }

    /// The first network as it is evaluated.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    pub(in crate::trainer) fn evaluated_network(&mut self) -> Result<Network, TrainingError> {
        self.engine.evaluated_network(0)
    }

    /// The first network as it learns.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    pub(in crate::trainer) fn learning_network(&mut self) -> Result<Network, TrainingError> {
        self.engine.network(0)
    }

    /// A checkpoint of the first training in memory, with `attachments` beside its own files.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    pub(in crate::trainer) fn checkpoint(
        &mut self,
        attachments: Vec<(&'static str, Vec<u8>)>,
    ) -> Result<Checkpoint, TrainingError> {
        self.read_results()?;
        self.count_time();
        let replica = &self.replicas[0];
        let files = replica.checkpoint_files(&mut *self.engine, 0, self.spent, attachments)?;
        let files = files.into_iter();
        let files = files.map(|(name, content)| (name.to_string(), content));
        let (identity, position) = (replica.identity.clone(), replica.progress.position);
        Ok(Checkpoint::in_memory(identity, position, files.collect()))
    }
}
