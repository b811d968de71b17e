//! What can go wrong with data, each with the value that caused it.

use std::io;
use std::path::{Path, PathBuf};

use emberlab_menu::Problem;
use thiserror::Error;

use crate::device_dataset::Encoding;

/// Why samples could not be loaded, cut, standardised or put on a device.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A value in the configuration is outside its range.
    #[error(transparent)]
    Value(#[from] Problem),

    /// The files of a fetched data set are in none of the data folders.
    #[error("{dataset} is not in {}: get it with `emberlab data fetch {dataset}`", list_paths(.searched))]
    Missing {
        /// The data set's name.
        dataset: &'static str,
        /// The files or folders looked for.
        searched: Vec<PathBuf>,
    },

    /// A file or folder could not be read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },

    /// A file is not a picture that can be read.
    #[error("{}: {reason}", .path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// A file is not the IDX file it should be.
    #[error("{}: expected {expected}, found {found}", .path.display())]
    Idx {
        /// The file.
        path: PathBuf,
        /// What a good file holds.
        expected: String,
        /// What this one holds.
        found: String,
    },

    /// A table lacks the column of the labels.
    #[error("{}, line 1: there is no column {column:?}; the columns are {}", .path.display(), .columns.join(", "))]
    CsvColumn {
        /// The table.
        path: PathBuf,
        /// The column asked for.
        column: String,
        /// The columns there are.
        columns: Vec<String>,
    },

    /// A table's header or size cannot be learned from.
    #[error("{}, line {line}: expected {expected}, found {found}", .path.display())]
    CsvShape {
        /// The table.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What was expected there.
        expected: String,
        /// What stands there.
        found: String,
    },

    /// A cell of a table cannot be used.
    #[error("{}, line {line}, column {column:?} holds {value:?}, expected {expected}", .path.display())]
    CsvValue {
        /// The table.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The column's name.
        column: String,
        /// The cell's text.
        value: String,
        /// What was expected there.
        expected: &'static str,
    },

    /// Data inside the program are damaged.
    #[error("the embedded {dataset} are damaged: {problem}")]
    Embedded {
        /// The data set's name.
        dataset: &'static str,
        /// What is wrong with them.
        problem: String,
    },

    /// No mirror gave a good copy of a file.
    #[error("{file} could not be fetched from any mirror:{}", list_failures(.failures))]
    Fetch {
        /// The file's name.
        file: String,
        /// Each address tried, and why it failed.
        failures: Vec<(String, String)>,
    },

    /// The targets do not fit the encoding.
    #[error("targets cannot be encoded as {encoding:?}: found {found}")]
    Encoding {
        /// The encoding asked for.
        encoding: Encoding,
        /// What the targets are.
        found: String,
    },

    /// Statistics of other data were given.
    #[error("standardising statistics of {found} features given for samples of {expected}")]
    Standardizer {
        /// Features of the samples.
        expected: usize,
        /// Length of the statistics.
        found: usize,
    },

    /// A row is asked for that does not exist, or none at all.
    #[error("rows {rows} asked for of {available} samples")]
    Rows {
        /// The row, or `none`.
        rows: String,
        /// Samples there are.
        available: usize,
    },
}

impl DatasetError {
    /// Adds the path to an operating system's error.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

fn list_paths(paths: &[PathBuf]) -> String {
    if paths.is_empty() {
        return "any data folder (none is set)".to_owned();
    }
    let paths: Vec<_> = paths.iter().map(|p| p.display().to_string()).collect();
    paths.join(" or ")
}

fn list_failures(failures: &[(String, String)]) -> String {
    failures
        .iter()
        .map(|(address, why)| format!("\n  {address}: {why}"))
        .collect()
}
