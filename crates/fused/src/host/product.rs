//! Matrix products of a step.
//!
//! A product is computed in tiles of a few rows and a few vectors of columns, which stay in registers while the depth
//! is walked through. Each result is a sum in the order of the depth, so its bits depend neither on the length of the
//! vectors nor on the tiles.

use pulp::{Arch, Simd, WithSimd};

use crate::real::Real;

/// Columns of every matrix but the inputs are padded to a multiple of this: the longest vector.
pub(super) const PADDING: usize = 16;

/// A matrix, row by row.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a, T> {
    pub(super) numbers: &'a [T],
    /// Numbers from one row to the next.
    pub(super) stride: usize,
}

/// The first number of each sum.
#[derive(Clone, Copy)]
pub(super) enum Start<'a, T> {
    /// Zero.
    Zero,
    /// The same row for all rows of the result.
    Row(&'a [T]),
    /// The result as it is: the product is added to it.
    Result,
}

/// `out = start + a b`.
///
/// # Shapes
/// - `a`: `[num_rows, depth]`
/// - `b`: `[depth, num_columns]`, padded
/// - `out`: `[num_rows, num_columns]`, padded
pub(super) struct Product<'a, T> {
    pub(super) a: Matrix<'a, T>,
    pub(super) b: Matrix<'a, T>,
    pub(super) start: Start<'a, T>,
    pub(super) out: &'a mut [T],
    pub(super) out_stride: usize,
    pub(super) num_rows: usize,
    pub(super) depth: usize,
    pub(super) num_columns: usize,
}

/// `out = start + aᵀ b`.
///
/// # Shapes
/// - `a`: `[depth, num_rows]`
/// - `b` and `out`: as in [`Product`]
pub(super) struct TransposedProduct<'a, T>(pub(super) Product<'a, T>);

impl<T: Real> Product<'_, T> {
    pub(super) fn run(self, arch: Arch) {
        arch.dispatch(self);
    }
}

impl<T: Real> TransposedProduct<'_, T> {
    pub(super) fn run(self, arch: Arch) {
        arch.dispatch(self);
    }
}

impl<T: Real> WithSimd for Product<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        tiles::<S, T, Rows>(simd, self);
    }
}

impl<T: Real> WithSimd for TransposedProduct<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        tiles::<S, T, Columns>(simd, self.0);
    }
}

/// How the left factor is read.
trait Left {
    /// Adds the products of a tile of `M` rows and `N` vectors of columns to its sums.
    fn tile<S: Simd, T: Real, const M: usize, const N: usize>(
        simd: S,
        a: Matrix<'_, T>,
        b: Matrix<'_, T>,
        depth: usize,
        row: usize,
        column: usize,
        sums: [[T::Vector<S>; N]; M],
    ) -> [[T::Vector<S>; N]; M];
}

/// Row by row.
struct Rows;

/// Column by column: the factor is transposed.
struct Columns;

impl Left for Rows {
    #[inline(always)]
    fn tile<S: Simd, T: Real, const M: usize, const N: usize>(
        simd: S,
        a: Matrix<'_, T>,
        b: Matrix<'_, T>,
        depth: usize,
        row: usize,
        column: usize,
        mut sums: [[T::Vector<S>; N]; M],
    ) -> [[T::Vector<S>; N]; M] {
        let rows: [&[T]; M] = std::array::from_fn(|i| &a.numbers[(row + i) * a.stride..][..depth]);
        let width = N * T::lanes::<S>();
        for (k, b_row) in (0..depth).zip(b.numbers.chunks(b.stride)) {
            let (vectors, _) = T::as_vectors::<S>(&b_row[column..column + width]);
            let vectors: [T::Vector<S>; N] = std::array::from_fn(|n| vectors[n]);
            for (row, sums) in rows.iter().zip(&mut sums) {
                let factor = T::splat(simd, row[k]);
                for (sum, vector) in sums.iter_mut().zip(vectors) {
                    *sum = T::mul_add(simd, factor, vector, *sum);
                }
            }
        }
        sums
    }
}

