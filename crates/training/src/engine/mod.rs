//! The engine of a training: the networks and their optimizers, which take one step after another.

mod batched;
mod single;

pub(crate) use batched::BatchedEngine;
pub(crate) use single::SingleEngine;

use burn::store::RecordError;
use burn::tensor::Bytes;
use emberlab_datasets::Batch;
use emberlab_models::Network;

use crate::clipping::GradientClipping;
use crate::supervised_model::StepOutput;

/// One network with its optimizer, or many with theirs.
///
/// Batches and step outputs hold the rows of the first network, then those of the second, and so on.
pub(crate) trait TrainingEngine: Send {
    /// Takes a step with a learning rate for each network. The output is of the networks before the step.
    fn step(
        &mut self,
        batch: Batch,
        clipping: Option<&GradientClipping>,
        learning_rates: &[f64],
    ) -> StepOutput;

    /// The output for a batch in evaluation mode.
    fn evaluate(&self, batch: Batch) -> StepOutput;

    /// The network at `index`, on a plain device.
    fn network(&self, index: usize) -> Network;

    /// The state of the optimizer at `index`, as [`Optimizer::to_bytes`](crate::Optimizer::to_bytes) writes it.
    ///
    /// # Errors
    /// [`RecordError`] if the device fails.
    fn optimizer_bytes(&self, index: usize) -> Result<Bytes, RecordError>;

    /// Drops all networks but those at these indices.
    fn keep(&mut self, indices: &[usize]);
}
