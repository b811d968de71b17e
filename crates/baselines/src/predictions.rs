//! Predictions of a baseline, and how many rows they were learnt from.

use crate::training::{Targets, Training};

/// The predictions of a baseline and the number of training rows behind them.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The predictions, one for each row.
    pub predictions: Predictions,
    /// The number of training rows that the baseline learnt from. It is below the number of rows given where all of
    /// them would take too long; then they are a random part, without repetition.
    pub num_train_used: usize,
}

/// The predictions for some rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Predictions {
    /// Of a classification.
    Classes {
        /// The predicted class of each row, `[num_rows]`: the most probable one, the lowest of several.
        classes: Vec<u32>,
        /// The probability of each class, row by row `[num_rows × num_classes]`. Each row sums to 1.
        probabilities: Vec<f64>,
    },
    /// Of a regression: the predicted numbers, row by row `[num_rows × num_targets]`.
    Values(Vec<f64>),
}

impl Predictions {
    /// Predictions from one output for each column of the targets: probabilities of the classes, or values.
    pub(crate) fn from_outputs(training: &Training, outputs: Vec<f64>) -> Predictions {
        match training.targets {
            Targets::Classes { num_classes, .. } => Predictions::Classes {
                classes: outputs
                    .chunks_exact(num_classes)
                    .map(most_probable)
                    .collect(),
                probabilities: outputs,
            },
            Targets::Values { .. } => Predictions::Values(outputs),
        }
    }

    /// Whether each probability or value is finite.
    pub(crate) fn are_finite(&self) -> bool {
        let (Predictions::Classes {
            probabilities: outputs,
            ..
        }
        | Predictions::Values(outputs)) = self;
        outputs.iter().all(|output| output.is_finite())
    }
}

/// The class of the largest probability, the lowest of several.
fn most_probable(probabilities: &[f64]) -> u32 {
    let mut best = 0;
    for (class, probability) in probabilities.iter().enumerate() {
        if *probability > probabilities[best] {
            best = class;
        }
    }
    best as u32
}
