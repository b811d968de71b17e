//! Typed columns as numbers: missing values replaced, categories one-hot or ordinal, dates, derived features.

mod categories;
mod dates;
mod expression;
mod impute;
mod new_rows;
#[cfg(test)]
mod tests;

use std::path::Path;

use emberlab_menu::{Problem, nearest_name};
use serde::{Deserialize, Serialize};

use crate::columns::cell_format::shortened;
use crate::columns::{ColumnType, DateOrder};
use crate::config::{Dates, TableConfig, UnseenCategories};
use crate::error::TableError;
use crate::files::generated_name;
use crate::load::roles::shortened_list;
use crate::table::{Column, Table, Values};
use categories::{FittedCategories, Place};
use dates::DatePart;
pub(crate) use expression::Expression;
pub use new_rows::NewRows;

/// The way in which the columns of a table become features. Everything in it was fitted on the training rows.
///
/// The features of the columns come first, in the order of the file; then those that say where a value was missing;
/// then the derived ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encoder {
    columns: Vec<FittedColumn>,
    derived: Vec<Expression>,
    /// The number of columns of the training file, features or not.
    num_file_columns: usize,
}

/// How a column becomes features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FittedColumn {
    name: String,
    column_type: ColumnType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    date_order: Option<DateOrder>,
    /// The smallest and the largest number or day of the training rows; `None` if the column holds no numbers and no
    /// dates, or the encoder was stored before they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    range: Option<[f64; 2]>,
    /// Whether one more feature says where a value was missing.
    has_indicator: bool,
    values: FittedValues,
}

/// How the values of a column become features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum FittedValues {
    /// One feature.
    Numbers {
        /// The number in place of missing ones; `None` if those are an error.
        replacement: Option<f64>,
    },
    /// One feature for each part of the date.
    Dates {
        /// The day in place of missing ones; `None` if those are an error.
        replacement: Option<f64>,
        parts: Vec<DatePart>,
    },
    /// One feature for each category, or one for all.
    Categories(FittedCategories),
}

/// A feature of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct EncodedFeature {
    /// Its name: that of the column, `column=category` for a one-hot column, `column is missing`, `column is present`,
    /// `column year` and the like for a part of a date, or the formula of a derived feature.
    pub name: String,
    /// Whether its values are 0 and 1 by construction, so that it is not standardised: one-hot columns, booleans and
    /// indicators of missing or present values.
    pub is_indicator: bool,
    /// The column it comes from, as an index into the table's columns; `None` if it is derived from several.
    pub column: Option<usize>,
}

impl Encoder {
    /// Fits the encoder on `rows` of a table; the values of other rows are not looked at.
    ///
    /// # Errors
    /// [`TableError`] if a column has no value in these rows, or a derived feature names no number column.
    pub fn fit(config: &TableConfig, table: &Table, rows: &[u32]) -> Result<Self, TableError> {
        if let Some(row) = rows.iter().find(|&&row| row as usize >= table.len()) {
            let message = format!(
                "there is no row {row}, as the table has {} rows",
                table.len()
            );
            return Err(unusable(config, message));
        }
        let fit = |column: &Column| FittedColumn::fit(config, column, rows);
        let columns = table.columns.iter().map(fit).collect::<Result<_, _>>()?;
        let parse = |text: &String| {
            let expression = Expression::parse(text);
            expression.map_err(|expected| Problem::new("derive", format!("{text:?}"), expected))
        };
        let derived = config.derive.iter().map(parse).collect::<Result<_, _>>()?;
        let encoder = Self {
            columns,
            derived,
            num_file_columns: table.num_file_columns,
        };
        encoder.check_derived()?;
        Ok(encoder)
    }

    /// An encoder of number columns that changes nothing, for data sets that are not tables. Without names, the columns
    /// are found by their place.
    pub fn of_numbers(names: &[String], num_features: usize) -> Self {
        let column = |place: usize| FittedColumn {
            name: match names.get(place) {
                Some(name) => name.clone(),
                None => generated_name(place),
            },
            column_type: ColumnType::Number,
            date_order: None,
            range: None,
            has_indicator: false,
            values: FittedValues::Numbers { replacement: None },
        };
        Self {
            columns: (0..num_features).map(column).collect(),
            derived: Vec::new(),
            num_file_columns: num_features,
        }
    }

