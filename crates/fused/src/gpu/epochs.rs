//! Whole epochs on a GPU: their plan, and the few numbers of their results.

use super::training::{Split, Steps};

/// Epochs that all replicas train without the host.
///
/// After each epoch the kernel evaluates the validation split, if there is one, keeps the weights of the best epoch,
/// and stops a replica whose patience ran out.
#[derive(Debug, Clone)]
pub struct EpochPlan<'a> {
    /// Rows and learning rates of all epochs, end to end. All epochs have the same number of rows.
    pub steps: Steps<'a>,
    /// Number of epochs.
    pub num_epochs: usize,
    /// Rows of a batch of the validation.
    pub evaluation_batch_size: usize,
    /// How the best epoch is chosen; without an objective no weights are kept.
    pub objective: Option<Objective>,
    /// Epochs in a row without a better one after which a replica stops; at least 1.
    pub patience: Option<u32>,
    /// The best score of each replica so far.
    pub progress: Vec<Progress>,
}

/// How the best epoch is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Objective {
    /// The metric: a loss should be low, an accuracy high.
    pub metric: Metric,
    /// The split that it is measured on.
    pub split: Split,
}

/// A metric by which the best epoch can be chosen on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// The mean loss.
    Loss,
    /// The share of rows whose class is predicted.
    Accuracy,
}

/// How far the choice of the best epoch is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Progress {
    /// The best score so far: a loss, or an accuracy from 0 to 1.
    pub best: Option<f32>,
    /// Epochs since then.
    pub waited: u32,
    /// Whether the replica stopped because its patience ran out.
    pub is_stopped: bool,
}

impl Progress {
    /// The numbers that the kernel keeps; see its `TRACK`. An accuracy is there a negative number of rows.
    pub(super) fn to_track(self, objective: Option<Objective>, num_rows: usize) -> Vec<f32> {
        let mut track = vec![0.0; super::kernel::TRACK];
        if let Some(best) = self.best {
            let is_accuracy = is_accuracy(objective);
            track[6] = if is_accuracy {
                -(best * num_rows as f32).round()
            } else {
                best
            };
            track[7] = 1.0;
        }
        track[8] = self.waited as f32;
        track[9] = f32::from(u8::from(self.is_stopped));
        track
    }

    /// The progress from the numbers that the kernel keeps.
    pub(super) fn from_track(track: &[f32], objective: Option<Objective>, num_rows: usize) -> Self {
        let score = match is_accuracy(objective) {
            true => -track[6] / num_rows.max(1) as f32,
            false => track[6],
        };
        Self {
            best: (track[7] != 0.0).then_some(score),
            waited: track[8] as u32,
            is_stopped: track[9] != 0.0,
        }
    }
}

fn is_accuracy(objective: Option<Objective>) -> bool {
    objective.is_some_and(|objective| objective.metric == Metric::Accuracy)
}

/// The results of epochs.
#[derive(Debug, Clone, PartialEq)]
pub struct EpochResults {
    /// For each replica its epochs: all of them, or fewer if its patience ran out.
    pub epochs: Vec<Vec<EpochResult>>,
    /// The progress of each replica after its last epoch.
    pub progress: Vec<Progress>,
}

/// The result of one epoch of one replica.
#[derive(Debug, Clone, PartialEq)]
pub struct EpochResult {
    /// The mean of the losses of its batches, each weighted by its rows.
    pub train_loss: f32,
    /// The same of the validation split, if there is one.
    pub valid_loss: Option<f32>,
    /// Confusion counts of the training split's outputs before each step; see
    /// [`GpuResults::counts`](super::GpuResults::counts).
    pub train_counts: Vec<u32>,
    /// Confusion counts of the validation split.
    pub valid_counts: Vec<u32>,
    /// Outputs before each step, in the order of the rows, if outputs are kept.
    pub train_outputs: Vec<f32>,
    /// Outputs of the validation split, if outputs are kept.
    pub valid_outputs: Vec<f32>,
    /// Whether this epoch is the best so far.
    pub is_best: bool,
}
