//! [`crate::product`] and [`crate::affine`] on the host.

use std::hint::black_box;

use burn::tensor::Tensor;
use burn_flex::FlexTensor;
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use pulp::{Arch, Simd, WithSimd};

use super::memory::{Numbers, is_on_host, primitive};
use crate::Pair;

/// From this many multiplications on, starting several threads pays: flex shares the work among them.
const WORTH_THREADS: usize = 2_000_000;

/// With fewer columns than this, the rows of a result do not fill vector instructions.
const FEW_COLUMNS: usize = 4;

/// [`crate::product`].
///
/// # Errors
/// The tensors, unless both are on the host and their shapes fit; also large ones, if there are threads to share
/// the work.
pub(crate) fn product<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> Result<Tensor<D>, Pair<D>> {
    let Some(sizes) = Sizes::of(&a, &b) else {
        return Err((a, b));
    };
    let zeros = vec![0.0; sizes.num_matrices * sizes.length()];
    Ok(sizes.products(a, b, Accum::Replace, zeros))
}

/// Inputs, weight and bias of a layer.
type AffineParts<const D: usize, const E: usize> = (Tensor<D>, Tensor<D>, Tensor<E>);

/// [`crate::affine`] with a bias, and [`crate::batched_affine`].
///
/// # Shapes
/// - `x`: `[…, m, k]`
/// - `weight`: `[…, k, n]`
/// - `bias`: `[n]`, or `[…, n]` with one row for each matrix
/// - result: `[…, m, n]`
///
/// # Errors
/// As [`product`].
pub(crate) fn affine<const D: usize, const E: usize>(
    x: Tensor<D>,
    weight: Tensor<D>,
    bias: Tensor<E>,
) -> Result<Tensor<D>, AffineParts<D, E>> {
    let sizes = Sizes::of(&x, &weight).filter(|sizes| {
        let dims = bias.dims();
        is_on_host(&bias)
            && dims.last() == Some(&sizes.num_columns)
            && dims.iter().rev().skip(1).product::<usize>() == sizes.num_matrices
    });
    let Some(sizes) = sizes else {
        return Err((x, weight, bias));
    };
    let mut biases = Vec::with_capacity(sizes.num_matrices * sizes.length());
    for row in Numbers::take(bias)
        .as_slice()
        .chunks(sizes.num_columns.max(1))
    {
        append_rows(&mut biases, row, sizes.num_rows);
    }
    Ok(sizes.products(x, weight, Accum::Add, biases))
}

/// Appends a row a number of times. Each copy is twice as long as the one before.
pub(super) fn append_rows(numbers: &mut Vec<f32>, row: &[f32], times: usize) {
    let start = numbers.len();
    let end = start + row.len() * times;
    numbers.extend_from_slice(&row[..row.len() * times.min(1)]);
    while numbers.len() < end {
        let next = (end - numbers.len()).min(numbers.len() - start);
        numbers.extend_from_within(start..start + next);
    }
}

/// The sizes of the products of a batch of matrices.
struct Sizes {
    num_matrices: usize,
    num_rows: usize,
    num_columns: usize,
}

impl Sizes {
    /// The sizes for tensors on the host that fit, unless threads should share the work.
    fn of<const D: usize>(a: &Tensor<D>, b: &Tensor<D>) -> Option<Self> {
        let (of_a, of_b) = (a.dims(), b.dims());
        let ([batch @ .., num_rows, depth], [batch_of_b @ .., depth_of_b, num_columns]) =
            (of_a.as_slice(), of_b.as_slice())
        else {
            return None;
        };
        let num_matrices = batch.iter().product();
        let fits = batch == batch_of_b && depth == depth_of_b && is_on_host(a) && is_on_host(b);
        let work = num_matrices * num_rows * depth * num_columns;
        let is_shared_out = work >= WORTH_THREADS && rayon::current_num_threads() > 1;
        (fits && !is_shared_out).then_some(Self {
            num_matrices,
            num_rows: *num_rows,
            num_columns: *num_columns,
        })
    }

    /// The number of numbers in each result.
    fn length(&self) -> usize {
        self.num_rows * self.num_columns
    }

    /// The product of each two matrices. It replaces `results`, or is added to them, where all rows of one matrix are
    /// alike.
    fn products<const D: usize>(
        &self,
        a: Tensor<D>,
        b: Tensor<D>,
        accumulate: Accum,
        mut results: Vec<f32>,
    ) -> Tensor<D> {
        let mut shape = a.dims();
        shape[D - 1] = self.num_columns;
        let (a, b) = (Matrices::take(a), Matrices::take(b));
        for (i, result) in results.chunks_mut(self.length().max(1)).enumerate() {
            multiply(a.get(i), b.get(i), accumulate, result);
        }
        clear_upper_halves();
        Numbers::new(results, shape).into_tensor()
    }
}

