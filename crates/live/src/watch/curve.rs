//! The parts of `metrics.csv` that a list needs, and rows of it for curves.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use emberlab_metrics::{Metric, Split};
use emberlab_report::evenly_with_last;
use emberlab_run_format::{BestEpoch, History, RowError};
use serde::Serialize;

use super::lines::{first_and_last, open, whole_lines};

/// The most rows of a curve in one answer.
const MOST_ROWS: usize = 4000;

/// The metrics of a run that a list shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Curve {
    /// The first line.
    header: Vec<u8>,
    /// The last whole line that was read: if it is no longer there, the file is another one.
    last_line: Vec<u8>,
    /// The byte at which the next line begins.
    end: u64,
    /// Epochs done.
    pub epochs: usize,
    /// The best epoch by the objective.
    pub best: Option<BestEpoch>,
    /// The loss of the training rows after the last epoch.
    pub train_loss: Option<f64>,
    /// The loss of the validation rows after the last epoch.
    pub valid_loss: Option<f64>,
    /// The objective after the last epoch.
    pub objective: Option<f64>,
    /// The number of times that the file was found to be another one.
    pub generation: u64,
}

/// The metric of an objective, and the split it is measured on.
pub(super) type Objective = (Metric, Split);

/// An error of the metrics.
#[derive(Debug, thiserror::Error)]
pub(super) enum CurveError {
    #[error(transparent)]
    Row(#[from] RowError),
    #[error("it is not text")]
    Text(#[from] std::str::Utf8Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Curve {
    /// Reads what was added to the file, or all of it if it is another one.
    pub(super) fn follow(&mut self, path: &Path, objective: Objective) -> Result<(), CurveError> {
        let Ok(mut file) = open(path) else {
            self.forget();
            return Ok(());
        };
        if !self.is_continued_by(&mut file)? {
            self.forget();
        }
        let new = whole_lines(&mut file, self.end, u64::MAX)?;
        self.take(&new, objective)
    }

    /// Reads only the first and the last line. `result.json` has the rest of a finished run.
    pub(super) fn of_finished(path: &Path, objective: Objective) -> Result<Self, CurveError> {
        let mut curve = Self::default();
        if let Ok(mut file) = open(path) {
            let ends = first_and_last(&mut file)?;
            curve.take(&ends, objective)?;
        }
        // It was not followed: if it goes on, it is read anew.
        Ok(Self {
            header: Vec::new(),
            last_line: Vec::new(),
            end: 0,
            ..curve
        })
    }

    /// Forgets everything, since the file is another one or is gone.
    fn forget(&mut self) {
        if self.end > 0 || self.epochs > 0 {
            *self = Self {
                generation: self.generation + 1,
                ..Self::default()
            };
        }
    }

    /// Whether the last line that was read is still where it was.
    fn is_continued_by(&self, file: &mut File) -> io::Result<bool> {
        if self.end == 0 {
            return Ok(self.epochs == 0);
        }
        file.seek(SeekFrom::Start(self.end - self.last_line.len() as u64))?;
        let mut found = Vec::new();
        file.take(self.last_line.len() as u64)
            .read_to_end(&mut found)?;
        Ok(found == self.last_line)
    }

    fn take(&mut self, new: &[u8], objective: Objective) -> Result<(), CurveError> {
        let Some(first_end) = new.iter().position(|byte| *byte == b'\n') else {
            return Ok(());
        };
        let (header, rows) = match self.header.is_empty() {
            true => (new[..=first_end].to_vec(), &new[first_end + 1..]),
            false => (self.header.clone(), new),
        };
        let history = parse(&header, rows, self.epochs)?;
        let body = &new[..new.len() - 1];
        let last_start = body.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
        self.last_line = new[last_start..].to_vec();
        self.end += new.len() as u64;
        self.header = header;
        let (metric, split) = objective;
        let column = |split: Split| format!("{split}_{metric}");
        let has = |split: &Split| history.column(&column(*split)).is_some();
        if let Some(split) = [split, Split::Train].into_iter().find(has) {
            let direction = metric.direction();
            let is_better = |value: f64| {
                let old = self.best.as_ref();
                old.is_none_or(|old| direction.is_improvement(value, old.value))
            };
            if let Some((place, value)) = history.best(&column(split), direction)
                && is_better(value)
            {
                self.best = Some(BestEpoch {
                    epoch: self.epochs + place,
                    metric,
                    split,
                    value,
                });
            }
            self.objective = last(&history, &column(split)).or(self.objective);
        }
        self.train_loss = last(&history, "train_loss").or(self.train_loss);
        self.valid_loss = last(&history, "valid_loss").or(self.valid_loss);
        self.epochs += history.len();
        Ok(())
    }
}

/// The last value of a column.
fn last(history: &History, column: &str) -> Option<f64> {
    history.column(column)?.last()
}

/// Rows under a header, of which `before` came before.
fn parse(header: &[u8], rows: &[u8], before: usize) -> Result<History, CurveError> {
    let text = [header, rows].concat();
    let history = History::parse(std::str::from_utf8(&text)?);
    history.map_err(|error| {
        let line = error.line + if error.line > 1 { before as u64 } else { 0 };
        RowError { line }.into()
    })
}

/// Rows of a curve, column by column.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Rows {
    /// The names of the columns, as `metrics.csv` has them.
    pub columns: Vec<String>,
    /// The numbers of each column; NaN and infinities are `null`.
    pub values: Vec<Vec<f64>>,
    /// The byte at which the next rows begin.
    pub next: u64,
    /// To be sent with `next`: rows of another file are not added to these.
    pub generation: u64,
    /// Whether these are all rows, from the first on.
    pub is_whole: bool,
}

impl Rows {
    /// The rows from byte `from` on; all of them, evenly thinned out, if `from` is 0 or no place behind a line.
    pub(super) fn read(path: &Path, from: u64, generation: u64) -> Result<Self, CurveError> {
        let Ok(mut file) = open(path) else {
            return Ok(Self {
                generation,
                is_whole: true,
                ..Self::default()
            });
        };
        let is_whole = from == 0 || !is_line_start(&mut file, from)?;
        let header = match is_whole {
            true => Vec::new(),
            false => {
                let start = whole_lines(&mut file, 0, 1024)?;
                let end = start.iter().position(|byte| *byte == b'\n');
                end.map_or(Vec::new(), |end| start[..=end].to_vec())
            }
        };
        let from = if is_whole { 0 } else { from };
        let new = whole_lines(&mut file, from, u64::MAX)?;
        let history = parse(&header, &new, 0)?;
        let chosen = evenly_with_last(history.len(), MOST_ROWS);
        let names = ["epoch", "learning_rate"].into_iter();
        let names: Vec<String> = names
            .chain(history.metrics())
            .filter(|name| history.column(name).is_some())
            .map(str::to_string)
            .collect();
        let values = names.iter().map(|name| {
            let all: Vec<f64> = history.column(name).into_iter().flatten().collect();
            chosen.iter().map(|&i| all[i]).collect()
        });
        Ok(Self {
            values: values.collect(),
            columns: names,
            next: from + new.len() as u64,
            generation,
            is_whole,
        })
    }
}

/// Whether a line ends right before this byte.
pub(super) fn is_line_start(file: &mut File, place: u64) -> io::Result<bool> {
    let Some(before) = place.checked_sub(1) else {
        return Ok(true);
    };
    // The number comes from a browser. It may lie behind the end, where no place can be sought.
    if place > file.metadata()?.len() {
        return Ok(false);
    }
    file.seek(SeekFrom::Start(before))?;
    let mut byte = [0];
    Ok(file.read(&mut byte)? == 1 && byte == *b"\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs;
    use std::io::Write;

    const OBJECTIVE: Objective = (Metric::Loss, Split::Valid);
    const HEADER: &str = "epoch,step,learning_rate,train_loss,valid_loss\n";

    fn append(path: &Path, text: &str) {
        let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn a_growing_file_gives_what_one_reading_of_it_would() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        fs::write(&path, "epoch,st").unwrap();
        let mut curve = Curve::default();
        curve.follow(&path, OBJECTIVE).unwrap();
        assert_eq!((curve.epochs, curve.best.clone()), (0, None));
        fs::write(&path, HEADER).unwrap();
        for text in ["1,2,0.1,0.5,0.4\n2,4,0.1,0.4", ",0.2\n3,6,0.1,0.3,0.3\n4,8"] {
            append(&path, text);
            curve.follow(&path, OBJECTIVE).unwrap();
        }
        assert_eq!((curve.epochs, curve.generation), (3, 0));
        let best = curve.best.unwrap();
        assert_eq!((best.epoch, best.value), (2, 0.2));
        assert_eq!((curve.train_loss, curve.valid_loss), (Some(0.3), Some(0.3)));
    }

    #[test]
    fn a_file_that_shrank_or_was_replaced_is_read_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        fs::write(&path, format!("{HEADER}1,2,0.1,0.5,0.1\n2,4,0.1,0.4,0.4\n")).unwrap();
        let mut curve = Curve::default();
        curve.follow(&path, OBJECTIVE).unwrap();
        fs::write(&path, format!("{HEADER}1,2,0.1,0.5,0.3\n")).unwrap();
        curve.follow(&path, OBJECTIVE).unwrap();
        assert_eq!((curve.epochs, curve.generation), (1, 1));
        assert_eq!(curve.best.as_ref().unwrap().value, 0.3);
        let longer = "1,2,0.1,0.5,0.7\n2,4,0.1,0.5,0.6\n3,6,0.1,0.5,0.5\n";
        fs::write(&path, format!("{HEADER}{longer}")).unwrap();
        curve.follow(&path, OBJECTIVE).unwrap();
        assert_eq!((curve.epochs, curve.generation), (3, 2));
        assert_eq!(curve.best.as_ref().unwrap().value, 0.5);
        fs::remove_file(&path).unwrap();
        curve.follow(&path, OBJECTIVE).unwrap();
        assert_eq!((curve.epochs, curve.generation), (0, 3));
    }

    #[test]
    fn a_broken_row_is_named_by_its_line_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        fs::write(&path, format!("{HEADER}1,2,0.1,0.5,0.1\n")).unwrap();
        let mut curve = Curve::default();
        curve.follow(&path, OBJECTIVE).unwrap();
        append(&path, "2,x\n");
        let error = curve.follow(&path, OBJECTIVE).unwrap_err().to_string();
        assert!(error.contains("line 3"), "{error}");
    }

    #[test]
    fn rows_go_on_where_the_last_answer_ended_and_long_curves_are_thinned() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        let row = |i: usize| format!("{i},{i},0.1,0.5,NaN\n");
        let rows: String = (1..=9000).map(row).collect();
        fs::write(&path, format!("{HEADER}{rows}9001,")).unwrap();
        let whole = Rows::read(&path, 0, 7).unwrap();
        assert_eq!(
            whole.columns,
            ["epoch", "learning_rate", "train_loss", "valid_loss"]
        );
        let epochs = &whole.values[0];
        assert_eq!((epochs.len(), epochs[0], epochs[3999]), (4000, 1.0, 9000.0));
        assert!(whole.is_whole && whole.values[3][0].is_nan());
        append(&path, "9001,0.1,0.5,0.5\n");
        let more = Rows::read(&path, whole.next, 7).unwrap();
        assert_eq!(
            (more.is_whole, more.values[0].as_slice()),
            (false, &[9001.0][..])
        );
        assert!(Rows::read(&path, whole.next + 3, 7).unwrap().is_whole);
        assert!(Rows::read(&path, u64::MAX, 7).unwrap().is_whole);
    }
}
