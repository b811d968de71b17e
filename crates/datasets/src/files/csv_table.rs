//! CSV tables with a header line, read cell by cell so that an error can name line and column.

use std::path::{Path, PathBuf};

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::error::DatasetError;

/// The header of an open table, which reads the cells of its rows.
pub(crate) struct Header {
    path: PathBuf,
    columns: StringRecord,
}

/// Opens a table: its header, and its rows from top to bottom.
///
/// # Errors
/// [`DatasetError::Io`] or [`DatasetError::CsvShape`] if the header, or later a row, cannot be read.
pub(crate) fn open(
    path: &Path,
    delimiter: u8,
) -> Result<
    (
        Header,
        impl Iterator<Item = Result<StringRecord, DatasetError>>,
    ),
    DatasetError,
> {
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .trim(Trim::All)
        .from_path(path)
        .map_err(|error| unreadable(path, error))?;
    let columns = reader.headers().map_err(|error| unreadable(path, error))?;
    let header = Header {
        path: path.to_owned(),
        columns: columns.clone(),
    };
    let rows = reader.into_records();
    let rows = rows.map(|row| row.map_err(|error| unreadable(path, error)));
    Ok((header, rows))
}

fn unreadable(path: &Path, source: csv::Error) -> DatasetError {
    let path = path.to_owned();
    let (line, expected, found) = match source.into_kind() {
        csv::ErrorKind::Io(source) => return DatasetError::Io { path, source },
        csv::ErrorKind::UnequalLengths {
            pos,
            expected_len,
            len,
        } => {
            let expected = format!("{expected_len} columns, as in the header");
            (pos.map_or(0, |pos| pos.line()), expected, len.to_string())
        }
        csv::ErrorKind::Utf8 { pos, err } => {
            let found = format!("other bytes in column {}", err.field() + 1);
            let line = pos.map_or(0, |pos| pos.line());
            (line, "UTF-8 text".to_owned(), found)
        }
        other => (0, "a CSV table".to_owned(), format!("{other:?}")),
    };
    DatasetError::CsvShape {
        path,
        line,
        expected,
        found,
    }
}

impl Header {
    /// The names of the columns.
    pub(crate) fn columns(&self) -> Vec<String> {
        self.columns.iter().map(str::to_owned).collect()
    }

    /// The place of the column `label`, counted from 0.
    ///
    /// # Errors
    /// [`DatasetError::CsvColumn`] if there is no such column; [`DatasetError::CsvShape`] if two columns have
    /// the same name or there is no other column.
    pub(crate) fn label_column(&self, label: &str) -> Result<usize, DatasetError> {
        let columns: Vec<&str> = self.columns.iter().collect();
        let mut places = columns.iter().enumerate();
        if let Some((_, twice)) = places.find(|(i, name)| columns[..*i].contains(name)) {
            let found = format!("{twice:?} twice");
            return Err(self.misshapen(1, "columns of different names", &found));
        }
        let position = columns.iter().position(|&column| column == label);
        let position = position.ok_or_else(|| DatasetError::CsvColumn {
            path: self.path.clone(),
            column: label.to_owned(),
            columns: self.columns(),
        })?;
        if columns.len() == 1 {
            return Err(self.misshapen(1, "a column beside the label", "none"));
        }
        Ok(position)
    }

    /// A cell that must hold a finite number.
    ///
    /// # Errors
    /// [`DatasetError::CsvValue`] if it does not.
    pub(crate) fn number(&self, row: &StringRecord, column: usize) -> Result<f32, DatasetError> {
        let number = row[column].parse().ok();
        let number = number.filter(|number: &f32| number.is_finite());
        number.ok_or_else(|| self.unusable(row, column, "a finite number"))
    }

    /// A cell that must hold the name of a class.
    ///
    /// # Errors
    /// [`DatasetError::CsvValue`] if it is empty.
    pub(crate) fn class(&self, row: &StringRecord, column: usize) -> Result<String, DatasetError> {
        let text = &row[column];
        match text.is_empty() {
            true => Err(self.unusable(row, column, "a class")),
            false => Ok(text.to_owned()),
        }
    }

    fn unusable(&self, row: &StringRecord, column: usize, expected: &'static str) -> DatasetError {
        DatasetError::CsvValue {
            path: self.path.clone(),
            line: row.position().map_or(0, csv::Position::line),
            column: self.columns[column].to_owned(),
            value: row[column].to_owned(),
            expected,
        }
    }

    /// The error of a table that is not as `expected`.
    pub(crate) fn misshapen(&self, line: u64, expected: &str, found: &str) -> DatasetError {
        DatasetError::CsvShape {
            path: self.path.clone(),
            line,
            expected: expected.to_owned(),
            found: found.to_owned(),
        }
    }
}
