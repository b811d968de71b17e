//! Glorot initialisation from a normal distribution.

use emberlab_menu::Problem;
use emberlab_rng::StreamRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Distribution, Fans, random};

/// Normal with standard deviation `gain sqrt(2 / (fan_in + fan_out))`.
///
/// # Source
/// Glorot and Bengio 2010, eq. 12; `torch.nn.init.xavier_normal_`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct XavierNormal {
    /// Positive factor.
    pub gain: f64,
}

impl Default for XavierNormal {
    fn default() -> Self {
        Self { gain: 1.0 }
    }
}

impl Distribution for XavierNormal {
    fn validate(&self, key: &str) -> Result<(), Problem> {
        Problem::unless_positive(self.gain, format!("{key}.gain"))
    }

    fn draw(&self, shape: &[usize], fans: Fans, rng: &mut StreamRng) -> Vec<f64> {
        let std = fans.xavier_std(self.gain);
        random::normal(shape.iter().product(), 0.0, std, rng)
    }
}
