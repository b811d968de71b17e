//! `iris`: 150 flowers of three species.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataSource, Origin};
use crate::error::DatasetError;
use crate::samples::{Features, Samples, Targets, names};

/// 150 iris flowers of three species, with four measurements in centimetres.
///
/// The rows are sorted: 50 setosa, then 50 versicolor, then 50 virginica.
///
/// # Source
/// Fisher 1936, as in `linfa-datasets`; rows 34 and 37 (from 0) differ from scikit-learn's copy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Iris {}

impl Iris {
    /// All flowers: features `[150, 4]`.
    pub(crate) fn samples() -> Samples {
        let flowers = linfa_datasets::iris();
        let labels = flowers.targets().iter().map(|&class| class as u32);
        Samples::of_features(
            Features::Floats(flowers.records().iter().map(|&x| x as f32).collect()),
            Targets::Classes {
                labels: labels.collect(),
                names: names(&["setosa", "versicolor", "virginica"]),
            },
            names(&["sepal length", "sepal width", "petal length", "petal width"]),
        )
    }
}

impl DataSource for Iris {
    fn origin(&self) -> Origin {
        Origin::Embedded
    }

    fn load(&self, _: &[PathBuf], _: u64) -> Result<Samples, DatasetError> {
        Ok(Self::samples())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn rows_are_sorted_by_species() {
        let iris = Iris::samples();
        let species: Vec<u32> = (0..150).map(|i| i / 50).collect();
        assert_eq!(iris.labels().unwrap(), species);
        // sklearn.datasets.load_iris().data[[0, 149]]
        assert_eq!(iris.row(0), [5.1, 3.5, 1.4, 0.2_f32].map(f64::from));
        assert_eq!(iris.row(149), [5.9, 3.0, 5.1, 1.8_f32].map(f64::from));
    }
}
