//! The networks: their configurations, their forward and backward passes, their tensors by name.
//!
//! Each network has a file with its configuration and its layers. To add one, write its file and add its rows to the
//! table in `config` and to [`Network`].

mod batched_model;
mod config;
mod convnet;
mod dense_layers;
mod forward_pass;
mod fused;
mod mlp;
mod named_tensors;
mod perceptron;
mod summary;
#[cfg(test)]
mod tests;

pub use batched_model::{BatchedModel, SavedReplicas};
pub use config::ModelConfig;
pub use convnet::{ConvNet, ConvNetConfig};
pub use forward_pass::{Mode, Operation, SavedPass, Stage};
pub use fused::{FusedShape, NetworkNumbers, NotFused};
pub use mlp::{Mlp, MlpConfig};
pub use perceptron::PerceptronConfig;
pub use summary::OperationSummary;

use burn::module::Module;
use burn::tensor::{DType, Device, Tensor};

use crate::{BatchStatistics, Dense, StepSeeds};
use forward_pass::ForwardPass;

/// A network of any kind.
#[derive(Module, Debug)]
pub enum Network {
    /// A multilayer perceptron, or a perceptron.
    Mlp(Mlp),
    /// A small convolutional network.
    ConvNet(ConvNet),
}

impl Network {
    /// Outputs in evaluation mode: batch norm uses its running statistics.
    ///
    /// # Shapes
    /// - `inputs`: `[batch, d_input]`, images flattened
    /// - result: `[batch, d_output]`
    pub fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Mlp(network) => network.forward(inputs, &mut ForwardPass::new(Mode::Evaluation)),
            Self::ConvNet(network) => network.evaluate(inputs),
        }
    }

    /// Outputs in training mode, and the statistics of each batch norm for
    /// [`with_running_statistics`](Self::with_running_statistics). Without masks, nothing is dropped.
    ///
    /// # Shapes
    /// - `inputs`: `[batch, d_input]`, images flattened
    /// - result: `[batch, d_output]`
    pub fn forward_train<'a>(
        &'a self,
        inputs: Tensor<2>,
        masks: Option<StepSeeds<'a>>,
    ) -> (Tensor<2>, Vec<BatchStatistics>) {
        let mut pass = ForwardPass::training(masks);
        let outputs = self.run(inputs, &mut pass);
        (outputs, pass.into_statistics())
    }

    /// [`forward_train`](Self::forward_train) on a plain device, which also saves what the backward pass needs: the
    /// gradients are `saved.backward(delta)`, where `delta` is the loss's gradient by the outputs.
    ///
    /// # Shapes
    /// - `inputs`: `[batch, d_input]`, images flattened
    /// - outputs: `[batch, d_output]`
    pub fn forward_saving<'a>(
        &'a self,
        inputs: Tensor<2>,
        masks: Option<StepSeeds<'a>>,
    ) -> (Tensor<2>, Vec<BatchStatistics>, SavedPass<'a>) {
        let mut pass = ForwardPass::saving(masks);
        let outputs = self.run(inputs, &mut pass);
        let (statistics, saved) = pass.into_saved();
        (outputs, statistics, saved)
    }

    /// The outputs of every operation of a forward pass, in order. They show every activation before its max-pool,
    /// if there is one.
    ///
    /// # Shapes
    /// - `inputs`: `[batch, d_input]`, images flattened
    pub fn stages(&self, inputs: Tensor<2>, mode: Mode) -> Vec<Stage<'_>> {
        let mut pass = ForwardPass::recording(mode);
        self.run(inputs, &mut pass);
        pass.into_stages()
    }

    /// [`stages`](Self::stages) in training mode on a plain device, which also saves what the backward pass needs.
    ///
    /// # Shapes
    /// - `inputs`: `[batch, d_input]`, images flattened
    pub fn stages_saving(&self, inputs: Tensor<2>) -> (Vec<Stage<'_>>, SavedPass<'_>) {
        let mut pass = ForwardPass::saving_and_recording();
        self.run(inputs, &mut pass);
        pass.into_stages_and_saved()
    }

    /// The forward pass.
    ///
    /// # Shapes
    /// - `inputs`: `[batch, d_input]`, images flattened
    /// - result: `[batch, d_output]`
    fn run<'a>(&'a self, inputs: Tensor<2>, pass: &mut ForwardPass<'a>) -> Tensor<2> {
        match self {
            Self::Mlp(network) => network.forward(inputs, pass),
            Self::ConvNet(network) => network.forward(inputs, pass),
        }
    }

    /// The device of the parameters, without autodiff.
    pub fn device(&self) -> Device {
        self.dense_layers()[0].weight.val().inner().device()
    }

    /// The floating-point numbers of the parameters.
    pub fn dtype(&self) -> DType {
        self.dense_layers()[0].weight.dtype()
    }

    /// Whether the parameters are on an autodiff device.
    pub fn is_autodiff(&self) -> bool {
        self.dense_layers()[0].weight.is_autodiff()
    }

    /// Moves the running statistics of each batch norm towards the statistics of a batch. A network without batch norm
    /// stays as it is.
    pub fn with_running_statistics(self, statistics: Vec<BatchStatistics>) -> Self {
        self.with_statistics(statistics, None)
    }

    /// Adds the statistics of a batch to running statistics that are the mean of those of `count` batches, this one
    /// included, as PyTorch's batch norm does with `momentum=None`.
    pub fn with_mean_statistics(self, statistics: Vec<BatchStatistics>, count: usize) -> Self {
        self.with_statistics(statistics, Some(1.0 / count as f64))
    }

    /// Moves the running statistics by `momentum`, or by that of each batch norm.
    fn with_statistics(self, statistics: Vec<BatchStatistics>, momentum: Option<f64>) -> Self {
        if statistics.is_empty() {
            return self;
        }
        match self {
            Self::Mlp(network) => Self::Mlp(network.with_running_statistics(statistics, momentum)),
            Self::ConvNet(network) => {
                Self::ConvNet(network.with_running_statistics(statistics, momentum))
            }
        }
    }

    /// The largest number of inputs or outputs of a dense layer.
    pub fn widest(&self) -> usize {
        let layers = self.dense_layers().iter();
        let widths = layers.flat_map(|layer| layer.weight.dims());
        widths.max().unwrap_or(0)
    }

    /// The number of outputs of all dense layers together.
    pub fn num_units(&self) -> usize {
        let layers = self.dense_layers().iter();
        layers.map(|layer| layer.weight.dims()[1]).sum()
    }

    /// The number of trained numbers. Running statistics are not trained.
    pub fn num_parameters(&self) -> usize {
        self.num_params() - self.num_running()
    }

    /// The number of running statistics of batch norms.
    pub fn num_running(&self) -> usize {
        match self {
            Self::Mlp(network) => network.num_running(),
            Self::ConvNet(network) => network.num_running(),
        }
    }

    /// The fully connected layers, of which every network has at least one.
    fn dense_layers(&self) -> &[Dense] {
        match self {
            Self::Mlp(network) => &network.layers,
            Self::ConvNet(network) => &network.layers,
        }
    }
}
