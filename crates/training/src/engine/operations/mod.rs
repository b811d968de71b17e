//! The engine of Burn operations: every network on every device, one step at a time.

mod batched;
#[cfg(all(test, feature = "wgpu"))]
mod gpu_tests;
mod single;
mod split_results;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use burn::store::RecordError;
use burn::tensor::Bytes;
use emberlab_datasets::{Batch, Batches};
use emberlab_metrics::Split;
use emberlab_models::{Network, StepSeeds, step_seed};

use super::{Beginning, Shared, Steps, TrainingEngine};
use crate::config::TrainMetrics;
use crate::error::TrainingError;
use crate::metric_accumulator::MetricAccumulator;
use crate::predict::{chunks, cut};
use crate::record::unreadable;
use crate::scheduler::Scheduler;
use crate::step_rules::StepRules;
use crate::supervised_model::{StepOutput, SupervisedModel};
use crate::trainer::SplitData;
use batched::BatchedNetworks;
use single::SingleNetwork;
use split_results::SplitResults;

/// One network with its optimiser, or many with theirs.
///
/// Batches and step outputs hold the rows of the first network, then those of the second, and so on.
pub(crate) trait Networks: Send {
    /// Takes a step with a learning rate for each network. The output is of the networks before the step.
    fn step(
        &mut self,
        batch: Batch,
        step_seeds: StepSeeds<'_>,
        rules: &StepRules,
        learning_rates: &[f64],
    ) -> StepOutput;

    /// The output for a batch in evaluation mode.
    fn evaluate(&self, batch: Batch) -> StepOutput;

    /// The network at `index`, on a plain device.
    fn network(&self, index: usize) -> Network;

    /// The network at `index` as it is evaluated, on a plain device.
    fn evaluated_network(&self, index: usize) -> Network;

    /// The state of the optimiser at `index`, as [`Optimizer::to_bytes`](crate::Optimizer::to_bytes) writes it.
    ///
    /// # Errors
    /// [`RecordError`] if the device fails.
    fn optimizer_bytes(&self, index: usize) -> Result<Bytes, RecordError>;

    /// Drops all networks but those at these indices.
    fn keep(&mut self, indices: &[usize]);
}

/// Trains networks by Burn operations.
pub(crate) struct BurnEngine {
    networks: Box<dyn Networks>,
    /// The best network so far of each.
    best: Vec<Option<Network>>,
    /// The splits of the networks, end to end.
    data: SplitData,
    /// The seed of each network's shuffles.
    seeds: Vec<u64>,
    /// The seed of each network's steps: of dropout and of noise on gradients.
    step_seeds: Vec<u64>,
    /// The learning rates of each network.
    schedulers: Vec<Scheduler>,
    /// The batches of an epoch, which is counted from 0.
    batches: Option<(u64, Batches)>,
    /// Results on the device that no metric has read yet.
    results: BTreeMap<Split, SplitResults>,
    shared: Shared,
}

impl BurnEngine {
    /// The engine of these networks.
    ///
    /// # Errors
    /// [`TrainingError::NotAlike`] for several networks that differ in more than their numbers, or
    /// whose optimiser searches along lines.
    pub(super) fn new(beginnings: Vec<Beginning>, shared: Shared) -> Result<Self, TrainingError> {
        let (mut best, mut data, mut seeds) = (Vec::new(), Vec::new(), Vec::new());
        let mut schedulers = Vec::new();
        let mut singles: Vec<SingleNetwork> = Vec::new();
        for one in beginnings {
            best.push(one.best);
            data.push(one.data);
            seeds.push(one.seed);
            schedulers.push(one.scheduler);
            singles.push(SingleNetwork {
                supervised: SupervisedModel::new(one.network, shared.loss.clone()),
                optimizer: one.optimizer,
            });
        }
        let networks: Box<dyn Networks> = match singles.len() {
            1 => Box::new(singles.swap_remove(0)),
            _ if singles.iter().any(|one| one.optimizer.searches()) => {
                let reason = "each of them searches along lines of its own";
                return Err(TrainingError::NotAlike(reason));
            }
            _ => match BatchedNetworks::new(singles) {
                Some(networks) => Box::new(networks),
                None => return Err(TrainingError::NotAlike("their networks differ")),
            },
        };
        Ok(Self {
            networks,
            best,
            data: SplitData::stacked(&data),
            step_seeds: seeds.iter().copied().map(step_seed).collect(),
            seeds,
            schedulers,
            batches: None,
            results: BTreeMap::new(),
            shared,
        })
    }

