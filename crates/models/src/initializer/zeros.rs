//! Zeros.

use emberlab_rng::StreamRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Distribution, Fans};

/// All zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Zeros {}

impl Distribution for Zeros {
    fn draw(&self, shape: &[usize], _: Fans, _: &mut StreamRng) -> Vec<f64> {
        vec![0.0; shape.iter().product()]
    }
}
