//! The result of a training, in memory.

use std::time::Duration;

use emberlab_metrics::Split;
use emberlab_models::Network;
use emberlab_run_format::Ending;

use super::best_epoch::BestEpoch;
use crate::predict::Predicted;

/// The result of a training.
#[derive(Debug)]
pub struct TrainingResult {
    /// The reason why the training ended.
    pub ending: Ending,
    /// The network after the last step.
    pub network: Network,
    /// The network of the best epoch; none if the objective was NaN or infinite in every epoch.
    pub best: Option<(BestEpoch, Network)>,
    /// Epochs done.
    pub epoch: usize,
    /// Optimiser steps done.
    pub step: u64,
    /// Time spent training, without interruptions.
    pub elapsed: Duration,
    /// Metrics and outputs of the last network on every split that has rows; empty if interrupted.
    pub predicted: Vec<(Split, Predicted)>,
    /// Whether a checkpoint holds everything up to here.
    pub is_saved: bool,
}
