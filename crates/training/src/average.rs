//! Averages of weights over a training.

use emberlab_fused::Average;
use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::check;

/// An average of weights, which is evaluated and saved in place of the last weights.
///
/// The running statistics of batch norm belong to the last weights. Whenever the average is evaluated they are computed
/// anew for it, from all training rows, as PyTorch's `update_bn` does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WeightAverage {
    /// The exponential moving average over steps; the value is the share that each step keeps, in [0, 1). Equals
    /// PyTorch's `AveragedModel` with `get_ema_multi_avg_fn`.
    Ema(f64),
    /// Stochastic weight averaging: the mean over the ends of all epochs after this one. Izmailov et al. 2018,
    /// <https://arxiv.org/abs/1803.05407>; equals PyTorch's `AveragedModel`.
    Swa(u64),
}

impl WeightAverage {
    /// Checks the value for a training of `num_epochs`.
    ///
    /// # Errors
    /// [`Problem`] if it is out of range.
    pub(crate) fn validate(&self, num_epochs: usize) -> Result<(), Problem> {
        match *self {
            Self::Ema(decay) => {
                let is_share = (0.0..1.0).contains(&decay);
                let key = "training.average.ema";
                check(key, decay, is_share, "at least 0 and less than 1")
            }
            Self::Swa(skipped) => Problem::unless(
                skipped < num_epochs as u64,
                "training.average.swa",
                skipped,
                format!("an epoch before the last of {num_epochs}"),
            ),
        }
    }

    /// The average in the plan of a training with `steps_per_epoch`.
    pub(crate) fn fused(self, steps_per_epoch: usize) -> Average {
        match self {
            Self::Ema(decay) => Average::Exponential { decay },
            Self::Swa(skipped) => Average::Epochs {
                skipped,
                steps_per_epoch: steps_per_epoch as u64,
            },
        }
    }
}
