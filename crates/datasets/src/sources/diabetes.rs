//! `diabetes`: 442 patients and the progression of their disease, inside the program file.

use std::path::PathBuf;

use csv::ReaderBuilder;
use flate2::read::GzDecoder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataSource, Origin};
use crate::error::DatasetError;
use crate::samples::{Features, Samples, Targets, names};

/// A header, then a patient per line: the features, then the target.
const CSV_GZ: &[u8] = include_bytes!("../../data/diabetes.csv.gz");

/// Age, sex, body mass index, mean blood pressure, and of the blood serum: total cholesterol, LDL, HDL, total
/// cholesterol over HDL, logarithm of the triglycerides, glucose.
const FEATURES: [&str; 10] = [
    "age", "sex", "bmi", "bp", "tc", "ldl", "hdl", "tch", "ltg", "glu",
];

/// 442 diabetes patients with ten measurements, and the progression of their disease after a year, from 25 to 346.
///
/// The features are in their own units, as published. `standardize.method = "per_feature"` gives them mean 0 and
/// standard deviation 1.
///
/// # Source
/// Efron, Hastie, Johnstone, Tibshirani 2004, "Least Angle Regression"; equals scikit-learn's
/// `load_diabetes(scaled=False)`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Diabetes {}

impl DataSource for Diabetes {
    fn origin(&self) -> Origin {
        Origin::Embedded
    }

    /// Unpacks the table: features `[442, 10]`.
    fn load(&self, _: &[PathBuf], _: u64) -> Result<Samples, DatasetError> {
        let damaged = |problem: String| DatasetError::Embedded {
            dataset: "diabetes",
            problem,
        };
        let lines = ReaderBuilder::new().from_reader(GzDecoder::new(CSV_GZ));
        let mut features = Vec::new();
        let mut values = Vec::new();
        for line in lines.into_deserialize() {
            let numbers: Vec<f64> = line.map_err(|error| damaged(error.to_string()))?;
            let Some((row, [target])) = numbers.split_at_checked(FEATURES.len()) else {
                return Err(damaged(format!("a row reads {numbers:?}")));
            };
            features.extend_from_slice(row);
            values.push(*target);
        }
        let (features, targets) = (Features::Doubles(features), Targets::numbers(values));
        Ok(Samples::of_features(features, targets, names(&FEATURES)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_patients_equal_scikit_learn() {
        let samples = Diabetes {}.load(&[], 0).unwrap();
        let summary = samples.summary();
        assert_eq!(summary.rows, 442);
        // d = load_diabetes(scaled=False); d.data[0], d.target[:3]
        assert_eq!(
            samples.row(0),
            [59.0, 2.0, 32.1, 101.0, 157.0, 93.2, 38.0, 4.0, 4.8598, 87.0]
        );
        let Targets::Values { values, .. } = &samples.targets else {
            panic!("{:?}", samples.targets)
        };
        assert_eq!(values[..3], [151.0, 75.0, 141.0]);
        // d.data.mean(0), d.data.std(0)
        let expected = [
            ("age", 48.518100, 13.094190),
            ("sex", 1.468326, 0.498996),
            ("bmi", 26.375792, 4.413121),
            ("bp", 94.647014, 13.815628),
            ("tc", 189.140271, 34.568881),
            ("ldl", 115.439140, 30.378658),
            ("hdl", 49.788462, 12.919562),
            ("tch", 4.070249, 1.288989),
            ("ltg", 4.641411, 0.521799),
            ("glu", 91.260181, 11.483322),
        ];
        for (found, (name, mean, std)) in summary.features.iter().zip(expected) {
            assert_eq!(found.name, name);
            let near = (found.mean - mean).abs() < 1e-5 && (found.std - std).abs() < 1e-5;
            assert!(near, "{found:?}");
        }
        // d.target.mean(), d.target.std()
        let target = &summary.targets[0];
        assert!((target.mean - 152.133484).abs() < 1e-5, "{target:?}");
        assert!((target.std - 77.005746).abs() < 1e-5, "{target:?}");
    }
}
