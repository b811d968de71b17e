//! Which samples to learn from, as written in a configuration.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::csv_table::CsvConfig;
use crate::digits::DigitsConfig;
use crate::error::DatasetError;
use crate::fetch::Fetchable;
use crate::generated::blobs::BlobsConfig;
use crate::generated::circles::CirclesConfig;
use crate::generated::classification::ClassificationConfig;
use crate::generated::gates::GatesConfig;
use crate::generated::moons::MoonsConfig;
use crate::generated::regression::RegressionConfig;
use crate::generated::spirals::SpiralsConfig;
use crate::generated::xor::XorConfig;
use crate::iris::{self, IrisConfig};
use crate::mnist::{self, MnistConfig};
use crate::samples::Samples;

/// A data set, chosen by `name`, with what it lets one set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum DatasetConfig {
    /// Two interleaving half circles.
    Moons(MoonsConfig),
    /// A circle within a circle.
    Circles(CirclesConfig),
    /// Spiral arms around one centre.
    Spirals(SpiralsConfig),
    /// Round clouds of points.
    Blobs(BlobsConfig),
    /// Exclusive or of two signs.
    Xor(XorConfig),
    /// The truth table of a logic gate.
    Gates(GatesConfig),
    /// Normal clusters on the corners of a hypercube.
    Classification(ClassificationConfig),
    /// A noisy function of one number.
    Regression(RegressionConfig),
    /// 150 iris flowers of three species.
    Iris(IrisConfig),
    /// 1797 handwritten digits of 8×8 pixels.
    Digits(DigitsConfig),
    /// 70000 handwritten digits of 28×28 pixels.
    Mnist(MnistConfig),
    /// 70000 pieces of clothing of 28×28 pixels.
    FashionMnist(MnistConfig),
    /// A table of the user's own.
    Csv(CsvConfig),
}

impl DatasetConfig {
    /// The names of all data sets, as written in `name`.
    pub const NAMES: [&str; 13] = [
        "moons",
        "circles",
        "spirals",
        "blobs",
        "xor",
        "gates",
        "classification",
        "regression",
        "iris",
        "digits",
        "mnist",
        "fashion_mnist",
        "csv",
    ];

