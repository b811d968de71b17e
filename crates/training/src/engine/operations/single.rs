//! One network, trained by Burn operations.

use burn::module::Module;
use burn::store::RecordError;
use burn::tensor::Bytes;
use emberlab_datasets::Batch;
use emberlab_models::{Network, StepSeeds};

use super::Networks;
use crate::optimizer::Optimizer;
use crate::step_rules::StepRules;
use crate::supervised_model::{StepOutput, SupervisedModel};

/// One network with its optimiser.
pub(crate) struct SingleNetwork {
    pub(crate) supervised: SupervisedModel,
    pub(crate) optimizer: Optimizer,
}

impl Networks for SingleNetwork {
    fn step(
        &mut self,
        batch: Batch,
        step_seeds: StepSeeds<'_>,
        rules: &StepRules,
        learning_rates: &[f64],
    ) -> StepOutput {
        let optimizer = &mut self.optimizer;
        let (after, output) =
            (self.supervised).after_step(batch, step_seeds, rules, optimizer, learning_rates[0]);
        self.supervised = after;
        output
    }

    fn evaluate(&self, batch: Batch) -> StepOutput {
        let averaged = self.optimizer.averaged(self.supervised.valid());
        averaged.evaluate(batch)
    }

    fn network(&self, _: usize) -> Network {
        self.supervised.valid().network
    }

    fn evaluated_network(&self, _: usize) -> Network {
        self.optimizer.averaged(self.supervised.valid()).network
    }

    fn optimizer_bytes(&self, _: usize) -> Result<Bytes, RecordError> {
        self.optimizer.to_bytes()
    }

    /// Does nothing: there is only one network.
    fn keep(&mut self, _: &[usize]) {}
}
