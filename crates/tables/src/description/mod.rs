//! The description of a table: formats and columns as found, and what to look out for.

mod collect;
mod distinct;
mod leak;
mod stand_ins;
mod summary;
#[cfg(test)]
mod tests;
mod warnings;

use std::collections::HashMap;
use std::path::Path;

use serde::Serialize;

use self::collect::{Collected, collect};
use self::leak::gives_label_away;
use self::summary::{Summary, shortened};
pub(crate) use self::warnings::mixed_booleans;
use self::warnings::{LEAST_ROWS, WORDS_OF_PROGRAMS, warnings};
pub use self::warnings::{Subject, Warning};
use crate::columns::ColumnType;
use crate::columns::cell::{DateOrder, date, is_like_date};
use crate::columns::guess::{guess, is_identifier_name, is_nearly_all};
use crate::error::TableError;
use crate::files::RowReader;
use crate::format::{Format, FormatConfig};

/// The largest number of classes that are counted.
const MAX_CLASSES: usize = 100;

/// The largest number of different whole numbers that may be codes, about which there is a remark.
const MOST_CODES: u64 = 10;

/// The description of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TableDescription {
    /// Number of rows.
    pub rows: u64,
    /// The format of the file.
    pub format: Format,
    /// The columns.
    pub columns: Vec<ColumnDescription>,
    /// The values of the label and how often they occur, in numeric or alphabetic order; empty if no label was named,
    /// or it has more than 100 different values.
    pub classes: Vec<ClassCount>,
    /// Sentences about what to look out for, the most important ones first.
    pub warnings: Vec<Warning>,
}

/// The description of a column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnDescription {
    /// Its name.
    pub name: String,
    /// The type that it is taken for.
    pub column_type: ColumnType,
    /// Number of missing values.
    pub missing: u64,
    /// The words that read as missing, such as `None`, and the number of rows with each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing_words: Vec<ClassCount>,
    /// Number of different values; numbers are compared as numbers.
    pub distinct: u64,
    /// Whether `distinct` is an estimate, with a standard error of about 1 %.
    pub distinct_is_estimate: bool,
    /// Smallest number; `None` if the column does not hold numbers.
    pub min: Option<f64>,
    /// Largest number.
    pub max: Option<f64>,
    /// Mean of the numbers.
    pub mean: Option<f64>,
    /// The first different values as written, shortened if they are long.
    pub examples: Vec<String>,
    /// The number of rows of the rarest value; `None` if there are too many different values to count each.
    pub rarest: Option<u64>,
    /// The texts that stand among the numbers of a column of numbers, or the dates of a column of dates, as far as they
    /// were collected.
    pub other_texts: Vec<String>,
    /// Those of `other_texts` that are values of another column.
    pub texts_of_other_columns: Vec<String>,
    /// Number of rows with a text among numbers or dates.
    pub rows_with_other_texts: u64,
    /// Values that programs write where nothing is known, such as `NULL` or `#N/A`, though they do not read as missing.
    pub missing_words_of_programs: Vec<String>,
    /// Whether the column holds dates that can be read with the day or the month first.
    pub has_ambiguous_dates: bool,
    /// The reason why the column says nothing as a feature; `None` for the label.
    pub useless: Option<Useless>,
    /// The reason to say that the column gives the label away, such as "its values determine 100.0 % of the labels".
    pub gives_label_away: Option<String>,
    /// For a column of dates, also of dates such as 20240305 that are numbers too, the first and the last day since
    /// 1970-01-01.
    pub days: Option<[f64; 2]>,
    /// Whether the dates have times.
    pub has_times: bool,
    /// Whether the numbers are digits of one length, some with zeros before them, as codes are written.
    pub are_padded_codes: bool,
    /// Whether rows of one value may belong together, by the name of the column and the number of its values.
    pub may_be_group: bool,
    /// Number of cells that are numbers with a decimal comma, where the decimal mark is a point.
    pub decimal_commas: u64,
    /// Remarks about the guessed type; none for the label.
    pub notes: Vec<String>,
}

/// The reason why a column says nothing as a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Useless {
    /// The numbers count up by one from row to row.
    RowNumbers,
    /// Almost every row has a value of its own.
    Identifier,
    /// Free text.
    Text,
    /// Numbers in a notation in which they are not read, such as `12.5%`.
    OtherNotation,
    /// Dates in a notation in which they are not read.
    UnreadDates,
    /// All values are missing.
    NoValue,
    /// All values are the same, and none is missing.
    OneValue,
}

/// A class and how often it occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassCount {
    /// The class as written first.
    pub name: String,
    /// Number of rows.
    pub rows: u64,
}

