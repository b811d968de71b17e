//! The fused engine: small networks, many steps in one call.

mod host_split;

use std::ops::Range;

use burn::store::RecordError;
use burn::tensor::Bytes;
use emberlab_datasets::RowOrder;
use emberlab_fused::{HostTraining, Plan, Real, Results, State};
use emberlab_kernels::Float;
use emberlab_metrics::Split;
use emberlab_models::{Network, NetworkNumbers};
use rayon::prelude::*;

use super::choice::fused_plan;
use super::{Beginning, Shared, Steps, TrainingEngine};
use crate::config::TrainMetrics;
use crate::error::TrainingError;
use crate::loss::LossConfig;
use crate::metric_accumulator::MetricAccumulator;
use crate::optimizer::{Optimizer, OptimizerConfig};
use crate::trainer::SplitData;
use host_split::HostSplit;

/// Trains each network by itself, so that it gets the same bits whatever trains beside it.
pub(crate) struct FusedEngine<T> {
    replicas: Vec<FusedReplica<T>>,
    shared: Shared,
}

/// One network in training.
struct FusedReplica<T> {
    training: HostTraining<T>,
    /// The network at the start, for the ids and the device of its tensors.
    network: Network,
    /// The optimiser at the start, likewise.
    optimizer: Optimizer,
    /// Parameters and running statistics of the best network so far.
    best: Option<NetworkNumbers<T>>,
    data: SplitData,
    train: HostSplit<T>,
    valid: Option<HostSplit<T>>,
    seed: u64,
    /// The order of the rows in an epoch, which is counted from 0.
    order: Option<(u64, RowOrder)>,
    /// The results of the last call; kept for their memory.
    results: Results<T>,
}

impl<T: Real + Float> FusedEngine<T> {
    /// The engine of networks with this plan.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the numbers cannot be read from the device.
    pub(super) fn new(
        plan: Plan,
        beginnings: Vec<Beginning>,
        shared: Shared,
    ) -> Result<Self, TrainingError> {
        let replicas = beginnings
            .into_iter()
            .map(|one| FusedReplica::new(plan.clone(), one, &shared));
        Ok(Self {
            replicas: replicas.collect::<Result<_, _>>()?,
            shared,
        })
    }

    /// Does something with every network and its metrics, on as many threads as tensor operations may use.
    fn each(
        &mut self,
        metrics: &mut [&mut MetricAccumulator],
        action: impl Fn(
            usize,
            &mut FusedReplica<T>,
            &mut MetricAccumulator,
            &Shared,
        ) -> Result<(), TrainingError>
        + Sync,
    ) -> Result<(), TrainingError> {
        let shared = &self.shared;
        if self.replicas.len() == 1 || rayon::current_num_threads() == 1 {
            let mut pairs = self.replicas.iter_mut().zip(metrics).enumerate();
            return pairs.try_for_each(|(i, (one, metrics))| action(i, one, metrics, shared));
        }
        let pairs = self.replicas.par_iter_mut().zip(metrics).enumerate();
        pairs.try_for_each(|(i, (one, metrics))| action(i, one, metrics, shared))
    }
}

impl<T: Real + Float> FusedReplica<T> {
    fn new(plan: Plan, beginning: Beginning, shared: &Shared) -> Result<Self, TrainingError> {
        let Beginning {
            network,
            optimizer,
            best,
            data,
            seed,
        } = beginning;
        let best = best.map(|best| best.numbers::<T>()).transpose();
        let valid = data.valid.as_ref();
        Ok(Self {
            training: begin(plan, &network, &optimizer)?,
            train: HostSplit::read(&data.train, &shared.task)?,
            valid: valid
                .map(|data| HostSplit::read(data, &shared.task))
                .transpose()?,
            network,
            optimizer,
            best: best.map_err(unreadable)?,
            data,
            seed,
            order: None,
            results: Results::default(),
        })
    }

    /// Parameters and running statistics of the network as it is now.
    fn numbers(&self) -> NetworkNumbers<T> {
        NetworkNumbers {
            parameters: self.training.parameters(),
            running: self.training.running(),
        }
    }

    /// The network with these numbers.
    fn network_of(&self, numbers: &NetworkNumbers<T>) -> Network {
        (self.network.clone()).with_numbers(&numbers.parameters, &numbers.running)
    }

    fn train(
        &mut self,
        steps: &Steps,
        learning_rates: &[f64],
        metrics: &mut MetricAccumulator,
        shared: &Shared,
    ) -> Result<(), TrainingError> {
        let config = shared.training.batches();
        let order = match self.order.take() {
            // Without shuffling, every epoch has the same order.
            Some((epoch, order)) if epoch == steps.epoch || !config.is_shuffled() => order,
            _ => RowOrder::new(&config, self.data.train.len(), self.seed, steps.epoch),
        };
        let rows = order.rows(steps.steps.clone());
        let (train, results) = (&self.train, &mut self.results);
        clear(results);
        (self.training).train(
            train.data(),
            rows,
            order.batch_size(),
            learning_rates,
            results,
        );
        if shared.training.train_metrics == TrainMetrics::Running {
            let rows = rows.iter().map(|&row| row as usize);
            add(results, rows, train, metrics, shared)?;
        }
        self.order = Some((steps.epoch, order));
        Ok(())
    }

