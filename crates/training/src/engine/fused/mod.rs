//! The fused engine: small networks, many steps in one call, in the host's memory or on a GPU.

#[cfg(feature = "gpu")]
mod gpu;
mod host;
mod host_split;
mod recorded;

use burn::tensor::Bytes;
use emberlab_fused::{Real, State};
use emberlab_kernels::Float;
use emberlab_models::{Network, NetworkNumbers, step_seed};

use crate::error::TrainingError;
use crate::optimizer::Optimizer;
use crate::record::unreadable;
#[cfg(feature = "gpu")]
pub(super) use gpu::{GpuEngine, gpu_for, measurement};
pub(super) use host::HostEngine;
pub use recorded::RecordedTraining;

/// A network and its optimiser as they began, for the ids and the device of their tensors.
struct Start {
    network: Network,
    optimizer: Optimizer,
}

impl Start {
    /// The network with these numbers.
    fn network<T: Real + Float>(&self, numbers: &NetworkNumbers<T>) -> Network {
        (self.network.clone()).with_numbers(&numbers.parameters, &numbers.running)
    }

    /// The state of the optimiser with these buffers, as [`Optimizer::to_bytes`] writes it.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    fn optimizer_bytes<T: Real + Float>(
        &self,
        buffers: &[Vec<T>],
        step: u64,
    ) -> Result<Bytes, TrainingError> {
        let optimizer = self.optimizer.with_numbers(buffers, step);
        optimizer.to_bytes().map_err(unreadable)
    }
}

/// The numbers of a network and its optimiser, in a training with this seed.
fn state<T: Real + Float>(
    network: &Network,
    optimizer: &Optimizer,
    seed: u64,
) -> Result<State<T>, TrainingError> {
    let numbers = network.numbers::<T>().map_err(unreadable)?;
    Ok(State {
        parameters: numbers.parameters,
        running: numbers.running,
        buffers: optimizer.numbers::<T>().map_err(unreadable)?,
        step: optimizer.num_steps(),
        step_seed: step_seed(seed),
    })
}

/// Drops all replicas but those at these indices.
fn keep<R>(replicas: &mut Vec<R>, indices: &[usize]) {
    let mut index = 0;
    replicas.retain(|_| {
        index += 1;
        indices.contains(&(index - 1))
    });
}

#[cfg(all(test, feature = "wgpu"))]
mod gpu_tests;
#[cfg(test)]
pub(super) mod tests;
