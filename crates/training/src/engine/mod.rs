//! The engine of a training: the networks, their optimizers and their data, which take one step after another.
//!
//! There are two. The fused engine runs many steps of a small network in one call, each a few loops over the host's
//! memory. The engine of Burn operations computes every network on every device, one operation at a time. [`choice`]
//! decides which one trains.

mod choice;
mod fused;
mod operations;
#[cfg(test)]
mod replica_tests;
#[cfg(test)]
mod testing;

pub use choice::{EngineConfig, TrainedBy};
pub use fused::fused_training;

use std::ops::Range;

use burn::store::RecordError;
use burn::tensor::{Bytes, DType};
use emberlab_metrics::Split;
use emberlab_models::Network;

use crate::config::TrainingConfig;
use crate::error::TrainingError;
use crate::loss::LossConfig;
use crate::metric_accumulator::MetricAccumulator;
use crate::optimizer::Optimizer;
use crate::task::Task;
use crate::trainer::SplitData;
use fused::FusedEngine;
use operations::BurnEngine;

/// One network with its optimizer, or many with theirs: the replicas, which differ at most in their numbers, their
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

    /// Whether a step returns before it is done, so that its time says nothing, and nothing is gained by many at once.
    fn is_asynchronous(&self) -> bool;

    /// Whether so many results wait on the device that they should be read.
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

    /// Adds losses and outputs for some samples of a split, in evaluation mode and as one batch, to the metrics of
    /// each network.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    fn evaluate(
        &mut self,
        split: Split,
        samples: Range<usize>,
        metrics: &mut [&mut MetricAccumulator],
    ) -> Result<(), TrainingError>;

    /// The network at `index`, on a plain device.
    fn network(&self, index: usize) -> Network;

    /// Remembers the network at `index` as the best so far.
    fn remember_best(&mut self, index: usize);

    /// The network that was [remembered](Self::remember_best) last, or that of the checkpoint.
    fn best(&self, index: usize) -> Option<Network>;

    /// The state of the optimizer at `index`, as [`Optimizer::to_bytes`] writes it.
    ///
    /// # Errors
    /// [`RecordError`] if the device fails.
    fn optimizer_bytes(&self, index: usize) -> Result<Bytes, RecordError>;

    /// The data of the network at `index`.
    fn data(&self, index: usize) -> SplitData;

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
    /// The learning rate of each of these steps, for each network.
    pub(crate) learning_rates: Vec<Vec<f64>>,
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
}

/// Everything that the networks of an engine share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) loss: LossConfig,
    pub(crate) task: Task,
    pub(crate) training: TrainingConfig,
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
    let Some(first) = beginnings.first() else {
        return Err(TrainingError::NotAlike("there are none"));
    };
    let plan_of = |one: &Beginning| {
        choice::plan(
            &one.network,
            &shared.loss,
            one.optimizer.rule(),
            &shared.training,
        )
    };
    let dtype = first.network.dtype();
    match plan_of(first) {
        Ok(plan) => {
            if beginnings
                .iter()
                .any(|one| plan_of(one).as_ref() != Ok(&plan))
            {
                return Err(TrainingError::NotAlike("their networks differ"));
            }
            Ok(match dtype {
                DType::F64 => Box::new(FusedEngine::<f64>::new(plan, beginnings, shared)?),
                _ => Box::new(FusedEngine::<f32>::new(plan, beginnings, shared)?),
            })
        }
        Err(reason) => {
            reason.unless_demanded(&shared.training)?;
            Ok(Box::new(BurnEngine::new(beginnings, shared)?))
        }
    }
}
