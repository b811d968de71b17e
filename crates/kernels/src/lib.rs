//! The operations that layers, losses and optimisers call, with host kernels, which are loops over the host's memory, and
//! kernels for GPUs.
//!
//! An operation decides by its tensors how it computes. Tensors of f32 on the flex device that autodiff does not track
//! ([`is_on_host`]) are buffers of this process: a host kernel reads and writes them in one loop that the compiler
//! turns into vector instructions. Other tensors are computed by Burn's operations, or by a kernel of a GPU (below). All
//! give the same numbers up to rounding, so a caller never sees which of them ran.
//!
//! Small networks gain most: there Burn spends its time on starting operations and on walking short rows.
//!
//! - [`map`], [`zip`], [`zip_to_both`]: any function of each number, given as a scalar function and as Burn's
//!   operations
//! - [`product`], [`affine`], [`batched_affine`]: products of matrices
//! - [`convolution`], [`convolution_kernel_gradient`]: convolutions of images
//! - [`sum_of_rows`], [`batched_sum_of_rows`]: the gradient of a bias
//! - [`standardize`], [`batch_norm`], [`batch_norm_backward`]: normalisations
//! - [`larger_half`], [`to_halves`]: a step of max-pooling, and its gradient
//!
//! On a GPU, most of these are Burn's operations, whose start takes longer than their work. What takes many of them has a
//! kernel of its own there, which gives its tensors back if they are elsewhere:
//!
//! - [`activation`], [`activation_with_slopes`]: activations and their derivatives
//! - [`max_pool`], [`max_pool_backward`]: max-pooling
//! - [`batch_loss`]: the loss of a batch and its gradient
//! - [`ParameterUpdates`]: a step of an optimiser
//! - [`ByteRows`]: samples as bytes, from which batches are gathered
//! - `GatheredResults`: the metrics of an epoch, counted on the GPU (with the feature `gpu`)
//!
//! [`Numbers`] gives a kernel of another crate the numbers of a tensor in the host's memory, and [`vectorized`] runs its
//! loop. [`HostNumbers`] are the numbers of a tensor on any device, to read. [`ran_fused`] tells a test whether a host
//! kernel ran.
//!
//! Fused kernels, which run whole trainings, are those of the crate `emberlab-fused`.

mod batch_norm;
mod convolution;
mod elementwise;
#[cfg(feature = "gpu")]
mod gpu;
#[cfg(not(feature = "gpu"))]
#[path = "no_gpu.rs"]
mod gpu;
mod halves;
mod host;
mod patches;
mod product;
mod row_sums;
mod standardize;

pub use batch_norm::{NormGradients, batch_norm, batch_norm_backward, batched_batch_norm_backward};
pub use convolution::{convolution, convolution_kernel_gradient};
pub use elementwise::{Pair, map, zip, zip_to_both};
pub use emberlab_fused::scalar::{erf, exp, ln_1p, sigmoid, tanh};
pub use gpu::{
    ByteRows, ParameterUpdates, activation, activation_with_slopes, batch_loss, is_gpu, is_on_gpu,
    max_pool, max_pool_backward,
};
#[cfg(feature = "gpu")]
pub use gpu::{GatheredResults, gpu_of};
pub use halves::{larger_half, to_halves};
pub use host::{Float, HostNumbers, Numbers, is_on_host, is_processor, ran_fused, vectorized};
pub use product::{affine, batched_affine, product};
pub use row_sums::{batched_sum_of_rows, sum_of_rows};
pub use standardize::{Moments, Standardized, standardize};
