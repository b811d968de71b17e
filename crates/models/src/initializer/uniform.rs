//! A uniform distribution.

use emberlab_menu::Problem;
use emberlab_rng::StreamRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Distribution, Fans, random};

/// Uniform in [min, max).
///
/// # Source
/// `torch.nn.init.uniform_`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Uniform {
    /// Lower end.
    pub min: f64,
    /// Upper end, above the lower.
    pub max: f64,
}

impl Default for Uniform {
    fn default() -> Self {
        Self { min: 0.0, max: 1.0 }
    }
}

impl Distribution for Uniform {
    fn validate(&self, key: &str) -> Result<(), Problem> {
        Problem::unless_finite(self.min, format!("{key}.min"))?;
        let is_valid = self.max.is_finite() && self.min < self.max;
        let expected = format!("a finite number above `min` ({})", self.min);
        Problem::unless(is_valid, format!("{key}.max"), self.max, expected)
    }

    fn draw(&self, shape: &[usize], _: Fans, rng: &mut StreamRng) -> Vec<f64> {
        random::uniform(shape.iter().product(), self.min, self.max, rng)
    }
}
