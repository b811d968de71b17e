//! Kernels for tensors on GPUs, one launch each.
//!
//! A GPU computes an operation of a small network faster than the operation can be started. So a kernel here does what
//! takes many of Burn's operations: an activation with its derivative, a loss with its gradient, the update of a
//! parameter, the metrics of a batch. The formulas are those of the fused kernels in `emberlab-fused`.

// The tensors that are given back are large.
#![allow(clippy::result_large_err)]

mod activation;
mod batch_results;
mod byte_rows;
mod loss;
mod max_pool;
mod memory;
mod update;

pub use activation::{activation, activation_with_slopes};
pub use batch_results::GatheredResults;
pub use byte_rows::ByteRows;
pub use loss::batch_loss;
pub use max_pool::{max_pool, max_pool_backward};
pub use memory::{gpu_of, is_gpu, is_on_gpu};
pub use update::ParameterUpdates;