    /// The batch of a step.
    fn batch(&mut self, epoch: u64, step: usize) -> Option<Batch> {
        if self.batches.as_ref().is_none_or(|(of, _)| *of != epoch) {
            let config = self.shared.training.batches();
            let batches = Batches::stacked(&self.data.train, &config, &self.seeds, epoch);
            self.batches = Some((epoch, batches));
        }
        let (_, batches) = self.batches.as_mut()?;
        batches.skip_to(step);
        batches.next()
    }
}

impl TrainingEngine for BurnEngine {
    fn train(
        &mut self,
        steps: &Steps,
        _metrics: &mut [&mut MetricAccumulator],
    ) -> Result<(), TrainingError> {
        for (i, step) in steps.steps.clone().enumerate() {
            let Some(batch) = self.batch(steps.epoch, step) else {
                break;
            };
            let done = steps.done + i as u64;
            let rates = self.schedulers.iter().map(|one| one.learning_rate(done));
            let rates: Vec<f64> = rates.collect();
            let step_seeds = StepSeeds {
                seeds: &self.step_seeds,
                step: done,
            };
            let rules = self.shared.training.step_rules();
            let output = self.networks.step(batch, step_seeds, &rules, &rates);
            if self.shared.training.train_metrics == TrainMetrics::Running
                && let Some((_, batches)) = &self.batches
            {
                let rows = batches.rows(step).iter().map(|&row| row as usize);
                let results = self.results.entry(Split::Train).or_default();
                let (data, shared) = (&self.data.train, &self.shared);
                results.add(output, rows, data, self.seeds.len(), shared)?;
            }
        }
        Ok(())
    }

    /// One: a step may return before it is done, so its time says nothing. Nothing is gained by many steps at once.
    fn steps_within(&self, _time: Duration) -> usize {
        1
    }

    fn has_many_results(&self) -> bool {
        let results = self.results.get(&Split::Train);
        results.is_some_and(|results| results.is_full(self.seeds.len()))
    }

    fn read_results(
        &mut self,
        metrics: &mut [&mut MetricAccumulator],
    ) -> Result<(), TrainingError> {
        match self.results.get_mut(&Split::Train) {
            Some(results) => results.read(metrics, &self.shared),
            None => Ok(()),
        }
    }

    fn evaluate(
        &mut self,
        split: Split,
        metrics: &mut [&mut MetricAccumulator],
        is_stopping: &dyn Fn() -> bool,
    ) -> Result<ControlFlow<()>, TrainingError> {
        let num_replicas = self.seeds.len();
        let Some(data) = self.data.get(split) else {
            return Ok(ControlFlow::Continue(()));
        };
        for samples in chunks(data.len() / num_replicas) {
            if is_stopping() {
                self.results.remove(&split);
                return Ok(ControlFlow::Break(()));
            }
            let output = (self.networks).evaluate(cut(data, num_replicas, samples.clone()));
            let results = self.results.entry(split).or_default();
            results.add(output, samples, data, num_replicas, &self.shared)?;
            if results.is_full(num_replicas) {
                results.read(metrics, &self.shared)?;
            }
        }
        if let Some(results) = self.results.get_mut(&split) {
            results.read(metrics, &self.shared)?;
        }
        Ok(ControlFlow::Continue(()))
    }

    fn network(&mut self, index: usize) -> Result<Network, TrainingError> {
        Ok(self.networks.network(index))
    }

    fn evaluated_network(&mut self, index: usize) -> Result<Network, TrainingError> {
        Ok(self.networks.evaluated_network(index))
    }

    fn remember_best(&mut self, index: usize) -> Result<(), TrainingError> {
        self.best[index] = Some(self.networks.evaluated_network(index));
        Ok(())
    }

    fn best(&mut self, index: usize) -> Result<Option<Network>, TrainingError> {
        Ok(self.best[index].clone())
    }

    fn optimizer_bytes(&mut self, index: usize) -> Result<Bytes, TrainingError> {
        self.networks.optimizer_bytes(index).map_err(unreadable)
    }

    fn data(&self, index: usize) -> SplitData {
        self.data.part(index, self.seeds.len())
    }

    fn set_scheduler(&mut self, index: usize, scheduler: Scheduler) {
        self.schedulers[index] = scheduler;
    }

    fn keep(&mut self, indices: &[usize]) {
        let data: Vec<SplitData> = indices.iter().map(|&index| self.data(index)).collect();
        self.data = SplitData::stacked(&data);
        self.networks.keep(indices);
        self.best = indices.iter().map(|&i| self.best[i].clone()).collect();
        self.seeds = indices.iter().map(|&i| self.seeds[i]).collect();
        self.step_seeds = indices.iter().map(|&i| self.step_seeds[i]).collect();
        self.schedulers = indices
            .iter()
            .map(|&i| self.schedulers[i].clone())
            .collect();
        self.batches = None;
        self.results.clear();
    }
}
