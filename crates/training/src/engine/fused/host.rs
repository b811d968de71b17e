//! Fused kernels in the host's memory: small networks, many steps in one call.

use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};

use burn::tensor::Bytes;
use emberlab_datasets::{DeviceDataset, RowOrder};
use emberlab_fused::{HostTraining, Plan, Real, Results};
use emberlab_kernels::Float;
use emberlab_metrics::Split;
use emberlab_models::{Network, NetworkNumbers};
use rayon::prelude::*;

use super::host_split::HostSplit;
use super::{Start, keep, state};
use crate::config::TrainMetrics;
use crate::engine::{Beginning, Shared, Steps, TrainingEngine};
use crate::error::TrainingError;
use crate::metric_accumulator::MetricAccumulator;
use crate::parallel::is_parallel;
use crate::predict::chunks;
use crate::record::unreadable;
use crate::scheduler::Scheduler;
use crate::trainer::SplitData;

/// Trains each network by itself, so that it gets the same bits whatever trains beside it.
pub(crate) struct HostEngine<T> {
    replicas: Vec<HostReplica<T>>,
    shared: Shared,
    /// The time of a step at the pace of the last call.
    step_time: Option<Duration>,
}

/// One network in training.
struct HostReplica<T> {
    training: HostTraining<T>,
    start: Start,
    scheduler: Scheduler,
    /// Parameters and running statistics of the best network so far.
    best: Option<NetworkNumbers<T>>,
    data: SplitData,
    train: HostSplit<T>,
    /// The training split with the images of an epoch, which is counted from 0, if they change.
    augmented: Option<(u64, HostSplit<T>)>,
    valid: Option<HostSplit<T>>,
    seed: u64,
    /// The order of the rows in an epoch, which is counted from 0.
    order: Option<(u64, RowOrder)>,
    /// The results of the last call; kept for their memory.
    results: Results<T>,
}

impl<T: Real + Float> HostEngine<T> {
    /// The engine of networks with this plan.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the numbers cannot be read from the device.
    pub(in crate::engine) fn new(
        plan: Plan,
        beginnings: Vec<Beginning>,
        shared: Shared,
    ) -> Result<Self, TrainingError> {
        let mut replicas = Vec::with_capacity(beginnings.len());
        for beginning in beginnings {
            let replica = HostReplica::new(plan.clone(), beginning, &shared, &replicas)?;
            replicas.push(replica);
        }
        Ok(Self {
            replicas,
            shared,
            step_time: None,
        })
    }

    /// Does something with every network and its metrics, on as many threads as tensor operations may use.
    fn each(
        &mut self,
        metrics: &mut [&mut MetricAccumulator],
        action: impl Fn(
            &mut HostReplica<T>,
            &mut MetricAccumulator,
            &Shared,
        ) -> Result<(), TrainingError>
        + Sync,
    ) -> Result<(), TrainingError> {
        let shared = &self.shared;
        if !is_parallel(self.replicas.len()) {
            let mut pairs = self.replicas.iter_mut().zip(metrics);
            return pairs.try_for_each(|(one, metrics)| action(one, metrics, shared));
        }
        let pairs = self.replicas.par_iter_mut().zip(metrics);
        pairs.try_for_each(|(one, metrics)| action(one, metrics, shared))
    }
}

