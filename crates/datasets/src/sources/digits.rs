//! 1797 handwritten digits of 8×8 pixels, inside the program.

use std::io::Read;

use flate2::read::GzDecoder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::DatasetError;
use crate::samples::{Features, Samples, Targets, names, numbered_classes};

const CSV_GZ: &[u8] = include_bytes!("../data/digits.csv.gz");
const PIXELS: usize = 64;
const BRIGHTEST: u8 = 16;

/// Handwritten digits of 8×8 pixels from 0 to 16.
///
/// # Source
/// UCI "Optical Recognition of Handwritten Digits" (Alpaydin, Kaynak; CC BY 4.0); equals scikit-learn's
/// `load_digits`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DigitsConfig {
    /// What to learn about a digit (default "ten_classes").
    pub task: DigitsTask,
}

impl Default for DigitsConfig {
    fn default() -> Self {
        Self {
            task: DigitsTask::TenClasses,
        }
    }
}

/// What to learn about a digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DigitsTask {
    /// Which digit it is.
    TenClasses,
    /// Whether it is one of 0 to 4 (class 1) or of 5 to 9 (class 0).
    BelowFive,
}

impl DigitsConfig {
    /// Unpacks the digits: features `[1797, 64]`, bytes 0 to 16; `input_shape` `[1, 8, 8]`.
    ///
    /// # Errors
    /// [`DatasetError::Embedded`] if the program file is damaged.
    pub fn load(&self) -> Result<Samples, DatasetError> {
        let damaged = |problem: String| DatasetError::Embedded {
            dataset: "digits",
            problem,
        };
        let mut text = String::new();
        GzDecoder::new(CSV_GZ)
            .read_to_string(&mut text)
            .map_err(|error| damaged(error.to_string()))?;

        let mut pixels = Vec::with_capacity(text.len() / 2);
        let mut digits = Vec::new();
        for line in text.lines() {
            let numbers: Result<Vec<u8>, _> = line.split(',').map(str::parse).collect();
            match numbers.as_deref().map(|n| n.split_at_checked(PIXELS)) {
                Ok(Some((row, [digit @ 0..=9]))) if row.iter().all(|&p| p <= BRIGHTEST) => {
                    pixels.extend_from_slice(row);
                    digits.push(u32::from(*digit));
                }
                _ => return Err(damaged(format!("a row reads {line:?}"))),
            }
        }
        Ok(Samples {
            features: Features::Bytes(pixels),
            targets: self.task.targets(digits),
            input_shape: vec![1, 8, 8],
            feature_names: Vec::new(),
        })
    }
}

impl DigitsTask {
    fn targets(self, digits: Vec<u32>) -> Targets {
        match self {
            Self::TenClasses => Targets::Classes {
                labels: digits,
                names: numbered_classes(10),
            },
            Self::BelowFive => Targets::Classes {
                labels: digits
                    .into_iter()
                    .map(|digit| u32::from(digit < 5))
                    .collect(),
                names: names(&["5 to 9", "0 to 4"]),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn load(task: DigitsTask) -> Samples {
        DigitsConfig { task }.load().unwrap()
    }

    #[test]
    fn digits_equal_scikit_learn() {
        let digits = load(DigitsTask::TenClasses);
        // sklearn.datasets.load_digits(): len, np.bincount(target), data[0, :8], data.mean()
        assert_eq!(digits.len(), 1797);
        let counts: Vec<_> = digits.summary().classes.iter().map(|c| c.count).collect();
        assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
        assert_eq!(
            digits.row(0)[..8],
            [0.0, 0.0, 5.0, 13.0, 9.0, 1.0, 0.0, 0.0]
        );
        assert!((digits.summary().features[0].mean - 4.884164579855314).abs() < 1e-12);
    }

    #[test]
    fn digits_below_five_are_class_one() {
        let ten = load(DigitsTask::TenClasses);
        let two = load(DigitsTask::BelowFive);
        let expected: Vec<u32> = ten
            .labels()
            .unwrap()
            .iter()
            .map(|&d| u32::from(d < 5))
            .collect();
        assert_eq!(two.labels().unwrap(), expected);
        assert_eq!(two.features, ten.features);
    }
}
