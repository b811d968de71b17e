//! Detects the decimal mark.

use super::sample::SampleRows;
use crate::columns::cell::{is_decimal_comma, is_like_thousands, number};

/// The decimal mark of the numbers in a file: a comma if more columns have decimal commas than points. Numbers such as
/// `1,234` alone do not make a comma, since it can stand between thousands. The first row counts too if it `is_row`, or if
/// there are no others.
pub(super) fn decimal_of(rows: &SampleRows, missing: &[String], is_row: bool) -> char {
    let counts_first = is_row || rows.body().next().is_none();
    let first = || rows.rows.iter().take(usize::from(counts_first));
    let mut num_commas = 0;
    let mut num_points = 0;
    for column in 0..rows.row_length {
        let cells = first().chain(rows.body()).map(|row| row.cell(column));
        let mut cells = cells
            .filter(|&cell| !missing.iter().any(|word| word == cell))
            .peekable();
        if cells.peek().is_none() {
            continue;
        }
        let (mut all_comma, mut all_point) = (true, true);
        let (mut is_comma, mut is_point) = (false, false);
        for cell in cells {
            all_comma &= number(cell, ',').is_some();
            all_point &= number(cell, '.').is_some();
            is_comma |= is_decimal_comma(cell) && !is_like_thousands(cell);
            is_point |= cell.contains('.');
        }
        num_commas += usize::from(all_comma && is_comma);
        num_points += usize::from(all_point && is_point);
    }
    if num_commas > num_points { ',' } else { '.' }
}
