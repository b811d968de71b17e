//! Trainings on recorded batches by fused kernels.

use burn::tensor::{DType, Device};
use emberlab_fused::{Data, HostTraining, Plan, Real, Results};
use emberlab_kernels::Float;
use emberlab_models::{Network, NetworkNumbers};

use super::{Start, state};
use crate::average::WeightAverage;
use crate::engine::choice::{Place, fused_plan, place};
use crate::error::TrainingError;
use crate::loss::LossConfig;
use crate::optimizer::{Optimizer, OptimizerConfig};
use crate::record::unreadable;
use crate::step_rules::StepRules;

/// A training whose batches and learning rates are given, without metrics and checkpoints.
#[derive(Debug, Clone)]
pub struct RecordedTraining<'a> {
    /// The loss.
    pub loss: &'a LossConfig,
    /// The optimiser.
    pub optimizer: &'a OptimizerConfig,
    /// What a step does besides.
    pub rules: StepRules,
    /// The average of the weights, an epoch for each step, that is returned in place of the last weights.
    pub average: Option<WeightAverage>,
    /// `[num_samples × d_input]`
    pub inputs: Vec<f64>,
    /// `[num_samples × d_output]`
    pub targets: Vec<f64>,
    /// The rows of each step.
    pub batches: Vec<Vec<u32>>,
    /// The learning rate of each step.
    pub learning_rates: Vec<f64>,
}

impl RecordedTraining<'_> {
    /// The memory in which fused kernels train a network, and their plan.
    fn place(&self, network: &Network, device: &Device) -> Result<(Plan, Place), TrainingError> {
        let plan = Plan {
            average: self.average.map(|average| average.fused(1)),
            ..fused_plan(network, self.loss, &self.optimizer.rule, &self.rules)?
        };
        let num_samples = self.targets.len() / plan.d_output().max(1);
        let place = place(
            &plan,
            network.dtype(),
            num_samples,
            self.batch_size(),
            device,
        )?;
        Ok((plan, place))
    }

    /// Rows of the largest batch.
    fn batch_size(&self) -> usize {
        self.batches.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// Whether there are fused kernels on a device for this training of a network.
    pub fn has_fused_kernels(&self, network: &Network, device: &Device) -> bool {
        self.place(network, device).is_ok()
    }

    /// Trains a network by fused kernels on a device. Returns it with the loss of each step before its update.
    ///
    /// # Errors
    /// [`TrainingError::NotFused`] if there are no fused kernels for the training, [`TrainingError::Read`] if the device
    /// fails.
    pub fn train(
        &self,
        network: &Network,
        device: &Device,
    ) -> Result<(Network, Vec<f64>), TrainingError> {
        let (plan, place) = self.place(network, device)?;
        match (place, network.dtype()) {
            #[cfg(feature = "gpu")]
            (Place::Gpu(gpu), _) => self.train_on_gpu(gpu, plan, network),
            (Place::Host, DType::F64) => self.train_on_host::<f64>(plan, network),
            (Place::Host, _) => self.train_on_host::<f32>(plan, network),
        }
    }

    fn start(&self, network: &Network) -> Start {
        Start {
            optimizer: Optimizer::new(self.optimizer, network).with_average(
                self.average,
                1,
                network,
            ),
            network: network.clone(),
        }
    }

    fn train_on_host<T: Real + Float>(
        &self,
        plan: Plan,
        network: &Network,
    ) -> Result<(Network, Vec<f64>), TrainingError> {
        let start = self.start(network);
        let begun = state::<T>(&start.network, &start.optimizer, 0)?;
        let mut training = HostTraining::new(plan, begun).map_err(unreadable)?;
        let numbers =
            |numbers: &[f64]| -> Vec<T> { numbers.iter().map(|&x| T::from_f64(x)).collect() };
        let (inputs, targets) = (numbers(&self.inputs), numbers(&self.targets));
        let data = Data {
            inputs: &inputs,
            targets: &targets,
            weights: None,
            foreground: None,
        };
        let mut results = Results::default();
        for (rows, &rate) in self.batches.iter().zip(&self.learning_rates) {
            training.train(data, rows, rows.len(), &[rate], &mut results);
        }
        let numbers = NetworkNumbers {
            parameters: training.evaluated_parameters(),
            running: training.running(),
        };
        let losses = results.losses.into_iter().map(Into::into);
        Ok((start.network(&numbers), losses.collect()))
    }

    #[cfg(feature = "gpu")]
    fn train_on_gpu(
        &self,
        gpu: emberlab_fused::gpu::Gpu,
        plan: Plan,
        network: &Network,
    ) -> Result<(Network, Vec<f64>), TrainingError> {
        use std::sync::Arc;

        use emberlab_fused::gpu::{
            GpuReplica, GpuSetup, GpuTraining, Measurement, Moment, Samples, Splits, Steps,
        };
        let start = self.start(network);
        let numbers = |numbers: &[f64]| numbers.iter().map(|&x| x as f32).collect();
        let train = Arc::new(Samples {
            inputs: numbers(&self.inputs),
            targets: numbers(&self.targets),
            weights: None,
        });
        let setup = GpuSetup {
            plan,
            batch_size: self.batch_size(),
            measurement: Measurement::Losses,
            replicas: vec![GpuReplica {
                state: state(&start.network, &start.optimizer, 0)?,
                best: None,
                splits: Splits { train, valid: None },
            }],
        };
        let mut training = GpuTraining::new(gpu, setup).map_err(unreadable)?;
        let mut losses = Vec::with_capacity(self.batches.len());
        for (rows, &rate) in self.batches.iter().zip(&self.learning_rates) {
            let steps = Steps {
                rows: &[rows],
                learning_rates: &[&[rate]],
            };
            let results = training.train(steps).map_err(unreadable)?;
            losses.extend(results.of(0, 0).losses.iter().map(|&loss| f64::from(loss)));
        }
        let end = training.states(Moment::Now).map_err(unreadable)?.of(0);
        let numbers = NetworkNumbers {
            parameters: end.parameters,
            running: end.running,
        };
        Ok((start.network(&numbers), losses))
    }
}
