//! What a training computes with, step by step: one network.

use burn::module::Module;
use burn::store::RecordError;
use burn::tensor::Bytes;
use burn::train::InferenceStep;
use emberlab_datasets::Batch;
use emberlab_models::Network;

use crate::clipping::GradientClipping;
use crate::optimizer::Optimizer;
use crate::supervised_model::{StepOutput, SupervisedModel};

/// One network with its optimiser, or many as one engine.
///
/// Batches and what they give hold the rows of the first network, of the second, and so on.
pub(crate) trait TrainingEngine: Send {
    /// Takes a step, with a learning rate for each network; returns what the batch gave before it.
    fn step(
        &mut self,
        batch: Batch,
        clipping: Option<&GradientClipping>,
        learning_rates: &[f64],
    ) -> StepOutput;

    /// What a batch gives in evaluation mode.
    fn infer(&self, batch: Batch) -> StepOutput;

    /// The network at `index`, on a plain device.
    fn network(&self, index: usize) -> Network;

    /// The state of its optimiser, as [`Optimizer::to_bytes`] gives it.
    fn optimizer_bytes(&self, index: usize) -> Result<Bytes, RecordError>;

    /// Goes on with the networks at these indices alone.
    fn keep(&mut self, indices: &[usize]);
}

/// One network.
pub(crate) struct Single {
    pub(crate) supervised: SupervisedModel,
    pub(crate) optimizer: Optimizer,
}

impl TrainingEngine for Single {
    fn step(
        &mut self,
        batch: Batch,
        clipping: Option<&GradientClipping>,
        learning_rates: &[f64],
    ) -> StepOutput {
        let optimizer = &mut self.optimizer;
        let (after, measured) =
            (self.supervised).after_step(batch, clipping, optimizer, learning_rates[0]);
        self.supervised = after;
        measured
    }

    fn infer(&self, batch: Batch) -> StepOutput {
        InferenceStep::step(&self.supervised.valid(), batch)
    }

    fn network(&self, _: usize) -> Network {
        self.supervised.valid().network
    }

    fn optimizer_bytes(&self, _: usize) -> Result<Bytes, RecordError> {
        self.optimizer.to_bytes()
    }

    /// There is only the one.
    fn keep(&mut self, _: &[usize]) {}
}
