//! Errors of tables, each with its place in the file.

use std::io;
use std::path::{Path, PathBuf};

use emberlab_menu::Problem;
use thiserror::Error;

/// The reason why a table cannot be read, or its rows cannot become numbers.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TableError {
    /// A value in the configuration is outside its range, or does not fit the table.
    #[error(transparent)]
    Value(#[from] Problem),

    /// The file could not be read.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },

    /// The file is not a table of the expected shape.
    #[error("{}, line {line}: expected {expected}, found {found}", .path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The line as an editor counts it, from 1.
        line: u64,
        /// The expected content.
        expected: String,
        /// The content found.
        found: String,
    },

    /// A cell cannot be used.
    #[error("{}, line {line}, column {column:?} holds {value:?}, expected {expected}", .path.display())]
    Cell {
        /// The file.
        path: PathBuf,
        /// The line as an editor counts it, from 1.
        line: u64,
        /// The column's name.
        column: String,
        /// The cell's text.
        value: String,
        /// The expected content, with the key to set if there is one.
        expected: String,
    },

    /// Values of a feature are missing, and nothing replaces them.
    #[error(
        "{}, line {line}: column {column:?} has no value there{}, expected {expected}",
        .path.display(),
        match .count {
            1 => String::new(),
            2 => " and in one other row".to_owned(),
            count => format!(" and in {} other rows", count - 1),
        }
    )]
    Missing {
        /// The file.
        path: PathBuf,
        /// The line of the first row without a value, as an editor counts it, from 1.
        line: u64,
        /// The column's name.
        column: String,
        /// Number of rows without a value.
        count: usize,
        /// The expected content, with the key to set.
        expected: String,
    },

    /// The table lacks a column.
    #[error("{}: there is no column {column:?}{}{} columns are {}", .path.display(), .suggestion, if .suggestion.ends_with('?') { " The" } else { "; the" }, .columns.join(", "))]
    Column {
        /// The file.
        path: PathBuf,
        /// The missing column.
        column: String,
        /// `, did you mean "…"?`, or a hint about delimiter or header; may be empty.
        suggestion: String,
        /// The columns of the table, shortened if there are many.
        columns: Vec<String>,
    },

    /// The table as a whole cannot be used.
    #[error("{}: {message}", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The defect and the key to set.
        message: String,
    },
}

impl TableError {
    /// Adds the path to an error of the operating system.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}
