//! The files of tables, row by row.

use std::io::Read;
use std::path::Path;

use crate::error::TableError;
use crate::format::{Format, FormatConfig};

/// Whether the first line of a file holds the names of the columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HeaderLine {
    /// It is found out.
    #[default]
    Auto,
    /// It does.
    Yes,
    /// It is a row.
    No,
}

/// One row of cells. Blanks around unquoted cells are cut off.
#[derive(Debug)]
pub struct Row<'a> {
    /// The line as an editor counts it, from 1; for files without lines the row, from 1.
    pub line: u64,
    cells: &'a csv::StringRecord,
}

impl<'a> Row<'a> {
    /// The text of a cell; empty if there is no such cell.
    pub fn cell(&self, column: usize) -> &'a str {
        self.cells.get(column).unwrap_or_default()
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there are no cells.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }
}

/// Reads a file row by row. Every row has as many cells as there are columns.
pub struct RowReader {
    _todo: (),
}

impl RowReader {
    /// Opens a file: text by its content, gzip by its first bytes, `.npy`, `.npz` and Parquet by its name.
    ///
    /// # Errors
    /// [`TableError`] if the file cannot be read, is empty, or its header has two columns of one name.
    pub fn open(_path: &Path, _format: &FormatConfig) -> Result<Self, TableError> {
        todo!()
    }

    /// Reads text from a stream; `name` stands for the path in errors.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_stream(
        _name: &Path,
        _stream: Box<dyn Read>,
        _format: &FormatConfig,
    ) -> Result<Self, TableError> {
        todo!()
    }

    /// The names of the columns: those of the header, or `column_1`, `column_2`, …
    pub fn columns(&self) -> &[String] {
        todo!()
    }

    /// The format as found.
    pub fn format(&self) -> &Format {
        todo!()
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    /// [`TableError`] if the row has another number of cells than the others, or is not text.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, TableError> {
        todo!()
    }
}