/// The product of two matrices. It replaces `result`, row by row, or is added to it, where all its rows are alike.
pub(super) fn multiply(a: MatRef<f32>, b: MatRef<f32>, accumulate: Accum, result: &mut [f32]) {
    let (num_rows, num_columns) = (a.nrows(), b.ncols());
    if num_columns >= FEW_COLUMNS.min(num_rows) {
        let result = MatMut::from_row_major_slice_mut(result, num_rows, num_columns);
        matmul(result, accumulate, a, b, 1.0, Par::Seq);
        return;
    }
    // Few columns: vector instructions go along the columns of a transposed result.
    let mut transposed = vec![0.0; result.len()];
    for (column, &number) in transposed.chunks_mut(num_rows).zip(&*result) {
        column.fill(number);
    }
    let columns = MatMut::from_column_major_slice_mut(&mut transposed, num_rows, num_columns);
    matmul(columns, accumulate, a, b, 1.0, Par::Seq);
    for (j, column) in transposed.chunks(num_rows).enumerate() {
        for (row, &number) in result.chunks_mut(num_columns).zip(column) {
            row[j] = number;
        }
    }
}

/// Clears the upper halves of the vector registers.
///
/// faer's products leave them filled (private-gemm-x86 0.1.22). Until they are cleared, Intel's processors since Ice
/// Lake take 230 ns instead of 7 for each `exp` or `tanh` of the C library, which mix two kinds of vector instructions.
/// The compiler clears them at the end of every function that uses wide vectors, and so at the end of this one.
pub(super) fn clear_upper_halves() {
    struct OneWideVector;
    impl WithSimd for OneWideVector {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            black_box(simd.splat_f32s(black_box(1.0)));
        }
    }
    Arch::new().dispatch(OneWideVector);
}

/// The numbers of a batch of matrices, each row by row or column by column.
struct Matrices {
    numbers: FlexTensor,
    num_rows: usize,
    num_columns: usize,
    is_by_columns: bool,
}

impl Matrices {
    /// The matrices of a tensor that is on the host.
    fn take<const D: usize>(x: Tensor<D>) -> Self {
        let dims = x.dims();
        let (num_rows, num_columns) = (dims[D - 2], dims[D - 1]);
        let x = primitive(x);
        let transposed = x.transpose(D - 2, D - 1);
        let is_by_columns = !x.is_contiguous() && transposed.is_contiguous();
        let numbers = match is_by_columns {
            true => transposed,
            // This may be a part of a larger tensor. It is copied only if there are gaps between its rows.
            false if x.is_contiguous() => x,
            false => x.to_contiguous(),
        };
        Self {
            numbers,
            num_rows,
            num_columns,
            is_by_columns,
        }
    }

    fn get(&self, index: usize) -> MatRef<'_, f32> {
        let length = self.num_rows * self.num_columns;
        let numbers = self.numbers.as_slice().unwrap_or_default();
        let numbers = &numbers[index * length..][..length];
        match self.is_by_columns {
            true => MatRef::from_column_major_slice(numbers, self.num_rows, self.num_columns),
            false => MatRef::from_row_major_slice(numbers, self.num_rows, self.num_columns),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::testing::{numbers, tensor};

    #[test]
    fn products_of_all_shapes_and_memory_orders_equal_burns() {
        for count in [1, 3] {
            for m in [0, 1, 3, 33] {
                for k in [0, 1, 5, 600] {
                    for n in [0, 1, 2, 3, 17] {
                        let (a, b) = (tensor([count, m, k], 3), tensor([count, k, n], 5));
                        let transposed =
                            |x: &Tensor<3>| x.clone().transpose().mul_scalar(1.0).transpose();
                        let expected = match k {
                            0 => vec![0.0; count * m * n],
                            _ => numbers(&a.clone().matmul(b.clone())),
                        };
                        let bias = tensor([count, 1, n], 2);
                        let biased: Vec<f32> = expected
                            .iter()
                            .enumerate()
                            .map(|(i, x)| x + numbers(&bias)[i / (m * n) * n + i % n])
                            .collect();
                        for a in [a.clone(), transposed(&a)] {
                            for b in [b.clone(), transposed(&b)] {
                                let ours = product(a.clone(), b.clone()).expect("it fits");
                                assert_eq!(ours.dims(), [count, m, n]);
                                assert_eq!(numbers(&ours), expected);
                                let ours = affine(a.clone(), b, bias.clone()).expect("it fits");
                                assert_eq!(numbers(&ours), biased);
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn products_of_slices_equal_burns() {
        let (a, b) = (tensor([6, 8], 3), tensor([8, 4], 5));
        let part = |x: Tensor<2>| x.slice([2..5, 1..4]);
        let expected = part(a.clone()).matmul(part(b.clone()));
        let ours = product(part(a), part(b)).expect("it fits");
        assert_eq!(numbers(&ours), numbers(&expected));
    }

    #[test]
    fn matrices_that_do_not_fit_are_given_back() {
        let a = tensor([2, 3], 1);
        assert!(product(a.clone(), tensor([2, 3], 1)).is_err());
        assert!(affine(a.clone(), tensor([3, 4], 1), tensor([3], 1)).is_err());
        assert!(product(tensor([2, 2, 3], 1), tensor([1, 3, 2], 1)).is_err());
        let precise = a.cast(burn::tensor::DType::F64);
        assert!(product(precise.clone(), precise.transpose()).is_err());
    }
}