impl Left for Columns {
    #[inline(always)]
    fn tile<S: Simd, T: Real, const M: usize, const N: usize>(
        simd: S,
        a: Matrix<'_, T>,
        b: Matrix<'_, T>,
        depth: usize,
        row: usize,
        column: usize,
        mut sums: [[T::Vector<S>; N]; M],
    ) -> [[T::Vector<S>; N]; M] {
        let width = N * T::lanes::<S>();
        let a_rows = a.numbers.chunks(a.stride);
        for (a_row, b_row) in a_rows.zip(b.numbers.chunks(b.stride)).take(depth) {
            let (vectors, _) = T::as_vectors::<S>(&b_row[column..column + width]);
            let vectors: [T::Vector<S>; N] = std::array::from_fn(|n| vectors[n]);
            for (x, sums) in a_row[row..row + M].iter().zip(&mut sums) {
                let factor = T::splat(simd, *x);
                for (sum, vector) in sums.iter_mut().zip(vectors) {
                    *sum = T::mul_add(simd, factor, vector, *sum);
                }
            }
        }
        sums
    }
}

/// All tiles of a product.
#[inline(always)]
fn tiles<S: Simd, T: Real, L: Left>(simd: S, mut product: Product<'_, T>) {
    let num_rows = product.num_rows;
    let mut row = 0;
    // With 32 registers a tile has 24 sums, with 16 registers 12.
    if S::REGISTER_COUNT >= 32 {
        while row + 8 <= num_rows {
            row_of_tiles::<S, T, L, 8, 3>(simd, &mut product, row);
            row += 8;
        }
        while row + 4 <= num_rows {
            row_of_tiles::<S, T, L, 4, 4>(simd, &mut product, row);
            row += 4;
        }
    } else {
        while row + 4 <= num_rows {
            row_of_tiles::<S, T, L, 4, 3>(simd, &mut product, row);
            row += 4;
        }
    }
    while row < num_rows {
        row_of_tiles::<S, T, L, 1, 4>(simd, &mut product, row);
        row += 1;
    }
}

/// The tiles of `M` rows, at most `N` vectors of columns wide.
#[inline(always)]
fn row_of_tiles<S: Simd, T: Real, L: Left, const M: usize, const N: usize>(
    simd: S,
    product: &mut Product<'_, T>,
    row: usize,
) {
    let lanes = T::lanes::<S>();
    let mut left = product.num_columns.div_ceil(lanes);
    let mut column = 0;
    while left > 0 {
        // Two tiles of similar widths are faster than a wide one and a single vector.
        let width = match left {
            _ if left <= N => left,
            _ if left < 2 * N => left.div_ceil(2),
            _ => N,
        };
        match width {
            1 => one_tile::<S, T, L, M, 1>(simd, product, row, column),
            2 => one_tile::<S, T, L, M, 2>(simd, product, row, column),
            3 => one_tile::<S, T, L, M, 3>(simd, product, row, column),
            _ => one_tile::<S, T, L, M, N>(simd, product, row, column),
        }
        left -= width;
        column += width * lanes;
    }
}

/// One tile, from its start to its result.
#[inline(always)]
fn one_tile<S: Simd, T: Real, L: Left, const M: usize, const N: usize>(
    simd: S,
    product: &mut Product<'_, T>,
    row: usize,
    column: usize,
) {
    let width = N * T::lanes::<S>();
    let stride = product.out_stride;
    let first = |numbers: &[T]| -> [T::Vector<S>; N] {
        let (vectors, _) = T::as_vectors::<S>(&numbers[column..column + width]);
        std::array::from_fn(|n| vectors[n])
    };
    let sums: [[T::Vector<S>; N]; M] = match product.start {
        Start::Zero => [[T::splat(simd, T::ZERO); N]; M],
        Start::Row(numbers) => [first(numbers); M],
        Start::Result => std::array::from_fn(|i| first(&product.out[(row + i) * stride..])),
    };
    let sums = L::tile(simd, product.a, product.b, product.depth, row, column, sums);
    for (i, sums) in sums.into_iter().enumerate() {
        let out = &mut product.out[(row + i) * stride + column..][..width];
        let (vectors, _) = T::as_vectors_mut::<S>(out);
        for (vector, sum) in vectors.iter_mut().zip(sums) {
            *vector = sum;
        }
    }
}

/// The transposed matrix: `out[j][i] = a[i][j]`, for `num_rows` rows and `num_columns` columns of `a`.
pub(super) fn transpose<T: Copy>(
    a: Matrix<'_, T>,
    num_rows: usize,
    num_columns: usize,
    out: &mut [T],
    out_stride: usize,
) {
    for (i, row) in a.numbers.chunks(a.stride).take(num_rows).enumerate() {
        for (out, x) in out[i..]
            .iter_mut()
            .step_by(out_stride)
            .zip(&row[..num_columns])
        {
            *out = *x;
        }
    }
}
