//! Detects the delimiter and the quote.

use super::Delimiter;
use super::sample::{SampleRow, SampleRows};
use crate::columns::cell::{DateOrder, date, number};

/// The delimiters that are tried, the most usual first.
const DELIMITERS: [Delimiter; 6] = [
    Delimiter::Char(','),
    Delimiter::Char(';'),
    Delimiter::Char('\t'),
    Delimiter::Char('|'),
    Delimiter::Whitespace,
    Delimiter::Char(':'),
];

/// The smallest score of a delimiter that is taken.
const LEAST_SCORE: f64 = 0.4;

/// A delimiter and a quote, and how well they split the first rows of a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Choice {
    pub(super) delimiter: Delimiter,
    pub(super) quote: char,
    /// Number of cells of most rows.
    pub(super) row_length: usize,
    /// From 0 to 1: the share of rows that have equally many cells, times the share of their cells that are whole.
    pub(super) score: f64,
}

/// The delimiter and the quote that split a file best: given ones are kept.
pub(super) fn best(
    text: &str,
    is_complete: bool,
    delimiter: Option<Delimiter>,
    quote: Option<char>,
) -> Choice {
    let delimiters = match &delimiter {
        Some(given) => std::slice::from_ref(given),
        None => &DELIMITERS,
    };
    let quote = quote.unwrap_or_else(|| quote_of(text, is_complete, delimiters));
    let mut best: Option<Choice> = None;
    for &delimiter in delimiters {
        let choice = judge(text, is_complete, delimiter, quote);
        let is_taken = choice.row_length > 1 && choice.score >= LEAST_SCORE;
        // The first of equally good ones is kept.
        if is_taken && best.is_none_or(|best| choice.score > best.score + 1e-9) {
            best = Some(choice);
        }
    }
    best.unwrap_or_else(|| judge(text, is_complete, delimiters[0], quote))
}

/// `'` if it encloses cells, closes each that it opens, and `"` encloses none; otherwise `"`.
fn quote_of(text: &str, is_complete: bool, delimiters: &[Delimiter]) -> char {
    let count_quoted = |rows: &SampleRows| -> usize {
        let quoted = |row: &SampleRow| row.cells().filter(|&(_, is_quoted)| is_quoted).count();
        rows.rows.iter().map(quoted).sum()
    };
    let is_single = text.contains('\'')
        && delimiters.iter().any(|&delimiter| {
            let double = SampleRows::split(text, is_complete, delimiter, '"');
            let single = SampleRows::split(text, is_complete, delimiter, '\'');
            let is_even = single.body().count() + 1 >= single.rows.len();
            count_quoted(&double) == 0
                && count_quoted(&single) > 0
                && !single.is_broken
                && is_even
                && single.row_length > 1
        });
    if is_single { '\'' } else { '"' }
}

/// How well a delimiter and a quote split the first rows.
pub(super) fn judge(text: &str, is_complete: bool, delimiter: Delimiter, quote: char) -> Choice {
    let rows = SampleRows::split(text, is_complete, delimiter, quote);
    let mut choice = Choice {
        delimiter,
        quote,
        row_length: rows.row_length,
        score: 0.0,
    };
    let body: Vec<&SampleRow> = rows.body().collect();
    // A file of one row is judged by it.
    let judged = if body.is_empty() {
        rows.rows.iter().collect()
    } else {
        body
    };
    let num_cells = judged.len() * rows.row_length;
    if num_cells == 0 || needs_numbers(delimiter) && !has_numbers(&judged, rows.row_length) {
        return choice;
    }
    let is_whole = |&(cell, is_quoted): &(&str, bool)| is_quoted || is_whole(cell, delimiter);
    let num_whole: usize = judged
        .iter()
        .map(|row| row.cells().filter(is_whole).count())
        .sum();
    let share_of_rows = judged.len() as f64 / rows.rows.len().saturating_sub(1).max(1) as f64;
    let first_length = rows.rows.first().map_or(0, SampleRow::len);
    let fits_header = first_length == rows.row_length || rows.ends_with_delimiter();
    choice.score = share_of_rows * num_whole as f64 / num_cells as f64;
    if rows.is_broken {
        choice.score *= 0.5;
    }
    if !fits_header {
        choice.score *= 0.7;
    }
    choice
}

/// Whether a delimiter also occurs in texts, so that it is one only between numbers.
fn needs_numbers(delimiter: Delimiter) -> bool {
    matches!(delimiter, Delimiter::Whitespace | Delimiter::Char(':'))
}

/// Whether most cells of a column are numbers.
fn has_numbers(rows: &[&SampleRow], row_length: usize) -> bool {
    (0..row_length).any(|column| {
        let is_number = |row: &&&SampleRow| is_number(row.cell(column));
        2 * rows.iter().filter(is_number).count() > rows.len()
    })
}

fn is_number(cell: &str) -> bool {
    number(cell, '.').is_some() || number(cell, ',').is_some()
}

/// Whether an unquoted cell looks like one value: a number, a date, or a text that does not hold several numbers or
/// another delimiter. A mark before a blank belongs to the text.
fn is_whole(cell: &str, delimiter: Delimiter) -> bool {
    let is_mark = |byte: &u8| b",;\t|:".contains(byte);
    let bytes = cell.as_bytes();
    let has_delimiter = bytes
        .iter()
        .enumerate()
        .any(|(place, byte)| is_mark(byte) && bytes.get(place + 1) != Some(&b' '));
    if has_delimiter {
        return is_number(cell)
            || date(cell, DateOrder::DayFirst).is_some()
            || date(cell, DateOrder::MonthFirst).is_some();
    }
    let mut words = cell.split_ascii_whitespace();
    delimiter == Delimiter::Whitespace
        || words.nth(1).is_none()
        || !cell.split_ascii_whitespace().all(is_number)
}
