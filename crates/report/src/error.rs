//! The reasons why a report cannot be made.

use std::path::PathBuf;

use emberlab_pictures::PictureError;
use emberlab_run_format::FormatError;

/// The reason why a report cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file of a run or a comparison cannot be read.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The result of a comparison cannot be read.
    #[error("{0}; `emberlab compare CONFIG --collect` writes it again")]
    DamagedComparison(FormatError),
    /// A folder holds no comparison.
    #[error("{} holds no comparison.json; `emberlab compare CONFIG --collect` writes it", folder.display())]
    NoComparison {
        /// The folder.
        folder: PathBuf,
    },
    /// A folder holds no run.
    #[error("{} holds no run", folder.display())]
    NoRun {
        /// The folder.
        folder: PathBuf,
    },
    /// A table cannot be written.
    #[error("cannot write CSV: {0}")]
    Csv(#[from] csv::Error),
    /// A picture cannot be drawn.
    #[error(transparent)]
    Picture(#[from] PictureError),
}
