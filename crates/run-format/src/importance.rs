//! `importance.json`: how much a network depends on each column of its data, and how its predictions follow the
//! most important ones.

use emberlab_metrics::{Metric, Split, json_number};
use serde::{Deserialize, Deserializer, Serialize};

/// The importance of each column for the last network of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Importance {
    /// The split whose rows are predicted.
    pub split: Split,
    /// The metric: that of the objective, or the accuracy or R² where the objective is the loss.
    pub metric: Metric,
    /// The metric of the network on these rows.
    #[serde(deserialize_with = "json_number::deserialize")]
    pub score: f64,
    /// The number of rows that are predicted.
    pub num_rows: usize,
    /// The number of rows of the split. If there are too many, the predicted rows are a random part of them.
    pub num_split_rows: usize,
    /// The columns, the most important first.
    pub columns: Vec<ColumnImportance>,
    /// The number of columns of the data; above the number of `columns` if some were left out because there are too
    /// many.
    pub num_columns: usize,
    /// The partial dependence of the most important columns, in their order.
    pub dependence: Vec<PartialDependence>,
}

/// The importance of one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnImportance {
    /// The name of the column.
    pub column: String,
    /// How much worse the metric is after each random permutation of the column's values, in units of the metric;
    /// negative where it is better.
    #[serde(deserialize_with = "json_number::deserialize_list")]
    pub drops: Vec<f64>,
}

impl ColumnImportance {
    /// The mean drop over the permutations.
    pub fn mean(&self) -> f64 {
        self.drops.iter().sum::<f64>() / self.drops.len() as f64
    }
}

/// The mean prediction over some rows, with one column set to the same value in all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartialDependence {
    /// The name of the column, or of the part of a date.
    pub column: String,
    /// The values that the column is set to.
    pub points: Points,
    /// The number of rows behind each mean.
    pub num_rows: usize,
    /// The mean predictions: one entry for each class or target.
    pub outputs: Vec<DependentOutput>,
    /// The mean prediction of each output with the column missing, for a column of numbers that shows the network where
    /// its values are missing.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "missing_means"
    )]
    pub missing: Option<Vec<f64>>,
}

fn missing_means<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<Vec<f64>>, D::Error> {
    json_number::deserialize_list(reader).map(Some)
}

/// The values that a column is set to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Points {
    /// Numbers, ascending.
    Numbers(Vec<f64>),
    /// Categories.
    Names(Vec<String>),
}

/// A prediction as it depends on one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DependentOutput {
    /// The class whose probability is given, or the target.
    pub name: String,
    /// The mean probability, or the mean value in the units of the data, at each point.
    #[serde(deserialize_with = "json_number::deserialize_list")]
    pub means: Vec<f64>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_importance_is_the_mean_over_permutations_and_reads_back() {
        let written = Importance {
            split: Split::Valid,
            metric: Metric::Accuracy,
            score: 0.9,
            num_rows: 2,
            num_split_rows: 3,
            columns: vec![ColumnImportance {
                column: "age".to_string(),
                drops: vec![0.25, 0.75],
            }],
            num_columns: 1,
            dependence: vec![PartialDependence {
                column: "age".to_string(),
                points: Points::Numbers(vec![1.0, 2.0]),
                num_rows: 2,
                outputs: vec![DependentOutput {
                    name: "yes".to_string(),
                    means: vec![0.1, f64::NAN],
                }],
                missing: Some(vec![f64::NAN]),
            }],
        };
        assert_eq!(written.columns[0].mean(), 0.5);
        let json = serde_json::to_string(&written).unwrap();
        let read: Importance = serde_json::from_str(&json).unwrap();
        assert_eq!(read.columns, written.columns);
        assert!(read.dependence[0].outputs[0].means[1].is_nan());
        assert!(read.dependence[0].missing.as_ref().unwrap()[0].is_nan());
    }
}
