//! A normal distribution.

use emberlab_menu::Problem;
use emberlab_rng::StreamRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Distribution, Fans, random};

/// Normal with the mean `mean` and the standard deviation `std`.
///
/// # Source
/// `torch.nn.init.normal_`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Normal {
    /// Mean.
    pub mean: f64,
    /// Standard deviation, zero or more.
    pub std: f64,
}

impl Default for Normal {
    fn default() -> Self {
        Self {
            mean: 0.0,
            std: 1.0,
        }
    }
}

impl Distribution for Normal {
    fn validate(&self, key: &str) -> Result<(), Problem> {
        Problem::unless_finite(self.mean, format!("{key}.mean"))?;
        let is_valid = self.std.is_finite() && self.std >= 0.0;
        let key = format!("{key}.std");
        Problem::unless(is_valid, key, self.std, "a finite number, zero or more")
    }

    fn draw(&self, shape: &[usize], _: Fans, rng: &mut StreamRng) -> Vec<f64> {
        random::normal(shape.iter().product(), self.mean, self.std, rng)
    }
}
