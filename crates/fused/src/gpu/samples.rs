//! The samples that a training on a GPU owns.

use std::sync::Arc;

use super::error::GpuError;
use crate::Plan;

/// The samples of one split, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// `[num_samples × d_input]`
    pub inputs: Vec<f32>,
    /// `[num_samples × d_output]`; one-hot for a cross-entropy.
    pub targets: Vec<f32>,
    /// The weight of each sample's loss, `[num_samples]`, if there are weights.
    pub weights: Option<Vec<f32>>,
}

impl Samples {
    /// Number of samples.
    pub(super) fn len(&self, plan: &Plan) -> usize {
        self.inputs.len() / plan.d_input().max(1)
    }

    /// Checks that all parts have the same number of samples.
    pub(super) fn check(&self, plan: &Plan) -> Result<(), GpuError> {
        let num_samples = self.len(plan);
        length("inputs", num_samples * plan.d_input(), self.inputs.len())?;
        length("targets", num_samples * plan.d_output(), self.targets.len())?;
        match &self.weights {
            Some(weights) => length("weights of samples", num_samples, weights.len()),
            None => Ok(()),
        }
    }
}

/// The splits of one replica. Replicas that share samples share the device's copy, too.
#[derive(Debug, Clone)]
pub struct Splits {
    /// The samples that the replica trains on.
    pub train: Arc<Samples>,
    /// The samples that it is validated on, if there are any.
    pub valid: Option<Arc<Samples>>,
}

/// Checks a length.
pub(super) fn length(what: &'static str, expected: usize, found: usize) -> Result<(), GpuError> {
    match expected == found {
        true => Ok(()),
        false => Err(GpuError::Length {
            what,
            expected,
            found,
        }),
    }
}