    fn evaluate(
        &mut self,
        split: Split,
        samples: Range<usize>,
        metrics: &mut MetricAccumulator,
        shared: &Shared,
    ) -> Result<(), TrainingError> {
        let data = match split {
            Split::Train => Some(&self.train),
            Split::Valid => self.valid.as_ref(),
            Split::Test => None,
        };
        let Some(data) = data else {
            return Err(TrainingError::Read(format!("no {split} split to evaluate")));
        };
        clear(&mut self.results);
        (self.training).evaluate(data.data(), samples.clone(), &mut self.results);
        add(&self.results, samples, data, metrics, shared)
    }
}

/// A network and its optimiser in training by fused kernels, without data, metrics and checkpoints.
///
/// # Errors
/// [`TrainingError::NotFused`] if there are no fused kernels for the training, [`TrainingError::Read`] if the device
/// fails.
pub fn fused_training<T: Real + Float>(
    network: &Network,
    loss: &LossConfig,
    config: &OptimizerConfig,
) -> Result<HostTraining<T>, TrainingError> {
    let plan = fused_plan(network, loss, &config.rule, None)?;
    begin(plan, network, &Optimizer::new(config, network))
}

/// Begins or continues the training of a network by its optimiser.
fn begin<T: Real + Float>(
    plan: Plan,
    network: &Network,
    optimizer: &Optimizer,
) -> Result<HostTraining<T>, TrainingError> {
    let numbers = network.numbers::<T>().map_err(unreadable)?;
    let state = State {
        parameters: numbers.parameters,
        running: numbers.running,
        buffers: optimizer.numbers::<T>().map_err(unreadable)?,
        step: optimizer.num_steps(),
    };
    HostTraining::new(plan, state).map_err(unreadable)
}

/// Adds results for some rows of a split to the metrics of a network.
fn add<T: Real + Float>(
    results: &Results<T>,
    rows: impl Iterator<Item = usize>,
    data: &HostSplit<T>,
    metrics: &mut MetricAccumulator,
    shared: &Shared,
) -> Result<(), TrainingError> {
    metrics.add_losses(&results.sizes, &results.losses, shared.loss.reduction);
    metrics.add_outputs(&results.outputs, rows, data.targets(), &shared.task)
}

/// Empties results but keeps their memory.
fn clear<T>(results: &mut Results<T>) {
    results.sizes.clear();
    results.losses.clear();
    results.outputs.clear();
}

impl<T: Real + Float> TrainingEngine for FusedEngine<T> {
    fn train(
        &mut self,
        steps: &Steps,
        metrics: &mut [&mut MetricAccumulator],
    ) -> Result<(), TrainingError> {
        self.each(metrics, |index, replica, metrics, shared| {
            replica.train(steps, &steps.learning_rates[index], metrics, shared)
        })
    }

    fn is_asynchronous(&self) -> bool {
        false
    }

    fn evaluate(
        &mut self,
        split: Split,
        samples: Range<usize>,
        metrics: &mut [&mut MetricAccumulator],
    ) -> Result<(), TrainingError> {
        self.each(metrics, |_, replica, metrics, shared| {
            replica.evaluate(split, samples.clone(), metrics, shared)
        })
    }

    fn network(&self, index: usize) -> Network {
        let replica = &self.replicas[index];
        replica.network_of(&replica.numbers())
    }

    fn remember_best(&mut self, index: usize) {
        let replica = &mut self.replicas[index];
        replica.best = Some(replica.numbers());
    }

    fn best(&self, index: usize) -> Option<Network> {
        let replica = &self.replicas[index];
        let best = replica.best.as_ref()?;
        Some(replica.network_of(best))
    }

    fn optimizer_bytes(&self, index: usize) -> Result<Bytes, RecordError> {
        let replica = &self.replicas[index];
        let (buffers, step) = (replica.training.buffers(), replica.training.num_steps());
        let optimizer = replica.optimizer.with_numbers(&buffers, step);
        optimizer.to_bytes()
    }

    fn data(&self, index: usize) -> SplitData {
        self.replicas[index].data.clone()
    }

    fn keep(&mut self, indices: &[usize]) {
        let mut index = 0;
        self.replicas.retain(|_| {
            index += 1;
            indices.contains(&(index - 1))
        });
    }
}

/// The error of numbers that are not what they should be.
fn unreadable(error: impl std::fmt::Display) -> TrainingError {
    TrainingError::Read(error.to_string())
}

#[cfg(test)]
mod tests;
