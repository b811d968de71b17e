//! PyTorch's own initialisation of its layers.

use emberlab_rng::StreamRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Distribution, Fans, random};

/// Uniform in ±1/sqrt(fan_in); biases too, unless they have an initialiser of their own.
///
/// # Source
/// `torch.nn.Linear` and `torch.nn.Conv2d`
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PytorchDefault {}

impl Distribution for PytorchDefault {
    fn is_for_biases_too(&self) -> bool {
        true
    }

    fn draw(&self, shape: &[usize], fans: Fans, rng: &mut StreamRng) -> Vec<f64> {
        let bound = 1.0 / (fans.fan_in as f64).sqrt();
        random::uniform(shape.iter().product(), -bound, bound, rng)
    }
}
