//! The batches of one epoch.

mod config;
mod row_order;

use std::ops::Range;

use burn::tensor::{Int, Tensor, TensorData};

use crate::device_dataset::DeviceDataset;
use crate::device_inputs::DeviceInputs;

pub use config::{BatchSize, Batching};
pub use row_order::RowOrder;

/// The samples of one step.
///
/// # Shapes
/// - inputs: `[batch_size, num_features]`
/// - targets: `[batch_size, d_target]`
/// - weights: `[batch_size, 1]`, if samples have weights
#[derive(Debug, Clone)]
pub struct Batch {
    /// The standardised features.
    pub inputs: Tensor<2>,
    /// The encoded targets.
    pub targets: Tensor<2>,
    /// The weight of each sample in the loss.
    pub weights: Option<Tensor<2>>,
}

impl Batch {
    /// All samples of a data set.
    pub fn all(data: &DeviceDataset) -> Self {
        Self {
            inputs: data.inputs.all(),
            targets: data.targets.clone(),
            weights: data.weights.clone(),
        }
    }

    /// Neighbouring samples of a data set.
    pub fn of_range(data: &DeviceDataset, samples: Range<usize>) -> Self {
        let is_whole = samples == (0..data.len());
        let cut = |all: &Tensor<2>| match is_whole {
            true => all.clone(),
            false => all.clone().slice_dim(0, samples.clone()),
        };
        Self {
            inputs: data.inputs.range(samples.clone()),
            targets: cut(&data.targets),
            weights: data.weights.as_ref().map(cut),
        }
    }

    /// The samples that `choose` takes from each tensor.
    pub fn cut(&self, choose: impl Fn(&Tensor<2>) -> Tensor<2>) -> Self {
        Self {
            inputs: choose(&self.inputs),
            targets: choose(&self.targets),
            weights: self.weights.as_ref().map(choose),
        }
    }
}

/// The batches of one epoch, in the order of [`RowOrder`].
#[derive(Debug)]
pub struct Batches {
    data: DeviceDataset,
    order: Vec<u32>,
    batch_size: usize,
    num_batches: usize,
    next: usize,
    steps_per_block: usize,
    /// The current block and its index.
    block: Option<(usize, Batch)>,
}

/// The number of numbers that are gathered at once, as a block that fits the processor's cache. Each batch is a slice
/// of the block. On flex this takes two thirds of the time of gathering every small batch separately.
const BLOCK_NUMBERS: usize = 1 << 16;

/// The same on a GPU, 16 MiB: a gather takes about as long to start as to compute.
const BLOCK_NUMBERS_ON_GPU: usize = 1 << 22;

impl Batches {
    /// The batches of `epoch`. The configuration must be [valid](Batching::validate) for these data.
    pub fn new(data: &DeviceDataset, config: &Batching, seed: u64, epoch: u64) -> Self {
        Self::stacked(data, config, &[seed], epoch)
    }

    /// The batches of several replicas that train together, one for each seed.
    ///
    /// Images that are [augmented](DeviceDataset::augmented) are changed as in this epoch.
    ///
    /// `data` holds the data of the replicas one after the other ([`DeviceDataset::stacked`]). Each batch holds the
    /// rows of the first replica, then those of the second, and so on, each in the order of [`new`](Self::new).
    pub fn stacked(data: &DeviceDataset, config: &Batching, seeds: &[u64], epoch: u64) -> Self {
        let data = &data.of_epoch(seeds, epoch);
        let replicas = seeds.len().max(1);
        let rows = data.len() / replicas;
        let rows_per_batch = config.rows_per_batch(rows);
        let batch_size = rows_per_batch.saturating_mul(replicas);
        let num_batches = config.num_batches(rows);
        let orders: Vec<Vec<u32>> = (0_u32..)
            .zip(seeds)
            .map(|(replica, &seed)| {
                let mut order = RowOrder::new(config, rows, seed, epoch).into_rows();
                let first = replica * rows as u32;
                order.iter_mut().for_each(|row| *row += first);
                order
            })
            .collect();
        // Without shuffling, all data are one block, unless they are bytes, which take four times as much as numbers.
        let is_gathered = replicas > 1 || matches!(data.inputs, DeviceInputs::Bytes(_));
        let (steps_per_block, block) =
            match config.is_shuffled() || (is_gathered && num_batches > 1) {
                true => {
                    let numbers = batch_size.saturating_mul(data.num_features().max(1));
                    let most = match emberlab_kernels::is_gpu(&data.inputs.device()) {
                        true => BLOCK_NUMBERS_ON_GPU,
                        false => BLOCK_NUMBERS,
                    };
                    ((most / numbers).max(1), None)
                }
                false => {
                    let all = Batch::all(data);
                    (num_batches.max(1), Some((0, all)))
                }
            };
        Self {
            data: data.clone(),
            order: interleaved(orders, rows_per_batch),
            batch_size,
            num_batches,
            next: 0,
            steps_per_block,
            block,
        }
    }

