//! He initialisation from a uniform distribution.

use std::f64::consts::SQRT_2;

use emberlab_menu::Problem;
use emberlab_rng::StreamRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Distribution, Fan, Fans, random};

/// Uniform around zero with standard deviation `gain / sqrt(fan)`.
///
/// # Source
/// He et al. 2015, eq. 10, <https://arxiv.org/abs/1502.01852>; `torch.nn.init.kaiming_uniform_`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KaimingUniform {
    /// The side that keeps its variance: `in` forward, `out` backward.
    pub fan: Fan,
    /// Positive factor; √2 is right for ReLU.
    pub gain: f64,
}

impl Default for KaimingUniform {
    fn default() -> Self {
        Self {
            fan: Fan::In,
            gain: SQRT_2,
        }
    }
}

impl Distribution for KaimingUniform {
    fn validate(&self, key: &str) -> Result<(), Problem> {
        Problem::unless_positive(self.gain, format!("{key}.gain"))
    }

    fn draw(&self, shape: &[usize], fans: Fans, rng: &mut StreamRng) -> Vec<f64> {
        let std = fans.kaiming_std(self.fan, self.gain);
        random::uniform_with_std(shape.iter().product(), std, rng)
    }
}
