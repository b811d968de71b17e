//! `penguins`: 342 penguins of three species, inside the program file.

use std::path::PathBuf;

use csv::ReaderBuilder;
use flate2::read::GzDecoder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataSource, Origin};
use crate::error::DatasetError;
use crate::samples::{Features, Samples, Targets, names};

/// A header, then a penguin per line: species, island, four measurements, sex.
const CSV_GZ: &[u8] = include_bytes!("../../data/penguins.csv.gz");

const SPECIES: [&str; 3] = ["Adelie", "Chinstrap", "Gentoo"];
const FEATURES: [&str; 4] = [
    "bill length mm",
    "bill depth mm",
    "flipper length mm",
    "body mass g",
];

/// 342 penguins of three species with four measurements each. The two penguins without measurements are left out.
///
/// # Source
/// Gorman, Williams, Fraser 2014, <https://doi.org/10.1371/journal.pone.0090081>; equals the data of the R package
/// `palmerpenguins`, which are in the public domain (CC0).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Penguins {}

impl DataSource for Penguins {
    fn origin(&self) -> Origin {
        Origin::Embedded
    }

    /// Unpacks the table: features `[342, 4]`.
    fn load(&self, _: &[PathBuf], _: u64) -> Result<Samples, DatasetError> {
        let damaged = |problem: String| DatasetError::Embedded {
            dataset: "penguins",
            problem,
        };
        let mut features = Vec::new();
        let mut labels = Vec::new();
        for line in ReaderBuilder::new()
            .from_reader(GzDecoder::new(CSV_GZ))
            .into_records()
        {
            let line = line.map_err(|error| damaged(error.to_string()))?;
            let cells: Vec<&str> = line.iter().collect();
            let [species, _, measurements @ .., _] = cells.as_slice() else {
                return Err(damaged(format!("a row reads {cells:?}")));
            };
            if measurements.iter().any(|cell| cell.is_empty()) {
                continue;
            }
            let class = SPECIES.iter().position(|name| name == species);
            let class = class.ok_or_else(|| damaged(format!("a species is {species:?}")))?;
            for cell in measurements {
                let number: Result<f64, _> = cell.parse();
                features.push(number.map_err(|error| damaged(format!("{cell:?}: {error}")))?);
            }
            labels.push(class as u32);
        }
        let targets = Targets::Classes {
            labels,
            names: names(&SPECIES),
        };
        let features = Features::Doubles(features);
        Ok(Samples::of_features(features, targets, names(&FEATURES)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_penguins_equal_pandas() {
        let summary = Penguins {}.load(&[], 0).unwrap().summary();
        // p = pd.read_csv("penguins.csv").dropna(subset=["bill_length_mm"]); p.species.value_counts()
        let counts: Vec<usize> = summary.classes.iter().map(|class| class.count).collect();
        assert_eq!(counts, [151, 68, 123]);
        // p.iloc[:, 2:6].mean(), p.iloc[:, 2:6].std(ddof=0)
        let expected = [
            (43.921930, 5.451596),
            (17.151170, 1.971904),
            (200.915205, 14.041141),
            (4201.754386, 800.781229),
        ];
        for (found, (mean, std)) in summary.features.iter().zip(expected) {
            let near = (found.mean - mean).abs() < 1e-4 && (found.std - std).abs() < 1e-4;
            assert!(near, "{found:?}");
        }
    }
}
