//! 150 iris flowers of three species.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::samples::{Features, Samples, Targets, names};

/// The iris flowers, which let one set nothing: 50 setosa, then 50 versicolor, then 50 virginica.
///
/// # Source
/// Fisher 1936, as in `linfa-datasets`; rows 34 and 37 (from 0) differ from scikit-learn's copy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IrisConfig {}

/// The flowers: features `[150, 4]` in centimetres.
pub(crate) fn load() -> Samples {
    let flowers = linfa_datasets::iris();
    Samples {
        features: Features::Floats(flowers.records().iter().map(|&x| x as f32).collect()),
        targets: Targets::Classes {
            labels: flowers
                .targets()
                .iter()
                .map(|&class| class as u32)
                .collect(),
            names: names(&["setosa", "versicolor", "virginica"]),
        },
        input_shape: vec![4],
        feature_names: names(&["sepal length", "sepal width", "petal length", "petal width"]),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn flowers_stand_species_by_species() {
        let iris = load();
        let species: Vec<u32> = (0..150).map(|i| i / 50).collect();
        assert_eq!(iris.labels().unwrap(), species);
        // sklearn.datasets.load_iris().data[[0, 149]]
        assert_eq!(iris.row(0), [5.1, 3.5, 1.4, 0.2]);
        assert_eq!(iris.row(149), [5.9, 3.0, 5.1, 1.8]);
    }
}
