//! Collects the cells of one column as values.

use super::ColumnType;
use super::cell::{self, DateOrder};
use super::cell_format::{CellFormat, toml_key};
use super::dates::Dates;
use super::guessed::Guessed;
use super::texts::Texts;
use crate::error::TableError;
use crate::table::{Column, Values};

/// Collects the cells of one column as values.
pub(crate) struct ColumnReader {
    name: String,
    /// The place of the column in the file, from 0.
    pub(crate) place: usize,
    cells: Cells,
}

enum Cells {
    Numbers {
        integer: bool,
        values: Vec<f64>,
    },
    Booleans(Vec<f64>),
    /// 1 where there is a value, 0 where it is missing.
    Presence(Vec<f64>),
    Dates(Dates),
    Categories {
        texts: Texts,
        limit: usize,
    },
    Guessed(Box<Guessed>),
}

/// The end of a column.
pub(crate) enum Finished {
    /// Its values.
    Column(Column),
    /// Its values: whole numbers that seem to number the rows.
    Identifier(Column),
    /// It cannot be a feature as it is.
    Refused(Refused),
}

/// A column that cannot be a feature as it is.
pub(crate) struct Refused {
    pub(crate) name: String,
    /// The type that it is taken for.
    pub(crate) column_type: ColumnType,
    /// The number of its different texts; `None` if there are more than are kept.
    pub(crate) distinct: Option<usize>,
    pub(crate) example: String,
}

impl ColumnReader {
    /// A reader of a column of a given type.
    pub(crate) fn of_type(
        name: &str,
        place: usize,
        column_type: ColumnType,
        date_order: Option<DateOrder>,
        limit: usize,
    ) -> Self {
        let cells = match column_type {
            ColumnType::Number | ColumnType::Integer => Cells::Numbers {
                integer: column_type == ColumnType::Integer,
                values: Vec::new(),
            },
            ColumnType::Boolean => Cells::Booleans(Vec::new()),
            ColumnType::Presence => Cells::Presence(Vec::new()),
            ColumnType::Date => Cells::Dates(Dates::new(date_order)),
            ColumnType::Category | ColumnType::Identifier | ColumnType::Text => Cells::Categories {
                texts: Texts::default(),
                limit,
            },
        };
        Self {
            name: name.to_owned(),
            place,
            cells,
        }
    }

    /// A reader of a column whose type follows from its cells. `limit` is the largest number of categories.
    pub(crate) fn guessing(name: &str, place: usize, limit: usize) -> Self {
        Self {
            name: name.to_owned(),
            place,
            cells: Cells::Guessed(Box::new(Guessed::new(limit))),
        }
    }

    /// Adds a cell.
    ///
    /// # Errors
    /// [`TableError::Cell`] if the column has a given type, and the cell is neither missing nor of that type.
    pub(crate) fn push(
        &mut self,
        text: &str,
        line: u64,
        format: &CellFormat,
    ) -> Result<(), TableError> {
        let is_missing = format.is_missing(&self.name, text);
        match &mut self.cells {
            Cells::Guessed(guessed) => {
                match is_missing {
                    true => guessed.push_missing(),
                    false => guessed.push(text, line, format),
                }
                return Ok(());
            }
            Cells::Categories { texts, .. } => {
                match is_missing {
                    true => texts.push_missing(),
                    false => texts.push(text),
                }
                return Ok(());
            }
            Cells::Presence(values) => {
                values.push(f64::from(!is_missing));
                return Ok(());
            }
            Cells::Numbers { values, .. } | Cells::Booleans(values) if is_missing => {
                values.push(f64::NAN);
                return Ok(());
            }
            Cells::Dates(dates) if is_missing => {
                dates.push_missing();
                return Ok(());
            }
            Cells::Numbers { integer, values } => {
                let number = format.number(text);
                if let Some(number) = number.filter(|number| !*integer || number.fract() == 0.0) {
                    values.push(number);
                    return Ok(());
                }
                if number.is_some() {
                    let key = toml_key(&self.name);
                    let expected =
                        format!("a whole number; `types = {{ {key} = \"number\" }}` allows others");
                    return Err(format.error(line, &self.name, text, expected));
                }
            }
            Cells::Booleans(values) => {
                let boolean = cell::boolean(text).map(|(boolean, _)| f64::from(boolean));
                let number = || {
                    format
                        .number(text)
                        .filter(|&number| number == 0.0 || number == 1.0)
                };
                if let Some(value) = boolean.or_else(number) {
                    values.push(value);
                    return Ok(());
                }
                let expected = format!(
                    "a boolean: true or false, yes or no, t or f, y or n, on or off, 1 or 0{}",
                    format.or_missing(&self.name, text)
                );
                return Err(format.error(line, &self.name, text, expected));
            }
            Cells::Dates(dates) => {
                dates.push(text);
                if dates.is_alive() {
                    return Ok(());
                }
                let expected = match dates.has_earlier() {
                    true => "a date, written like those above",
                    false => "a date, such as 2024-03-05 or 2024-03-05 14:30",
                };
                let expected = format!("{expected}{}", format.or_missing(&self.name, text));
                return Err(format.error(line, &self.name, text, expected));
            }
        }
        let expected = format.instead_of_number(&self.name, text);
        Err(format.error(line, &self.name, text, expected))
    }

    /// The values, or the reason why the column cannot be a feature.
    ///
    /// # Errors
    /// [`TableError`] if the column is one of numbers but for a few cells, has another decimal mark, or its dates can
    /// be read in two ways.
    pub(crate) fn finish(self, format: &CellFormat) -> Result<Finished, TableError> {
        let name = self.name;
        let column = |column_type, date_order, values| {
            Ok(Finished::Column(Column {
                name: name.clone(),
                column_type,
                date_order,
                values,
            }))
        };
        match self.cells {
            Cells::Numbers { integer, values } => {
                let column_type = match integer {
                    true => ColumnType::Integer,
                    false => ColumnType::Number,
                };
                column(column_type, None, Values::Numbers(values))
            }
            Cells::Booleans(values) => column(ColumnType::Boolean, None, Values::Numbers(values)),
            Cells::Presence(values) => column(ColumnType::Presence, None, Values::Numbers(values)),
            Cells::Dates(dates) => {
                let (order, days) = dates.finish(&name, format)?;
                column(ColumnType::Date, order, Values::Numbers(days))
            }
            Cells::Categories { texts, limit } => {
                let distinct = texts.num_distinct();
                if distinct > limit {
                    return Ok(Finished::Refused(Refused {
                        column_type: ColumnType::Category,
                        distinct: Some(distinct),
                        example: texts.example(),
                        name,
                    }));
                }
                // Which spellings of new rows are one category depends on the training rows, not on the new ones.
                let values = match format.are_new {
                    true => texts.into_values_as_written(),
                    false => texts.into_values(format.decimal),
                };
                column(ColumnType::Category, None, values)
            }
            Cells::Guessed(guessed) => guessed.finish(name, format),
        }
    }
}
