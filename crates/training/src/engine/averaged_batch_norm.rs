//! Averaged weights of networks with batch norm.

use std::ops::{ControlFlow, Range};
use std::time::Duration;

use burn::tensor::Bytes;
use emberlab_datasets::{Batch, DeviceDataset};
use emberlab_fused::Average;
use emberlab_metrics::Split;
use emberlab_models::Network;

use super::{Shared, Steps, TrainingEngine};
use crate::error::TrainingError;
use crate::metric_accumulator::MetricAccumulator;
use crate::predict::{chunks, cut};
use crate::scheduler::Scheduler;
use crate::supervised_model::SupervisedModel;
use crate::trainer::SplitData;

/// An engine whose averaged networks are evaluated with running statistics of their own. Those of the training follow the
/// last weights, and a network with other weights can fail with them.
pub(super) struct AveragedBatchNorm {
    engine: Box<dyn TrainingEngine>,
    average: Average,
    /// Steps done so far.
    done: u64,
    /// The averaged networks after the last step, as far as they are known.
    networks: Vec<Option<Network>>,
    /// The best averaged networks so far.
    best: Vec<Option<Network>>,
    shared: Shared,
}

impl AveragedBatchNorm {
    /// The networks of `engine`, which have done so many steps.
    pub(super) fn new(
        engine: Box<dyn TrainingEngine>,
        average: Average,
        done: u64,
        num_replicas: usize,
        shared: Shared,
    ) -> Self {
        Self {
            engine,
            average,
            done,
            networks: vec![None; num_replicas],
            best: vec![None; num_replicas],
            shared,
        }
    }

    fn has_begun(&self) -> bool {
        self.average.has_begun(self.done)
    }
}

impl TrainingEngine for AveragedBatchNorm {
    fn train(
        &mut self,
        steps: &Steps,
        metrics: &mut [&mut MetricAccumulator],
    ) -> Result<(), TrainingError> {
        self.networks.fill(None);
        self.done = steps.done + steps.steps.len() as u64;
        self.engine.train(steps, metrics)
    }

    fn steps_within(&self, time: Duration) -> usize {
        self.engine.steps_within(time)
    }

    fn has_many_results(&self) -> bool {
        self.engine.has_many_results()
    }

    fn read_results(
        &mut self,
        metrics: &mut [&mut MetricAccumulator],
    ) -> Result<(), TrainingError> {
        self.engine.read_results(metrics)
    }

