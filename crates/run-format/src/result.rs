//! `result.json`: how a training ended, and the metrics of its last network.

use std::collections::BTreeMap;

use emberlab_metrics::{BinaryScores, Metric, Split, SplitMetrics};
use emberlab_storage::Digested;
use serde::{Deserialize, Serialize};

/// How a training ended, and the metrics of its last network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// How the training ended.
    pub ending: Ending,
    /// Epochs done.
    pub epochs: usize,
    /// Optimiser steps done.
    pub steps: u64,
    /// Number of trainable parameters of the network.
    pub num_parameters: usize,
    /// Seconds spent training, over all sessions.
    pub seconds: f64,
    /// Metrics of the last network in evaluation mode, by split.
    pub metrics: BTreeMap<Split, SplitMetrics>,
    /// The best epoch by the objective; none if the objective was never finite.
    pub best: Option<BestEpoch>,
    /// Scores of the positive class, which is the second, at the thresholds that the configuration asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<ThresholdScores>,
    /// Whether a checkpoint holds everything up to the end. Only in memory: an interrupted training has no
    /// `result.json`.
    #[serde(skip)]
    pub is_saved: bool,
    /// The run's other files with their checksums.
    #[serde(default)]
    pub files: Vec<Digested>,
}

/// How a training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Every epoch was done.
    Completed,
    /// The objective no longer improved.
    StoppedEarly,
    /// Somebody asked it to stop; a checkpoint holds everything so far.
    Interrupted,
}

/// The best epoch of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BestEpoch {
    /// Counted from 1.
    pub epoch: usize,
    /// The metric of the objective.
    pub metric: Metric,
    /// The split it was measured on.
    pub split: Split,
    /// Its value in that epoch.
    pub value: f64,
}

/// The last network's scores of the positive class at one threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThresholdScores {
    /// The split they were measured on.
    pub split: Split,
    /// The threshold and the scores.
    pub scores: BinaryScores,
}
