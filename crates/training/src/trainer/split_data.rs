//! The splits of a data set on the device, for one training or many.

use emberlab_datasets::DeviceDataset;
use emberlab_metrics::Split;

/// The splits of a data set on the device.
#[derive(Clone)]
pub struct SplitData {
    /// The rows to train on.
    pub train: DeviceDataset,
    /// The rows to evaluate after every epoch.
    pub valid: Option<DeviceDataset>,
    /// The rows to evaluate once, at the end.
    pub test: Option<DeviceDataset>,
}

impl SplitData {
    /// The rows of a split, if it has any.
    pub(crate) fn get(&self, split: Split) -> Option<&DeviceDataset> {
        match split {
            Split::Train => Some(&self.train),
            Split::Valid => self.valid.as_ref(),
            Split::Test => self.test.as_ref(),
        }
    }

    /// The splits of many trainings, end to end; all have the same numbers of rows.
    pub(crate) fn stacked(parts: &[Self]) -> Self {
        let all = |of: fn(&Self) -> Option<&DeviceDataset>| {
            let parts: Option<Vec<DeviceDataset>> = parts.iter().map(|p| of(p).cloned()).collect();
            parts.map(|parts| DeviceDataset::stacked(&parts))
        };
        let train: Vec<DeviceDataset> = parts.iter().map(|part| part.train.clone()).collect();
        Self {
            train: DeviceDataset::stacked(&train),
            valid: all(|part| part.valid.as_ref()),
            test: all(|part| part.test.as_ref()),
        }
    }

    /// The splits of one of the `num_parts` that were [stacked](Self::stacked).
    pub(crate) fn part(&self, index: usize, num_parts: usize) -> Self {
        let cut = |all: &DeviceDataset| all.part(index, num_parts);
        Self {
            train: cut(&self.train),
            valid: self.valid.as_ref().map(cut),
            test: self.test.as_ref().map(cut),
        }
    }
}
