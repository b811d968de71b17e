//! Wrong values as the crates below report them, each with the key it has in the file of an experiment.

use emberlab_datasets::DatasetError;
use emberlab_menu::Problem;
use emberlab_models::ModelError;
use emberlab_training::TrainingError;

/// The problem of a value in a table of the data, `dataset`, `split` or `training`.
///
/// # Errors
/// The problem; an error that is not about one value is about the table.
pub(crate) fn of_dataset<T>(result: Result<T, DatasetError>, table: &str) -> Result<T, Problem> {
    result.map_err(|error| match error {
        DatasetError::Value {
            key,
            value,
            expected,
        } if key.contains('.') => Problem::new(key, value, expected),
        DatasetError::Value {
            key,
            value,
            expected,
        } => Problem::new(key, value, expected).within(table),
        error => Problem::new(table, "refused", error.to_string()),
    })
}

/// The problem of a value in the table `model`.
///
/// # Errors
/// The problem; an error that is not about one value is about the table.
pub(crate) fn of_model<T>(result: Result<T, ModelError>) -> Result<T, Problem> {
    result.map_err(|error| match error {
        ModelError::Value(problem) => problem.within("model"),
        error => Problem::new("model", "refused", error.to_string()),
    })
}

/// The problem of a value in one of the tables of the training.
///
/// # Errors
/// The problem; an error that is not about one value is about the table `training`.
pub(crate) fn of_training<T>(result: Result<T, TrainingError>) -> Result<T, Problem> {
    result.map_err(|error| match error {
        TrainingError::Value {
            key,
            value,
            expected,
        } => Problem::new(key, value, expected),
        error => Problem::new("training", "refused", error.to_string()),
    })
}
