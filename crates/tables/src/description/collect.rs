//! Collects the summaries of all columns in one pass: one thread reads, the others look at the cells.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::distinct::{Distinct, HashOfHash, hash_of};
use super::summary::{LabelCell, Limits, MAX_CLASSES, Summary};
use crate::columns::cell::number;
use crate::columns::cell_format::MissingCells;
use crate::error::TableError;
use crate::files::{Row, RowReader};

/// Size from which a batch is handed on, in bytes of text. A thread looks at a batch column by column, so that the
/// values of one column stay in its cache.
const BATCH_SIZE: usize = 4 << 20;

/// Number of cells from which a batch is handed on.
const BATCH_CELLS: usize = BATCH_SIZE / 8;

/// Number of batches that wait for a thread.
const MAX_WAITING: usize = 2;

/// The largest number of different rows that are remembered.
const MAX_ROW_HASHES: usize = 4_000_000;

/// The summaries of a table.
pub(super) struct Collected {
    pub(super) rows: u64,
    /// Number of rows that are equal to an earlier one, among the rows that could be remembered.
    pub(super) duplicates: u64,
    /// One for each column.
    pub(super) summaries: Vec<Summary>,
}

/// Reads all rows. `label` is the place of the label's column.
///
/// # Errors
/// [`TableError`] if a row cannot be read.
pub(super) fn collect(
    reader: &mut RowReader,
    missing: &[String],
    label: Option<usize>,
) -> Result<Collected, TableError> {
    let num_columns = reader.columns().len();
    let decimal = reader.format().decimal;
    let missing = &MissingCells::new(missing, decimal);
    let cells = CellRules { missing, decimal };
    let num_workers = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(8);
    thread::scope(|scope| {
        let (senders, workers): (Vec<_>, Vec<_>) = (0..num_workers.min(num_columns))
            .map(|worker| {
                let columns: Vec<usize> = (worker..num_columns).step_by(num_workers).collect();
                let (sender, receiver) = sync_channel(MAX_WAITING);
                (
                    sender,
                    scope.spawn(move || summarise(&receiver, &columns, num_columns, cells)),
                )
            })
            .unzip();
        let read = read_batches(reader, &senders, label, cells);
        drop(senders);
        let mut by_worker: Vec<_> = workers
            .into_iter()
            .map(|worker| match worker.join() {
                Ok(summaries) => summaries.into_iter(),
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect();
        let (rows, duplicates) = read?;
        let summaries =
            (0..num_columns).filter_map(|column| by_worker[column % num_workers].next());
        Ok(Collected {
            rows,
            duplicates,
            summaries: summaries.collect(),
        })
    })
}

/// How a cell is read.
#[derive(Clone, Copy)]
struct CellRules<'a> {
    missing: &'a MissingCells,
    decimal: char,
}

impl CellRules<'_> {
    fn is_missing(&self, cell: &str) -> bool {
        self.missing.holds(cell)
    }
}

/// Some rows one after the other.
#[derive(Default)]
struct Batch {
    text: String,
    /// The end of each cell in `text`, row by row.
    ends: Vec<usize>,
    lines: Vec<u64>,
    labels: Vec<LabelCell>,
}

impl Batch {
    fn push(&mut self, row: Row<'_>, label: LabelCell) {
        for column in 0..row.len() {
            self.text.push_str(row.cell(column));
            self.ends.push(self.text.len());
        }
        self.lines.push(row.line);
        self.labels.push(label);
    }

    fn cell(&self, place: usize) -> &str {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[place]]
    }
}

/// Reads all rows and hands them on in batches: the number of rows and of duplicates.
fn read_batches(
    reader: &mut RowReader,
    workers: &[SyncSender<Arc<Batch>>],
    label: Option<usize>,
    cells: CellRules<'_>,
) -> Result<(u64, u64), TableError> {
    let mut classes = Distinct::new(MAX_CLASSES + 1);
    let mut row_hashes: HashSet<u64, BuildHasherDefault<HashOfHash>> = HashSet::default();
    let (mut rows, mut duplicates) = (0, 0);
    let mut batch = Batch::default();
    // A worker that is gone has panicked, which is seen when it is joined.
    let send = |batch: Batch| {
        let batch = Arc::new(batch);
        for worker in workers {
            let _ = worker.send(Arc::clone(&batch));
        }
    };
    while let Some(row) = reader.next_row()? {
        rows += 1;
        let hash = hash_of_row(row);
        if row_hashes.len() < MAX_ROW_HASHES {
            duplicates += u64::from(!row_hashes.insert(hash));
        } else {
            duplicates += u64::from(row_hashes.contains(&hash));
        }
        let label = match label.map(|column| row.cell(column)) {
            Some(cell) if !cells.is_missing(cell) => {
                let number = number(cell, cells.decimal);
                let class = classes.add(hash_of(number, cell));
                LabelCell { class, number }
            }
            _ => LabelCell::default(),
        };
        batch.push(row, label);
        if batch.text.len() >= BATCH_SIZE || batch.ends.len() >= BATCH_CELLS {
            send(std::mem::take(&mut batch));
        }
    }
    send(batch);
    Ok((rows, duplicates))
}

fn hash_of_row(row: Row<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    for column in 0..row.len() {
        row.cell(column).hash(&mut hasher);
    }
    hasher.finish()
}

/// Summarises some columns.
fn summarise(
    batches: &Receiver<Arc<Batch>>,
    columns: &[usize],
    num_columns: usize,
    cells: CellRules<'_>,
) -> Vec<Summary> {
    let limits = Limits::of(num_columns);
    let mut summaries: Vec<Summary> = columns.iter().map(|_| Summary::new(limits)).collect();
    for batch in batches {
        for (&column, summary) in columns.iter().zip(&mut summaries) {
            for (row, (&line, label)) in batch.lines.iter().zip(&batch.labels).enumerate() {
                let cell = batch.cell(row * num_columns + column);
                summary.add(cell, cells.is_missing(cell), cells.decimal, line, label);
            }
        }
    }
    summaries
}