/// Describes a table in one pass and bounded memory. With `label`, the name of a column, classes are counted and
/// columns are searched that give the label away.
///
/// # Errors
/// [`TableError`] if the file cannot be read as a table, or has no column `label`.
pub fn describe(
    path: &Path,
    format: &FormatConfig,
    label: Option<&str>,
) -> Result<TableDescription, TableError> {
    let named = label.map(str::to_owned);
    let (mut reader, format) = RowReader::open_named(path, format, named.as_slice())?;
    let label = match label {
        Some(name) => Some(place_of(path, &reader, name)?),
        None => None,
    };
    let collected = collect(&mut reader, &format.missing, label)?;
    let names = reader.columns().iter();
    let mut columns: Vec<ColumnDescription> = names
        .zip(&collected.summaries)
        .map(|(name, summary)| describe_column(name, summary, reader.format()))
        .collect();
    if let Some(label) = label {
        for (column, summary) in columns.iter_mut().zip(&collected.summaries) {
            column.gives_label_away = gives_label_away(summary, &collected.summaries[label]);
        }
        let label = &mut columns[label];
        label.gives_label_away = None;
        label.useless = None;
        label.notes.clear();
    }
    find_texts_of_other_columns(&mut columns, &collected.summaries, label);
    Ok(TableDescription {
        rows: collected.rows,
        warnings: warnings(&columns, &collected, label, &format, reader.format()),
        classes: label.map_or_else(Vec::new, |label| classes(&collected, label)),
        format: reader.format().clone(),
        columns,
    })
}

fn place_of(path: &Path, reader: &RowReader, name: &str) -> Result<usize, TableError> {
    let columns = reader.columns();
    let place = columns.iter().position(|column| column == name);
    place.ok_or_else(|| {
        let similar = columns
            .iter()
            .find(|column| column.trim().eq_ignore_ascii_case(name.trim()));
        let mut shown: Vec<String> = columns.iter().take(30).cloned().collect();
        if shown.len() < columns.len() {
            shown.push(format!("… ({} in all)", columns.len()));
        }
        TableError::Column {
            path: path.to_owned(),
            column: name.to_owned(),
            suggestion: match similar {
                Some(similar) => format!(", did you mean {similar:?}?"),
                None => reader.advice().to_owned(),
            },
            columns: shown,
        }
    })
}

fn describe_column(name: &str, summary: &Summary, format: &Format) -> ColumnDescription {
    let counts = &summary.counts;
    let distinct = summary.distinct.count().min(counts.values());
    let column_type = guess(name, counts, distinct);
    let is_numeric = counts.numbers > 0
        && (matches!(column_type, ColumnType::Number | ColumnType::Integer)
            || counts.numbers == counts.values());
    let dates = match column_type {
        ColumnType::Date => Some(counts.days()),
        ColumnType::Integer => counts.days_of_digits(),
        _ => None,
    };
    let if_numeric = |value: f64| is_numeric.then_some(value);
    ColumnDescription {
        name: name.to_owned(),
        column_type,
        missing: counts.missing,
        missing_words: missing_words(summary),
        distinct,
        distinct_is_estimate: !summary.distinct.is_exact(),
        min: if_numeric(summary.min),
        max: if_numeric(summary.max),
        mean: if_numeric(summary.mean),
        examples: summary
            .values
            .iter()
            .take(5)
            .map(|value| shortened(&value.text))
            .collect(),
        rarest: rarest(summary),
        other_texts: other_texts(column_type, summary),
        texts_of_other_columns: Vec::new(),
        rows_with_other_texts: match column_type {
            ColumnType::Number | ColumnType::Integer => counts.values() - counts.numbers,
            ColumnType::Date => counts.values() - counts.dates(),
            _ => 0,
        },
        missing_words_of_programs: (summary.values.iter())
            .map(|value| &value.text)
            .chain(&summary.other_texts)
            .filter(|text| WORDS_OF_PROGRAMS.contains(&text.as_str()))
            .cloned()
            .collect(),
        has_ambiguous_dates: column_type == ColumnType::Date && counts.has_ambiguous_dates(),
        useless: useless(column_type, distinct, summary),
        gives_label_away: None,
        days: dates.map(|days| days.range),
        has_times: dates.is_some_and(|days| days.has_fractions),
        are_padded_codes: column_type == ColumnType::Integer && counts.are_padded_codes(),
        may_be_group: may_be_group(name, column_type, distinct, counts.values(), format),
        decimal_commas: counts.clear_decimal_commas,
        notes: notes(column_type, distinct, summary),
    }
}

/// Whether rows of one value may belong together, as those of one patient do: the column is named like an identifier, and
/// its values repeat. Without a header, `column_1` says nothing about the column.
fn may_be_group(
    name: &str,
    column_type: ColumnType,
    distinct: u64,
    values: u64,
    format: &Format,
) -> bool {
    let is_identifier = is_identifier_name(name)
        && column_type != ColumnType::Number
        && (name != "column_1" || format.has_row_names);
    is_identifier && (3..=values / 2).contains(&distinct) && values >= LEAST_ROWS
}

fn missing_words(summary: &Summary) -> Vec<ClassCount> {
    let words = summary.missing_words.iter();
    let count = |(word, rows): &(String, u64)| ClassCount {
        name: word.clone(),
        rows: *rows,
    };
    words.map(count).collect()
}

