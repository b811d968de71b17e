//! Glorot initialisation from a uniform distribution.

use emberlab_menu::Problem;
use emberlab_rng::StreamRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Distribution, Fans, random};

/// Uniform around zero with standard deviation `gain sqrt(2 / (fan_in + fan_out))`.
///
/// # Source
/// Glorot and Bengio 2010, eq. 16; `torch.nn.init.xavier_uniform_`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct XavierUniform {
    /// Positive factor.
    pub gain: f64,
}

impl Default for XavierUniform {
    fn default() -> Self {
        Self { gain: 1.0 }
    }
}

impl Distribution for XavierUniform {
    fn validate(&self, key: &str) -> Result<(), Problem> {
        Problem::unless_positive(self.gain, format!("{key}.gain"))
    }

    fn draw(&self, shape: &[usize], fans: Fans, rng: &mut StreamRng) -> Vec<f64> {
        let std = fans.xavier_std(self.gain);
        random::uniform_with_std(shape.iter().product(), std, rng)
    }
}
