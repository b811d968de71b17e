//! Errors of data, each with the value that caused it.

use std::io;
use std::path::{Path, PathBuf};

use emberlab_menu::Problem;
use emberlab_tables::TableError;
use thiserror::Error;

/// The reason why samples cannot be loaded, split, standardised or put on a device.
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
        /// The files or folders where they were searched.
        searched: Vec<PathBuf>,
    },

    /// A file or folder could not be read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },

    /// A file is not an image that can be read, or a folder does not hold the images of one class.
    #[error("{}: {reason}", .path.display())]
    Image {
        /// The file or folder.
        path: PathBuf,
        /// The defect.
        reason: String,
    },

    /// A file is not the expected IDX file.
    #[error("{}: expected {expected}, found {found}", .path.display())]
    Idx {
        /// The file.
        path: PathBuf,
        /// The expected content.
        expected: String,
        /// The content found.
        found: String,
    },

    /// A table cannot be read or encoded.
    #[error(transparent)]
    Table(TableError),

    /// Data inside the program file are damaged.
    #[error("the embedded {dataset} are damaged: {problem}")]
    Embedded {
        /// The data set's name.
        dataset: &'static str,
        /// The defect.
        problem: String,
    },

    /// No mirror sent a good copy of a file.
    #[error("{file} could not be fetched from any mirror:{}", list_failures(.failures))]
    Fetch {
        /// The file's name.
        file: String,
        /// Each address, and the reason why it failed.
        failures: Vec<(String, String)>,
    },

    /// The targets do not fit the encoding.
    #[error("targets cannot be encoded as {encoding}: found {found}")]
    Encoding {
        /// The encoding.
        encoding: String,
        /// The kind of the targets.
        found: String,
    },

    /// The statistics of the standardiser belong to other data.
    #[error(
        "the samples have {expected} features, but the standardising statistics are of {found}"
    )]
    Standardizer {
        /// Features of the samples.
        expected: usize,
        /// Length of the statistics.
        found: usize,
    },

    /// A requested row does not exist, or no rows are requested.
    #[error("cannot take {rows} of {available} samples")]
    Rows {
        /// The first row that does not exist, such as `row 150`, or `no rows`.
        rows: String,
        /// Number of samples.
        available: usize,
    },
}

impl From<TableError> for DatasetError {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Value(problem) => Self::Value(problem),
            error => Self::Table(error),
        }
    }
}

impl DatasetError {
    /// Adds the path to an error of the operating system.
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
