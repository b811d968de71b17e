//! [`crate::sum_of_rows`] and [`crate::batched_sum_of_rows`] on the host.

use burn::tensor::Tensor;

use super::{Numbers, is_on_host, vectorized};

/// The number of numbers that are added at once, at least: rows of two or ten are too short for vector instructions.
const WIDTH: usize = 64;

/// The number of rows that have at least [`WIDTH`] numbers.
pub(super) fn rows_at_once(num_columns: usize) -> usize {
    WIDTH.div_ceil(num_columns)
}

/// The sum of all rows, or of the rows of each group.
///
/// # Shapes
/// - `x`: `[…, num_columns]`
/// - `shape`, of the result: `[num_columns]`, or `[num_groups, …, num_columns]` for groups of equally many
///   neighbouring rows
///
/// Returns `None` unless the tensor is on the host and the shape fits.
pub(crate) fn sums_of_rows<const D: usize, const E: usize>(
    x: &Tensor<D>,
    shape: [usize; E],
) -> Option<Tensor<E>> {
    let groups = Groups::of(x, &shape)?;
    let x = Numbers::take(x.clone());
    let mut sums = vec![0.0; shape.iter().product()];
    let mut wide = vec![0.0; groups.num_columns * rows_at_once(groups.num_columns)];
    let (numbers, results, wide) = (x.as_slice(), sums.as_mut_slice(), wide.as_mut_slice());
    vectorized(
        #[inline(always)]
        move || {
            let sums_of_groups = results.chunks_mut(groups.num_columns);
            for (group, sums) in numbers.chunks(groups.length).zip(sums_of_groups) {
                wide.fill(0.0);
                for numbers in group.chunks(wide.len()) {
                    for (sum, x) in wide.iter_mut().zip(numbers) {
                        *sum += x;
                    }
                }
                for row in wide.chunks(groups.num_columns) {
                    for (sum, x) in sums.iter_mut().zip(row) {
                        *sum += x;
                    }
                }
            }
        },
    );
    Some(Numbers::new(sums, shape).into_tensor())
}

/// Groups of rows.
struct Groups {
    num_columns: usize,
    /// The number of numbers in each group; at least one, also where there are no rows.
    length: usize,
}

impl Groups {
    /// The groups of a tensor on the host, if rows of this shape fit it.
    fn of<const D: usize>(x: &Tensor<D>, rows: &[usize]) -> Option<Self> {
        let num_columns = *x.dims().last()?;
        let num_groups = rows.iter().rev().skip(1).product::<usize>();
        let num_rows = x.dims().iter().rev().skip(1).product::<usize>();
        let fits = rows.last() == Some(&num_columns)
            && num_columns > 0
            && num_groups > 0
            && num_rows.is_multiple_of(num_groups);
        (fits && is_on_host(x)).then(|| Self {
            num_columns,
            length: (num_rows / num_groups * num_columns).max(1),
        })
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    fn numbers<const D: usize>(x: &Tensor<D>) -> Vec<f32> {
        x.to_data().try_to_vec().expect("f32")
    }

    fn tensor<const D: usize>(numbers: &[f32], shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(numbers.to_vec(), shape), &Device::flex())
    }

    #[test]
    fn rows_of_every_length_are_summed() {
        for num_groups in [1, 3] {
            for num_rows in [0, 1, 3, 33, 700] {
                for num_columns in [1, 2, 3, 10, 63, 64, 65, 200] {
                    let length = num_rows * num_columns;
                    // Small integers: their sums are exact in any order.
                    let number = |i: usize| (i % 7) as f32;
                    let all: Vec<f32> = (0..num_groups * length).map(number).collect();
                    let shape = [num_groups, 1, num_columns];
                    let x = tensor(&all, [num_groups, num_rows, num_columns]);

                    let sums = sums_of_rows(&x, shape).expect("it fits");
                    assert_eq!(numbers(&x), all);
                    let mut expected = vec![0.0; num_groups * num_columns];
                    for (i, x) in all.iter().enumerate() {
                        expected[i / length * num_columns + i % num_columns] += x;
                    }
                    assert_eq!(numbers(&sums), expected);
                }
            }
        }
    }

    #[test]
    fn shapes_that_do_not_fit_have_no_sums() {
        let x = tensor(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [3, 2]);
        assert!(sums_of_rows(&x, [3]).is_none());
        assert!(sums_of_rows(&x, [2, 2]).is_none());
    }
}
