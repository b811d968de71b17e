//! Many networks, trained at once by Burn operations.

use burn::store::RecordError;
use burn::tensor::Bytes;
use emberlab_datasets::Batch;
use emberlab_models::{BatchedModel, Network, StepSeeds};

use super::{Networks, SingleNetwork};
use crate::loss::LossConfig;
use crate::optimizer::Optimizer;
use crate::step_rules::StepRules;
use crate::supervised_model::StepOutput;

/// Networks of one shape, computed together, with their optimisers.
pub(crate) struct BatchedNetworks {
    model: BatchedModel,
    optimizer: Optimizer,
    loss: LossConfig,
}

impl BatchedNetworks {
    /// Joins networks that are trained on the same loss; `None` if their networks or optimisers differ in more than
    /// their numbers.
    pub(crate) fn new(singles: Vec<SingleNetwork>) -> Option<Self> {
        let loss = singles.first()?.supervised.loss().clone();
        let (networks, optimizers): (Vec<Network>, Vec<Optimizer>) = singles
            .into_iter()
            .map(|single| (single.supervised.network, single.optimizer))
            .unzip();
        Some(Self {
            model: BatchedModel::new(&networks)?,
            optimizer: Optimizer::stacked(&optimizers)?,
            loss,
        })
    }
}

impl Networks for BatchedNetworks {
    fn step(
        &mut self,
        batch: Batch,
        step_seeds: StepSeeds<'_>,
        rules: &StepRules,
        learning_rates: &[f64],
    ) -> StepOutput {
        let Batch {
            inputs,
            targets,
            weights,
        } = batch;
        let (weights, num_replicas) = (weights.as_ref(), self.model.num_replicas());
        let (outputs, statistics, saved) = self.model.forward_saving(inputs, Some(step_seeds));
        let pair = (outputs.clone(), targets.clone());
        let (losses, delta) =
            (self.loss).forward_backward_stacked(pair.0, pair.1, weights, num_replicas);
        let gradients = rules.adjust(&self.model, saved.backward(delta), step_seeds);
        let model = self.model.clone();
        let moved = self.optimizer.step_stack(model, gradients, learning_rates);
        let moved = rules.bound(moved);
        self.optimizer.add_to_average(&moved);
        self.model = moved.with_running_statistics(statistics);
        StepOutput::new(losses, outputs, targets)
    }

    fn evaluate(&self, batch: Batch) -> StepOutput {
        let Batch {
            inputs,
            targets,
            weights,
        } = batch;
        let outputs = self.optimizer.averaged(self.model.clone()).forward(inputs);
        let (weights, num_replicas) = (weights.as_ref(), self.model.num_replicas());
        let pair = (outputs.clone(), targets.clone());
        let losses = (self.loss).forward_stacked(pair.0, pair.1, weights, num_replicas);
        StepOutput::new(losses, outputs, targets)
    }

    fn network(&self, index: usize) -> Network {
        self.model.network(index)
    }

    fn evaluated_network(&self, index: usize) -> Network {
        self.optimizer.averaged(self.model.clone()).network(index)
    }

    fn optimizer_bytes(&self, index: usize) -> Result<Bytes, RecordError> {
        self.optimizer.keep(&[index]).to_bytes()
    }

    fn keep(&mut self, indices: &[usize]) {
        self.model = self.model.clone().keep(indices);
        self.optimizer = self.optimizer.keep(indices);
    }
}