    /// The names of the columns that the features come from.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// The features, in order.
    pub fn features(&self) -> Vec<EncodedFeature> {
        let mut features = Vec::new();
        for (place, column) in self.columns.iter().enumerate() {
            features.extend(column.features().into_iter().map(|name| EncodedFeature {
                name,
                is_indicator: column.is_binary(),
                column: Some(place),
            }));
        }
        for (place, column) in self.columns.iter().enumerate() {
            features.extend(column.has_indicator.then(|| EncodedFeature {
                name: format!("{} is missing", column.name),
                is_indicator: true,
                column: Some(place),
            }));
        }
        for expression in &self.derived {
            let places: Vec<_> = (self.columns.iter().enumerate())
                .filter(|(_, column)| expression.columns().contains(&column.name))
                .map(|(place, _)| place)
                .collect();
            features.push(EncodedFeature {
                name: expression.text().to_owned(),
                is_indicator: false,
                column: match places[..] {
                    [only] => Some(only),
                    _ => None,
                },
            });
        }
        features
    }

    /// The features of all rows of a table: `[num_rows × num_features]`, row by row.
    ///
    /// # Errors
    /// [`TableError`] with the line and the key to set if a value is missing and nothing replaces it, a category was
    /// not among the training rows, or a derived feature is not finite.
    pub fn encode(&self, config: &TableConfig, table: &Table) -> Result<Vec<f64>, TableError> {
        self.encode_file(config, &config.path, table, "")
    }

    /// [`encode`](Self::encode) for a table that was read from `path`. `again` ends the advice to set a key.
    fn encode_file(
        &self,
        config: &TableConfig,
        path: &Path,
        table: &Table,
        again: &str,
    ) -> Result<Vec<f64>, TableError> {
        let columns = self.find_columns(path, table)?;
        let width = self.features().len();
        if width == 0 {
            return Ok(Vec::new());
        }
        let mut features = vec![0.0; table.len() * width];
        let mut first = 0;
        for (fitted, column) in self.columns.iter().zip(&columns) {
            let target = Target {
                features: &mut features,
                width,
                first,
                count: fitted.features().len(),
            };
            first += target.count;
            fitted.encode(config, path, column, &table.lines, target, again)?;
        }
        for (fitted, column) in self.columns.iter().zip(&columns) {
            if fitted.has_indicator {
                let rows = features.chunks_exact_mut(width);
                for (row, features) in rows.enumerate() {
                    features[first] = f64::from(column.values.is_missing(row));
                }
                first += 1;
            }
        }
        self.derive(path, &table.lines, &mut features, width, first)?;
        Ok(features)
    }

    /// The column of `table` for each fitted one.
    fn find_columns<'a>(
        &self,
        path: &Path,
        table: &'a Table,
    ) -> Result<Vec<&'a Column>, TableError> {
        let find = |(place, fitted): (usize, &FittedColumn)| {
            let has_name = |column: &&Column| column.name == fitted.name;
            let at_place = table.columns.get(place).filter(has_name);
            let column = at_place.or_else(|| table.columns.iter().find(has_name));
            let column = column.ok_or_else(|| TableError::Column {
                path: path.to_owned(),
                column: fitted.name.clone(),
                suggestion: String::new(),
                columns: shortened_list(&names(&table.columns)),
            })?;
            match fitted.accepts(column) {
                true => Ok(column),
                false => Err(TableError::Unusable {
                    path: path.to_owned(),
                    message: format!(
                        "column {:?} is of the type {}, expected {}, as in the training table",
                        column.name,
                        column.column_type.name(),
                        fitted.column_type.name()
                    ),
                }),
            }
        };
        self.columns.iter().enumerate().map(find).collect()
    }

    /// Checks that the derived features use number columns.
    fn check_derived(&self) -> Result<(), Problem> {
        for expression in &self.derived {
            for name in expression.columns() {
                let column = self.columns.iter().find(|column| column.name == *name);
                let is_number = column.is_some_and(FittedColumn::is_number);
                let numbers = self.columns.iter().filter(|column| column.is_number());
                let numbers: Vec<String> = numbers.map(|column| column.name.clone()).collect();
                Problem::unless(
                    is_number,
                    "derive",
                    format!("{:?}", expression.text()),
                    format!(
                        "a formula of number columns, but {name:?} is none of {}",
                        shortened_list(&numbers).join(", ")
                    ),
                )?;
            }
        }
        Ok(())
    }

    /// Computes the derived features of all rows, from `first` on.
    fn derive(
        &self,
        path: &Path,
        lines: &[u64],
        features: &mut [f64],
        width: usize,
        first: usize,
    ) -> Result<(), TableError> {
        let mut place_of_column = Vec::with_capacity(self.columns.len());
        let mut place = 0;
        for column in &self.columns {
            place_of_column.push((&column.name, place));
            place += column.features().len();
        }
        let mut stack = Vec::new();
        for (place, expression) in (first..).zip(&self.derived) {
            let find = |name: &String| {
                let mut places = place_of_column.iter();
                places
                    .find(|(column, _)| *column == name)
                    .map_or(0, |(_, place)| *place)
            };
            let operands: Vec<usize> = expression.columns().iter().map(find).collect();
            for (row, features) in features.chunks_exact_mut(width).enumerate() {
                let value = expression.evaluate(|column| features[operands[column]], &mut stack);
                if !value.is_finite() {
                    return Err(TableError::Cell {
                        path: path.to_owned(),
                        line: lines.get(row).copied().unwrap_or_default(),
                        column: expression.text().to_owned(),
                        value: value.to_string(),
                        expected: "a finite number; change or leave out this formula in `derive`"
                            .to_owned(),
                    });
                }
                features[place] = value;
            }
        }
        Ok(())
    }
}

