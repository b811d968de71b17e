//! Arrays as the text of a comma-separated table, so that they are read in the same way.

use std::io::{self, Read};
use std::path::Path;

use super::{NumpyError, NumpyRows};
use crate::error::TableError;

/// The rows of a `.npy` or `.npz` file as lines, written row by row: a header if the columns have names, then a line
/// for each row.
pub(crate) struct NumpyText {
    rows: NumpyRows,
    cells: Vec<String>,
    /// The line that is handed out.
    line: Vec<u8>,
    /// The number of bytes of it that are handed out.
    done: usize,
}

impl NumpyText {
    /// Opens a file.
    ///
    /// # Errors
    /// [`TableError`] if it cannot be read, or is no table of numbers, booleans or texts.
    pub(crate) fn open(path: &Path) -> Result<Self, TableError> {
        let rows = NumpyRows::open(path).map_err(|error| match error {
            NumpyError::Io { path, source } => TableError::Io { path, source },
            NumpyError::Content { path, problem } => TableError::Unusable {
                path,
                message: problem,
            },
        })?;
        let mut text = Self {
            cells: rows.names().unwrap_or_default().to_vec(),
            rows,
            line: Vec::new(),
            done: 0,
        };
        if text.has_names() {
            text.write_line();
        }
        Ok(text)
    }

    /// Whether the first line holds the names of the columns.
    pub(crate) fn has_names(&self) -> bool {
        self.rows.names().is_some()
    }

    /// Writes `cells` as the next line.
    fn write_line(&mut self) {
        self.line.clear();
        self.done = 0;
        for (place, cell) in self.cells.iter().enumerate() {
            if place > 0 {
                self.line.push(b',');
            }
            let is_plain = cell.trim() == cell && !cell.contains([',', '"', '\n', '\r']);
            match is_plain {
                true => self.line.extend(cell.bytes()),
                false => {
                    let quoted = format!("\"{}\"", cell.replace('"', "\"\""));
                    self.line.extend(quoted.bytes());
                }
            }
        }
        self.line.push(b'\n');
    }
}

impl Read for NumpyText {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.done == self.line.len() {
            let row = self.rows.next_row(&mut self.cells);
            let row = row.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            if row.is_none() {
                return Ok(0);
            }
            self.write_line();
        }
        let count = buffer.len().min(self.line.len() - self.done);
        buffer[..count].copy_from_slice(&self.line[self.done..self.done + count]);
        self.done += count;
        Ok(count)
    }
}
