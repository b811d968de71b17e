//! Detects the format of a file from its first part.

use std::path::Path;

use super::decimal::decimal_of;
use super::delimiter::{Choice, best, judge};
use super::header::{could_be_row, has_header};
use super::sample::SampleRows;
use super::{Delimiter, Format, FormatConfig};
use crate::error::TableError;

/// The format of a file, and where its table begins.
pub(crate) struct Detected {
    /// The format.
    pub(crate) format: Format,
    /// The first line of the table.
    pub(crate) first_line: FirstLine,
    /// Whether a delimiter ends each row, after which no column follows.
    pub(crate) ends_with_delimiter: bool,
    /// Whether the first line could be a row of values.
    pub(crate) could_be_row: bool,
    /// The keys that fit the file better than those given, or what else would help, as the end of a message; empty if there
    /// is nothing.
    pub(crate) advice: String,
}

/// The first line of a table.
pub(crate) struct FirstLine {
    /// Its place in bytes.
    pub(crate) start: usize,
    /// Its number as an editor counts it.
    pub(crate) number: u64,
}

/// Detects what `config` leaves open from the first part of a file. `is_complete` if it is the whole file.
///
/// # Errors
/// [`TableError::Unusable`] if a given delimiter does not occur in the first line, and another clearly fits better.
pub(crate) fn detect(
    path: &Path,
    sample: &[u8],
    is_complete: bool,
    config: &FormatConfig,
) -> Result<Detected, TableError> {
    let encoding = encoding_of(sample, is_complete);
    let (mut first_line, named_delimiter) = separator_line(sample);
    // A character that cannot be read does not change where cells begin and end.
    let text = String::from_utf8_lossy(&sample[first_line.start..]);
    let found = best(&text, is_complete, named_delimiter, None);
    let choice = match (config.delimiter, config.quote) {
        (None, None) => found,
        (delimiter, quote) => best(&text, is_complete, delimiter.or(named_delimiter), quote),
    };
    let rows = SampleRows::split(&text, is_complete, choice.delimiter, choice.quote);
    let missing = &config.missing;
    let is_row = config.header == Some(false);
    let found_decimal = || decimal_of(&rows, missing, is_row);
    let decimal = config.decimal.unwrap_or_else(found_decimal);
    let advice = advice(&text, is_complete, &choice, &found, decimal, missing);
    let is_one_cell = choice.row_length == 1 || !rows.titles.is_empty();
    if config.delimiter.is_some() && is_one_cell && found.score > 0.9 && !advice.is_empty() {
        let message = format!(
            "with the delimiter {:?} the first line is one cell{advice}",
            choice.delimiter.to_string()
        );
        let path = path.to_owned();
        return Err(TableError::Unusable { path, message });
    }
    let titles: Vec<&str> = rows.titles.iter().map(|row| row.cell(0)).collect();
    if let (false, Some(row)) = (titles.is_empty(), rows.rows.first()) {
        first_line.start += start_of_line(&sample[first_line.start..], row.line);
        first_line.number += row.line - 1;
    }
    // With another delimiter than that of the file, rows may have any number of cells.
    let has_row_names = advice.is_empty() && rows.lacks_first_name();
    let has_short_line = rows.rows.first().is_some_and(|row| row.len() == 1);
    let advice = match advice.is_empty() && has_short_line && rows.row_length > 1 {
        true => "; delete the lines above the names of the columns if they are a title".to_owned(),
        false => advice,
    };
    let header = config
        .header
        .unwrap_or_else(|| has_row_names || has_header(&rows, decimal, missing));
    Ok(Detected {
        ends_with_delimiter: choice.delimiter != Delimiter::Whitespace
            && rows.ends_with_delimiter(),
        format: Format {
            delimiter: choice.delimiter,
            quote: choice.quote,
            decimal,
            header,
            has_row_names,
            title: titles.join("\n"),
            encoding,
            line_ends: line_ends_of(sample),
        },
        first_line,
        could_be_row: !has_row_names && could_be_row(&rows, decimal, missing),
        advice,
    })
}

/// The keys that fit a file better than those in use, as the end of a message.
fn advice(
    text: &str,
    is_complete: bool,
    used: &Choice,
    found: &Choice,
    decimal: char,
    missing: &[String],
) -> String {
    let used_score = judge(text, is_complete, used.delimiter, used.quote).score;
    if (used.delimiter, used.quote) == (found.delimiter, found.quote)
        || found.row_length < 2
        || found.score <= used_score
    {
        return String::new();
    }
    let mut keys = Vec::new();
    if used.delimiter != found.delimiter {
        keys.push(format!("`delimiter = {:?}`", found.delimiter.to_string()));
    }
    if used.quote != found.quote {
        keys.push(format!("`quote = {:?}`", found.quote.to_string()));
    }
    let rows = SampleRows::split(text, is_complete, found.delimiter, found.quote);
    let found_decimal = decimal_of(&rows, missing, false);
    if found_decimal != decimal {
        keys.push(format!("`decimal = {:?}`", found_decimal.to_string()));
    }
    let columns = found.row_length - usize::from(rows.ends_with_delimiter());
    format!(
        "; set {}, which gives {columns} columns",
        keys.join(" and ")
    )
}

/// UTF-8, or Windows-1252 if the bytes are not UTF-8.
fn encoding_of(sample: &[u8], is_complete: bool) -> &'static str {
    match std::str::from_utf8(sample) {
        Err(error) if is_complete || error.error_len().is_some() => "Windows-1252",
        _ => "UTF-8",
    }
}

/// The line `sep=;` that Excel reads and writes names the delimiter.
fn separator_line(sample: &[u8]) -> (FirstLine, Option<Delimiter>) {
    let none = FirstLine {
        start: 0,
        number: 1,
    };
    let length = sample.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
    let Some(length) = length.filter(|&length| length <= 9) else {
        return (none, None);
    };
    let line = sample[..length]
        .strip_prefix(b"\"")
        .unwrap_or(&sample[..length]);
    let line = line.strip_suffix(b"\"").unwrap_or(line);
    let [prefix @ .., delimiter] = line else {
        return (none, None);
    };
    if !prefix.eq_ignore_ascii_case(b"sep=") || !delimiter.is_ascii() {
        return (none, None);
    }
    let line_end = if sample[length..].starts_with(b"\r\n") {
        2
    } else {
        1
    };
    let first_line = FirstLine {
        start: length + line_end,
        number: 2,
    };
    (first_line, Some(Delimiter::Char(char::from(*delimiter))))
}

/// The byte at which a line begins; lines are counted from 1.
fn start_of_line(text: &[u8], line: u64) -> usize {
    let mut number = 1;
    let mut at = 0;
    while number < line && at < text.len() {
        let is_end = text[at] == b'\n' || text[at] == b'\r' && text.get(at + 1) != Some(&b'\n');
        number += u64::from(is_end);
        at += 1;
    }
    at
}

fn line_ends_of(sample: &[u8]) -> &'static str {
    match sample.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
        Some(at) if sample[at..].starts_with(b"\r\n") => "CRLF",
        Some(at) if sample[at] == b'\r' => "CR",
        _ => "LF",
    }
}
