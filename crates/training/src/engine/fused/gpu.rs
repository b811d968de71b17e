//! Fused kernels on a GPU: all networks train at once, for whole epochs ahead of the training loop.
//!
//! The loop asks for the steps of an epoch and for its evaluations. The engine lets the GPU do several epochs in one
//! call, keeps their results and gives them out epoch by epoch. The GPU keeps the state at the end of each of these
//! epochs, so whatever the loop decides at the end of an epoch, such as a best epoch, early stopping, a checkpoint or a
//! stop, concerns the state of that epoch.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::time::Duration;

use burn::tensor::{Bytes, DType, Device, Tensor};
use emberlab_datasets::{Batching, DeviceDataset, RowOrder};
use emberlab_fused::Plan;
use emberlab_fused::gpu::{
    self, Evaluation, Gpu, GpuError, GpuReplica, GpuResults, GpuSetup, GpuTraining, Measurement,
    Moment, ReadStates, ReadWeights, Samples, Splits, Weights,
};
use emberlab_metrics::{Metric, Split};
use emberlab_models::{Network, NetworkNumbers, NotFused};
use rayon::prelude::*;

use super::{Start, keep, state};
use crate::config::TrainMetrics;
use crate::engine::choice::no_kernels_for;
use crate::engine::{Beginning, Shared, Steps, TrainingEngine};
use crate::error::TrainingError;
use crate::metric_accumulator::{ComparableTargets, MetricAccumulator, needs_outputs, threshold};
use crate::parallel::is_parallel;
use crate::predict::CHUNK_SIZE;
use crate::record::unreadable;
use crate::scheduler::Scheduler;
use crate::task::Task;
use crate::trainer::SplitData;

/// The most classes that the GPU counts; with more, the host counts from outputs.
const MOST_COUNTED_CLASSES: usize = 32;

/// Trains all networks at once on a GPU.
pub(crate) struct GpuEngine {
    training: GpuTraining,
    replicas: Vec<Replica>,
    shared: Shared,
    batches: Batching,
    num_train: usize,
    /// Evaluations after the steps of each epoch.
    evaluations: Vec<Evaluation>,
    ahead: Option<Ahead>,
    /// The number of epochs that the next call may do ahead.
    reach: usize,
    states: Option<ReadStates>,
    best: Option<ReadWeights>,
}

/// One network in training.
struct Replica {
    start: Start,
    scheduler: Scheduler,
    seed: u64,
    data: SplitData,
    train: Arc<Targets>,
    valid: Option<Arc<Targets>>,
    /// Its place among the replicas on the GPU.
    place: usize,
    has_best: bool,
    /// The moment whose network is the best, if the GPU has not been told yet.
    remembered: Option<Moment>,
}

/// The targets of a split as metrics compare outputs with them.
type Targets = ComparableTargets;

/// Epochs that the GPU has done.
struct Ahead {
    /// The first of them.
    epoch: u64,
    count: usize,
    /// How many of them the loop has taken.
    taken: usize,
    results: GpuResults,
    /// Rows of all these epochs, for each place on the GPU.
    rows: Vec<Arc<Vec<u32>>>,
}

/// The GPU of a device for trainings by a plan on so many samples, with batches of so many rows; none if the device is no
/// GPU.
///
/// # Errors
/// [`NotFused`] naming the part for which it has no kernel.
pub(crate) fn gpu_for(
    device: &Device,
    plan: &Plan,
    dtype: DType,
    num_samples: usize,
    batch_size: usize,
) -> Result<Option<Gpu>, NotFused> {
    let not_fused = |error| match error {
        GpuError::NotCovered(part) => no_kernels_for(&format!("{part} on a GPU")),
        GpuError::StepTooLong { .. } => {
            no_kernels_for("steps as long as these on a GPU that ends long kernels")
        }
        GpuError::TooLarge { most, .. } => {
            let most = most / 1_000_000;
            no_kernels_for(&format!(
                "as many samples on a GPU that has {most} MB in one piece"
            ))
        }
        other => no_kernels_for(&format!("this GPU: {other}")),
    };
    let Some(gpu) = crate::device::gpu(device).map_err(not_fused)? else {
        return Ok(None);
    };
    if dtype != DType::F32 {
        return Err(no_kernels_for(&format!("{dtype:?} on a GPU")));
    }
    GpuTraining::check(&gpu, plan, num_samples, batch_size, CHUNK_SIZE).map_err(not_fused)?;
    Ok(Some(gpu))
}