    /// The data set's name, as written in `name`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Moons(_) => "moons",
            Self::Circles(_) => "circles",
            Self::Spirals(_) => "spirals",
            Self::Blobs(_) => "blobs",
            Self::Xor(_) => "xor",
            Self::Gates(_) => "gates",
            Self::Classification(_) => "classification",
            Self::Regression(_) => "regression",
            Self::Iris(_) => "iris",
            Self::Digits(_) => "digits",
            Self::Mnist(_) => "mnist",
            Self::FashionMnist(_) => "fashion_mnist",
            Self::Csv(_) => "csv",
        }
    }

    /// Checks every value, without touching any file.
    ///
    /// # Errors
    /// [`DatasetError::Value`] names the first key outside its range.
    pub fn validate(&self) -> Result<(), DatasetError> {
        match self {
            Self::Moons(config) => config.validate(),
            Self::Circles(config) => config.validate(),
            Self::Spirals(config) => config.validate(),
            Self::Blobs(config) => config.validate(),
            Self::Xor(config) => config.validate(),
            Self::Classification(config) => config.validate(),
            Self::Regression(config) => config.validate(),
            Self::Csv(config) => config.validate(),
            Self::Gates(_)
            | Self::Iris(_)
            | Self::Digits(_)
            | Self::Mnist(_)
            | Self::FashionMnist(_) => Ok(()),
        }
    }

    /// Generates or reads the samples.
    ///
    /// `data_dirs` are searched in order for fetched data sets; `seed` draws generated ones, unless they
    /// have a seed of their own.
    ///
    /// # Errors
    /// [`DatasetError::Value`] as [`validate`](Self::validate); [`DatasetError::Missing`],
    /// [`DatasetError::Io`], [`DatasetError::Idx`] and the CSV errors if files are absent or damaged.
    pub fn load(&self, data_dirs: &[PathBuf], seed: u64) -> Result<Samples, DatasetError> {
        match self {
            Self::Moons(config) => config.generate(seed),
            Self::Circles(config) => config.generate(seed),
            Self::Spirals(config) => config.generate(seed),
            Self::Blobs(config) => config.generate(seed),
            Self::Xor(config) => config.generate(seed),
            Self::Gates(config) => Ok(config.generate()),
            Self::Classification(config) => config.generate(seed),
            Self::Regression(config) => config.generate(seed),
            Self::Iris(_) => Ok(iris::load()),
            Self::Digits(config) => config.load(),
            Self::Mnist(_) => mnist::load(Fetchable::Mnist, data_dirs),
            Self::FashionMnist(_) => mnist::load(Fetchable::FashionMnist, data_dirs),
            Self::Csv(config) => config.load(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn named(name: &str) -> DatasetConfig {
        let more = match name {
            "csv" => r#", "path": "table.csv", "label": "y""#,
            _ => "",
        };
        serde_json::from_str(&format!(r#"{{"name": "{name}"{more}}}"#)).unwrap()
    }

    #[test]
    fn every_name_makes_a_valid_config_of_that_name() {
        for name in DatasetConfig::NAMES {
            let config = named(name);
            assert_eq!(config.name(), name);
            config.validate().unwrap();
            let written = serde_json::to_string(&config).unwrap();
            assert_eq!(config, serde_json::from_str(&written).unwrap());
        }
    }

    #[test]
    fn every_data_set_without_files_fits_its_shape() {
        for name in DatasetConfig::NAMES {
            if matches!(name, "mnist" | "fashion_mnist" | "csv") {
                continue;
            }
            let samples = named(name).load(&[], 0).unwrap();
            assert!(!samples.is_empty());
            assert_eq!(samples.row(samples.len() - 1).len(), samples.num_features());
            if samples.input_shape.len() == 1 {
                assert_eq!(samples.feature_names.len(), samples.num_features());
            }
        }
    }

    #[test]
    fn unknown_keys_and_names_are_refused() {
        let parse = |text: &str| serde_json::from_str::<DatasetConfig>(text);
        let error = parse(r#"{"name": "moons", "nois": 0.1}"#).unwrap_err();
        assert!(
            error.to_string().contains("unknown field `nois`"),
            "{error}"
        );
        let error = parse(r#"{"name": "mnist", "noise": 0.1}"#).unwrap_err();
        assert!(
            error.to_string().contains("unknown field `noise`"),
            "{error}"
        );
        let error = parse(r#"{"name": "moon"}"#).unwrap_err();
        assert!(
            error.to_string().contains("unknown variant `moon`"),
            "{error}"
        );
    }

    #[test]
    fn the_schema_has_one_closed_object_per_name() {
        let schema = serde_json::to_value(schemars::schema_for!(DatasetConfig)).unwrap();
        let variants = schema["oneOf"].as_array().unwrap();
        let names: Vec<_> = variants
            .iter()
            .map(|v| v["properties"]["name"]["const"].as_str().unwrap())
            .collect();
        assert_eq!(names, DatasetConfig::NAMES);
        assert!(variants.iter().all(|v| v["additionalProperties"] == false));
    }

    #[test]
    fn words_and_lists_are_accepted_where_a_number_is_usual() {
        let parse = |shift: &str| {
            serde_json::from_str::<ClassificationConfig>(&format!(r#"{{"shift": {shift}}}"#))
        };
        for shift in ["2", "0.5", "[1, 2.5]", r#""random""#] {
            parse(shift).unwrap();
        }
        let error = parse(r#""some""#).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with(r#"a number, a list of one number per feature, or "random""#),
            "{error}"
        );
    }
}
