//! `evaluation.json`: scores, curves and predictions of a network on each split.

use emberlab_metrics::{
    BestThreshold, BinaryCurves, ClassificationReport, ConfusedPairs, ConfusionMatrix,
    RegressionScores, Split, SplitMetrics,
};
use serde::{Deserialize, Serialize};

use crate::{Boundary, Mistakes};

/// The evaluation of a run's last network, written when its training has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunEvaluation {
    /// Names of the classes, in the order of their labels; empty for a regression.
    pub class_names: Vec<String>,
    /// Every split that has rows: train, valid, test.
    pub splits: Vec<SplitEvaluation>,
    /// For two classes: the best thresholds by F1 and by Youden's J, on the split `thresholds_from`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub best_thresholds: Vec<BestThreshold>,
    /// The split that the best thresholds were found on: validation if there is one, else training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds_from: Option<Split>,
    /// For two features and classes: the predictions over the plane of the inputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<Boundary>,
    /// For classes: the wrong predictions of the test split; without one of validation, without that of training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mistakes: Option<Mistakes>,
}

impl RunEvaluation {
    /// The text of `evaluation.json`, in one line, because nobody reads this many numbers.
    ///
    /// # Errors
    /// [`serde_json::Error`] if a number cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string(self)? + "\n")
    }

    /// The positive class of two: the second one. Thresholds and curves are about it.
    pub fn positive_class(&self) -> Option<&str> {
        match self.class_names.as_slice() {
            [_, positive] => Some(positive),
            _ => None,
        }
    }

    /// The evaluation of a split, if it has rows.
    pub fn split(&self, split: Split) -> Option<&SplitEvaluation> {
        self.splits.iter().find(|s| s.split == split)
    }
}

/// The evaluation of a network on one split.
///
/// Of two classes, class 1 is predicted above a threshold: 0.5 in `evaluation.json`, the chosen one in
/// `threshold.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitEvaluation {
    /// The split.
    pub split: Split,
    /// Number of its rows.
    pub num_samples: usize,
    /// The same metrics as in `metrics.csv`.
    pub metrics: SplitMetrics,
    /// For classes: precision, recall, F1 and support of each class, and their averages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classification_report: Option<ClassificationReport>,
    /// For at most 50 classes: the counts `[target][prediction]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confusion_matrix: Option<ConfusionMatrix>,
    /// For more classes: the pairs of classes that are confused most, at most 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confused_pairs: Option<ConfusedPairs>,
    /// For two classes: the name of the positive class, which `curves` and thresholds are about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive_class: Option<String>,
    /// For two classes that both occur in the split, and finite outputs: curves over all thresholds, thinned to
    /// 200 points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curves: Option<BinaryCurves>,
    /// For regression: the errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regression: Option<RegressionScores>,
    /// For regression of several targets: the errors of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<TargetScores>,
    /// For regression with finite outputs: `[target, prediction]` of at most 200 samples.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub predictions: Vec<[f64; 2]>,
}

/// The errors of one target of several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetScores {
    /// Its name.
    pub target: String,
    /// Its errors, in its units.
    pub scores: RegressionScores,
}

impl SplitEvaluation {
    /// Whether the network's outputs are NaN for every sample, so that there is no prediction to show.
    pub fn has_no_predictions(&self) -> bool {
        let matrix = self.confusion_matrix.as_ref();
        let pairs = self.confused_pairs.as_ref();
        let missing = matrix.map(ConfusionMatrix::num_unpredicted);
        let missing = missing.or(pairs.map(|pairs| pairs.num_unpredicted));
        let missing = missing.unwrap_or(0);
        missing > 0 && missing == self.num_samples as u64
    }
}
