//! A number for each feature, as a configuration may write it.

use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One number for all features, one for each, or drawn at random.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a number, a list of one number per feature, or \"random\""
)]
pub enum PerFeature {
    /// The same number for all.
    Same(f64),
    /// One number per feature.
    Each(Vec<f64>),
    /// Drawn for each feature.
    Random(RandomPerFeature),
}

/// The word "random".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RandomPerFeature {
    /// Drawn for each feature.
    Random,
}

impl PerFeature {
    /// Checks every number.
    pub(super) fn check(
        &self,
        key: &'static str,
        num_features: usize,
        accepts: impl Fn(f64) -> bool,
        expected: &str,
    ) -> Result<(), Problem> {
        match self {
            Self::Same(x) => Problem::unless(accepts(*x), key, x, expected),
            Self::Each(xs) => {
                let good = xs.len() == num_features && xs.iter().all(|&x| accepts(x));
                let expected = format!("{num_features} numbers, each {expected}");
                Problem::unless(good, key, format!("{xs:?}"), expected)
            }
            Self::Random(_) => Ok(()),
        }
    }

    /// One number for each feature; `draw` draws those that are random.
    pub(super) fn numbers(&self, num_features: usize, draw: impl FnMut() -> f64) -> Vec<f64> {
        match self {
            Self::Same(x) => vec![*x; num_features],
            Self::Each(xs) => xs.clone(),
            Self::Random(_) => std::iter::repeat_with(draw).take(num_features).collect(),
        }
    }
}
