//! `metrics.csv`: one row of metrics per epoch, with floats that read back exactly.
//!
//! Times are not in it, so that a resumed run ends with the same file as one that was never interrupted.

use std::fmt::Write as _;

use emberlab_metrics::{Direction, SplitMetrics};
use thiserror::Error;

use crate::exact_number::Exact;

/// The columns that are not metrics.
const NOT_METRICS: [&str; 3] = ["epoch", "step", "learning_rate"];

/// One row of `metrics.csv`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpochRow<'a> {
    /// Epochs done, counted from 1.
    pub epoch: usize,
    /// Optimiser steps done.
    pub step: u64,
    /// The learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// Metrics of the training split.
    pub train: &'a SplitMetrics,
    /// Metrics of the validation split, if there is one.
    pub valid: Option<&'a SplitMetrics>,
}

impl EpochRow<'_> {
    /// The header of the file that begins with this row, such as `epoch,step,learning_rate,train_loss`.
    ///
    /// # Errors
    /// [`csv::Error`] of the writer.
    pub fn header(&self) -> Result<String, csv::Error> {
        let metrics = self
            .metrics()
            .map(|(split, name, _)| format!("{split}_{name}"));
        line(NOT_METRICS.map(str::to_string).into_iter().chain(metrics))
    }

    /// The row itself. NaN is written as `NaN`, infinities as `inf` and `-inf`. Numbers need no quotes.
    pub fn line(&self) -> String {
        let numbers = self.metrics().map(|(_, _, value)| value);
        let rate = Exact(self.learning_rate);
        let mut line = format!("{},{},{rate}", self.epoch, self.step);
        numbers.for_each(|number| _ = write!(line, ",{}", Exact(number))); // writing to a string does not fail
        line.push('\n');
        line
    }

    fn metrics(&self) -> impl Iterator<Item = (&'static str, &'static str, f64)> {
        let splits = [("train", Some(self.train)), ("valid", self.valid)];
        splits.into_iter().flat_map(|(split, metrics)| {
            let metrics = metrics.into_iter().flat_map(SplitMetrics::iter);
            metrics.map(move |(metric, value)| (split, metric.name(), value))
        })
    }
}

fn line(cells: impl Iterator<Item = String>) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(cells)?;
    crate::csv_text(writer)
}

/// A line of `metrics.csv` that is not a row of numbers under the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("line {line} is not a row of numbers under the header")]
pub struct RowError {
    /// The line, counted from 1.
    pub line: u64,
}

/// The rows of a `metrics.csv`, one per epoch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    columns: Vec<String>,
    rows: Vec<Vec<f64>>,
}

