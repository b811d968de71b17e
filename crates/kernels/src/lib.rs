//! Products and single passes over tensors in the host's memory, where tensor operations take longer.
//!
//! A tensor of the flex device is a buffer of this process: to take its numbers out and to make a tensor of
//! them again copies nothing. What a small network spends most of its time on, walking short rows again and
//! again and dispatching each walk, then becomes one loop that the compiler turns into vector instructions.
//!
//! Tensors that lie elsewhere, carry gradients or are not of f32 are given back as `Err`, for tensor operations
//! to do the same: `host::map(x, f).unwrap_or_else(|x| …)`. Both give the same numbers but for rounding.

// What is given back are tensors, which are large.
#![allow(clippy::result_large_err)]

mod functions;
mod numbers;
mod product;
mod rows;

pub use functions::{exp, ln_1p, sigmoid, tanh};
pub use numbers::{Numbers, holds, map, zip, zip_to_both};
pub use product::{affine, product};
pub use rows::sums_of_rows;
