//! One number everywhere.

use emberlab_menu::Problem;
use emberlab_rng::StreamRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Distribution, Fans};

/// All the same number.
///
/// # Source
/// `torch.nn.init.constant_`
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Constant {
    /// The number.
    pub value: f64,
}

impl Distribution for Constant {
    fn validate(&self, key: &str) -> Result<(), Problem> {
        Problem::unless_finite(self.value, format!("{key}.value"))
    }

    fn draw(&self, shape: &[usize], _: Fans, _: &mut StreamRng) -> Vec<f64> {
        vec![self.value; shape.iter().product()]
    }
}