impl<T: Real + Float> HostReplica<T> {
    /// The replica of a network, which shares what it finds in its data with earlier replicas on the same data.
    fn new(
        plan: Plan,
        beginning: Beginning,
        shared: &Shared,
        earlier: &[Self],
    ) -> Result<Self, TrainingError> {
        let Beginning {
            network,
            optimizer,
            best,
            data,
            seed,
            scheduler,
        } = beginning;
        let best = best.map(|best| best.numbers::<T>()).transpose();
        let batch_size = shared.training.batches().rows_per_batch(data.train.len());
        let train = HostSplit::read(&data.train, &shared.task)?.with_foreground(
            &plan,
            batch_size,
            earlier.iter().map(|one| &one.train),
        );
        let valid = data.valid.as_ref();
        let valid = valid.map(|data| HostSplit::read(data, &shared.task));
        let valid = valid.transpose()?.map(|valid| {
            let earlier = earlier.iter().filter_map(|one| one.valid.as_ref());
            valid.with_foreground(&plan, batch_size, earlier)
        });
        Ok(Self {
            training: HostTraining::new(plan, state(&network, &optimizer, seed)?)
                .map_err(unreadable)?,
            train,
            valid,
            augmented: None,
            start: Start { network, optimizer },
            scheduler,
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

    /// Parameters and running statistics of the network as it is evaluated.
    fn evaluated_numbers(&self) -> NetworkNumbers<T> {
        NetworkNumbers {
            parameters: self.training.evaluated_parameters(),
            running: self.training.running(),
        }
    }

    fn train(
        &mut self,
        steps: &Steps,
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
        let learning_rates = steps.learning_rates(&self.scheduler);
        let is_of_epoch = matches!(&self.augmented, Some((epoch, _)) if *epoch == steps.epoch);
        if self.data.train.is_augmented() && !is_of_epoch {
            let train = self.data.train.of_epoch(&[self.seed], steps.epoch);
            let train = HostSplit::read(&train, &shared.task)?.with_foreground(
                self.training.plan(),
                order.batch_size(),
                std::iter::empty(),
            );
            self.augmented = Some((steps.epoch, train));
        }
        let augmented = self.augmented.as_ref().map(|(_, train)| train);
        let (train, results) = (augmented.unwrap_or(&self.train), &mut self.results);
        clear(results);
        (self.training).train(
            train.data(),
            rows,
            order.batch_size(),
            &learning_rates,
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

impl<T: Real + Float> TrainingEngine for HostEngine<T> {
    fn train(
        &mut self,
        steps: &Steps,
        metrics: &mut [&mut MetricAccumulator],
    ) -> Result<(), TrainingError> {
        let began = Instant::now();
        self.each(metrics, |replica, metrics, shared| {
            replica.train(steps, metrics, shared)
        })?;
        self.step_time = Some(began.elapsed().div_f64(steps.steps.len().max(1) as f64));
        Ok(())
    }

    fn steps_within(&self, time: Duration) -> usize {
        let Some(step_time) = self.step_time else {
            return 1;
        };
        let count = time.as_secs_f64() / step_time.as_secs_f64().max(1e-9);
        (count as usize).max(1)
    }

    fn evaluate(
        &mut self,
        split: Split,
        metrics: &mut [&mut MetricAccumulator],
        is_stopping: &dyn Fn() -> bool,
    ) -> Result<ControlFlow<()>, TrainingError> {
        let num_samples = (self.replicas.first())
            .and_then(|replica| replica.data.get(split))
            .map_or(0, DeviceDataset::len);
        for samples in chunks(num_samples) {
            if is_stopping() {
                return Ok(ControlFlow::Break(()));
            }
            self.each(metrics, |replica, metrics, shared| {
                replica.evaluate(split, samples.clone(), metrics, shared)
            })?;
        }
        Ok(ControlFlow::Continue(()))
    }

    fn network(&mut self, index: usize) -> Result<Network, TrainingError> {
        let replica = &self.replicas[index];
        Ok(replica.start.network(&replica.numbers()))
    }

    fn evaluated_network(&mut self, index: usize) -> Result<Network, TrainingError> {
        let replica = &self.replicas[index];
        Ok(replica.start.network(&replica.evaluated_numbers()))
    }

    fn remember_best(&mut self, index: usize) -> Result<(), TrainingError> {
        let replica = &mut self.replicas[index];
        replica.best = Some(replica.evaluated_numbers());
        Ok(())
    }

    fn best(&mut self, index: usize) -> Result<Option<Network>, TrainingError> {
        let replica = &self.replicas[index];
        let best = replica.best.as_ref();
        Ok(best.map(|best| replica.start.network(best)))
    }

    fn optimizer_bytes(&mut self, index: usize) -> Result<Bytes, TrainingError> {
        let replica = &self.replicas[index];
        let (buffers, step) = (replica.training.buffers(), replica.training.num_steps());
        replica.start.optimizer_bytes(&buffers, step)
    }

    fn data(&self, index: usize) -> SplitData {
        self.replicas[index].data.clone()
    }

    fn set_scheduler(&mut self, index: usize, scheduler: Scheduler) {
        self.replicas[index].scheduler = scheduler;
    }

    fn keep(&mut self, indices: &[usize]) {
        keep(&mut self.replicas, indices);
    }
}