    /// Number of batches in the whole epoch.
    pub fn num_batches(&self) -> usize {
        self.num_batches
    }

    /// Continues with the batch of `step`, counted from 0 in the epoch.
    pub fn skip_to(&mut self, step: usize) {
        self.next = step.min(self.num_batches);
    }

    /// The row indices of the batch of `step`; empty after the last step.
    pub fn rows(&self, step: usize) -> &[u32] {
        if step >= self.num_batches {
            return &[];
        }
        let start = step * self.batch_size;
        &self.order[start..(start + self.batch_size).min(self.order.len())]
    }

    fn batch(&mut self, step: usize) -> Batch {
        let index = step / self.steps_per_block;
        let block = match self.block.take() {
            Some((gathered, block)) if gathered == index => block,
            _ => self.gather(index),
        };
        let start = (step - index * self.steps_per_block) * self.batch_size;
        let range = start..start + self.rows(step).len();
        let cut = |all: &Tensor<2>| match range.len() == all.dims()[0] {
            true => all.clone(),
            false => all.clone().slice_dim(0, range.clone()),
        };
        let batch = block.cut(cut);
        self.block = Some((index, block));
        batch
    }

    /// Gathers the rows of the block `index`: those of several consecutive steps.
    fn gather(&self, index: usize) -> Batch {
        let rows_per_block = self.steps_per_block.saturating_mul(self.batch_size);
        let start = index * rows_per_block;
        let end = start.saturating_add(rows_per_block).min(self.order.len());
        let rows = &self.order[start..end];
        let indices: Vec<i64> = rows.iter().map(|&row| row.into()).collect();
        let indices = TensorData::new(indices, [rows.len()]);
        let indices = Tensor::<1, Int>::from_data(indices, &self.data.inputs.device());
        let select = |all: &Tensor<2>| all.clone().select(0, indices.clone());
        Batch {
            inputs: self.data.inputs.gather(rows, &indices),
            targets: select(&self.data.targets),
            weights: self.data.weights.as_ref().map(select),
        }
    }
}

/// The orders of all replicas as one: for each batch, the rows of each replica.
fn interleaved(mut orders: Vec<Vec<u32>>, rows_per_batch: usize) -> Vec<u32> {
    if orders.len() == 1 {
        return orders.swap_remove(0);
    }
    let num_rows = orders.first().map_or(0, Vec::len);
    let mut all = Vec::with_capacity(num_rows * orders.len());
    for start in (0..num_rows).step_by(rows_per_batch) {
        let end = start.saturating_add(rows_per_batch).min(num_rows);
        for order in &orders {
            all.extend_from_slice(&order[start..end]);
        }
    }
    all
}

impl Iterator for Batches {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        let step = self.next;
        if step == self.num_batches {
            return None;
        }
        self.next += 1;
        Some(self.batch(step))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.num_batches - self.next;
        (left, Some(left))
    }

    fn nth(&mut self, n: usize) -> Option<Batch> {
        self.skip_to(self.next.saturating_add(n));
        self.next()
    }
}

impl ExactSizeIterator for Batches {}

#[cfg(test)]
mod tests;
