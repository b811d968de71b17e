//! Samples that a network is most certain of, and wrong.

use emberlab_metrics::Split;
use serde::{Deserialize, Serialize};

use crate::Bytes;

/// The wrong predictions of a split, the most confident first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mistakes {
    /// The split: test where there is one, else validation, else training.
    pub split: Split,
    /// Wrong predictions in all; only the first few are listed.
    pub num_mistakes: u64,
    /// Shape of one input: `[num_features]` or `[channels, height, width]`.
    pub input_shape: Vec<usize>,
    /// Names of the features; empty for images.
    pub feature_names: Vec<String>,
    /// The most confident of them, at most 25.
    pub samples: Vec<Mistake>,
}

/// One sample that was taken for another class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mistake {
    /// Its row in the data set, counted from 0.
    pub row: u32,
    /// Its class.
    pub target: u32,
    /// The class it was taken for; none where the network put out no numbers.
    pub prediction: Option<u32>,
    /// The probability of the class it was taken for, in [0, 1].
    pub confidence: f64,
    /// Its input, not standardised; flat.
    pub inputs: Inputs,
}

/// The input of one sample as the data have it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Inputs {
    /// Brightness from 0 (black) to 255 (white), by channel, row and column.
    Pixels(Bytes),
    /// Measurements.
    Features(Vec<f32>),
}
