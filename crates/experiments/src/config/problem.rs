//! Wrong values as the crates below report them, each with the key it has in the file of an experiment.

use emberlab_menu::Problem;
use emberlab_models::ModelError;

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