/// The features of one column within those of all rows.
struct Target<'a> {
    features: &'a mut [f64],
    /// The number of features of a row.
    width: usize,
    /// The first of the column's features.
    first: usize,
    count: usize,
}

impl Target<'_> {
    /// The features of the column, row by row.
    fn rows(&mut self) -> impl Iterator<Item = &mut [f64]> {
        let place = self.first..self.first + self.count;
        let rows = self.features.chunks_exact_mut(self.width);
        rows.map(move |row| &mut row[place.clone()])
    }
}

impl FittedColumn {
    fn fit(config: &TableConfig, column: &Column, rows: &[u32]) -> Result<Self, TableError> {
        let impute = &config.impute;
        let name = &column.name;
        let no_value = || {
            let message = format!(
                "column {name:?} has no value in the training rows; `drop = [{name:?}]` leaves it out"
            );
            unusable(config, message)
        };
        let num_missing = rows
            .iter()
            .filter(|&&row| column.values.is_missing(row as usize))
            .count();
        if num_missing == rows.len() {
            return Err(no_value());
        }
        let mut range = None;
        let values = match &column.values {
            Values::Numbers(numbers) => {
                let present = rows.iter().filter_map(|&row| numbers.get(row as usize));
                let present: Vec<f64> =
                    present.copied().filter(|number| !number.is_nan()).collect();
                use ColumnType::{Date, Integer, Number};
                if matches!(column.column_type, Number | Integer | Date) {
                    let least = present.iter().copied().fold(f64::INFINITY, f64::min);
                    let most = present.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    range = Some([least, most]);
                }
                let has_times = present.iter().any(|number| number.fract() != 0.0);
                let replacement = impute::number(impute, present);
                match (column.column_type, config.dates) {
                    (ColumnType::Date, Dates::Number) => FittedValues::Dates {
                        replacement,
                        parts: Vec::new(),
                    },
                    (ColumnType::Date, Dates::Parts) => FittedValues::Dates {
                        replacement,
                        parts: DatePart::all(has_times),
                    },
                    _ => FittedValues::Numbers { replacement },
                }
            }
            Values::Categories { codes, names } => {
                let training = rows
                    .iter()
                    .map(|&row| codes.get(row as usize).copied().flatten());
                let fitted = FittedCategories::fit(config, training, names);
                FittedValues::Categories(fitted.ok_or_else(no_value)?)
            }
        };
        let shows_missing =
            matches!(&values, FittedValues::Categories(fitted) if fitted.shows_missing());
        Ok(Self {
            name: name.clone(),
            column_type: column.column_type,
            date_order: column.date_order,
            range,
            has_indicator: impute.indicators && num_missing > 0 && !shows_missing,
            values,
        })
    }

    /// The names of its features, without the indicator.
    fn features(&self) -> Vec<String> {
        match &self.values {
            FittedValues::Dates { parts, .. } if !parts.is_empty() => {
                let part = |part: &DatePart| format!("{} {}", self.name, part.name());
                parts.iter().map(part).collect()
            }
            FittedValues::Numbers { .. } if self.column_type == ColumnType::Presence => {
                vec![format!("{} is present", self.name)]
            }
            FittedValues::Numbers { .. } | FittedValues::Dates { .. } => vec![self.name.clone()],
            FittedValues::Categories(categories) => categories.features(&self.name),
        }
    }

    /// Whether its features are 0 and 1 by construction.
    fn is_binary(&self) -> bool {
        match &self.values {
            FittedValues::Categories(categories) => categories.is_one_hot(),
            _ => matches!(self.column_type, ColumnType::Boolean | ColumnType::Presence),
        }
    }