impl GpuEngine {
    /// The engine of networks with this plan, on a GPU.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the numbers cannot be read from the device, or if the GPU fails.
    pub(in crate::engine) fn new(
        gpu: Gpu,
        plan: Plan,
        beginnings: Vec<Beginning>,
        shared: Shared,
    ) -> Result<Self, TrainingError> {
        let data: Vec<SplitData> = beginnings.iter().map(|one| one.data.clone()).collect();
        let num_train = data[0].train.len();
        let has_valid = data[0].valid.is_some();
        let mut train = read_all(&data, Split::Train, &shared.task)?.into_iter();
        let mut valid = read_all(&data, Split::Valid, &shared.task)?.into_iter();
        if data.iter().any(|one| one.valid.is_some() != has_valid) {
            return Err(TrainingError::NotAlike("their data differ"));
        }
        let (mut replicas, mut on_gpu) = (Vec::new(), Vec::new());
        for (place, (one, data)) in beginnings.into_iter().zip(data).enumerate() {
            let (Some(train), valid) = (train.next(), valid.next()) else {
                return Err(TrainingError::NotAlike("their data differ"));
            };
            let best = one.best.map(|best| best.numbers::<f32>()).transpose();
            let best = best.map_err(unreadable)?.map(|numbers| Weights {
                parameters: numbers.parameters,
                running: numbers.running,
            });
            let has_best = best.is_some();
            on_gpu.push(GpuReplica {
                state: state(&one.network, &one.optimizer, one.seed)?,
                best,
                splits: Splits {
                    train: train.samples,
                    valid: valid.as_ref().map(|valid| valid.samples.clone()),
                },
            });
            replicas.push(Replica {
                start: Start {
                    network: one.network,
                    optimizer: one.optimizer,
                },
                scheduler: one.scheduler,
                seed: one.seed,
                data,
                train: train.targets,
                valid: valid.map(|valid| valid.targets),
                place,
                has_best,
                remembered: None,
            });
        }
        let batches = shared.training.batches();
        let setup = GpuSetup {
            batch_size: batches.rows_per_batch(num_train),
            measurement: measurement(&shared.task, &shared.asked, plan.d_output()),
            plan,
            replicas: on_gpu,
        };
        let is_evaluated = shared.training.train_metrics == TrainMetrics::Evaluated;
        let splits = [
            (gpu::Split::Train, is_evaluated),
            (gpu::Split::Valid, has_valid),
        ];
        let evaluations = splits.into_iter().filter(|(_, is_wanted)| *is_wanted);
        Ok(Self {
            training: GpuTraining::new(gpu, setup).map_err(unreadable)?,
            replicas,
            shared,
            batches,
            num_train,
            evaluations: evaluations.map(|(split, _)| evaluation(split)).collect(),
            ahead: None,
            reach: 1,
            states: None,
            best: None,
        })
    }

    /// The moment of the training that the loop is at.
    fn moment(&self) -> Moment {
        match &self.ahead {
            Some(ahead) if ahead.taken < ahead.count => match ahead.taken.checked_sub(1) {
                Some(epoch) => Moment::EndOf(epoch),
                None => Moment::Now,
            },
            _ => Moment::Now,
        }
    }

    /// Tells the GPU which networks are the best so far.
    fn flush_best(&mut self) -> Result<(), TrainingError> {
        if self.replicas.iter().all(|one| one.remembered.is_none()) {
            return Ok(());
        }
        let mut moments = vec![None; self.training.num_replicas()];
        for replica in &mut self.replicas {
            moments[replica.place] = replica.remembered.take();
        }
        self.best = None;
        self.training.remember(&moments).map_err(unreadable)
    }

    /// Brings the GPU to the moment that the loop is at, with the networks that still train.
    fn settle(&mut self) -> Result<(), TrainingError> {
        self.flush_best()?;
        let places: Vec<usize> = self.replicas.iter().map(|one| one.place).collect();
        let moment = self.moment();
        if let Some(ahead) = self.ahead.take() {
            // Epochs that nobody takes are lost, so the next call does fewer.
            self.reach = match ahead.taken == ahead.count {
                true => 2 * ahead.count,
                false => ahead.taken.max(1),
            };
        }
        self.training.go_on(&places, moment).map_err(unreadable)?;
        for (place, replica) in self.replicas.iter_mut().enumerate() {
            replica.place = place;
        }
        self.forget();
        Ok(())
    }

