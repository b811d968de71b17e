//! A split of data in the host's memory.

use std::sync::Arc;

use burn::tensor::Tensor;
use emberlab_datasets::DeviceDataset;
use emberlab_fused::{Data, Foreground, Plan, Real};
use emberlab_kernels::{Float, HostNumbers};

use crate::error::TrainingError;
use crate::metric_accumulator::ComparableTargets;
use crate::record::unreadable;
use crate::task::Task;

/// The samples of one split in the host's memory. On flex it is the memory of the split's tensors.
pub(super) struct HostSplit<T> {
    inputs: HostNumbers<T>,
    targets: HostNumbers<T>,
    weights: Option<HostNumbers<T>>,
    comparable: ComparableTargets,
    foreground: Option<Arc<Foreground<T>>>,
}

impl<T: Real + Float> HostSplit<T> {
    /// The samples of a split on a device.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    pub(super) fn read(data: &DeviceDataset, task: &Task) -> Result<Self, TrainingError> {
        let read = |tensor: &Tensor<2>| HostNumbers::read(tensor).map_err(unreadable);
        let targets = read(&data.targets)?;
        let [_, d_output] = data.targets.dims();
        Ok(Self {
            inputs: read(&data.inputs.all())?,
            comparable: ComparableTargets::new::<T>(task, targets.as_slice(), d_output)?,
            targets,
            weights: data.weights.as_ref().map(read).transpose()?,
            foreground: None,
        })
    }

    /// Finds the foreground of the inputs, or takes it from another split with the same inputs.
    pub(super) fn with_foreground<'a>(
        mut self,
        plan: &Plan,
        batch_size: usize,
        mut others: impl Iterator<Item = &'a Self>,
    ) -> Self
    where
        T: 'a,
    {
        let inputs = self.inputs.as_slice();
        let twin = others.find(|other| std::ptr::eq(other.inputs.as_slice(), inputs));
        self.foreground = match twin {
            Some(twin) => twin.foreground.clone(),
            None => Foreground::of(inputs, plan, batch_size).map(Arc::new),
        };
        self
    }

    /// The samples as fused kernels take them.
    pub(super) fn data(&self) -> Data<'_, T> {
        Data {
            inputs: self.inputs.as_slice(),
            targets: self.targets.as_slice(),
            weights: self.weights.as_ref().map(HostNumbers::as_slice),
            foreground: self.foreground.as_deref(),
        }
    }

    /// The targets as metrics compare outputs with them.
    pub(super) fn targets(&self) -> &ComparableTargets {
        &self.comparable
    }
}
