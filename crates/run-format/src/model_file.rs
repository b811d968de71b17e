//! `model/model.json`: what a trained network needs to predict, beside its weights.

use serde::{Deserialize, Serialize};

/// What a trained network needs to predict, beside its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelFile {
    /// `[num_features]` or `[channels, height, width]`.
    pub input_shape: Vec<usize>,
    /// Names of the features; empty for images.
    #[serde(default)]
    pub feature_names: Vec<String>,
    /// Width of the output.
    pub d_output: usize,
    /// How outputs become predictions.
    pub task: ModelTask,
    /// Names of the classes, in the order of their labels; empty for a regression.
    pub class_names: Vec<String>,
    /// How inputs are standardised.
    pub standardizer: Scaling,
}

/// How outputs become predictions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelTask {
    /// One output: class 1 above 0 if it is a logit, else above 0.5.
    Binary {
        /// Whether the output is a logit.
        on_logits: bool,
    },
    /// One output per class: the largest wins.
    Multiclass {
        /// Number of classes.
        num_classes: usize,
    },
    /// The output is the prediction.
    Regression,
}

/// The mean and standard deviation that inputs are standardised with: one of each for every feature, or one for
/// all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaling {
    /// Subtracted from the inputs, in their units.
    pub mean: Vec<f64>,
    /// The inputs are divided by it, in their units; positive.
    pub std: Vec<f64>,
}