    /// Whether derived features can use it.
    fn is_number(&self) -> bool {
        matches!(self.values, FittedValues::Numbers { .. })
    }

    /// Whether a column has values that this encoding can read.
    fn accepts(&self, column: &Column) -> bool {
        let is_date = column.column_type == ColumnType::Date;
        match (&self.values, &column.values) {
            (FittedValues::Numbers { .. }, Values::Numbers(_)) => !is_date,
            (FittedValues::Dates { .. }, Values::Numbers(_)) => is_date,
            (FittedValues::Categories(_), Values::Categories { .. }) => true,
            _ => false,
        }
    }

    /// Writes the features of all rows.
    fn encode(
        &self,
        config: &TableConfig,
        path: &Path,
        column: &Column,
        lines: &[u64],
        mut target: Target<'_>,
        again: &str,
    ) -> Result<(), TableError> {
        let line = |row: usize| lines.get(row).copied().unwrap_or_default();
        match (&self.values, &column.values) {
            (
                FittedValues::Numbers { replacement } | FittedValues::Dates { replacement, .. },
                Values::Numbers(numbers),
            ) => {
                let parts = match &self.values {
                    FittedValues::Dates { parts, .. } => parts.as_slice(),
                    _ => &[],
                };
                if replacement.is_none() && numbers.iter().any(|number| number.is_nan()) {
                    return Err(self.missing(path, column, lines, again));
                }
                for (features, number) in target.rows().zip(numbers) {
                    let number = match replacement {
                        Some(replacement) if number.is_nan() => *replacement,
                        _ => *number,
                    };
                    match parts {
                        [] => features.iter_mut().for_each(|feature| *feature = number),
                        parts => {
                            for (feature, part) in features.iter_mut().zip(parts) {
                                *feature = part.of(number);
                            }
                        }
                    }
                }
            }
            (FittedValues::Categories(categories), Values::Categories { codes, names }) => {
                let places = categories.places(names, config.decimal);
                for (row, (features, code)) in target.rows().zip(codes).enumerate() {
                    let name = code.and_then(|code| names.get(code as usize));
                    let place = match code {
                        Some(code) => places.get(*code as usize),
                        None => places.last(),
                    };
                    let place = place.unwrap_or(&Place::Unseen);
                    match place {
                        Place::Missing => {
                            return Err(self.missing(path, column, lines, again));
                        }
                        Place::Unseen if config.categories.unseen == UnseenCategories::Error => {
                            let known = categories.names();
                            let near = name.and_then(|name| {
                                nearest_name(name, known.iter().map(String::as_str))
                            });
                            let near = near
                                .map_or(String::new(), |near| format!(" (did you mean {near:?}?)"));
                            return Err(TableError::Cell {
                                path: path.to_owned(),
                                line: line(row),
                                column: self.name.clone(),
                                value: name.map_or(String::new(), |name| shortened(name)),
                                expected: format!(
                                    "one of the categories of the training rows: {}{near}; to accept \
                                     others, set `categories.unseen = \"ignore\"`{again}",
                                    shortened_list(known).join(", ")
                                ),
                            });
                        }
                        place => categories.encode(place, features),
                    }
                }
            }
            // `find_columns` has refused these.
            _ => {}
        }
        Ok(())
    }

    /// The error of a missing value that nothing replaces.
    fn missing(&self, path: &Path, column: &Column, lines: &[u64], again: &str) -> TableError {
        let is_missing = |(row, _): &(usize, &u64)| column.values.is_missing(*row);
        let mut missing = lines.iter().enumerate().filter(is_missing);
        let line = missing.next().map_or(0, |(_, line)| *line);
        let keys = match self.values {
            FittedValues::Categories(_) => {
                "`dataset.impute.category = \"most_frequent\"` or `\"own\"`"
            }
            _ => "`dataset.impute.number = \"median\"`, `\"mean\"` or `\"constant\"`",
        };
        TableError::Missing {
            path: path.to_owned(),
            line,
            column: self.name.clone(),
            count: 1 + missing.count(),
            expected: format!(
                "one in each row; set {keys} to replace missing ones, or `drop = [{:?}]` to leave the column out{again}",
                self.name
            ),
        }
    }
}

fn names(columns: &[Column]) -> Vec<String> {
    columns.iter().map(|column| column.name.clone()).collect()
}

/// The error of the table as a whole.
fn unusable(config: &TableConfig, message: String) -> TableError {
    TableError::Unusable {
        path: config.path.clone(),
        message,
    }
}
