//! Detects whether the first line of a file holds the names of the columns.

use std::collections::HashSet;

use super::sample::{SampleRow, SampleRows};
use crate::columns::cell::{DateOrder, date, number};

/// Whether the first row is a header.
///
/// Each column has a vote. Below a name stand numbers or dates, or words that repeat among themselves and do not
/// contain it. A first row of numbers is a header if it counts 0, 1, 2, …, as pandas does, or if all of them lie far
/// outside their columns, of five rows or more, as years do.
pub(super) fn has_header(rows: &SampleRows, decimal: char, missing: &[String]) -> bool {
    let Some(first) = rows.rows.first() else {
        return false;
    };
    let body: Vec<&SampleRow> = rows.body().collect();
    if body.is_empty() {
        return (0..first.len()).all(|column| number(first.cell(column), decimal).is_none());
    }
    let columns: Vec<Below> = (0..rows.row_length)
        .map(|column| {
            Below::new(
                body.iter().map(|row| row.cell(column)),
                first.cell(column),
                decimal,
                missing,
            )
        })
        .collect();
    let has_word_of_rows = columns
        .iter()
        .any(|column| column.vote == Vote::Row && !column.is_numeric);
    if !has_word_of_rows && numbers_are_names(first, &columns, decimal, body.len()) {
        return true;
    }
    let count = |vote: Vote| columns.iter().filter(|column| column.vote == vote).count();
    match (count(Vote::Header), count(Vote::Row)) {
        (0, 0) => {
            let mut seen = HashSet::new();
            let is_new = |column| seen.insert(first.cell(column));
            count(Vote::LikelyHeader) > 0
                || (0..first.len()).all(is_new)
                    && !first
                        .cells()
                        .any(|(cell, _)| cell.is_empty() || missing.iter().any(|word| word == cell))
        }
        (headers, rows) => headers > rows,
    }
}

/// Whether the first row could be one of values: it has no text above numbers or dates.
pub(super) fn could_be_row(rows: &SampleRows, decimal: char, missing: &[String]) -> bool {
    let Some(first) = rows.rows.first() else {
        return false;
    };
    (0..rows.row_length).all(|column| {
        let cells = rows.body().map(|row| row.cell(column));
        let below = Below::new(cells, first.cell(column), decimal, missing);
        below.vote != Vote::Header || first.cell(column).is_empty()
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vote {
    /// The first cell is a name.
    Header,
    /// The first cell is a name unless another column says otherwise.
    LikelyHeader,
    /// The column does not tell.
    Unsure,
    /// The first cell is a value like those below.
    Row,
}

/// A column below the first row.
struct Below {
    vote: Vote,
    /// Whether most of its values are numbers.
    is_numeric: bool,
    has_fractions: bool,
    min: f64,
    max: f64,
}

impl Below {
    fn new<'a>(
        cells: impl Iterator<Item = &'a str>,
        first: &str,
        decimal: char,
        missing: &[String],
    ) -> Self {
        let is_missing = |cell: &str| missing.iter().any(|word| word == cell);
        let is_date = |cell: &str| {
            date(cell, DateOrder::DayFirst).is_some() || date(cell, DateOrder::MonthFirst).is_some()
        };
        let (mut num_rows, mut num_values, mut num_numbers, mut num_dates) = (0, 0, 0, 0);
        let mut distinct = HashSet::new();
        let mut below = Self {
            vote: Vote::Unsure,
            is_numeric: false,
            has_fractions: false,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        };
        for cell in cells {
            num_rows += 1;
            if is_missing(cell) {
                continue;
            }
            num_values += 1;
            if let Some(value) = number(cell, decimal) {
                num_numbers += 1;
                below.min = below.min.min(value);
                below.max = below.max.max(value);
                below.has_fractions |= value.fract() != 0.0;
            } else {
                num_dates += usize::from(is_date(cell));
                distinct.insert(cell);
            }
        }
        below.is_numeric = 2 * num_numbers > num_values;
        let is_like_rows = if below.is_numeric {
            number(first, decimal).is_some()
        } else if 2 * num_dates > num_values {
            is_date(first)
        } else {
            distinct.contains(first)
        };
        let is_typed = below.is_numeric || 2 * num_dates > num_values;
        below.vote = if num_values == 0 {
            Vote::Unsure
        } else if first.is_empty() && num_values == num_rows {
            Vote::Header
        } else if is_missing(first) {
            Vote::Unsure
        } else if is_like_rows {
            Vote::Row
        } else if is_typed {
            Vote::Header
        } else if 2 * distinct.len() <= num_values {
            Vote::LikelyHeader
        } else {
            Vote::Unsure
        };
        below
    }
}

/// Whether the numbers of the first row are names. `num_rows` rows stand below it.
fn numbers_are_names(first: &SampleRow, columns: &[Below], decimal: char, num_rows: usize) -> bool {
    let numbers = columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.is_numeric);
    let numbers: Option<Vec<(f64, &Below)>> = numbers
        .filter(|&(place, _)| !first.cell(place).is_empty())
        .map(|(place, column)| Some((number(first.cell(place), decimal)?, column)))
        .collect();
    let Some(numbers) = numbers.filter(|numbers| numbers.len() >= 2) else {
        return false;
    };
    let counts_up = numbers.windows(2).all(|pair| pair[1].0 == pair[0].0 + 1.0);
    let has_fractions = numbers.iter().any(|(_, column)| column.has_fractions);
    let is_far = |(value, column): &(f64, &Below)| {
        let range = column.max - column.min;
        value.fract() == 0.0 && (*value > column.max + range || *value < column.min - range)
    };
    let mut all = numbers
        .iter()
        .map(|(value, _)| value.to_bits())
        .collect::<Vec<_>>();
    all.sort_unstable();
    all.dedup();
    let from_zero = counts_up && numbers[0].0 == 0.0 && (numbers.len() >= 3 || has_fractions);
    let far = num_rows >= 5
        && all.len() == numbers.len()
        && numbers.iter().all(is_far)
        && (counts_up || numbers.len() >= 3);
    from_zero || far
}
