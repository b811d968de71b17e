//! [`crate::map`], [`crate::zip`] and [`crate::zip_to_both`] on the host.

use burn::tensor::Tensor;

use super::{Numbers, is_on_host, vectorized};
use crate::Pair;

/// `f(x)` of each number.
///
/// # Errors
/// `x`, unless it is on the host.
pub(crate) fn map<const D: usize>(
    x: Tensor<D>,
    f: impl Fn(f32) -> f32,
) -> Result<Tensor<D>, Tensor<D>> {
    if !is_on_host(&x) {
        return Err(x);
    }
    let mut x = Numbers::take(x);
    let numbers = x.as_mut_slice();
    vectorized(
        #[inline(always)]
        move || {
            for x in numbers.iter_mut() {
                *x = f(*x);
            }
        },
    );
    Ok(x.into_tensor())
}

/// `f(x, y)` of each two numbers, written in the memory of `x` if nothing shares that.
///
/// # Errors
/// The tensors, unless both are on the host and of one shape.
pub(crate) fn zip<const D: usize>(
    x: Tensor<D>,
    y: Tensor<D>,
    f: impl Fn(f32, f32) -> f32,
) -> Result<Tensor<D>, Pair<D>> {
    if !are_alike_on_host(&x, &y) {
        return Err((x, y));
    }
    let (mut x, y) = (Numbers::take(x), Numbers::take(y));
    let (numbers, others) = (x.as_mut_slice(), y.as_slice());
    vectorized(
        #[inline(always)]
        move || {
            for (x, &y) in numbers.iter_mut().zip(others) {
                *x = f(*x, y);
            }
        },
    );
    Ok(x.into_tensor())
}

/// [`zip`] for a function of two results.
///
/// # Errors
/// As [`zip`].
pub(crate) fn zip_to_both<const D: usize>(
    x: Tensor<D>,
    y: Tensor<D>,
    f: impl Fn(f32, f32) -> (f32, f32),
) -> Result<Pair<D>, Pair<D>> {
    if !are_alike_on_host(&x, &y) {
        return Err((x, y));
    }
    let (mut x, mut y) = (Numbers::take(x), Numbers::take(y));
    let (numbers, others) = (x.as_mut_slice(), y.as_mut_slice());
    vectorized(
        #[inline(always)]
        move || {
            for (x, y) in numbers.iter_mut().zip(others.iter_mut()) {
                (*x, *y) = f(*x, *y);
            }
        },
    );
    Ok((x.into_tensor(), y.into_tensor()))
}

fn are_alike_on_host<const D: usize>(x: &Tensor<D>, y: &Tensor<D>) -> bool {
    is_on_host(x) && is_on_host(y) && x.dims() == y.dims()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device};

    use super::*;

    fn numbers<const D: usize>(x: &Tensor<D>) -> Vec<f32> {
        x.to_data().try_to_vec().expect("f32")
    }

    #[test]
    fn results_leave_a_tensor_that_shares_the_numbers_as_it_was() {
        let x = Tensor::<2>::from_data([[1.0, 2.0], [3.0, 4.0]], &Device::flex());
        let other = x.clone();
        let halves = map(x, |x| x / 2.0).expect("on the host");
        assert_eq!(numbers(&halves), [0.5, 1.0, 1.5, 2.0]);
        assert_eq!(numbers(&other), [1.0, 2.0, 3.0, 4.0]);
        let (sums, products) =
            zip_to_both(other.clone(), other.clone(), |x, y| (x + y, x * y)).expect("on the host");
        assert_eq!(numbers(&sums), [2.0, 4.0, 6.0, 8.0]);
        assert_eq!(numbers(&products), [1.0, 4.0, 9.0, 16.0]);
        assert_eq!(numbers(&other), [1.0, 2.0, 3.0, 4.0]);
    }

    #[test]
    fn tensors_that_are_not_on_the_host_or_not_alike_are_given_back() {
        let device = Device::flex();
        let plain = Tensor::<1>::from_data([1.0], (&device, DType::F32));
        let tracked = Tensor::<1>::from_data([1.0], (&device.clone().autodiff(), DType::F32));
        let precise = Tensor::<1>::from_data([1.0], (&device, DType::F64));
        for other in [tracked, precise] {
            assert!(map(other.clone(), |x| x).is_err());
            assert!(zip(other.clone(), other, |x, _| x).is_err());
        }
        let longer = Tensor::<1>::from_data([1.0, 2.0], (&device, DType::F32));
        assert!(zip(plain, longer, |x, _| x).is_err());
    }
}
