//! The predictions at the points of a grid, from the outputs of a network.

use emberlab_metrics::MOST_CLASSES;
use emberlab_run_format::{Bytes, Cells};

use crate::error::TrainingError;
use crate::loss::LossConfig;
use crate::task::Task;

/// The predictions for rows of outputs; none if one is NaN, or for more than [`MOST_CLASSES`] classes.
///
/// # Shapes
/// - outputs: `[num_points × d_output]`, row by row
///
/// # Errors
/// [`TrainingError::Read`] if the task is a regression.
pub fn cells(
    task: &Task,
    loss: &LossConfig,
    outputs: &[f64],
    d_output: usize,
) -> Result<Option<Cells>, TrainingError> {
    if task.num_classes().is_some_and(|n| n > MOST_CLASSES) {
        return Ok(None);
    }
    let probabilities = task.probabilities(loss, outputs, d_output)?;
    if d_output > 256 || probabilities.iter().any(|p| p.is_nan()) {
        return Ok(None);
    }
    Ok(Some(match task {
        Task::Binary { .. } => Cells::Binary {
            probabilities: Bytes::from_shares(probabilities),
        },
        _ => {
            let best = |row: &[f64]| {
                let first = (0, f64::NEG_INFINITY);
                row.iter().enumerate().fold(
                    first,
                    |best, (class, &p)| {
                        if p > best.1 { (class, p) } else { best }
                    },
                )
            };
            let best: Vec<(usize, f64)> = probabilities.chunks(d_output).map(best).collect();
            Cells::Multiclass {
                classes: Bytes(best.iter().map(|(class, _)| *class as u8).collect()),
                probabilities: Bytes::from_shares(best.iter().map(|(_, p)| *p)),
            }
        }
    }))
}
