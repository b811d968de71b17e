//! A column whose type follows from its cells.

use super::ColumnType;
use super::cell::{self, BooleanSpelling};
use super::cell_format::{CellFormat, shortened, toml_key};
use super::column_reader::{Finished, Refused};
use super::dates::Dates;
use super::texts::Texts;
use crate::error::TableError;
use crate::table::{Column, Values};

/// The most different texts that are kept of a column whose type is guessed, unless `categories.limit` is larger.
const MOST_TEXTS: usize = 1000;

/// As many different words are few in a column of numbers.
const FEW_WORDS: usize = 3;

/// The cells of a column, kept as each type that all of them so far allow.
pub(crate) struct Guessed {
    rows: usize,
    present: usize,
    numbers: usize,
    /// Cells that are numbers with the other decimal mark.
    other_marks: usize,
    integer: bool,
    values: Option<Vec<f64>>,
    dates: Dates,
    texts: Option<Texts>,
    most_texts: usize,
    limit: usize,
    /// The first cell that is no number, with its line.
    first_word: Option<(u64, String)>,
    /// Different cells that are no numbers, up to one more than are few.
    words: Vec<String>,
}

impl Guessed {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            rows: 0,
            present: 0,
            numbers: 0,
            other_marks: 0,
            integer: true,
            values: Some(Vec::new()),
            dates: Dates::new(None),
            texts: Some(Texts::default()),
            most_texts: limit.max(MOST_TEXTS),
            limit,
            first_word: None,
            words: Vec::new(),
        }
    }

    pub(crate) fn push_missing(&mut self) {
        self.rows += 1;
        if let Some(values) = &mut self.values {
            values.push(f64::NAN);
        }
        if let Some(texts) = &mut self.texts {
            texts.push_missing();
        }
        self.dates.push_missing();
    }

    pub(crate) fn push(&mut self, text: &str, line: u64, format: &CellFormat) {
        self.rows += 1;
        self.present += 1;
        match format.number(text) {
            Some(number) => {
                self.numbers += 1;
                self.integer &= number.fract() == 0.0;
                if let Some(values) = &mut self.values {
                    values.push(number);
                }
                // No date is also a number.
                self.dates.give_up();
            }
            None => {
                self.values = None;
                self.dates.push(text);
                self.other_marks += usize::from(format.has_other_decimal_mark(text));
                if self.first_word.is_none() {
                    self.first_word = Some((line, text.to_owned()));
                }
                if self.words.len() <= FEW_WORDS && !self.words.iter().any(|word| word == text) {
                    self.words.push(text.to_owned());
                }
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
    /// [`TableError`] if the column is one of numbers but for a few cells, has another decimal mark, or its dates can be
    /// read in two ways.
    pub(crate) fn finish(self, name: String, format: &CellFormat) -> Result<Finished, TableError> {
        let as_column = |name, column_type, date_order, values| {
            Ok(Finished::Column(Column {
                name,
                column_type,
                date_order,
                values,
            }))
        };
        if let Some(numbers) = self.values {
            let column_type = match self.integer {
                true => ColumnType::Integer,
                false => ColumnType::Number,
            };
            return as_column(name, column_type, None, Values::Numbers(numbers));
        }
        if self.dates.is_alive() {
            let (order, days) = self.dates.finish(&name, format)?;
            return as_column(name, ColumnType::Date, Some(order), Values::Numbers(days));
        }
        if let Some((line, word)) = &self.first_word
            && (self.has_other_mark() || self.is_mostly_numbers(format))
        {
            let key = toml_key(&name);
            let expected = format!(
                "{}; if the column holds categories, set `types = {{ {key} = \"category\" }}`",
                format.instead_of_number(word)
            );
            return Err(format.error(*line, &name, word, expected));
        }
        let Some(texts) = self.texts else {
            let word = self.words.first().map(String::as_str).unwrap_or_default();
            return Ok(Finished::Refused(Refused {
                name,
                column_type: ColumnType::Text,
                distinct: None,
                example: shortened(word),
            }));
        };
        if is_boolean(&texts) {
            let value = |text: &str| match cell::boolean(text) {
                Some((boolean, _)) => f64::from(boolean),
                None => f64::NAN,
            };
            let values = Values::Numbers(texts.into_numbers(value));
            return as_column(name, ColumnType::Boolean, None, values);
        }
        let distinct = texts.num_distinct();
        let column_type = guess_text(distinct, self.present);
        if column_type != ColumnType::Category || distinct > self.limit {
            return Ok(Finished::Refused(Refused {
                name,
                column_type,
                distinct: Some(distinct),
                example: texts.example(),
            }));
        }
        as_column(name, ColumnType::Category, None, texts.into_values())
    }

    /// Whether each cell that is no number is one with the other decimal mark.
    fn has_other_mark(&self) -> bool {
        self.other_marks > 0 && self.other_marks + self.numbers == self.present
    }

    /// Whether the column holds numbers but for a few words: nearly all cells are numbers, or there are many different
    /// numbers and few words. Codes such as 1, 2 and 3+ are categories.
    fn is_mostly_numbers(&self, format: &CellFormat) -> bool {
        let is_number = |text: &&str| format.number(text).is_some();
        let distinct = |texts: &Texts| texts.distinct().filter(is_number).count();
        let distinct = self.texts.as_ref().map_or(usize::MAX, distinct);
        let has_many_numbers = distinct > 20 || distinct.saturating_mul(2) >= self.numbers;
        20 * self.numbers >= 19 * self.present
            || 2 * self.numbers >= self.present && has_many_numbers && self.words.len() <= FEW_WORDS
    }
}

/// Whether all texts are booleans of one spelling.
fn is_boolean(texts: &Texts) -> bool {
    let mut spellings = texts.distinct().map(|text| cell::boolean(text).map(|(_, spelling)| spelling));
    let Some(Some(first)) = spellings.next() else {
        return false;
    };
    spellings.all(|spelling: Option<BooleanSpelling>| spelling == Some(first))
}

// TODO
fn guess_text(distinct: usize, present: usize) -> ColumnType {
    if distinct * 2 > present && distinct > 20 { ColumnType::Identifier } else { ColumnType::Category }
}
