//! The observer of a training, and the records that it receives.

use std::time::Duration;

use emberlab_metrics::SplitMetrics;
use emberlab_run_format::FindingKind;

use crate::error::TrainingError;
use crate::inspection::LayerRecord;

/// One row of a run's history.
#[derive(Debug, Clone, PartialEq)]
pub struct EpochRecord {
    /// Epochs done, counted from 1.
    pub epoch: usize,
    /// Epochs planned.
    pub num_epochs: usize,
    /// Optimiser steps done.
    pub step: u64,
    /// The learning rate of the last step of the epoch.
    pub learning_rate: f64,
    /// Metrics of the training split.
    pub train: SplitMetrics,
    /// Metrics of the validation split, if there is one.
    pub valid: Option<SplitMetrics>,
    /// Whether the epoch is the best so far.
    pub is_best: bool,
    /// Time since the training began, without interruptions.
    pub elapsed: Duration,
}

/// Receives the progress of a training.
pub trait Observer: Send {
    /// An epoch has ended.
    ///
    /// # Errors
    /// The reason why the observer could not write the epoch down, such as a full disk. It is treated like a checkpoint
    /// that could not be written.
    fn epoch_ended(&mut self, record: &EpochRecord) -> Result<(), TrainingError>;

    /// The layers have been recorded.
    ///
    /// # Errors
    /// As for [`epoch_ended`](Self::epoch_ended).
    fn inspected(&mut self, _record: &LayerRecord) -> Result<(), TrainingError> {
        Ok(())
    }

    /// The training begins, and these problems of its data are known.
    fn begins_with(&mut self, _problems: &[FindingKind]) {}

    /// The problems that it has found so far, in a few words each: a dashboard shows them.
    fn findings(&self) -> Vec<String> {
        Vec::new()
    }

    /// Files that belong into a checkpoint beside the network's, by name.
    fn attachments(&self) -> Vec<(&'static str, Vec<u8>)> {
        Vec::new()
    }

    /// Writes down everything that still waits to be written. Called at the end of a training, also of one that is
    /// interrupted.
    ///
    /// # Errors
    /// As for [`epoch_ended`](Self::epoch_ended).
    fn flush(&mut self) -> Result<(), TrainingError> {
        Ok(())
    }

    /// A file could not be written, and the training goes on because `checkpoint.on_error` is `continue`.
    fn save_failed(&mut self, _error: &TrainingError) {}

    /// The training is done, and waits for room on the disk to save it.
    fn waits_for_room(&mut self) {}
}
