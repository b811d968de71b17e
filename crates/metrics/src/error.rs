//! The reasons why arrays cannot be scored.

use thiserror::Error;

/// The reason why arrays cannot be scored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MetricsError {
    /// The numbers of targets and predictions differ.
    #[error("{targets} targets cannot be compared with {predictions} predictions")]
    Lengths {
        /// Number of targets.
        targets: usize,
        /// Number of predictions.
        predictions: usize,
    },

    /// A label is not a class.
    #[error("the label {label} is not one of the {num_classes} classes")]
    Label {
        /// The label as given.
        label: u32,
        /// Number of classes; labels are below it.
        num_classes: usize,
    },

    /// The length of a flat array is not a multiple of its width.
    #[error("{len} values cannot be divided into rows of {width}")]
    Rows {
        /// Length of the flat array.
        len: usize,
        /// Values per row.
        width: usize,
    },

    /// The numbers of classes of two matrices, or of a matrix and its names, differ.
    #[error("{found} classes where {expected} are expected")]
    Classes {
        /// The number expected.
        expected: usize,
        /// The number found.
        found: usize,
    },

    /// There are no samples.
    #[error("there are no samples to score")]
    NoSamples,

    /// A curve over thresholds needs samples of both classes.
    #[error("both classes need at least one sample")]
    OneClass,

    /// A probability is NaN or infinite.
    #[error("a probability is not a finite number")]
    NotFinite,
}

/// Fails unless there is one prediction per target.
pub(crate) fn check_lengths(targets: usize, predictions: usize) -> Result<(), MetricsError> {
    if targets == predictions {
        Ok(())
    } else {
        Err(MetricsError::Lengths {
            targets,
            predictions,
        })
    }
}

/// Fails unless `len` values are whole rows of `width` values.
pub(crate) fn check_rows(len: usize, width: usize) -> Result<(), MetricsError> {
    if width > 0 && len.is_multiple_of(width) {
        Ok(())
    } else {
        Err(MetricsError::Rows { len, width })
    }
}
