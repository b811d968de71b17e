//! The constant learning rate.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Interval, ScheduleFunction};

/// The learning rate of the optimiser, throughout.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Constant {}

impl ScheduleFunction for Constant {
    fn interval(&self) -> Interval {
        Interval::default()
    }

    fn learning_rate(&self, base: f64, _time: f64, _length: usize) -> f64 {
        base
    }

    fn is_constant(&self) -> bool {
        true
    }
}
