//! What a comparison varies, as written in TOML.

use emberlab_metrics::Metric;
use emberlab_training::Split;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::Problem;

/// The seeds that every variant is trained with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a number of seeds, or a list of them")]
pub enum Seeds {
    /// That many, from 0 on.
    Count(u64),
    /// These.
    List(Vec<u64>),
}

impl Seeds {
    /// The seeds, in order.
    pub fn all(&self) -> Vec<u64> {
        match self {
            Self::Count(n) => (0..*n).collect(),
            Self::List(seeds) => seeds.clone(),
        }
    }
}

/// How the values of several axes are combined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SweepMode {
    /// Every value with every other.
    #[default]
    Grid,
    /// The first values together, then the second, and so on; all axes have the same length.
    Zip,
    /// `count` different combinations of the grid, drawn from a fixed stream.
    Random,
}

/// Keys of the experiment, each with the values it takes: `"model.activation" = ["relu", "gelu"]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SweepConfig {
    /// How several axes are combined: `grid`, `zip` or `random`.
    #[serde(default)]
    pub mode: SweepMode,
    /// How many combinations `random` draws.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// The axes: dotted keys with lists of values.
    #[serde(flatten)]
    #[schemars(with = "std::collections::BTreeMap<String, Vec<serde_json::Value>>")]
    pub axes: toml::Table,
}

/// A variant that axes cannot say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VariantConfig {
    /// What it is called in tables and folders.
    pub name: String,
    /// The keys it changes: `{ "model.hidden" = [], "optimizer.learning_rate" = 0.2 }`.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    pub set: toml::Table,
}

/// A figure to reach: how many epochs it takes is counted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The metric.
    pub metric: Metric,
    /// The split it is measured on: `train` or `valid`.
    #[serde(default)]
    pub split: Split,
    /// Reached at this value or a better one.
    pub value: f64,
}

impl SweepConfig {
    /// The first thing that is wrong with it, if any.
    pub(crate) fn problem(&self) -> Option<Problem> {
        let problem = |key: &str, message: String| {
            Some(Problem {
                key: format!("sweep.{key}"),
                message,
            })
        };
        for (key, values) in &self.axes {
            let quoted = format!("\"{key}\"");
            match values.as_array().map(Vec::len) {
                None => {
                    let message = format!("the axis `{key}` must be a list of values");
                    return problem(&quoted, message);
                }
                Some(0) => return problem(&quoted, format!("the axis `{key}` has no values")),
                Some(_) => {}
            }
        }
        let lengths: Vec<usize> = self.axes().map(|(_, values)| values.len()).collect();
        if self.mode == SweepMode::Zip && lengths.windows(2).any(|pair| pair[0] != pair[1]) {
            let message = format!("`zip` needs axes of one length, not {lengths:?}");
            return problem("mode", message);
        }
        match (self.mode, self.count) {
            (SweepMode::Random, None) => problem("mode", "`random` needs a `count`".to_string()),
            (SweepMode::Random, Some(0)) => {
                problem("count", "`count` is 0, but must be at least 1".to_string())
            }
            (SweepMode::Grid | SweepMode::Zip, Some(_)) => problem(
                "count",
                "`count` goes with `mode = \"random\"` only".to_string(),
            ),
            _ => None,
        }
    }

    /// The axes with their values.
    pub(crate) fn axes(&self) -> impl Iterator<Item = (&String, &Vec<toml::Value>)> {
        let axes = self.axes.iter();
        axes.filter_map(|(key, values)| Some((key, values.as_array()?)))
    }
}