    fn evaluate(
        &mut self,
        split: Split,
        metrics: &mut [&mut MetricAccumulator],
        is_stopping: &dyn Fn() -> bool,
    ) -> Result<ControlFlow<()>, TrainingError> {
        if !self.has_begun() {
            return self.engine.evaluate(split, metrics, is_stopping);
        }
        for (index, metrics) in metrics.iter_mut().enumerate() {
            let network = self.evaluated_network(index)?;
            let Shared { loss, task, .. } = &self.shared;
            let model = SupervisedModel::new(network, loss.clone());
            let data = self.engine.data(index);
            let Some(data) = data.get(split) else {
                continue;
            };
            for samples in chunks(data.len()) {
                if is_stopping() {
                    return Ok(ControlFlow::Break(()));
                }
                for outcome in model.evaluate(cut(data, 1, samples)).read(1)? {
                    metrics.add(&outcome, task, loss.reduction)?;
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn network(&mut self, index: usize) -> Result<Network, TrainingError> {
        self.engine.network(index)
    }

    fn evaluated_network(&mut self, index: usize) -> Result<Network, TrainingError> {
        let network = self.engine.evaluated_network(index)?;
        if !self.has_begun() {
            return Ok(network);
        }
        if let Some(network) = &self.networks[index] {
            return Ok(network.clone());
        }
        let train = self.engine.data(index).train;
        let rows_per_batch = self.shared.training.batches().rows_per_batch(train.len());
        let network = with_statistics_of(network, &train, rows_per_batch);
        Ok(self.networks[index].insert(network).clone())
    }

    fn remember_best(&mut self, index: usize) -> Result<(), TrainingError> {
        if !self.has_begun() {
            return self.engine.remember_best(index);
        }
        self.best[index] = Some(self.evaluated_network(index)?);
        Ok(())
    }

    fn best(&mut self, index: usize) -> Result<Option<Network>, TrainingError> {
        match &self.best[index] {
            Some(best) => Ok(Some(best.clone())),
            None => self.engine.best(index),
        }
    }

    fn optimizer_bytes(&mut self, index: usize) -> Result<Bytes, TrainingError> {
        self.engine.optimizer_bytes(index)
    }

    fn data(&self, index: usize) -> SplitData {
        self.engine.data(index)
    }

    fn set_scheduler(&mut self, index: usize, scheduler: Scheduler) {
        self.engine.set_scheduler(index, scheduler);
    }

    fn keep(&mut self, indices: &[usize]) {
        self.engine.keep(indices);
        for kept in [&mut self.networks, &mut self.best] {
            *kept = indices.iter().map(|&i| kept[i].clone()).collect();
        }
    }
}

/// The network with the running statistics of its weights: the mean over batches of a split, each of which counts the
/// same. Equals PyTorch's `torch.optim.swa_utils.update_bn`, but for a last batch of one row, which is left out, and for
/// dropout, which drops nothing here.
fn with_statistics_of(
    mut network: Network,
    data: &DeviceDataset,
    rows_per_batch: usize,
) -> Network {
    let num_rows = data.len();
    let starts = (0..num_rows).step_by(rows_per_batch);
    let batches = starts.map(|start| start..(start + rows_per_batch).min(num_rows));
    let of_many = |batch: &Range<usize>| batch.len() > 1;
    for (index, samples) in batches.filter(of_many).enumerate() {
        let inputs = Batch::of_range(data, samples).inputs;
        let (_, statistics) = network.forward_train(inputs, None);
        network = network.with_mean_statistics(statistics, index + 1);
    }
    network
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device};
    use emberlab_datasets::Batch;
    use emberlab_models::Network;
    use serde_json::json;

    use crate::engine::testing::{ENGINES, Settings, split};

    fn numbers(network: &Network, name: &str) -> Vec<f64> {
        let mut tensors = network.named_tensors().into_iter();
        let found = tensors.find(|(of, _)| of == name).expect("a tensor");
        found.1.iter::<f64>().collect()
    }

    /// The mean and the unbiased variance of some numbers.
    fn mean_and_variance(x: &[f64]) -> [f64; 2] {
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        let squares = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        [mean, squares / (x.len() - 1) as f64]
    }

    #[test]
    fn averaged_weights_have_the_statistics_of_the_training_rows() {
        for engine in ENGINES {
            for average in [json!({ "swa": 1 }), json!({ "ema": 0.9 })] {
                let settings = Settings {
                    model: json!({ "name": "mlp", "hidden": [6], "normalization": "batch" }),
                    training: json!({ "num_epochs": 3, "batch_size": 6, "average": average }),
                    ..Settings::default()
                };
                let result = (settings.by(engine).alone(&[(1, 0.5)])).swap_remove(0);
                // The rows that the training has: batches of 6, 6 and 2.
                let rows = Batch::all(&split(14, 1.0, &Device::flex(), DType::F64)).inputs;
                let rows: Vec<f64> = rows.into_data().iter::<f64>().collect();
                let weight = numbers(&result.network, "layers.0.weight");
                let bias = numbers(&result.network, "layers.0.bias");
                let product = |row: &[f64], unit: usize| -> f64 {
                    let products = row
                        .iter()
                        .enumerate()
                        .map(|(i, x)| x * weight[i * 6 + unit]);
                    bias[unit] + products.sum::<f64>()
                };
                for unit in 0..6 {
                    let batches = rows.chunks(6 * 5).map(|batch| {
                        let products = batch.chunks(5).map(|row| product(row, unit));
                        mean_and_variance(&products.collect::<Vec<f64>>())
                    });
                    let expected = batches.fold([0.0; 2], |[mean, variance], batch| {
                        [mean + batch[0] / 3.0, variance + batch[1] / 3.0]
                    });
                    for (name, expected) in ["running_mean", "running_var"].iter().zip(expected) {
                        let found = numbers(&result.network, &format!("norms.0.{name}"))[unit];
                        assert!(
                            (found - expected).abs() < 1e-12,
                            "{engine}, {average}, {name}: {found} instead of {expected}"
                        );
                    }
                }
            }
        }
    }
}
