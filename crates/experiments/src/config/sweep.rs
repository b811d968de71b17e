//! The keys and values that a comparison varies, as written in TOML.

use emberlab_menu::Problem;
use emberlab_metrics::Metric;
use emberlab_training::{Split, check_decides};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The seeds with which every variant is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a number of seeds, or a list of them")]
pub enum Seeds {
    /// This number of seeds, from 0 on.
    Count(u64),
    /// These seeds.
    List(Vec<u64>),
}

impl Seeds {
    /// Number of seeds.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Count(n) => *n,
            Self::List(seeds) => seeds.len() as u64,
        }
    }

    /// All seeds, in order.
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
    /// Every value of each axis with every value of the others.
    #[default]
    Grid,
    /// The first values of all axes together, then the second ones, and so on. All axes have the same length.
    Zip,
    /// `count` different combinations of the grid, drawn at random, the same ones each time.
    Random,
}

/// Keys of the experiment, each with the values that it takes: `"model.activation" = ["relu", "gelu"]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SweepConfig {
    /// How several axes are combined: `grid`, `zip` or `random`.
    #[serde(default)]
    pub mode: SweepMode,
    /// The number of combinations that `random` draws.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// The axes: dotted keys with lists of values.
    #[serde(flatten)]
    #[schemars(with = "std::collections::BTreeMap<String, Vec<serde_json::Value>>")]
    pub axes: toml::Table,
}

/// A variant with its own name, which can change several keys at once. It is trained with every combination of the
/// sweep, if there is one, and sets none of its keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VariantConfig {
    /// Its name in tables and folders.
    pub name: String,
    /// The keys that it changes: `{ "model.hidden" = [], "optimizer.learning_rate" = 0.2 }`.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    pub set: toml::Table,
}

/// A value of a metric to reach; the epochs that a trial needs for it are counted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The metric.
    pub metric: Metric,
    /// The split that the metric is measured on: `train` or `valid`.
    #[serde(default)]
    pub split: Split,
    /// The value. A better value counts as reached, too.
    pub value: f64,
}

impl Target {
    /// Checks the value and the split.
    ///
    /// # Errors
    /// [`Problem`] with the first key that is wrong.
    pub(crate) fn validate(&self) -> Result<(), Problem> {
        check_decides("target.split", self.split)?;
        Problem::unless_finite(self.value, "target.value")
    }
}

impl VariantConfig {
    /// Checks that a variant may change the keys that this one changes. `index` is its place among the variants.
    ///
    /// # Errors
    /// [`Problem`] with the first key that is wrong.
    pub(crate) fn validate(&self, index: usize) -> Result<(), Problem> {
        let place = format!("variants[{index}].name");
        Problem::unless(!self.name.trim().is_empty(), place, r#""""#, "a name")?;
        let mut keys = self.set.keys();
        keys.try_for_each(|key| check_varied_key(key, format!("variants[{index}].set.\"{key}\"")))
    }
}

/// Checks that variants may differ in a key of the experiment, which is written at `place`. They may not differ in what the
/// comparison itself sets for each trial.
fn check_varied_key(key: &str, place: String) -> Result<(), Problem> {
    let expected = match key.split('.').next().unwrap_or_default() {
        "seed" | "seeds" => {
            "no key of a variant: `seeds = [0, 1, 2]` trains every variant with each seed"
        }
        "name" => "no key of a variant: all trials are in the folder of the comparison's name",
        "sweep" | "variants" | "num_folds" | "target" | "at_epochs" => {
            "no key of a variant: it is one of the whole comparison"
        }
        _ => return Ok(()),
    };
    Err(Problem::new(place, key, expected))
}

impl SweepConfig {
    /// Checks that the axes have values that can be combined.
    ///
    /// # Errors
    /// [`Problem`] with the first key that is wrong.
    pub(crate) fn validate(&self) -> Result<(), Problem> {
        for (key, values) in &self.axes {
            check_varied_key(key, format!("sweep.\"{key}\""))?;
            let is_list = values.as_array().is_some_and(|values| !values.is_empty());
            let key = format!("sweep.\"{key}\"");
            Problem::unless(is_list, &key, values, "a list of at least one value")?;
            let values = values.as_array().map_or(&[][..], Vec::as_slice);
            let is_twice = |value: &&toml::Value| {
                let number = value.as_integer().map(|whole| whole as f64);
                number.is_some() && values.iter().any(|other| other.as_float() == number)
            };
            if let Some(whole) = values.iter().find(is_twice) {
                let expected =
                    format!("each value only once, and {whole} is also there as {whole}.0");
                return Err(Problem::new(key, whole, expected));
            }
        }
        let lengths: Vec<usize> = self.axes().map(|(_, values)| values.len()).collect();
        Problem::unless(
            self.mode != SweepMode::Zip || lengths.windows(2).all(|pair| pair[0] == pair[1]),
            "sweep.mode",
            format!("\"zip\" with axes of {lengths:?} values"),
            "axes with the same number of values",
        )?;
        match (self.mode, self.count) {
            (SweepMode::Random, None) => Err(Problem::new(
                "sweep.count",
                "missing",
                "the number of combinations that `mode = \"random\"` draws",
            )),
            (SweepMode::Random, Some(0)) => Err(Problem::new("sweep.count", 0, "at least 1")),
            (SweepMode::Grid | SweepMode::Zip, Some(count)) => Err(Problem::new(
                "sweep.count",
                count,
                "no value, because only `mode = \"random\"` needs one",
            )),
            (SweepMode::Random, Some(_)) | (SweepMode::Grid | SweepMode::Zip, None) => Ok(()),
        }
    }

    /// Number of combinations, of which there may be more than a number can hold.
    pub(crate) fn num_combinations(&self) -> u64 {
        let lengths = self.axes().map(|(_, values)| values.len() as u64);
        let all = match self.mode {
            SweepMode::Zip => lengths.max().unwrap_or(1),
            SweepMode::Grid | SweepMode::Random => lengths.fold(1, u64::saturating_mul),
        };
        self.count.map_or(all, |count| all.min(count as u64))
    }

    /// The axes with their values.
    pub(crate) fn axes(&self) -> impl Iterator<Item = (&String, &Vec<toml::Value>)> {
        let axes = self.axes.iter();
        axes.filter_map(|(key, values)| Some((key, values.as_array()?)))
    }
}
