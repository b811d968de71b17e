//! The engine of a training: the networks, their optimisers and their data, which take one step after another.
//!
//! There are two. The fused engine runs many steps of a small network in one call, each a few loops over the host's
//! memory. The engine of Burn operations computes every network on every device, one operation at a time. [`choice`]
//! decides which one trains. Around either, [`averaged_batch_norm`] evaluates averaged weights with statistics of their
//! own.

mod averaged_batch_norm;
mod choice;
mod fused;
mod operations;
#[cfg(test)]
mod record_tests;
#[cfg(test)]
mod replica_tests;
#[cfg(test)]
mod testing;

pub use choice::{EngineConfig, TrainedBy};
pub use fused::RecordedTraining;

use std::ops::{ControlFlow, Range};
use std::time::Duration;

use burn::tensor::{Bytes, DType, Device};
use emberlab_fused::Plan;
use emberlab_metrics::{Metric, Split};
use emberlab_models::Network;

use crate::config::TrainingConfig;
use crate::error::TrainingError;
use crate::loss::LossConfig;
use crate::metric_accumulator::MetricAccumulator;
use crate::optimizer::Optimizer;
use crate::scheduler::Scheduler;
use crate::task::Task;
use crate::trainer::SplitData;
use averaged_batch_norm::AveragedBatchNorm;
use choice::{Place, choose, fused_plan};
#[cfg(feature = "gpu")]
use fused::GpuEngine;
use fused::HostEngine;
use operations::BurnEngine;

/// How long the steps of one call should take. A request to stop waits for them.
pub(crate) const TIME_OF_A_CALL: Duration = Duration::from_millis(20);

/// One network with its optimiser, or many with theirs: the replicas, which differ at most in their numbers, their
/// data and the seeds of their shuffles.
pub(crate) trait TrainingEngine: Send {
    /// Trains all networks for some steps. Losses and outputs of each step, before its update, are added to the
    /// metrics of each network: at once, or when they are [read](Self::read_results).
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the results are not what they should be.
    fn train(
        &mut self,
        steps: &Steps,
        metrics: &mut [&mut MetricAccumulator],
    ) -> Result<(), TrainingError>;

    /// The number of steps that a call should take so that it lasts about `time`; at least one.
    fn steps_within(&self, time: Duration) -> usize;

    /// Whether so many results wait on the device that it is time to read them.
    fn has_many_results(&self) -> bool {
        false
    }

    /// Adds the results of steps that are still on the device to the metrics of each network.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    fn read_results(
        &mut self,
        _metrics: &mut [&mut MetricAccumulator],
    ) -> Result<(), TrainingError> {
        Ok(())
    }

    /// Adds losses and outputs for all samples of a split, in evaluation mode and in batches of
    /// [`chunks`](crate::predict::chunks), to the metrics of each network. Breaks off between batches if `is_stopping`.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    fn evaluate(
        &mut self,
        split: Split,
        metrics: &mut [&mut MetricAccumulator],
        is_stopping: &dyn Fn() -> bool,
    ) -> Result<ControlFlow<()>, TrainingError>;

    /// The network at `index`, on a plain device.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    fn network(&mut self, index: usize) -> Result<Network, TrainingError>;

    /// The network at `index` as it is evaluated: with the average of its weights, if there is one.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    fn evaluated_network(&mut self, index: usize) -> Result<Network, TrainingError> {
        self.network(index)
    }

    /// Remembers the [evaluated network](Self::evaluated_network) at `index` as the best so far.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    fn remember_best(&mut self, index: usize) -> Result<(), TrainingError>;

    /// The network that was [remembered](Self::remember_best) last, or that of the checkpoint.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    fn best(&mut self, index: usize) -> Result<Option<Network>, TrainingError>;

    /// The state of the optimiser at `index`, as [`Optimizer::to_bytes`] writes it.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    fn optimizer_bytes(&mut self, index: usize) -> Result<Bytes, TrainingError>;

    /// The data of the network at `index`.
    fn data(&self, index: usize) -> SplitData;

    /// Gives the network at `index` these learning rates for all steps that follow.
    fn set_scheduler(&mut self, index: usize, scheduler: Scheduler);

    /// Drops all networks but those at these indices.
    fn keep(&mut self, indices: &[usize]);
}

