//! Functions of each number of a tensor, and of each two numbers of two tensors.

use burn::tensor::Tensor;

use crate::host;

/// Two tensors of one shape.
pub type Pair<const D: usize> = (Tensor<D>, Tensor<D>);

/// `f(x)` of each number.
///
/// The host kernel calls `fused` for each number, in a [vectorized](crate::vectorized) loop, and writes into the memory of
/// `x` if nothing shares that.
/// `operations` does the same by Burn's operations, for tensors that are not [on the host](crate::is_on_host).
///
/// # Shapes
/// - `x` and the result: any, the same
pub fn map<const D: usize>(
    x: Tensor<D>,
    fused: impl Fn(f32) -> f32,
    operations: impl FnOnce(Tensor<D>) -> Tensor<D>,
) -> Tensor<D> {
    host::map(x, fused).unwrap_or_else(operations)
}

/// `f(x, y)` of each two numbers.
///
/// The host kernel calls `fused` for each two numbers, in a vectorized loop, and writes into the memory of `x` if
/// nothing shares that.
/// `operations` does the same by Burn's operations, for tensors that are not [on the host](crate::is_on_host) or whose
/// shapes differ.
///
/// # Shapes
/// - `x`, `y` and the result: any, the same
pub fn zip<const D: usize>(
    x: Tensor<D>,
    y: Tensor<D>,
    fused: impl Fn(f32, f32) -> f32,
    operations: impl FnOnce(Tensor<D>, Tensor<D>) -> Tensor<D>,
) -> Tensor<D> {
    host::zip(x, y, fused).unwrap_or_else(|(x, y)| operations(x, y))
}

/// [`zip`] for a function of two results, each of which becomes a tensor.
///
/// # Shapes
/// - `x`, `y` and both results: any, the same
pub fn zip_to_both<const D: usize>(
    x: Tensor<D>,
    y: Tensor<D>,
    fused: impl Fn(f32, f32) -> (f32, f32),
    operations: impl FnOnce(Tensor<D>, Tensor<D>) -> Pair<D>,
) -> Pair<D> {
    host::zip_to_both(x, y, fused).unwrap_or_else(|(x, y)| operations(x, y))
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device};

    use super::*;
    use crate::ran_fused;

    #[test]
    fn burns_operations_run_for_tensors_that_are_not_on_the_host() {
        let device = Device::flex();
        let numbers = |x: Tensor<1>| x.into_data().iter::<f64>().collect::<Vec<_>>();
        for (options, expected) in [
            ((&device, DType::F32), "fused"),
            ((&device, DType::F64), "operations"),
            ((&device.clone().autodiff(), DType::F32), "operations"),
        ] {
            let x = || Tensor::<1>::from_data([1.0, 2.0], options);
            let number = if expected == "fused" { 1.0 } else { 2.0 };
            let ones = |x: Tensor<1>| x.ones_like();
            let twos = |x: Tensor<1>| ones(x).mul_scalar(2.0);
            let (found, is_fused) = ran_fused(|| map(x(), |_| 1.0, twos));
            assert_eq!(is_fused, expected == "fused");
            assert_eq!(numbers(found), [number; 2], "{expected}");
            let found = zip(x(), x(), |_, _| 1.0, |x, _| twos(x));
            assert_eq!(numbers(found), [number; 2], "{expected}");
            let (found, _) = zip_to_both(x(), x(), |_, _| (1.0, 1.0), |x, y| (twos(x), y));
            assert_eq!(numbers(found), [number; 2], "{expected}");
        }
    }
}
