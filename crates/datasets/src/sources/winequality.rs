//! `winequality`: 1599 red wines, inside the program file.

use std::path::PathBuf;

use emberlab_tables::TableTask;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataSource, Origin};
use crate::error::DatasetError;
use crate::samples::{Features, Samples, Targets, names};

/// The lowest and the highest quality of the wines; tasters could give 0 to 10.
const LOWEST: usize = 3;
const HIGHEST: usize = 8;

/// 1599 red wines with eleven measurements, and their quality from 3 to 8, the median of three tasters.
///
/// # Source
/// UCI "Wine Quality" (Cortez, Cerdeira, Almeida, Matos, Reis 2009; CC BY 4.0), red wines only, as in `linfa-datasets`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WineQuality {
    /// Whether the quality is one of six classes or a number (default "classification").
    pub task: TableTask,
}

impl DataSource for WineQuality {
    fn origin(&self) -> Origin {
        Origin::Embedded
    }

    /// All wines: features `[1599, 11]`.
    fn load(&self, _: &[PathBuf], _: u64) -> Result<Samples, DatasetError> {
        let wines = linfa_datasets::winequality();
        let qualities = wines.targets().iter();
        let targets = match self.task {
            TableTask::Classification => Targets::Classes {
                labels: qualities.map(|&q| (q - LOWEST) as u32).collect(),
                names: (LOWEST..=HIGHEST).map(|q| q.to_string()).collect(),
            },
            TableTask::Regression => Targets::numbers(qualities.map(|&q| q as f64)),
        };
        let features = Features::Doubles(wines.records().iter().copied().collect());
        Ok(Samples::of_features(
            features,
            targets,
            names(&[
                "fixed acidity",
                "volatile acidity",
                "citric acid",
                "residual sugar",
                "chlorides",
                "free sulfur dioxide",
                "total sulfur dioxide",
                "density",
                "pH",
                "sulphates",
                "alcohol",
            ]),
        ))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn load(task: TableTask) -> Samples {
        WineQuality { task }.load(&[], 0).unwrap()
    }

    #[test]
    fn the_wines_equal_numpy() {
        let wines = load(TableTask::Classification);
        let summary = wines.summary();
        // w = np.loadtxt(<linfa-datasets' winequality-red.csv.gz>, delimiter=",", skiprows=1); w.shape,
        // np.unique(w[:, 11], return_counts=True), w[-1]
        assert_eq!(summary.rows, 1599);
        let counts: Vec<_> = summary.classes.iter().map(|c| c.count).collect();
        assert_eq!(counts, [10, 53, 681, 638, 199, 18]);
        assert_eq!(
            wines.row(1598),
            [
                6.0, 0.31, 0.47, 3.6, 0.067, 18.0, 42.0, 0.99549, 3.39, 0.66, 11.0
            ]
        );
        assert_eq!(wines.labels().unwrap()[1598], 3);
        assert_eq!(wines.class_names().unwrap()[3], "6");
        // w[:, :11].mean(0)
        let expected = [
            ("fixed acidity", 8.319637),
            ("volatile acidity", 0.527821),
            ("citric acid", 0.270976),
            ("residual sugar", 2.538806),
            ("chlorides", 0.087467),
            ("free sulfur dioxide", 15.874922),
            ("total sulfur dioxide", 46.467792),
            ("density", 0.996747),
            ("pH", 3.311113),
            ("sulphates", 0.658149),
            ("alcohol", 10.422983),
        ];
        for (found, (name, mean)) in summary.features.iter().zip(expected) {
            assert_eq!(found.name, name);
            assert!((found.mean - mean).abs() < 1e-5, "{found:?}");
        }
    }

    #[test]
    fn quality_can_be_a_number() {
        let target = load(TableTask::Regression).summary().targets.remove(0);
        // w[:, 11].min(), .max(), .mean()
        assert_eq!((target.min, target.max), (3.0, 8.0));
        assert!((target.mean - 5.636023).abs() < 1e-5, "{target:?}");
    }
}