    /// Forgets the states and weights that were read from the GPU.
    fn forget(&mut self) {
        self.states = None;
        self.best = None;
    }

    /// Rows of some steps of consecutive epochs for each network, in order. Networks with the same rows share them.
    fn rows(&self, epochs: Range<u64>, steps: &Range<usize>) -> Vec<Arc<Vec<u32>>> {
        let rows_of = |seed: u64| {
            let mut rows = Vec::new();
            for epoch in epochs.clone() {
                let order = RowOrder::new(&self.batches, self.num_train, seed, epoch);
                rows.extend_from_slice(order.rows(steps.clone()));
            }
            Arc::new(rows)
        };
        let is_shuffled = self.batches.is_shuffled();
        let seed_of = |replica: &Replica| if is_shuffled { replica.seed } else { 0 };
        let mut seeds: Vec<u64> = self.replicas.iter().map(seed_of).collect();
        seeds.sort_unstable();
        seeds.dedup();
        let rows: HashMap<u64, Arc<Vec<u32>>> = (seeds.par_iter())
            .map(|&seed| (seed, rows_of(seed)))
            .collect();
        let replicas = self.replicas.iter();
        replicas
            .map(|replica| rows[&seed_of(replica)].clone())
            .collect()
    }

    /// Trains some steps of consecutive epochs, with the evaluations of each epoch if whole epochs are asked for.
    fn run(
        &mut self,
        rows: &[Arc<Vec<u32>>],
        rates: &[Vec<f64>],
        num_epochs: Option<usize>,
    ) -> Result<GpuResults, TrainingError> {
        let rows: Vec<&[u32]> = rows.iter().map(|rows| rows.as_slice()).collect();
        let steps = gpu::Steps {
            rows: &rows,
            learning_rates: &shared_slices(rates),
        };
        match num_epochs {
            Some(count) => (self.training).train_epochs(steps, count, &self.evaluations),
            None => self.training.train(steps),
        }
        .map_err(unreadable)
    }

    /// Trains the epoch that begins with these steps, and as many after it as one call should do.
    fn run_ahead(&mut self, steps: &Steps) -> Result<Ahead, TrainingError> {
        self.settle()?;
        let num_steps = steps.steps.len();
        let in_time = self.training.steps_of_a_launch() / num_steps.max(1);
        let left = self
            .shared
            .training
            .num_epochs
            .saturating_sub(steps.epoch as usize)
            .min(steps.whole_epochs);
        let mut count = (self.reach.min(in_time).min(left)).clamp(1, self.training.most_epochs());
        if (self.replicas.iter()).any(|replica| replica.scheduler.plateau().is_some()) {
            // The rates of an epoch follow from the metrics of the one before.
            count = 1;
        }
        let rows = self.rows(steps.epoch..steps.epoch + count as u64, &steps.steps);
        let all = Steps {
            epoch: steps.epoch,
            steps: 0..num_steps * count,
            done: steps.done,
            whole_epochs: count,
        };
        let replicas = self.replicas.par_iter();
        let rates: Vec<Vec<f64>> = replicas
            .map(|replica| all.learning_rates(&replica.scheduler))
            .collect();
        let results = self.run(&rows, &rates, Some(count))?;
        Ok(Ahead {
            epoch: steps.epoch,
            count,
            taken: 0,
            results,
            rows,
        })
    }

    /// The state of a network at the moment that the loop is at.
    fn state(&mut self, index: usize) -> Result<emberlab_fused::State<f32>, TrainingError> {
        let states = match self.states.take() {
            Some(states) => states,
            None => self.training.states(self.moment()).map_err(unreadable)?,
        };
        let states = self.states.insert(states);
        Ok(states.of(self.replicas[index].place))
    }

    /// Adds the results of a group of batches to the metrics of each network. `rows` gives the rows of the group by the
    /// network's place on the GPU.
    fn add<R: ExactSizeIterator<Item = usize>>(
        &self,
        split: Split,
        results: &GpuResults,
        group: usize,
        rows: impl Fn(usize) -> R + Sync,
        metrics: &mut [&mut MetricAccumulator],
    ) -> Result<(), TrainingError> {
        let add = |(replica, metrics): (&Replica, &mut &mut MetricAccumulator)| {
            let targets = match split {
                Split::Valid => replica.valid.as_ref(),
                _ => Some(&replica.train),
            };
            let Some(targets) = targets else {
                return Err(TrainingError::Read(format!("no {split} split to evaluate")));
            };
            let results = results.of(replica.place, group);
            let (rows, reduction) = (rows(replica.place), self.shared.loss.reduction);
            metrics.add_counted(results, rows, targets, &self.shared.task, reduction)
        };
        match is_parallel(self.replicas.len()) {
            true => self.replicas.par_iter().zip(metrics).try_for_each(add),
            false => self.replicas.iter().zip(metrics).try_for_each(add),
        }
    }

