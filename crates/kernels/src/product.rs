//! Products of matrices.

use burn::tensor::{Tensor, module};

use crate::host;

/// The matrix product `a b`, or one for each two matrices of two batches.
///
/// # Shapes
/// - `a`: `[…, m, k]`
/// - `b`: `[…, k, n]`
/// - result: `[…, m, n]`
pub fn product<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> Tensor<D> {
    host::product(a, b).unwrap_or_else(|(a, b)| a.matmul(b))
}

/// A fully connected layer: `x weight`, with the bias added to every row if there is one.
///
/// # Shapes
/// - `x`: `[num_rows, d_input]`
/// - `weight`: `[d_input, d_output]`
/// - `bias`: `[d_output]`
/// - result: `[num_rows, d_output]`
pub fn affine(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    match bias {
        Some(bias) => host::affine(x, weight, bias)
            .unwrap_or_else(|(x, weight, bias)| module::linear(x, weight, Some(bias))),
        None => product(x, weight),
    }
}

/// [`affine`] for several layers at once, each with inputs of its own.
///
/// # Shapes
/// - `x`: `[num_layers, num_rows, d_input]`
/// - `weight`: `[num_layers, d_input, d_output]`
/// - `bias`: `[num_layers, 1, d_output]`
/// - result: `[num_layers, num_rows, d_output]`
pub fn batched_affine(x: Tensor<3>, weight: Tensor<3>, bias: Option<Tensor<3>>) -> Tensor<3> {
    match bias {
        Some(bias) => host::affine(x, weight, bias)
            .unwrap_or_else(|(x, weight, bias)| x.matmul(weight) + bias),
        None => product(x, weight),
    }
}