fn rarest(summary: &Summary) -> Option<u64> {
    let is_complete = summary.values.len() as u64 == summary.distinct.count();
    let rarest = summary.values.iter().map(|value| value.count).min();
    rarest.filter(|_| is_complete)
}

/// The different values of a column of numbers or dates that are none.
fn other_texts(column_type: ColumnType, summary: &Summary) -> Vec<String> {
    let is_date = |text: &str| {
        let orders = [DateOrder::DayFirst, DateOrder::MonthFirst];
        orders.iter().any(|&order| date(text, order).is_some())
    };
    let values = summary.values.iter();
    let texts: Vec<&String> = match column_type {
        ColumnType::Number | ColumnType::Integer => values
            .filter(|value| value.number.is_none())
            .map(|value| &value.text)
            .collect(),
        ColumnType::Date => values
            .map(|value| &value.text)
            .filter(|text| !is_date(text))
            .collect(),
        _ => return Vec::new(),
    };
    texts
        .into_iter()
        .chain(&summary.other_texts)
        .cloned()
        .collect()
}

/// Finds the texts among numbers that are ordinary values of another column. All texts of the label are, as they may be
/// classes.
fn find_texts_of_other_columns(
    columns: &mut [ColumnDescription],
    summaries: &[Summary],
    label: Option<usize>,
) {
    let mut columns_of: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, (column, summary)) in columns.iter().zip(summaries).enumerate() {
        for value in &summary.values {
            let is_value = label == Some(place) || !column.other_texts.contains(&value.text);
            if is_value && value.number.is_none() {
                columns_of.entry(&value.text).or_default().push(place);
            }
        }
    }
    for (place, column) in columns.iter_mut().enumerate() {
        let is_shared = |text: &&String| {
            let mut others = columns_of.get(text.as_str()).into_iter().flatten();
            others.any(|&other| other != place)
        };
        let texts = column.other_texts.iter();
        column.texts_of_other_columns = texts.filter(is_shared).cloned().collect();
    }
}

fn useless(column_type: ColumnType, distinct: u64, summary: &Summary) -> Option<Useless> {
    let counts = &summary.counts;
    match column_type {
        _ if counts.values() == 0 => Some(Useless::NoValue),
        _ if summary.counts_up && counts.rows >= 3 => Some(Useless::RowNumbers),
        ColumnType::Identifier | ColumnType::Text if counts.notation().is_some() => {
            Some(Useless::OtherNotation)
        }
        ColumnType::Identifier | ColumnType::Text if are_like_dates(summary) => {
            Some(Useless::UnreadDates)
        }
        ColumnType::Identifier => Some(Useless::Identifier),
        ColumnType::Text => Some(Useless::Text),
        _ if counts.missing == 0 && distinct == 1 => Some(Useless::OneValue),
        _ => None,
    }
}

/// Whether the values are like dates that are not read.
fn are_like_dates(summary: &Summary) -> bool {
    const MOST: usize = 100;
    let values = &summary.values[..summary.values.len().min(MOST)];
    let num_dates = values
        .iter()
        .filter(|value| is_like_date(&value.text))
        .count();
    !values.is_empty() && 10 * num_dates >= 9 * values.len()
}

fn notes(column_type: ColumnType, distinct: u64, summary: &Summary) -> Vec<String> {
    let values = summary.counts.values();
    let mut notes = Vec::new();
    if column_type != ColumnType::Integer {
        return notes;
    }
    if summary.counts.days_of_digits().is_some() {
        notes.push("numbers such as 20240305 are dates if the type \"date\" is set".to_owned());
        return notes;
    }
    if summary.counts.are_padded_codes() {
        notes.push(
            "digits of one length with zeros before them are taken for numbers; set the type \"category\" if they are \
             codes"
                .to_owned(),
        );
    } else if (3..=MOST_CODES).contains(&distinct) && values >= 5 * distinct {
        notes.push(
            "few different whole numbers are taken for amounts or ranks; set the type \"category\" if they are codes"
                .to_owned(),
        );
    }
    let is_different = values >= 10 && is_nearly_all(distinct, values) && !summary.counts_up;
    if is_different {
        notes.push(
            "almost every row has a number of its own; drop the column if it is an identifier"
                .to_owned(),
        );
    }
    notes
}

/// The classes of the label, in numeric order if all are numbers, else in alphabetic order.
fn classes(collected: &Collected, label: usize) -> Vec<ClassCount> {
    let Summary {
        values, distinct, ..
    } = &collected.summaries[label];
    if distinct.count() > MAX_CLASSES as u64 {
        return Vec::new();
    }
    let mut classes: Vec<(Option<f64>, ClassCount)> = values
        .iter()
        .map(|value| {
            let (name, rows) = (value.text.clone(), value.count);
            (value.number, ClassCount { name, rows })
        })
        .collect();
    let all_numbers = classes.iter().all(|(number, _)| number.is_some());
    classes.sort_by(|(a, first), (b, second)| match (a, b) {
        (Some(a), Some(b)) if all_numbers => a.total_cmp(b),
        _ => first.name.cmp(&second.name),
    });
    classes.into_iter().map(|(_, class)| class).collect()
}