    /// The place of an evaluation among those that follow the steps of an epoch.
    fn evaluation_of(&self, split: Split) -> Option<usize> {
        let split = gpu_split(split)?;
        let mut evaluations = self.evaluations.iter();
        evaluations.position(|evaluation| evaluation.split == split)
    }
}

impl TrainingEngine for GpuEngine {
    fn train(
        &mut self,
        steps: &Steps,
        metrics: &mut [&mut MetricAccumulator],
    ) -> Result<(), TrainingError> {
        let is_running = self.shared.training.train_metrics == TrainMetrics::Running;
        if steps.steps != (0..self.batches.num_batches(self.num_train)) {
            self.settle()?;
            let rows = self.rows(steps.epoch..steps.epoch + 1, &steps.steps);
            let replicas = self.replicas.iter();
            let rates: Vec<Vec<f64>> = replicas
                .map(|replica| steps.learning_rates(&replica.scheduler))
                .collect();
            let results = self.run(&rows, &rates, None)?;
            self.forget();
            if is_running {
                let rows = |place: usize| rows[place].iter().map(|&row| row as usize);
                self.add(Split::Train, &results, 0, rows, metrics)?;
            }
            return Ok(());
        }
        let has_epoch = |ahead: &Ahead| {
            ahead.taken < ahead.count && ahead.epoch + ahead.taken as u64 == steps.epoch
        };
        let mut ahead = match self.ahead.take_if(|ahead| has_epoch(ahead)) {
            Some(ahead) => ahead,
            None => self.run_ahead(steps)?,
        };
        self.forget();
        let epoch = ahead.taken;
        ahead.taken += 1;
        if is_running {
            let group = epoch * (1 + self.evaluations.len());
            let rows = |place: usize| {
                let rows = &ahead.rows[place];
                let count = rows.len() / ahead.count;
                let rows = rows[epoch * count..(epoch + 1) * count].iter();
                rows.map(|&row| row as usize)
            };
            self.add(Split::Train, &ahead.results, group, rows, metrics)?;
        }
        self.ahead = Some(ahead);
        Ok(())
    }

    /// A whole epoch where the GPU does it in one launch, for then it does more of them ahead.
    fn steps_within(&self, _time: Duration) -> usize {
        let of_launch = self.training.steps_of_a_launch();
        match of_launch >= self.batches.num_batches(self.num_train) {
            true => usize::MAX,
            false => of_launch,
        }
    }

    fn evaluate(
        &mut self,
        split: Split,
        metrics: &mut [&mut MetricAccumulator],
        is_stopping: &dyn Fn() -> bool,
    ) -> Result<ControlFlow<()>, TrainingError> {
        if is_stopping() {
            return Ok(ControlFlow::Break(()));
        }
        let num_samples = (self.replicas.first())
            .and_then(|replica| replica.data.get(split))
            .map_or(0, DeviceDataset::len);
        let all = |_: usize| 0..num_samples;
        if let Some(ahead) = &self.ahead
            && let Some(epoch) = ahead.taken.checked_sub(1)
            && let Some(place) = self.evaluation_of(split)
        {
            let group = epoch * (1 + self.evaluations.len()) + 1 + place;
            self.add(split, &ahead.results, group, all, metrics)?;
            return Ok(ControlFlow::Continue(()));
        }
        let Some(on_gpu) = gpu_split(split) else {
            return Err(TrainingError::Read(format!("no {split} split to evaluate")));
        };
        self.settle()?;
        let results = self.training.evaluate(evaluation(on_gpu));
        self.add(split, &results.map_err(unreadable)?, 0, all, metrics)?;
        Ok(ControlFlow::Continue(()))
    }

    fn network(&mut self, index: usize) -> Result<Network, TrainingError> {
        let state = self.state(index)?;
        let start = &self.replicas[index].start;
        Ok(start.network(&NetworkNumbers {
            parameters: state.parameters,
            running: state.running,
        }))
    }