impl History {
    /// Reads the text of a `metrics.csv`. A last line without its end does not count: it is still being
    /// written, or was when the process was killed.
    ///
    /// # Errors
    /// [`RowError`] with the first line that is not a row of numbers under the header.
    pub fn parse(text: &str) -> Result<Self, RowError> {
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let mut reader = csv::Reader::from_reader(whole.as_bytes());
        let at = |position: Option<&csv::Position>| RowError {
            line: position.map_or(1, csv::Position::line),
        };
        let header = reader.headers().map_err(|e| at(e.position()))?;
        let columns = header.iter().map(str::to_string).collect();
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| at(e.position()))?;
            let cells: Result<Vec<f64>, _> = record.iter().map(str::parse).collect();
            rows.push(cells.map_err(|_| at(record.position()))?);
        }
        Ok(Self { columns, rows })
    }

    /// Number of epochs.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no epoch has ended.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The names of the metrics, such as `valid_accuracy`, in the order of the file.
    pub fn metrics(&self) -> impl Iterator<Item = &str> {
        let names = self.columns.iter().map(String::as_str);
        names.filter(|name| !NOT_METRICS.contains(name))
    }

    /// The values of a column, one for each epoch; `None` if the file does not have it.
    pub fn column(&self, name: &str) -> Option<impl Iterator<Item = f64>> {
        let at = self.columns.iter().position(|column| column == name)?;
        Some(self.rows.iter().map(move |row| row[at]))
    }

    /// The metrics after an epoch, counted from 1; `None` if that epoch has not ended yet.
    pub fn at(&self, epoch: usize) -> impl Iterator<Item = (&str, f64)> {
        let row = epoch.checked_sub(1).and_then(|i| self.rows.get(i));
        let cells = self.columns.iter().zip(row.into_iter().flatten());
        cells
            .map(|(column, value)| (column.as_str(), *value))
            .filter(|(column, _)| !NOT_METRICS.contains(column))
    }

    /// The first epoch, counted from 1, with the best finite value of a column, and that value.
    pub fn best(&self, column: &str, direction: Direction) -> Option<(usize, f64)> {
        let mut best: Option<(usize, f64)> = None;
        for (i, value) in self.column(column)?.enumerate() {
            let is_better = best.is_none_or(|(_, best)| direction.is_improvement(value, best));
            if value.is_finite() && is_better {
                best = Some((i + 1, value));
            }
        }
        best
    }

    /// The first epoch, counted from 1, whose value is at least as good as `target`.
    pub fn first_to_reach(&self, column: &str, direction: Direction, target: f64) -> Option<usize> {
        let reaches = |value: f64| value == target || direction.is_improvement(value, target);
        let place = self.column(column)?.position(reaches);
        place.map(|i| i + 1)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use emberlab_metrics::Metric;

    const TEXT: &str = "epoch,step,learning_rate,valid_loss,valid_accuracy\n\
                        1,2,0.1,0.5,0.9\n2,4,0.1,NaN,0.95\n3,6,0.1,0.4,0.95\n4,8,0.1,0.3";

    #[test]
    fn a_half_written_last_row_is_ignored() {
        let history = History::parse(TEXT).unwrap();
        assert_eq!((history.len(), history.is_empty()), (3, false));
        let names: Vec<&str> = history.metrics().collect();
        assert_eq!(names, ["valid_loss", "valid_accuracy"]);
        let accuracy: Vec<f64> = history.column("valid_accuracy").unwrap().collect();
        assert_eq!(accuracy, [0.9, 0.95, 0.95]);
        let last: Vec<_> = history.at(3).collect();
        assert_eq!(last, [("valid_loss", 0.4), ("valid_accuracy", 0.95)]);
        assert_eq!((history.at(0).count(), history.at(4).count()), (0, 0));
        assert!(history.column("test_loss").is_none());
    }

    #[test]
    fn the_best_epoch_is_the_first_of_the_best_finite_values() {
        let history = History::parse(TEXT).unwrap();
        let (lower, higher) = (Direction::Lower, Direction::Higher);
        assert_eq!(history.best("valid_loss", lower), Some((3, 0.4)));
        assert_eq!(history.best("valid_accuracy", higher), Some((2, 0.95)));
        assert_eq!(history.best("valid_r2", higher), None);
        let first = |value| history.first_to_reach("valid_accuracy", higher, value);
        assert_eq!(
            [first(0.9), first(0.92), first(0.96)],
            [Some(1), Some(2), None]
        );
    }

    #[test]
    fn an_empty_file_has_no_rows_and_a_broken_row_is_named_by_its_line() {
        assert!(History::parse("").unwrap().is_empty());
        assert!(History::parse("epoch,step\n").unwrap().is_empty());
        for text in ["epoch,step\n1,2\n2,x\n", "epoch,step\n1,2\n2\n"] {
            let refused = Err(RowError { line: 3 });
            assert_eq!(History::parse(text), refused);
        }
    }

    #[test]
    fn a_row_reads_back_exactly() {
        let train = [(Metric::Loss, 0.1 + 0.2)].into_iter().collect();
        let valid = [(Metric::Loss, f64::NAN), (Metric::R2, f64::NEG_INFINITY)];
        let row = EpochRow {
            epoch: 1,
            step: 10,
            learning_rate: 0.1,
            train: &train,
            valid: Some(&valid.into_iter().collect()),
        };
        let text = row.header().unwrap() + &row.line();
        assert_eq!(
            text,
            "epoch,step,learning_rate,train_loss,valid_loss,valid_r2\n1,10,0.1,0.30000000000000004,NaN,-inf\n"
        );
        let history = History::parse(&text).unwrap();
        let column = |name| history.column(name).unwrap().next().unwrap();
        assert_eq!(column("train_loss"), 0.1 + 0.2);
        assert!(column("valid_loss").is_nan());
        assert_eq!(column("valid_r2"), f64::NEG_INFINITY);
    }
}
