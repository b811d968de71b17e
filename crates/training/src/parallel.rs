//! Work for many networks at once.

use burn::tensor::Device;
use emberlab_kernels::is_processor;
use rayon::prelude::*;

/// Whether work for this number of networks is worth sharing among threads.
pub(crate) fn is_parallel(num_replicas: usize) -> bool {
    num_replicas > 1 && rayon::current_num_threads() > 1
}

/// The result of `work` for each item, in order.
///
/// Several threads share the items if their tensors lie on the processor. On a GPU, the tensors of several threads
/// would wait for each other.
pub fn map_on_threads<'a, T: Sync, R: Send>(
    items: &'a [T],
    device: &Device,
    work: impl Fn(&'a T) -> R + Send + Sync,
) -> Vec<R> {
    match is_parallel(items.len()) && is_processor(device) {
        true => items.par_iter().map(work).collect(),
        false => items.iter().map(work).collect(),
    }
}
