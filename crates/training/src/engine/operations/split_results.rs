//! The results of batches of one split that are still on the device.

#[cfg(feature = "gpu")]
use burn::tensor::Tensor;
use emberlab_datasets::DeviceDataset;
#[cfg(feature = "gpu")]
use emberlab_kernels::GatheredResults;

use crate::engine::Shared;
#[cfg(feature = "gpu")]
use crate::engine::fused::measurement;
use crate::error::TrainingError;
use crate::metric_accumulator::MetricAccumulator;
#[cfg(feature = "gpu")]
use crate::metric_accumulator::{ComparableTargets, host};
#[cfg(feature = "gpu")]
use crate::record::unreadable;
use crate::supervised_model::StepOutput;

/// Batches whose outputs may wait on the device before they are read.
const MAX_PENDING: usize = 512;

/// The results of batches of one split that are still on the device.
///
/// On a GPU, those of one network are counted there. Others wait as losses, outputs and targets.
#[derive(Default)]
pub(super) struct SplitResults {
    waiting: StepOutput,
    #[cfg(feature = "gpu")]
    counted: Option<Counted>,
}

/// Results that a GPU counts.
#[cfg(feature = "gpu")]
struct Counted {
    results: GatheredResults,
    /// The rows of all batches, in order.
    rows: Vec<usize>,
    /// The largest number of rows of a batch.
    most_rows: usize,
    /// The targets of the whole split.
    targets: ComparableTargets,
}

impl SplitResults {
    /// Adds the output for some rows of a split; those of several networks lie end to end.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    pub(super) fn add(
        &mut self,
        output: StepOutput,
        rows: impl ExactSizeIterator<Item = usize>,
        data: &DeviceDataset,
        num_replicas: usize,
        shared: &Shared,
    ) -> Result<(), TrainingError> {
        #[cfg(feature = "gpu")]
        if num_replicas == 1
            && let [outputs] = output.outputs.as_slice()
            && self.counts_on_gpu(outputs, data, shared)?
            && let Some(counted) = &mut self.counted
        {
            counted.add(output, rows);
            return Ok(());
        }
        #[cfg(not(feature = "gpu"))]
        let _ = (rows, data, num_replicas, shared);
        self.waiting.extend(output);
        Ok(())
    }

    /// Whether a GPU counts the results: it does where the outputs are on one.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    #[cfg(feature = "gpu")]
    fn counts_on_gpu(
        &mut self,
        outputs: &Tensor<2>,
        data: &DeviceDataset,
        shared: &Shared,
    ) -> Result<bool, TrainingError> {
        if self.counted.is_some() {
            return Ok(true);
        }
        let [num_rows, d_output] = outputs.dims();
        let measurement = measurement(&shared.task, &shared.asked, d_output);
        let num_samples = data.len();
        let results = GatheredResults::new(outputs, measurement, num_samples, num_samples);
        let Some(results) = results else {
            return Ok(false);
        };
        let targets = host(data.targets.clone())?;
        self.counted = Some(Counted {
            results,
            rows: Vec::new(),
            most_rows: num_rows,
            targets: ComparableTargets::new(&shared.task, &targets, d_output)?,
        });
        Ok(true)
    }

    /// Whether so many results wait that it is time to read them.
    pub(super) fn is_full(&self, num_replicas: usize) -> bool {
        #[cfg(feature = "gpu")]
        if let Some(counted) = &self.counted {
            return !counted.results.has_room(counted.most_rows);
        }
        self.waiting.losses.len() >= (MAX_PENDING / num_replicas).max(1)
    }

    /// Adds the results to the metrics of each network. A read waits for the device.
    ///
    /// # Errors
    /// [`TrainingError::Read`] if the device fails.
    pub(super) fn read(
        &mut self,
        metrics: &mut [&mut MetricAccumulator],
        shared: &Shared,
    ) -> Result<(), TrainingError> {
        let reduction = shared.loss.reduction;
        #[cfg(feature = "gpu")]
        if let (Some(counted), [metrics]) = (&mut self.counted, &mut *metrics)
            && !counted.results.is_empty()
        {
            let results = counted.results.take().map_err(unreadable)?;
            let rows = std::mem::take(&mut counted.rows).into_iter();
            let results = results.of(0, 0);
            metrics.add_counted(results, rows, &counted.targets, &shared.task, reduction)?;
        }
        let results = std::mem::take(&mut self.waiting).read(metrics.len())?;
        for (accumulator, results) in metrics.iter_mut().zip(&results) {
            accumulator.add(results, &shared.task, reduction)?;
        }
        Ok(())
    }
}

#[cfg(feature = "gpu")]
impl Counted {
    fn add(&mut self, output: StepOutput, rows: impl ExactSizeIterator<Item = usize>) {
        self.most_rows = self.most_rows.max(rows.len());
        self.rows.extend(rows);
        let results = output.losses.into_iter().zip(output.outputs);
        for ((loss, outputs), targets) in results.zip(output.targets) {
            self.results.add(loss, outputs, targets);
        }
    }
}
