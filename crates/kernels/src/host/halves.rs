//! [`crate::larger_half`] and [`crate::to_halves`] on the host.

use burn::tensor::{Bool, Tensor, TensorData};
use burn_flex::Flex;

use super::{Numbers, is_on_host, vectorized};

/// [`crate::larger_half`].
///
/// # Errors
/// `x`, unless it is on the host.
pub(crate) fn larger_half(x: Tensor<2>) -> Result<(Tensor<2>, Tensor<2, Bool>), Tensor<2>> {
    if !is_on_host(&x) {
        return Err(x);
    }
    let [num_rows, width] = x.dims();
    let (device, half) = (x.device(), width / 2);
    let x = Numbers::take(x);
    let mut larger = Vec::with_capacity(num_rows * half);
    let mut is_second = Vec::with_capacity(num_rows * half);
    for row in x.as_slice().chunks(width.max(1)) {
        let (first, second) = row.split_at(half);
        let both = || first.iter().zip(second);
        let takes_second = |a: f32, b: f32| a < b || b.is_nan();
        larger.extend(both().map(|(&a, &b)| if takes_second(a, b) { b } else { a }));
        is_second.extend(both().map(|(&a, &b)| takes_second(a, b)));
    }
    let shape = [num_rows, half];
    let is_second = TensorData::new(is_second, shape);
    let larger = Numbers::new(larger, shape).into_tensor();
    Ok((larger, Tensor::from_data(is_second, &device)))
}

/// [`crate::to_halves`].
///
/// # Errors
/// The tensors, unless the numbers are on the host.
pub(crate) fn to_halves(
    x: Tensor<2>,
    is_second: Tensor<2, Bool>,
) -> Result<Tensor<2>, (Tensor<2>, Tensor<2, Bool>)> {
    if !is_on_host(&x) || x.dims() != is_second.dims() {
        return Err((x, is_second));
    }
    let [num_rows, half] = x.dims();
    let is_second = match is_second.try_into_primitive::<Flex>() {
        Ok(is_second) => is_second.to_contiguous(),
        Err(error) => unreachable!("its numbers are on the host: {error:?}"),
    };
    let x = Numbers::take(x);
    let mut halves = vec![0.0; 2 * num_rows * half];
    let (numbers, choices) = (x.as_slice(), is_second.storage::<u8>());
    let (places, half_width) = (halves.as_mut_slice(), half.max(1));
    vectorized(
        #[inline(always)]
        move || {
            let rows = numbers.chunks(half_width).zip(choices.chunks(half_width));
            for (halves, (numbers, choices)) in places.chunks_mut(2 * half_width).zip(rows) {
                let (first, second) = halves.split_at_mut(half);
                let both = first.iter_mut().zip(second);
                for ((&x, &choice), (first, second)) in numbers.iter().zip(choices).zip(both) {
                    *first = if choice == 0 { x } else { 0.0 };
                    *second = if choice == 0 { 0.0 } else { x };
                }
            }
        },
    );
    Ok(Numbers::new(halves, [num_rows, 2 * half]).into_tensor())
}
