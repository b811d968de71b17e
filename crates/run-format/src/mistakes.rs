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
    /// The sample's row in the data set, counted from 0.
    pub row: u32,
    /// The sample's class.
    pub target: u32,
    /// The predicted class; none where the network's outputs are NaN.
    pub prediction: Option<u32>,
    /// The probability of the predicted class, in [0, 1].
    pub confidence: f64,
    /// The sample's input, flat and not standardised.
    pub inputs: Inputs,
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
