//! `model/model.json`: shapes, names and scaling that a trained network needs to predict.

use emberlab_tables::{DerivedFeatures, Encoder};
use serde::{Deserialize, Serialize};

/// Shapes, names and scaling that a trained network needs to predict, beside its weights.
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
    /// How the columns of a table become features; absent if the data set is not a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<Encoder>,
    /// How features are computed from columns; absent if they are the columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived_features: Option<DerivedFeatures>,
    /// Names of the numbers that a regression predicts; empty for classes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target_names: Vec<String>,
    /// How the targets of a regression were standardised; absent for classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_standardizer: Option<Scaling>,
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
    /// The outputs are the predictions.
    Regression,
    /// The outputs are logarithms of the predictions.
    Counts,
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_model_file_reads_back_exactly() {
        let model = ModelFile {
            input_shape: vec![2],
            feature_names: vec!["x1".to_string(), "x2".to_string()],
            d_output: 1,
            task: ModelTask::Binary { on_logits: true },
            class_names: vec!["no".to_string(), "yes".to_string()],
            standardizer: Scaling {
                mean: vec![0.1 + 0.2, -1.0 / 3.0],
                std: vec![1e-7, 2.0_f64.sqrt()],
            },
            encoder: None,
            derived_features: None,
            target_names: Vec::new(),
            target_standardizer: None,
        };
        let json = serde_json::to_string(&model).unwrap();
        assert_eq!(model, serde_json::from_str(&json).unwrap());
    }
}
