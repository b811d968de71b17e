//! What a training measured, epoch by epoch: the rows of `metrics.csv`.

use crate::{Direction, MetricsError};

/// The columns that are not metrics.
const PLACE: [&str; 3] = ["epoch", "step", "learning_rate"];

/// The rows of `metrics.csv`, one per epoch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    columns: Vec<String>,
    rows: Vec<Vec<f64>>,
}

impl History {
    /// Reads the text of a `metrics.csv`. A last line without its end is still being written, or was
    /// when the process was killed, and does not count.
    ///
    /// # Errors
    /// [`MetricsError::History`] naming the first line that is not a row of numbers under the header.
    pub fn parse(text: &str) -> Result<Self, MetricsError> {
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let mut lines = whole.lines();
        let header = lines.next().unwrap_or_default().split(',');
        let columns: Vec<String> = header.map(str::to_string).collect();
        let row = |(number, line): (usize, &str)| {
            let cells: Option<Vec<f64>> = line.split(',').map(|cell| cell.parse().ok()).collect();
            cells
                .filter(|cells| cells.len() == columns.len())
                .ok_or(MetricsError::History { line: number + 2 })
        };
        let rows = lines.enumerate().map(row).collect::<Result<_, _>>()?;
        Ok(Self { columns, rows })
    }

    /// How many epochs there are.
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
        names.filter(|name| !PLACE.contains(name))
    }

    /// The values of a column, an epoch each, if the file has it.
    pub fn column(&self, name: &str) -> Option<impl Iterator<Item = f64>> {
        let at = self.columns.iter().position(|column| column == name)?;
        Some(self.rows.iter().map(move |row| row[at]))
    }

    /// The metrics after an epoch, counted from 1; none if it has not come.
    pub fn at(&self, epoch: usize) -> impl Iterator<Item = (&str, f64)> {
        let row = epoch.checked_sub(1).and_then(|i| self.rows.get(i));
        let cells = self.columns.iter().zip(row.into_iter().flatten());
        cells
            .map(|(column, value)| (column.as_str(), *value))
            .filter(|(column, _)| !PLACE.contains(column))
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

    const TEXT: &str = "epoch,step,learning_rate,valid_loss,valid_accuracy\n\
                        1,2,0.1,0.5,0.9\n2,4,0.1,NaN,0.95\n3,6,0.1,0.4,0.95\n4,8,0.1,0.3";

    #[test]
    fn a_row_that_is_still_being_written_does_not_count() {
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
    fn a_file_of_nothing_holds_nothing_and_a_broken_row_is_named() {
        assert!(History::parse("").unwrap().is_empty());
        assert!(History::parse("epoch,step\n").unwrap().is_empty());
        for text in ["epoch,step\n1,2\n2,x\n", "epoch,step\n1,2\n2\n"] {
            let refused = Err(MetricsError::History { line: 3 });
            assert_eq!(History::parse(text), refused);
        }
    }
}
