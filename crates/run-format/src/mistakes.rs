//! The wrong predictions of a network, the most confident first.

use emberlab_metrics::Split;
use serde::{Deserialize, Serialize};

use crate::Bytes;

/// The wrong predictions of a split, the most confident first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mistakes {
    /// The split: test if there is one, else validation, else training.
    pub split: Split,
    /// Number of all wrong predictions of the split.
    pub num_mistakes: u64,
    /// Shape of one input: `[num_features]` or `[channels, height, width]`.
    pub input_shape: Vec<usize>,
    /// Names of the features; empty for images.
    pub feature_names: Vec<String>,
    /// The most confident wrong predictions, at most 25.
    pub samples: Vec<Mistake>,
}

/// A sample whose predicted class is not its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mistake {
    /// The sample's row in the data set, counted from 0. Rows of a table that are left out, such as those without a label,
    /// are not counted.
    pub row: u32,
    /// For tables, the sample's line in the file as an editor counts it, from 1; for arrays the row, from 1. None for other
    /// data, and in files of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The sample's class.
    pub target: u32,
    /// The predicted class; none where the network's outputs are NaN.
    pub prediction: Option<u32>,
    /// The probability of the predicted class, in [0, 1].
    pub confidence: f64,
    /// The sample's input, flat and not standardised.
    pub inputs: Inputs,
}

impl Mistakes {
    /// What the samples are named by, "line" or "row".
    pub fn place_name(&self) -> &'static str {
        match self.samples.iter().all(|sample| sample.line.is_some()) {
            true => "line",
            false => "row",
        }
    }
}

impl Mistake {
    /// The sample's line, or else its row.
    pub fn place(&self) -> u64 {
        self.line.unwrap_or(u64::from(self.row))
    }
}

/// The input of one sample, in the units of the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Inputs {
    /// Brightness from 0 (black) to 255 (white), by channel, row and column.
    Pixels(Bytes),
    /// The features of a row.
    Features(Vec<f64>),
}
