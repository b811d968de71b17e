//! The host kernels: single loops over tensors in the host's memory.
//!
//! Each kernel takes what its operation takes. It gives the tensors back where it does not apply, and the
//! operation then uses Burn's.

// The tensors that are given back are large.
#![allow(clippy::result_large_err)]

mod batch_norm;
mod convolution;
mod elementwise;
mod halves;
mod host_numbers;
mod memory;
mod product;
mod row_sums;
#[cfg(test)]
mod testing;
mod vectorized;

pub(crate) use batch_norm::{batch_norm, batch_norm_backward};
pub(crate) use convolution::{convolution, convolution_kernel_gradient};
pub(crate) use elementwise::{map, zip, zip_to_both};
pub(crate) use halves::{larger_half, to_halves};
pub use host_numbers::{Float, HostNumbers};
pub use memory::{Numbers, is_on_host, is_processor, ran_fused};
pub(crate) use product::{affine, product};
pub(crate) use row_sums::sums_of_rows;
pub use vectorized::vectorized;
