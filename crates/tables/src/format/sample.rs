//! The first rows of a file, from which its format is detected.

use std::collections::HashSet;

use crate::files::{Cells, Row, SplitError, Splitter};
use crate::format::Delimiter;

/// The largest number of rows that are looked at.
const MAX_ROWS: usize = 1000;

/// One of the first rows of a file.
pub(super) struct SampleRow {
    /// The line on which it starts, from 1.
    pub(super) line: u64,
    text: String,
    ends: Vec<usize>,
    quoted: Vec<bool>,
}

impl SampleRow {
    /// Number of cells.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cells, and whether each was in quotes.
    pub(super) fn cells(&self) -> impl Iterator<Item = (&str, bool)> {
        (0..self.len()).map(|column| (self.cell(column), self.quoted[column]))
    }

    /// The text of a cell; empty if there is no such cell.
    pub(super) fn cell(&self, column: usize) -> &str {
        Row::new(self.line, &self.text, &self.ends).cell(column)
    }
}

/// The first rows of a file, as one choice of delimiter and quote splits them.
pub(super) struct SampleRows {
    /// Lines of one cell above the table.
    pub(super) titles: Vec<SampleRow>,
    /// The first row, which may be the header, and those below.
    pub(super) rows: Vec<SampleRow>,
    /// Whether something was found that cannot be split, such as text after a closing quote.
    pub(super) is_broken: bool,
    /// The most frequent number of cells of the rows below the first, or else of the first.
    pub(super) row_length: usize,
}

impl SampleRows {
    /// Splits the start of a file; `is_complete` if it is the whole file.
    pub(super) fn split(text: &str, is_complete: bool, delimiter: Delimiter, quote: char) -> Self {
        let mut splitter = Splitter::new(text.as_bytes(), delimiter, quote as u8, 1);
        let mut rows = Vec::new();
        let mut cells = Cells::default();
        let mut is_broken = false;
        // One row more, which may be cut off.
        while rows.len() <= MAX_ROWS {
            match splitter.read(&mut cells) {
                Ok(false) => break,
                Ok(true) => {
                    // All cells end between characters, since delimiters and quotes are ASCII.
                    let text = String::from_utf8_lossy(&cells.text).into_owned();
                    let ends = cells.ends.clone();
                    let quoted = cells.quoted.clone();
                    let line = cells.line;
                    rows.push(SampleRow {
                        line,
                        text,
                        ends,
                        quoted,
                    });
                }
                Err(error) => {
                    let is_cut_off = matches!(error, SplitError::OpenQuote { .. }) && !is_complete;
                    is_broken = !is_cut_off;
                    break;
                }
            }
        }
        if !is_complete && !is_broken && rows.len() > 1 {
            rows.pop();
        }
        let row_length = most_frequent_length(&rows);
        let num_titles = num_titles(&rows, row_length);
        Self {
            titles: rows.drain(..num_titles).collect(),
            rows,
            is_broken,
            row_length,
        }
    }

    /// The rows below the first that have the most frequent number of cells.
    pub(super) fn body(&self) -> impl Iterator<Item = &SampleRow> {
        let rows = self.rows.iter().skip(1);
        rows.filter(|row| row.len() == self.row_length)
    }

    /// Whether the first row has one cell less than each row below, which begin with a name or number of the row: so R
    /// writes tables.
    pub(super) fn lacks_first_name(&self) -> bool {
        let Some(first) = self.rows.first() else {
            return false;
        };
        let mut names = HashSet::new();
        let mut below = self.rows.iter().skip(1);
        let has_name = |row: &SampleRow| {
            let name = row.cell(0);
            row.len() == first.len() + 1 && !name.is_empty() && names.insert(name.to_owned())
        };
        first.len() > 1 && self.rows.len() > 2 && below.all(has_name) && !self.ends_with_delimiter()
    }

    /// Whether the rows below the first all end with a delimiter, as only a row of other length may not, and the first
    /// row has no name for a last column.
    pub(super) fn ends_with_delimiter(&self) -> bool {
        let Some(first) = self.rows.first() else {
            return false;
        };
        let last = self.row_length.saturating_sub(1);
        let first_fits =
            first.len() == last || first.len() == self.row_length && first.cell(last).is_empty();
        let mut body = self.body().peekable();
        let is_unquoted_blank = |row: &SampleRow| row.cell(last).is_empty() && !row.quoted[last];
        last > 0 && first_fits && body.peek().is_some() && body.all(is_unquoted_blank)
    }
}

/// The number of lines above the table that are not its rows: they have one cell. Above two columns a blank line must
/// follow, or a `#` begin each of them.
fn num_titles(rows: &[SampleRow], row_length: usize) -> usize {
    let is_title = |row: &&SampleRow| row.len() == 1 && !row.quoted[0];
    let titles: Vec<&SampleRow> = rows.iter().take_while(is_title).collect();
    let (Some(last), Some(first)) = (titles.last(), rows.get(titles.len())) else {
        return 0;
    };
    let is_set_apart = first.line > last.line + 1;
    let are_comments = titles.iter().all(|title| title.cell(0).starts_with('#'));
    let are_titles = row_length > 2 || row_length == 2 && (is_set_apart || are_comments);
    if are_titles { titles.len() } else { 0 }
}

fn most_frequent_length(rows: &[SampleRow]) -> usize {
    let mut lengths: Vec<usize> = rows.iter().skip(1).map(SampleRow::len).collect();
    lengths.sort_unstable();
    let most_frequent = lengths
        .chunk_by(|a, b| a == b)
        .max_by_key(|equal| equal.len());
    match most_frequent {
        Some(equal) => equal[0],
        None => rows.first().map_or(0, SampleRow::len),
    }
}
