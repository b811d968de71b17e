//! Resident data as burn-train's data loaders.

use std::sync::Arc;

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::{Device, Tensor};
use emberlab_datasets::{Batch, Resident};

/// Hands out a split in its order, in pieces of at most `chunk_size` samples.
///
/// Training cuts its own batches, which depend on epoch and step; this is what burn-train's learner
/// sees of the data, and what evaluation walks over.
#[derive(Clone)]
pub(crate) struct ResidentLoader {
    inputs: Tensor<2>,
    targets: Tensor<2>,
    chunk_size: usize,
}

/// Few pieces, few shapes (a GPU compiles kernels for each), and no piece larger than a conv net's
/// activations allow.
const CHUNK_SIZE: usize = 1024;

impl ResidentLoader {
    pub(crate) fn new(data: &Resident) -> Self {
        Self {
            inputs: data.inputs.clone(),
            targets: data.targets.clone(),
            chunk_size: CHUNK_SIZE,
        }
    }

    /// The pieces in order.
    pub(crate) fn chunks(&self) -> Chunks<'_> {
        Chunks {
            loader: self,
            next: 0,
        }
    }

    fn len(&self) -> usize {
        self.inputs.dims()[0]
    }
}

/// The pieces of a [`ResidentLoader`].
pub(crate) struct Chunks<'a> {
    loader: &'a ResidentLoader,
    next: usize,
}

impl Iterator for Chunks<'_> {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.next;
        let end = (start + self.loader.chunk_size).min(self.loader.len());
        if start == end {
            return None;
        }
        self.next = end;
        let cut = |tensor: &Tensor<2>| tensor.clone().slice_dim(0, start..end);
        Some(Ok(Batch {
            inputs: cut(&self.loader.inputs),
            targets: cut(&self.loader.targets),
        }))
    }
}

impl DataLoaderIterator<Batch> for Chunks<'_> {
    fn progress(&self) -> Progress {
        Progress::new(self.next, self.loader.len(), Some("samples".to_string()))
    }
}

impl DataLoader<Batch> for ResidentLoader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        Box::new(self.chunks())
    }

    fn num_items(&self) -> usize {
        self.len()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        Arc::new(Self {
            inputs: self.inputs.clone().to_device(device),
            targets: self.targets.clone().to_device(device),
            chunk_size: self.chunk_size,
        })
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Batch>> {
        Arc::new(Self {
            inputs: self.inputs.clone().slice_dim(0, start..end),
            targets: self.targets.clone().slice_dim(0, start..end),
            chunk_size: self.chunk_size,
        })
    }
}
