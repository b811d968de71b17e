//! NumPy's files `.npy` and `.npz` as rows of text.

mod npy;
mod npz;
#[cfg(test)]
mod tests;
mod text;

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use npy::Array;
pub(crate) use text::NumpyText;

/// The rows of a `.npy` or `.npz` file. The whole file is in memory.
///
/// An array of one dimension is a column, one of two dimensions several. The arrays of a `.npz` file stand side by side
/// in the order of the file, and need the same number of rows.
///
/// Numbers are written as the shortest text that reads back as the same number, booleans as `true` and `false`.
#[derive(Debug)]
pub(crate) struct NumpyRows {
    path: PathBuf,
    names: Option<Vec<String>>,
    arrays: Vec<Array>,
    num_rows: usize,
    next: usize,
}

/// The reason why a `.npy` or `.npz` file cannot be read.
#[derive(Debug, Error)]
pub(crate) enum NumpyError {
    /// The file could not be read.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },

    /// The file is damaged, or holds something else than a table of numbers, booleans or texts.
    #[error("{}: {problem}", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The array, what was expected and what was found.
        problem: String,
    },
}

impl NumpyRows {
    /// Opens a file, which is an archive of arrays or one array.
    ///
    /// # Errors
    /// [`NumpyError`] if the file cannot be read, is damaged, has no columns, arrays of three dimensions, of different
    /// lengths, or of a type that is not a number, boolean or text.
    pub(crate) fn open(path: &Path) -> Result<Self, NumpyError> {
        let bytes = std::fs::read(path).map_err(|source| NumpyError::Io {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(path, bytes).map_err(|problem| NumpyError::Content {
            path: path.to_owned(),
            problem,
        })
    }

    fn parse(path: &Path, bytes: Vec<u8>) -> Result<Self, String> {
        let (names, arrays) = if npz::is_archive(&bytes) {
            let mut names = Vec::new();
            let mut arrays: Vec<Array> = Vec::new();
            for (key, bytes) in npz::entries(&bytes)? {
                let array = Array::parse(bytes).map_err(|e| format!("array {key:?}: {e}"))?;
                if let Some(first) = arrays.first().filter(|f| f.num_rows != array.num_rows) {
                    return Err(format!(
                        "array {key:?}: expected {} rows, as in the first array, found {}",
                        first.num_rows, array.num_rows
                    ));
                }
                match array.num_columns {
                    None => names.push(key),
                    Some(columns) => names.extend((1..=columns).map(|i| format!("{key}_{i}"))),
                }
                arrays.push(array);
            }
            (Some(names), arrays)
        } else {
            (None, vec![Array::parse(bytes)?])
        };
        let Some(first) = arrays.first() else {
            return Err("expected an array, found an empty archive".to_owned());
        };
        Ok(Self {
            path: path.to_owned(),
            names,
            num_rows: first.num_rows,
            arrays,
            next: 0,
        })
    }

    /// The names of the columns: the key of an array of one dimension, and `key_1`, `key_2`, … for one of two. `None`
    /// for a `.npy` file, whose columns have no names.
    pub(crate) fn names(&self) -> Option<&[String]> {
        self.names.as_deref()
    }

    /// Replaces `cells` by the cells of the next row, and gives the number of the row, from 1; `None` after the last.
    ///
    /// # Errors
    /// [`NumpyError::Content`] if a text is not Unicode.
    pub(crate) fn next_row(&mut self, cells: &mut Vec<String>) -> Result<Option<u64>, NumpyError> {
        cells.clear();
        let row = self.next;
        if row == self.num_rows {
            return Ok(None);
        }
        self.next += 1;
        for array in &self.arrays {
            for column in 0..array.num_columns.unwrap_or(1) {
                let cell = array.text(row, column).ok_or_else(|| NumpyError::Content {
                    path: self.path.clone(),
                    problem: format!(
                        "row {}, column {}: expected Unicode text, found other bytes",
                        row + 1,
                        cells.len() + 1
                    ),
                })?;
                cells.push(cell);
            }
        }
        Ok(Some(self.next as u64))
    }
}
