//! DeviceDataset data in pieces, and as burn-train's data loaders.

use std::sync::Arc;

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::{Device, Tensor};
use emberlab_datasets::{Batch, DeviceDataset};

/// Few pieces, few shapes (a GPU compiles kernels for each), and no piece larger than a conv net's
/// activations allow.
const CHUNK_SIZE: usize = 1024;

/// A split in its order, in pieces; of the splits of `num_replicas` networks, which lie end to end, pieces
/// that hold as many samples of each, again end to end.
pub(crate) fn chunks(
    data: &DeviceDataset,
    num_replicas: usize,
) -> impl Iterator<Item = Batch> + '_ {
    let num_samples = data.len() / num_replicas;
    (0..num_samples).step_by(CHUNK_SIZE).map(move |start| {
        let end = (start + CHUNK_SIZE).min(num_samples);
        let cut = |all: &Tensor<2>| {
            let width = all.dims()[1];
            match (start, end) {
                (0, end) if end == num_samples => all.clone(),
                _ if num_replicas == 1 => all.clone().slice_dim(0, start..end),
                _ => {
                    let each = all.clone().reshape([num_replicas, num_samples, width]);
                    let each: Tensor<3> = each.slice_dim(1, start..end);
                    each.reshape([num_replicas * (end - start), width])
                }
            }
        };
        Batch {
            inputs: cut(&data.inputs),
            targets: cut(&data.targets),
        }
    })
}

/// What burn-train's learner sees of a split. It asks for no batch: the loop that is given to it cuts its
/// own, which depend on epoch and step.
#[derive(Clone)]
pub(crate) struct ResidentLoader {
    data: DeviceDataset,
}

impl ResidentLoader {
    pub(crate) fn new(data: &DeviceDataset) -> Self {
        Self { data: data.clone() }
    }
}

/// The pieces of a split, counted.
struct Counted<'a> {
    chunks: Box<dyn Iterator<Item = Batch> + 'a>,
    done: usize,
    total: usize,
}

impl Iterator for Counted<'_> {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.chunks.next()?;
        self.done += batch.inputs.dims()[0];
        Some(Ok(batch))
    }
}

impl DataLoaderIterator<Batch> for Counted<'_> {
    fn progress(&self) -> Progress {
        Progress::new(self.done, self.total, Some("samples".to_string()))
    }
}

impl DataLoader<Batch> for ResidentLoader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        Box::new(Counted {
            chunks: Box::new(chunks(&self.data, 1)),
            done: 0,
            total: self.num_items(),
        })
    }

    fn num_items(&self) -> usize {
        self.data.len()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        Arc::new(Self {
            data: DeviceDataset {
                inputs: self.data.inputs.clone().to_device(device),
                targets: self.data.targets.clone().to_device(device),
            },
        })
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Batch>> {
        let cut = |all: &Tensor<2>| all.clone().slice_dim(0, start..end);
        Arc::new(Self {
            data: DeviceDataset {
                inputs: cut(&self.data.inputs),
                targets: cut(&self.data.targets),
            },
        })
    }
}
