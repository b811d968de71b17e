//! The order of the training rows in one epoch.

use std::ops::Range;

use emberlab_rng::stream;

use super::config::Batching;
use crate::random;

/// The order of the training rows in one epoch, cut into batches. It lies in the host's memory.
///
/// The order is a Fisher–Yates shuffle from the stream `(seed, "shuffle", [epoch])`, so that an interrupted epoch
/// can be resumed at any step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowOrder {
    rows: Vec<u32>,
    batch_size: usize,
    num_batches: usize,
}

impl RowOrder {
    /// The order of `num_rows` rows in `epoch`, which is counted from 0. The configuration must be
    /// [valid](Batching::validate) for them.
    pub fn new(config: &Batching, num_rows: usize, seed: u64, epoch: u64) -> Self {
        let rows = match config.is_shuffled() {
            true => random::permutation(num_rows, &mut stream(seed, "shuffle", &[epoch])),
            false => (0..num_rows as u32).collect(),
        };
        Self {
            rows,
            batch_size: config.rows_per_batch(num_rows),
            num_batches: config.num_batches(num_rows),
        }
    }

    /// Number of batches in the epoch.
    pub fn num_batches(&self) -> usize {
        self.num_batches
    }

    /// Rows of each batch; the last may have fewer.
    pub fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// The rows of the batches of these steps, end to end; empty after the last step.
    pub fn rows(&self, steps: Range<usize>) -> &[u32] {
        let place = |step: usize| {
            let step = step.min(self.num_batches);
            step.saturating_mul(self.batch_size).min(self.rows.len())
        };
        &self.rows[place(steps.start)..place(steps.end)]
    }

    /// All rows, also those that are left out because the last batch would be shorter than the others.
    pub(super) fn into_rows(self) -> Vec<u32> {
        self.rows
    }
}
