//! A network with its loss, as burn-train wants to train it.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{ExecutionError, Tensor};
use burn::train::{InferenceStep, ItemLazy, TrainOutput, TrainStep};
use emberlab_datasets::Batch;
use emberlab_models::{BatchStatistics, Network};

use crate::loss::LossConfig;

/// A network and the loss it is trained on.
#[derive(Module, Debug)]
pub struct Trainee {
    /// The network.
    pub network: Network,
    #[module(skip)]
    loss: LossConfig,
}

impl Trainee {
    /// Joins a network to its loss.
    pub fn new(network: Network, loss: LossConfig) -> Self {
        Self { network, loss }
    }

    /// The loss it is trained on.
    pub fn loss(&self) -> &LossConfig {
        &self.loss
    }
}

/// What batches gave: losses, outputs and targets, still on the device.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// One `[1]` loss per batch.
    pub losses: Vec<Tensor<1>>,
    /// `[batch_size, d_output]` per batch.
    pub outputs: Vec<Tensor<2>>,
    /// `[batch_size, d_output]` per batch.
    pub targets: Vec<Tensor<2>>,
    /// What batch normalisation saw, in training mode.
    pub statistics: Vec<BatchStatistics>,
    /// Finished metric values for a display, by name; empty for a batch that nobody measured yet.
    pub shown: Vec<(&'static str, f64)>,
}

impl Measured {
    /// Adds what `other` gave after this.
    pub fn extend(&mut self, other: Measured) {
        self.losses.extend(other.losses);
        self.outputs.extend(other.outputs);
        self.targets.extend(other.targets);
    }
}

impl ItemLazy for Measured {
    fn sync(self) -> Result<Self, ExecutionError> {
        Ok(self)
    }
}

impl TrainStep for Trainee {
    type Input = Batch;
    type Output = Measured;

    fn step(&self, batch: Batch) -> TrainOutput<Measured> {
        let (outputs, statistics) = self.network.forward_train(batch.inputs.autodiff());
        let loss = self
            .loss
            .forward(outputs.clone(), batch.targets.clone().autodiff());
        let gradients = GradientsParams::from_grads(loss.backward(), &self.network);
        TrainOutput {
            grads: gradients,
            item: Measured {
                losses: vec![loss.inner()],
                outputs: vec![outputs.inner()],
                targets: vec![batch.targets],
                statistics,
                shown: Vec::new(),
            },
        }
    }
}

impl InferenceStep for Trainee {
    type Input = Batch;
    type Output = Measured;

    fn step(&self, batch: Batch) -> Measured {
        let outputs = self.network.forward(batch.inputs);
        let loss = self.loss.forward(outputs.clone(), batch.targets.clone());
        Measured {
            losses: vec![loss],
            outputs: vec![outputs],
            targets: vec![batch.targets],
            ..Measured::default()
        }
    }
}