    fn remember_best(&mut self, index: usize) -> Result<(), TrainingError> {
        let moment = self.moment();
        let replica = &mut self.replicas[index];
        replica.remembered = Some(moment);
        replica.has_best = true;
        Ok(())
    }

    fn best(&mut self, index: usize) -> Result<Option<Network>, TrainingError> {
        self.flush_best()?;
        let replica = &self.replicas[index];
        if !replica.has_best {
            return Ok(None);
        }
        let best = match self.best.take() {
            Some(best) => best,
            None => self.training.best_weights().map_err(unreadable)?,
        };
        let Weights {
            parameters,
            running,
        } = self.best.insert(best).of(replica.place);
        let numbers = NetworkNumbers {
            parameters,
            running,
        };
        Ok(Some(replica.start.network(&numbers)))
    }

    fn optimizer_bytes(&mut self, index: usize) -> Result<Bytes, TrainingError> {
        let state = self.state(index)?;
        let start = &self.replicas[index].start;
        start.optimizer_bytes(&state.buffers, state.step)
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

/// How the GPU measures the outputs of a task, from which these metrics on request are computed.
pub(in crate::engine) fn measurement(
    task: &Task,
    asked: &[Metric],
    d_output: usize,
) -> Measurement {
    match task {
        task if needs_outputs(task, asked) => Measurement::Outputs,
        Task::Binary { on_logits } => Measurement::Threshold(threshold(*on_logits)),
        Task::Multiclass { .. } if d_output <= MOST_COUNTED_CLASSES => Measurement::Classes,
        Task::Multiclass { .. } | Task::Regression { .. } => Measurement::Outputs,
    }
}

/// The GPU's name of a split; it has no test split.
fn gpu_split(split: Split) -> Option<gpu::Split> {
    match split {
        Split::Train => Some(gpu::Split::Train),
        Split::Valid => Some(gpu::Split::Valid),
        Split::Test => None,
    }
}

/// The evaluation of a split in the batches of every evaluation.
fn evaluation(split: gpu::Split) -> Evaluation {
    Evaluation {
        split,
        batch_size: CHUNK_SIZE,
    }
}

/// Slices of lists of numbers, where equal lists give the same slice.
fn shared_slices(lists: &[Vec<f64>]) -> Vec<&[f64]> {
    // Lists that begin alike are compared: usually a sweep of rates, in which those that begin alike are equal.
    let mut alike: HashMap<Option<u64>, Vec<&[f64]>> = HashMap::new();
    let mut slices = Vec::with_capacity(lists.len());
    for list in lists {
        let known = alike.entry(list.first().map(|first| first.to_bits()));
        let known = known.or_default();
        let same = known.iter().find(|other| **other == list.as_slice());
        let slice = same.copied().unwrap_or(list);
        if same.is_none() {
            known.push(list);
        }
        slices.push(slice);
    }
    slices
}

/// A split of one network: what the GPU gets, and what metrics need.
#[derive(Clone)]
struct HostSamples {
    samples: Arc<Samples>,
    targets: Arc<Targets>,
}

/// A split of all networks; networks with the same samples share them. Empty if there is no such split.
///
/// # Errors
/// [`TrainingError::Read`] if the device fails.
fn read_all(
    data: &[SplitData],
    split: Split,
    task: &Task,
) -> Result<Vec<HostSamples>, TrainingError> {
    let read = |tensor: &Tensor<2>| -> Result<Vec<f32>, TrainingError> {
        let data = tensor.clone().try_into_data().map_err(unreadable)?;
        data.try_into_vec().map_err(unreadable)
    };
    let mut found: Vec<HostSamples> = Vec::with_capacity(data.len());
    for part in data.iter().filter_map(|one| one.get(split)) {
        let samples = Samples {
            inputs: read(&part.inputs.all())?,
            targets: read(&part.targets)?,
            weights: part.weights.as_ref().map(read).transpose()?,
        };
        let mut candidates = found.first().into_iter().chain(found.last());
        let same = candidates.find(|other| *other.samples == samples).cloned();
        found.push(match same {
            Some(same) => same,
            None => {
                let [_, d_output] = part.targets.dims();
                HostSamples {
                    targets: Arc::new(Targets::new(task, &samples.targets, d_output)?),
                    samples: Arc::new(samples),
                }
            }
        });
    }
    Ok(found)
}
