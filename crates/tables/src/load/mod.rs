//! Reads the table of a configuration: features, labels, groups and weights.

mod labels;
mod refusal;
pub(crate) mod roles;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use labels::LabelReader;
use roles::Roles;

use crate::columns::cell::Decimal;
use crate::columns::cell_format::CellFormat;
use crate::columns::column_reader::{ColumnReader, Finished};
use crate::config::TableConfig;
use crate::error::TableError;
use crate::files::RowReader;
use crate::format::FormatConfig;
use crate::table::{Column, Table};

/// A table as read: its features are not encoded as numbers yet.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedTable {
    /// The feature columns, in the order of the file.
    pub features: Table,
    /// The label of each row.
    pub label: Label,
    /// For each row the number of its group, counted from 0 in order of appearance; `None` without a group column.
    pub groups: Option<Vec<u32>>,
    /// For each row its weight in the loss; `None` without a weight column.
    pub weights: Option<Vec<f64>>,
    /// Sentences about what was found or left out, such as rows without a label.
    pub notes: Vec<String>,
}

/// The labels of all rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Label {
    /// One class for each row.
    Classes {
        /// The class of each row, as an index into `names`.
        labels: Vec<u32>,
        /// Names of the classes; the positive class is the last of two.
        names: Vec<String>,
    },
    /// Numbers for each row.
    Values {
        /// The numbers, `[num_rows × names.len()]` row by row.
        values: Vec<f64>,
        /// Names of the label columns.
        names: Vec<String>,
    },
}

impl TableConfig {
    /// How the file is to be read.
    pub fn format(&self) -> FormatConfig {
        FormatConfig {
            delimiter: Some(self.delimiter),
            quote: Some(self.quote),
            decimal: Some(self.decimal),
            header: self.header,
            missing: self.missing.clone(),
        }
    }

    /// Reads the table in one pass.
    ///
    /// # Errors
    /// [`TableError`] with the place in the file if a row or cell cannot be used, or with the key of the
    /// configuration if it does not fit the table.
    pub fn load(&self) -> Result<LoadedTable, TableError> {
        self.validate()?;
        let (mut rows, _) = RowReader::open_named(&self.path, &self.format(), self.label.names())?;
        let roles = Roles::find(self, &rows)?;
        let names = rows.columns().to_vec();
        let cells = CellFormat::new(self, &self.path);
        let mut label = LabelReader::new(self, &names, &roles.labels);
        let mut columns: Vec<ColumnReader> = (roles.features.iter())
            .map(|&place| self.column_reader(&names[place], place))
            .collect();
        let mut groups = roles.group.map(|place| (place, Groups::default()));
        let mut weights = roles.weight.map(|place| (place, Vec::new()));
        let mut lines = Vec::new();
        while let Some(row) = rows.next_row()? {
            if !label.push(&row, &cells)? {
                continue;
            }
            for column in &mut columns {
                column.push(row.cell(column.place), row.line, &cells)?;
            }
            if let Some((place, groups)) = &mut groups {
                let text = row.cell(*place);
                if cells.is_missing(&names[*place], text) {
                    let expected = "the group of the row";
                    return Err(cells.error(row.line, &names[*place], text, expected));
                }
                groups.push(text, &cells);
            }
            if let Some((place, weights)) = &mut weights {
                let text = row.cell(*place);
                let weight = cells.number(text).filter(|&weight| weight >= 0.0);
                let expected = "the weight of the row, a finite number of at least 0";
                let error = || cells.error(row.line, &names[*place], text, expected);
                weights.push(weight.ok_or_else(error)?);
            }
            lines.push(row.line);
        }
        let mut notes = Vec::new();
        let label = label.finish(self, &cells, lines.len(), &mut notes)?;
        if let Some((place, weights)) = &weights
            && weights.iter().all(|&weight| weight == 0.0)
        {
            let message = format!("all weights in column {:?} are 0", names[*place]);
            return Err(self.unusable(message));
        }
        let class_names: &[String] = match &label {
            Label::Classes { names, .. } => names,
            Label::Values { .. } => &[],
        };
        let texts = names.iter().chain(class_names).map(String::as_str);
        notes.extend(rows.format().assumed_encoding(texts));
        let features = Table {
            columns: self.finish_columns(columns, &cells, &mut notes)?,
            num_file_columns: names.len(),
            lines,
        };
        Ok(LoadedTable {
            features,
            label,
            groups: groups.map(|(_, groups)| groups.of_rows),
            weights: weights.map(|(_, weights)| weights),
            notes,
        })
    }

    fn column_reader(&self, name: &str, place: usize) -> ColumnReader {
        let limit = self.categories.limit;
        match self.types.get(name) {
            Some(&column_type) => ColumnReader::of_type(name, place, column_type, None, limit),
            None => ColumnReader::guessing(name, place, limit),
        }
    }

    fn finish_columns(
        &self,
        readers: Vec<ColumnReader>,
        cells: &CellFormat,
        notes: &mut Vec<String>,
    ) -> Result<Vec<Column>, TableError> {
        let mut columns = Vec::with_capacity(readers.len());
        let mut refused = Vec::new();
        for reader in readers {
            match reader.finish(cells)? {
                Finished::Column(column) => columns.push(column),
                Finished::Identifier(column) => {
                    let name = &column.name;
                    notes.push(format!(
                        "column {name:?} differs in each row as identifiers and row numbers do; `drop = [{name:?}]` leaves it out of the features"
                    ));
                    columns.push(column);
                }
                Finished::Refused(column) => refused.push(column),
            }
        }
        match refusal::message(&refused, self.categories.limit) {
            Some(message) => Err(self.unusable(message)),
            None => Ok(columns),
        }
    }

    /// The error of the table as a whole.
    fn unusable(&self, message: String) -> TableError {
        TableError::Unusable {
            path: self.path.clone(),
            message,
        }
    }
}

/// The group of each row, numbered in order of appearance. Numbers are compared by value: 7 and 7.0 are one group.
#[derive(Default)]
struct Groups {
    numbers: HashMap<Decimal, u32>,
    texts: HashMap<Box<str>, u32>,
    of_rows: Vec<u32>,
}

impl Groups {
    fn push(&mut self, text: &str, cells: &CellFormat) {
        let next = u32::try_from(self.numbers.len() + self.texts.len()).unwrap_or(u32::MAX);
        let group = match (cells.number(text), self.texts.get(text)) {
            (Some(_), _) => *self.numbers.entry(Decimal::of(text)).or_insert(next),
            (None, Some(&known)) => known,
            (None, None) => *self.texts.entry(text.into()).or_insert(next),
        };
        self.of_rows.push(group);
    }
}
