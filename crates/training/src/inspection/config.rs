//! When a network is inspected while it learns: the table `inspect` of the configuration.

use emberlab_menu::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The distance from one record of the layers to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum InspectEvery {
    /// The layers are not recorded.
    Never,
    /// Epochs; at least 1.
    Epochs(usize),
    /// Optimiser steps; at least 1.
    Steps(u64),
}

/// When the layers are recorded. They are also recorded before the first step, and at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InspectConfig {
    /// From one record to the next: `{ epochs = 1 }`, `{ steps = 100 }` or `"never"`.
    pub every: InspectEvery,
}

/// The largest number of distances between records, where the configuration names none.
const DEFAULT_RECORDS: usize = 15;

impl InspectConfig {
    /// The spacing for a single training whose configuration names none: about fifteen records, whole epochs apart.
    pub fn default_for(num_epochs: usize) -> Self {
        let epochs = num_epochs.div_ceil(DEFAULT_RECORDS).max(1);
        Self {
            every: InspectEvery::Epochs(epochs),
        }
    }

    /// The steps at which the layers of a training are recorded; none if they never are.
    pub fn spacing(&self, steps_per_epoch: usize, num_epochs: usize) -> Option<Spacing> {
        let steps_per_epoch = (steps_per_epoch as u64).max(1);
        let every = match self.every {
            InspectEvery::Never => return None,
            InspectEvery::Epochs(epochs) => steps_per_epoch.saturating_mul(epochs as u64),
            InspectEvery::Steps(steps) => steps,
        };
        Some(Spacing {
            every: every.max(1),
            last: steps_per_epoch.saturating_mul(num_epochs as u64),
            steps_per_epoch,
        })
    }

    /// Checks the ranges of the values.
    ///
    /// # Errors
    /// [`Problem`] naming the key that is out of range.
    pub fn validate(&self) -> Result<(), Problem> {
        match self.every {
            InspectEvery::Never => Ok(()),
            InspectEvery::Epochs(n) => {
                Problem::unless_at_least_one(n as u64, "inspect.every.epochs")
            }
            InspectEvery::Steps(n) => Problem::unless_at_least_one(n, "inspect.every.steps"),
        }
    }
}

/// The steps at which the layers are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spacing {
    every: u64,
    /// The last step of the training.
    last: u64,
    steps_per_epoch: u64,
}

impl Spacing {
    /// Whether a record is due after this number of steps.
    pub fn is_due(&self, step: u64) -> bool {
        step.is_multiple_of(self.every) || step == self.last
    }

    /// Whether the record after this number of steps has pictures. With many records, only some have them.
    pub(super) fn has_frame(&self, step: u64, most: u64) -> bool {
        let num_records = self.last.div_ceil(self.every);
        let stride = num_records.div_ceil(most).max(1);
        !step.is_multiple_of(self.every)
            || (step / self.every).is_multiple_of(stride)
            || step == self.last
    }

    /// The number of frames of the whole training.
    pub(super) fn num_frames(&self, most: u64) -> u64 {
        let num_records = self.last.div_ceil(self.every);
        let stride = num_records.div_ceil(most).max(1);
        num_records.div_ceil(stride) + 1
    }

    /// The number of steps that a call may take after `step` steps. The step before a record is a call of its own, so
    /// that the network before that step is known.
    pub(crate) fn steps_of_a_call(&self, step: u64) -> u64 {
        let left = self.next(step) - step;
        if left > 1 { left - 1 } else { left }
    }

    /// The number of whole epochs from `epoch`, counted from 0, up to the first one that a record divides into two
    /// calls.
    pub(crate) fn whole_epochs(&self, epoch: u64) -> usize {
        if self.steps_per_epoch == 1 {
            return usize::MAX;
        }
        let next = self.next(epoch * self.steps_per_epoch);
        let divided = (next - 1) / self.steps_per_epoch;
        usize::try_from(divided.saturating_sub(epoch)).unwrap_or(usize::MAX)
    }

    /// The number of epochs in this number of steps.
    pub(super) fn epoch(&self, step: u64) -> f64 {
        step as f64 / self.steps_per_epoch as f64
    }

    /// The first step after `step` that a record follows.
    fn next(&self, step: u64) -> u64 {
        let next = (step / self.every + 1).saturating_mul(self.every);
        if step < self.last {
            next.min(self.last)
        } else {
            next
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spacing(every: InspectEvery) -> Option<Spacing> {
        InspectConfig { every }.spacing(4, 5)
    }

    fn due(spacing: &Spacing) -> Vec<u64> {
        (0..=20).filter(|&step| spacing.is_due(step)).collect()
    }

    #[test]
    fn records_are_made_before_the_first_step_at_each_distance_and_at_the_end() {
        assert_eq!(spacing(InspectEvery::Never), None);
        let epochs = spacing(InspectEvery::Epochs(2)).expect("a spacing");
        assert_eq!(due(&epochs), [0, 8, 16, 20]);
        let steps = spacing(InspectEvery::Steps(7)).expect("a spacing");
        assert_eq!(due(&steps), [0, 7, 14, 20]);
        assert_eq!(steps.epoch(7), 1.75);
    }

    #[test]
    fn the_step_before_a_record_is_a_call_of_its_own() {
        let steps = spacing(InspectEvery::Steps(7)).expect("a spacing");
        let calls = [0, 5, 6, 7, 14, 19, 20].map(|step| steps.steps_of_a_call(step));
        assert_eq!(calls, [6, 1, 1, 6, 5, 1, 1]);
        let epochs = spacing(InspectEvery::Epochs(2)).expect("a spacing");
        let whole = [0, 1, 2, 3, 4].map(|epoch| epochs.whole_epochs(epoch));
        assert_eq!(whole, [1, 0, 1, 0, 0]);
    }

    #[test]
    fn a_training_has_about_fifteen_records_unless_it_says_more() {
        let every = |num_epochs| InspectConfig::default_for(num_epochs).every;
        assert_eq!(every(5), InspectEvery::Epochs(1));
        assert_eq!(every(1000), InspectEvery::Epochs(67));
        assert_eq!(every(0), InspectEvery::Epochs(1));
    }

    #[test]
    fn pictures_are_thinned_when_there_are_many_records() {
        let all = spacing(InspectEvery::Steps(1)).expect("a spacing");
        let with = (0..=20).filter(|&step| all.has_frame(step, 6));
        assert_eq!(with.collect::<Vec<_>>(), [0, 4, 8, 12, 16, 20]);
        assert_eq!(all.num_frames(6), 6);
        assert_eq!(all.num_frames(60), 21);
    }
}
