//! Learning curves, thinned out when they are long.

use emberlab_metrics::SplitMetrics;
use emberlab_training::EpochRecord;

use crate::message::{EpochRow, Epochs};

/// The most rows that are kept.
const MOST_ROWS: usize = 4000;

/// The rows of the present scene.
#[derive(Debug, Default)]
pub(super) struct History {
    scene: u64,
    rows: Vec<EpochRow>,
    /// One in this many epochs has a row. The number is doubled when there are too many rows.
    stride: usize,
    /// Counts how often the rows were replaced by others.
    generation: u64,
}

/// The rows that a page has.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    generation: u64,
    rows: usize,
}

impl History {
    /// Forgets all rows.
    pub(super) fn restart(&mut self, scene: u64) {
        self.scene = scene;
        self.rows.clear();
        self.stride = 1;
        self.generation += 1;
    }

    /// Whether an epoch has a row: with many epochs, only some have.
    pub(super) fn has_row(&self, epoch: usize) -> bool {
        epoch.is_multiple_of(self.stride.max(1))
    }

    /// Adds the row of an epoch.
    pub(super) fn push(&mut self, row: EpochRow) {
        self.rows.push(row);
        if self.rows.len() > MOST_ROWS {
            self.stride *= 2;
            let stride = self.stride;
            self.rows.retain(|row| row.epoch.is_multiple_of(stride));
            self.generation += 1;
        }
    }

    /// The rows that a page does not have, and the rows that it has then. `None` if it has all.
    pub(super) fn since(&self, cursor: Cursor) -> Option<(Epochs, Cursor)> {
        let now = Cursor {
            generation: self.generation,
            rows: self.rows.len(),
        };
        if now == cursor {
            return None;
        }
        let is_whole = cursor.generation != self.generation;
        let from = if is_whole { 0 } else { cursor.rows };
        let epochs = Epochs {
            scene: self.scene,
            is_whole,
            rows: self.rows[from..].to_vec(),
        };
        Some((epochs, now))
    }
}

impl From<&EpochRecord> for EpochRow {
    fn from(record: &EpochRecord) -> Self {
        let finite = |metrics: &SplitMetrics| {
            let values = metrics.iter();
            let values = values.map(|(metric, value)| {
                (
                    metric.name().to_string(),
                    Some(value).filter(|v| v.is_finite()),
                )
            });
            values.collect()
        };
        Self {
            epoch: record.epoch,
            learning_rate: record.learning_rate,
            train: finite(&record.train),
            valid: record.valid.as_ref().map(finite).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::BTreeMap;

    fn row(epoch: usize) -> EpochRow {
        EpochRow {
            epoch,
            learning_rate: 0.1,
            train: BTreeMap::new(),
            valid: BTreeMap::new(),
        }
    }

    #[test]
    fn a_page_gets_every_row_once() {
        let mut history = History::default();
        history.restart(1);
        history.push(row(1));
        let (first, cursor) = history.since(Cursor::default()).unwrap();
        assert!(first.is_whole);
        history.push(row(2));
        let (second, cursor) = history.since(cursor).unwrap();
        assert_eq!(
            (second.is_whole, second.rows.as_slice()),
            (false, &[row(2)][..])
        );
        assert_eq!(history.since(cursor), None);
        history.restart(2);
        assert!(history.since(cursor).unwrap().0.is_whole);
    }

    #[test]
    fn a_long_history_is_thinned_evenly() {
        let mut history = History::default();
        history.restart(0);
        for epoch in 1..=50_000 {
            if history.has_row(epoch) {
                history.push(row(epoch));
            }
        }
        let (all, _) = history.since(Cursor::default()).unwrap();
        assert!(all.rows.len() <= MOST_ROWS && all.rows.len() > MOST_ROWS / 4);
        let steps: Vec<usize> = all
            .rows
            .windows(2)
            .map(|w| w[1].epoch - w[0].epoch)
            .collect();
        assert!(steps.iter().all(|step| *step == steps[0]), "{steps:?}");
    }
}
