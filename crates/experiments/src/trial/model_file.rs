//! `model.json`: what a trained network needs to be used, beside its weights.

use emberlab_datasets::{Standardizer, Targets};
use emberlab_training::Task;
use serde::{Deserialize, Serialize};

use crate::error::ExperimentError;
use crate::run::Run;
use crate::trial::Prepared;

pub(crate) const MODEL: &str = "model/model.json";

/// What a trained network needs to be used, beside its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelFile {
    /// `[features]` or `[channels, height, width]`.
    pub input_shape: Vec<usize>,
    /// Names of the features; empty for images.
    #[serde(default)]
    pub feature_names: Vec<String>,
    /// Width of the output.
    pub d_output: usize,
    /// How outputs become predictions.
    pub task: Task,
    /// Names of the classes, in the order of their labels; empty for a regression.
    pub class_names: Vec<String>,
    /// How inputs are scaled.
    pub standardizer: Standardizer,
}

impl ModelFile {
    pub(crate) fn new(prepared: &Prepared) -> Self {
        let class_names = match &prepared.samples.targets {
            Targets::Classes { names, .. } => names.clone(),
            Targets::Values(_) => Vec::new(),
        };
        Self {
            input_shape: prepared.samples.input_shape.clone(),
            feature_names: prepared.samples.feature_names.clone(),
            d_output: prepared.d_output,
            task: prepared.task,
            class_names,
            standardizer: prepared.standardizer.clone(),
        }
    }

    /// Reads the file of a run.
    ///
    /// # Errors
    /// [`ExperimentError::Storage`] or [`ExperimentError::Malformed`].
    pub fn load(run: &Run) -> Result<Self, ExperimentError> {
        run.read_json(MODEL)
    }
}