/// Consecutive steps of one epoch.
#[derive(Debug)]
pub(crate) struct Steps {
    /// The epoch, counted from 0.
    pub(crate) epoch: u64,
    /// The steps, counted from 0 in the epoch.
    pub(crate) steps: Range<usize>,
    /// Steps done before these, in all epochs.
    pub(crate) done: u64,
    /// The number of epochs, from this one on, that the loop takes whole. An engine that computes epochs ahead need not
    /// compute more.
    #[cfg_attr(
        not(feature = "gpu"),
        expect(dead_code, reason = "only GPUs compute epochs ahead")
    )]
    pub(crate) whole_epochs: usize,
}

impl Steps {
    /// The learning rate of each of these steps.
    pub(crate) fn learning_rates(&self, scheduler: &Scheduler) -> Vec<f64> {
        let steps = self.done..self.done + self.steps.len() as u64;
        steps.map(|step| scheduler.learning_rate(step)).collect()
    }
}

/// One network at the start of its training, or at a checkpoint.
pub(crate) struct Beginning {
    /// The network, on a plain device.
    pub(crate) network: Network,
    pub(crate) optimizer: Optimizer,
    /// The best network so far.
    pub(crate) best: Option<Network>,
    pub(crate) data: SplitData,
    /// The seed of shuffles.
    pub(crate) seed: u64,
    /// The learning rates of all steps.
    pub(crate) scheduler: Scheduler,
}

/// Everything that the networks of an engine share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) loss: LossConfig,
    pub(crate) task: Task,
    pub(crate) training: TrainingConfig,
    /// The metrics on request.
    pub(crate) asked: Vec<Metric>,
    /// The device that trains.
    pub(crate) device: Device,
}

/// The engine of these networks.
///
/// # Errors
/// [`TrainingError::NotAlike`] if they differ in more than their numbers; [`TrainingError::Value`] if the
/// configuration asks for fused kernels and there are none; [`TrainingError::Read`] if the device fails.
pub(crate) fn engine(
    beginnings: Vec<Beginning>,
    shared: Shared,
) -> Result<Box<dyn TrainingEngine>, TrainingError> {
    let num_replicas = beginnings.len();
    let first = beginnings.first();
    let average = first.and_then(|one| {
        one.optimizer
            .average()
            .filter(|_| one.network.num_running() > 0)
    });
    let done = first.map_or(0, |one| one.optimizer.num_steps());
    let Some(average) = average else {
        return chosen_engine(beginnings, shared);
    };
    let engine = chosen_engine(beginnings, shared.clone())?;
    Ok(Box::new(AveragedBatchNorm::new(
        engine,
        average,
        done,
        num_replicas,
        shared,
    )))
}

/// The engine that [`choice`] finds for these networks.
fn chosen_engine(
    beginnings: Vec<Beginning>,
    shared: Shared,
) -> Result<Box<dyn TrainingEngine>, TrainingError> {
    let Some(first) = beginnings.first() else {
        return Err(TrainingError::NotAlike("there are none"));
    };
    let plan_of = |one: &Beginning| {
        let (rule, rules) = (one.optimizer.rule(), shared.training.step_rules());
        fused_plan(&one.network, &shared.loss, rule, &rules)
    };
    let rule = first.optimizer.rule();
    let num_valid = first.data.valid.as_ref().map_or(0, |valid| valid.len());
    let num_samples = [first.data.train.len(), num_valid];
    let Shared {
        loss,
        training,
        device,
        ..
    } = &shared;
    let chosen = choose(&first.network, loss, rule, training, num_samples, device);
    let (plan, place) = match chosen {
        Ok(chosen) => chosen,
        Err(reason) => {
            reason.unless_demanded(&shared.training)?;
            return Ok(Box::new(BurnEngine::new(beginnings, shared)?));
        }
    };
    let is_like_first = |one: &Beginning| {
        let average = plan.average;
        plan_of(one).is_ok_and(|other| Plan { average, ..other } == plan)
    };
    if !beginnings.iter().all(is_like_first) {
        return Err(TrainingError::NotAlike("their networks differ"));
    }
    Ok(match (place, first.network.dtype()) {
        #[cfg(feature = "gpu")]
        (Place::Gpu(gpu), _) => Box::new(GpuEngine::new(gpu, plan, beginnings, shared)?),
        (Place::Host, DType::F64) => Box::new(HostEngine::<f64>::new(plan, beginnings, shared)?),
        (Place::Host, _) => Box::new(HostEngine::<f32>::new(plan, beginnings, shared)?),
    })
}
