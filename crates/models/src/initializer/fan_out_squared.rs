//! A normal distribution whose standard deviation is what He's variance should be.

use emberlab_rng::StreamRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Distribution, Fans, random};

/// Normal with standard deviation `2 / fan_out`: too small, because it is the variance that should be `2 / fan_out`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FanOutSquared {}

impl Distribution for FanOutSquared {
    fn draw(&self, shape: &[usize], fans: Fans, rng: &mut StreamRng) -> Vec<f64> {
        random::normal(shape.iter().product(), 0.0, 2.0 / fans.fan_out as f64, rng)
    }
}
