//! [`crate::ParameterUpdates`] on a GPU.

use burn::tensor::Tensor;
use burn_cubecl::tensor::CubeTensor;
use emberlab_fused::Optimizer;
use emberlab_fused::gpu::operations::{UpdateBuffers, update};

use super::memory::{argument, empty, is_on_gpu, rows, tensor};

/// The updates of all parameters in one step of an optimiser.
pub struct ParameterUpdates {
    optimizer: Optimizer,
    learning_rate: f64,
    step: u64,
    buffers: Vec<CubeTensor>,
}

impl ParameterUpdates {
    /// The updates of a step, which is counted from 1, with the optimiser's buffers before it.
    ///
    /// # Errors
    /// The buffers, unless all are on a GPU.
    pub fn new(
        optimizer: Optimizer,
        learning_rate: f64,
        step: u64,
        buffers: Vec<Tensor<1>>,
    ) -> Result<Self, Vec<Tensor<1>>> {
        if !buffers.iter().all(is_on_gpu) {
            return Err(buffers);
        }
        let own = |buffer: Tensor<1>| {
            let buffer = rows(buffer);
            // Another tensor may share the numbers, such as one that is being saved.
            match buffer.can_mut() {
                true => buffer,
                false => buffer.copy(),
            }
        };
        Ok(Self {
            optimizer,
            learning_rate,
            step,
            buffers: buffers.into_iter().map(own).collect(),
        })
    }

    /// A parameter after the step. Its numbers in each buffer begin at `place`.
    ///
    /// # Panics
    /// If the parameter or its gradient is not [on a GPU](crate::is_on_gpu).
    pub fn moved<const D: usize>(
        &mut self,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        place: usize,
    ) -> Tensor<D> {
        let (parameter, gradient) = (rows(parameter), rows(gradient));
        let moved = empty(&parameter, parameter.meta.shape().clone());
        let buffers = UpdateBuffers {
            weights: argument(&parameter),
            gradient: argument(&gradient),
            moved: argument(&moved),
            state: self.buffers.iter().map(argument).collect(),
        };
        let at = (self.learning_rate, self.step);
        let length = parameter.meta.num_elements();
        update(
            &parameter.client,
            self.optimizer,
            at,
            buffers,
            place,
            length,
        );
        tensor(moved)
    }

    /// The optimiser's buffers after the step.
    pub fn into_buffers(self) -> Vec<Tensor<1>> {
        self.buffers.into_iter().map(tensor).collect()
    }
}
