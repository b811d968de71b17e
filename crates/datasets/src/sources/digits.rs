//! `digits`: 1797 handwritten digits of 8×8 pixels, inside the program file.

use std::path::PathBuf;

use csv::ReaderBuilder;
use flate2::read::GzDecoder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataSource, Origin};
use crate::error::DatasetError;
use crate::samples::{Samples, Targets, names, numbered_classes};

/// A digit per line: 64 pixels, then the digit.
const CSV_GZ: &[u8] = include_bytes!("../../data/digits.csv.gz");
const PIXELS: usize = 64;
const WHITE: u8 = 16;

/// 1797 handwritten digits of 8×8 pixels, each from 0 (black) to 16 (white).
///
/// # Source
/// UCI "Optical Recognition of Handwritten Digits" (Alpaydin, Kaynak; CC BY 4.0); equals scikit-learn's
/// `load_digits`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Digits {
    /// The classes to learn (default "ten_classes").
    pub task: DigitsTask,
}

impl Default for Digits {
    fn default() -> Self {
        Self {
            task: DigitsTask::TenClasses,
        }
    }
}

/// The classes that the digits are put into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DigitsTask {
    /// One class for each digit.
    TenClasses,
    /// Class 1 for the digits 0 to 4, class 0 for 5 to 9.
    BelowFive,
}

impl DataSource for Digits {
    fn origin(&self) -> Origin {
        Origin::Embedded
    }

    fn white(&self) -> Option<u8> {
        Some(WHITE)
    }

    fn is_light_on_dark(&self) -> bool {
        true
    }

    /// Unpacks the digits: features `[1797, 64]`, bytes from 0 to 16; `input_shape` `[1, 8, 8]`.
    fn load(&self, _: &[PathBuf], _: u64) -> Result<Samples, DatasetError> {
        let damaged = |problem: String| DatasetError::Embedded {
            dataset: "digits",
            problem,
        };
        let lines = ReaderBuilder::new()
            .has_headers(false)
            .from_reader(GzDecoder::new(CSV_GZ));
        let mut pixels = Vec::new();
        let mut digits = Vec::new();
        for line in lines.into_deserialize() {
            let numbers: Vec<u8> = line.map_err(|error| damaged(error.to_string()))?;
            match numbers.split_at_checked(PIXELS) {
                Some((row, [digit @ 0..=9])) if row.iter().all(|&p| p <= WHITE) => {
                    pixels.extend_from_slice(row);
                    digits.push(u32::from(*digit));
                }
                _ => return Err(damaged(format!("a row reads {numbers:?}"))),
            }
        }
        let targets = self.task.targets(digits);
        Ok(Samples::of_images(pixels, targets, [1, 8, 8]))
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
        Digits { task }.load(&[], 0).unwrap()
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
