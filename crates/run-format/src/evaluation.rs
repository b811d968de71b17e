//! What a network is worth on each split, and what there is to see of it.

use emberlab_metrics::{
    BestThreshold, BinaryCurves, ClassificationReport, ConfusionMatrix, RegressionScores, Split,
    SplitMetrics,
};
use serde::{Deserialize, Serialize};

use crate::{Boundary, Mistakes};

/// What the last network of a run is worth, left when its training ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunEvaluation {
    /// Names of the classes, in the order of their labels; empty for a regression.
    pub class_names: Vec<String>,
    /// Every split that has rows: train, valid, test.
    pub splits: Vec<SplitEvaluation>,
    /// Two classes: the best thresholds by F1 and by Youden's J, on `thresholds_from`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub best_thresholds: Vec<BestThreshold>,
    /// The split that the best thresholds were found on: validation where there is one, else training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds_from: Option<Split>,
    /// Two inputs and classes: what is predicted where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<Boundary>,
    /// Classes: the wrong predictions of the test split, else of validation, else of training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mistakes: Option<Mistakes>,
}

impl RunEvaluation {
    /// The evaluation of a split, if it has rows.
    pub fn split(&self, split: Split) -> Option<&SplitEvaluation> {
        self.splits.iter().find(|s| s.split == split)
    }
}

/// What a network is worth on one split.
///
/// Class 1 of two is predicted above the probability 0.5 here, whatever threshold is chosen later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitEvaluation {
    /// The split that was predicted.
    pub split: Split,
    /// Its rows.
    pub num_samples: usize,
    /// Loss and scores, as the training follows them.
    pub metrics: SplitMetrics,
    /// Classes: precision, recall, F1 and support, class by class and averaged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classification_report: Option<ClassificationReport>,
    /// Classes: how often each was taken for which, `[target][prediction]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confusion_matrix: Option<ConfusionMatrix>,
    /// Two classes, both of them in the split, and finite outputs: curves over all thresholds, thinned to 200
    /// points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curves: Option<BinaryCurves>,
    /// Regression: the errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regression: Option<RegressionScores>,
    /// Regression with finite outputs: `[target, prediction]` of at most 200 samples.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub predictions: Vec<[f64; 2]>,
}

impl SplitEvaluation {
    /// Whether the network put out no number for any sample, so that there is nothing to look at.
    pub fn has_no_predictions(&self) -> bool {
        let matrix = self.confusion_matrix.as_ref();
        let missing = matrix.map_or(0, |matrix| matrix.unpredicted.iter().sum());
        missing > 0 && missing == self.num_samples as u64
    }
}
