//! The reasons why a baseline cannot be fitted or cannot predict.

use thiserror::Error;

use crate::baseline::Task;

/// The reason why a baseline cannot be fitted or cannot predict. Rows and columns count from 0.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum BaselineError {
    /// There are no rows to learn from.
    #[error("there are no training rows")]
    NoTrainingRows,

    /// The length of a flat array does not fit the number of rows and columns.
    #[error("the {array} have {found} values where {expected} are expected")]
    Length {
        /// The array, such as "training features".
        array: &'static str,
        /// Its length.
        found: usize,
        /// The expected length, in words.
        expected: String,
    },

    /// The baseline does not predict this kind of target.
    #[error("the baseline `{baseline}` is not for {task}")]
    Task {
        /// The name of the baseline.
        baseline: &'static str,
        /// The task of the given targets.
        task: Task,
    },

    /// A label is not one of the classes.
    #[error(
        "row {row} of the training targets has the label {label}, which is not below the {num_classes} classes"
    )]
    Label {
        /// The row.
        row: usize,
        /// The label.
        label: u32,
        /// Number of classes; labels are below it.
        num_classes: usize,
    },

    /// A value is NaN, infinite, or so large that its square could be infinite.
    #[error(
        "row {row}, column {column} of the {array} is {value}: expected a finite number of at most 1e100 in magnitude"
    )]
    Value {
        /// The array, such as "training features".
        array: &'static str,
        /// The row.
        row: usize,
        /// The column.
        column: usize,
        /// The value.
        value: f64,
    },

    /// A solver did not reach its tolerance.
    #[error("the baseline `{baseline}` did not converge within {iterations} iterations")]
    NotConverged {
        /// The name of the baseline.
        baseline: &'static str,
        /// The number of iterations.
        iterations: usize,
    },

    /// The singular value decomposition of the training features failed.
    #[error("the singular value decomposition of the training features did not converge")]
    Decomposition,

    /// A prediction is NaN or infinite, although every input is finite.
    #[error(
        "the baseline `{baseline}` predicts a number that is not finite: the values of the features are too large"
    )]
    NotFinite {
        /// The name of the baseline.
        baseline: &'static str,
    },
}
