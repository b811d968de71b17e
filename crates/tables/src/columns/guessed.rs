//! A column whose type follows from its cells.

use super::ColumnType;
use super::cell::{self, DateOrder};
use super::cell_format::{CellFormat, shortened, toml_key};
use super::column_reader::{Finished, Refused};
use super::dates::Dates;
use super::guess::{CellCounts, guess};
use super::texts::Texts;
use crate::error::TableError;
use crate::table::{Column, Values};

/// The number of different texts that are kept of a column whose type is guessed, unless `categories.limit` is larger.
const MOST_TEXTS: usize = 1000;

/// The cells of a column, kept as each type that all of them so far allow.
pub(crate) struct Guessed {
    counts: CellCounts,
    /// Cells that are numbers with the other decimal mark.
    other_marks: u64,
    values: Option<Vec<f64>>,
    dates: Dates,
    texts: Option<Texts>,
    most_texts: usize,
    limit: usize,
    /// The first cell that is not a number, with its line.
    first_word: Option<(u64, String)>,
    /// The first cell that is not a date in a column of dates, with its line.
    first_other: Option<(u64, String)>,
}

impl Guessed {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            counts: CellCounts::default(),
            other_marks: 0,
            values: Some(Vec::new()),
            dates: Dates::guessed(),
            texts: Some(Texts::default()),
            most_texts: limit.max(MOST_TEXTS),
            limit,
            first_word: None,
            first_other: None,
        }
    }

    pub(crate) fn push_missing(&mut self) {
        self.counts.add_missing();
        if let Some(values) = &mut self.values {
            values.push(f64::NAN);
        }
        if let Some(texts) = &mut self.texts {
            texts.push_missing();
        }
        self.dates.push_missing();
    }

    pub(crate) fn push(&mut self, text: &str, line: u64, format: &CellFormat) {
        match self.counts.add(text, format.decimal) {
            Some(number) => {
                if let Some(values) = &mut self.values {
                    values.push(number);
                }
            }
            None => {
                self.values = None;
                self.other_marks += u64::from(format.has_other_decimal_mark(text));
                if self.first_word.is_none() {
                    self.first_word = Some((line, text.to_owned()));
                }
            }
        }
        if self.dates.is_alive() {
            self.dates.push(text);
            if !self.dates.is_alive() {
                self.first_other = Some((line, text.to_owned()));
            }
        }
        if let Some(texts) = &mut self.texts {
            texts.push(text);
            if texts.num_distinct() > self.most_texts {
                self.texts = None;
            }
        }
    }

    /// The values of the column `name`, or the reason why it cannot be a feature.
    ///
    /// # Errors
    /// [`TableError`] if the column is one of numbers but for a few cells, has another decimal mark, or its dates can
    /// be read in two ways.
    pub(crate) fn finish(self, name: String, format: &CellFormat) -> Result<Finished, TableError> {
        let distinct = self.texts.as_ref().map(Texts::num_distinct);
        let distinct_or_many = distinct.unwrap_or(self.most_texts + 1) as u64;
        let column_type = guess(&name, &self.counts, distinct_or_many);
        if let (Some(numbers), true) = (self.values, self.counts.values() > 0) {
            let values = Values::Numbers(numbers);
            return match column_type {
                ColumnType::Identifier => {
                    let column = column(name, ColumnType::Integer, None, values);
                    Ok(Finished::Identifier(column))
                }
                _ => Ok(Finished::Column(column(name, column_type, None, values))),
            };
        }
        let has_other_mark =
            self.other_marks > 0 && self.other_marks + self.counts.numbers == self.counts.values();
        let is_number = matches!(column_type, ColumnType::Number | ColumnType::Integer);
        if let Some((line, word)) = &self.first_word
            && (has_other_mark || is_number)
        {
            let key = toml_key(&name);
            let mut expected = format.instead_of_number(&name, word);
            if !word.is_empty() {
                expected += &format!(
                    "; if the column holds categories, set `types = {{ {key} = \"category\" }}`"
                );
            }
            return Err(format.error(*line, &name, word, expected));
        }
        if column_type == ColumnType::Date {
            if let Some((line, text)) = &self.first_other {
                let expected = format!(
                    "a date, written like the others of this column{}",
                    format.or_missing(&name, text)
                );
                return Err(format.error(*line, &name, text, expected));
            }
            let (order, days) = self.dates.finish(&name, format)?;
            let values = Values::Numbers(days);
            return Ok(Finished::Column(column(name, column_type, order, values)));
        }
        let Some(texts) = self.texts else {
            let word = self.first_word.map(|(_, word)| word).unwrap_or_default();
            return Ok(Finished::Refused(Refused {
                name,
                column_type,
                distinct: None,
                example: shortened(&word),
            }));
        };
        let is_category = column_type == ColumnType::Category && texts.num_distinct() <= self.limit;
        let values = match column_type {
            ColumnType::Boolean => texts.into_numbers(|text| match cell::boolean(text) {
                Some((boolean, _)) => f64::from(boolean),
                None => f64::NAN,
            }),
            _ if !is_category => {
                return Ok(Finished::Refused(Refused {
                    name,
                    column_type,
                    distinct,
                    example: texts.example(),
                }));
            }
            _ => {
                let values = texts.into_values(format.decimal);
                return Ok(Finished::Column(column(name, column_type, None, values)));
            }
        };
        let values = Values::Numbers(values);
        Ok(Finished::Column(column(name, column_type, None, values)))
    }
}

fn column(
    name: String,
    column_type: ColumnType,
    date_order: Option<DateOrder>,
    values: Values,
) -> Column {
    Column {
        name,
        column_type,
        date_order,
        values,
    }
}
