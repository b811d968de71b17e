//! Matrix products of a step.
//!
//! A product is computed in tiles of a few rows and a few vectors of columns, which stay in registers while the depth
//! is walked through. Each result is a sum in the order of the depth, so its bits depend neither on the length of the
//! vectors nor on the tiles.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::elementwise::{Loop, Run};
use crate::real::Real;

/// Columns of every matrix but the inputs are padded to a multiple of this: the longest vector.
pub(super) const PADDING: usize = 16;

/// Numbers from one row to the next for rows of so many numbers.
///
/// Long rows have an odd number of paddings: rows that are a power of two apart would share few places of the cache.
pub(super) fn stride_of(size: usize) -> usize {
    let paddings = size.div_ceil(PADDING);
    match paddings {
        8.. => (paddings | 1) * PADDING,
        _ => paddings * PADDING,
    }
}

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

/// Multiplications of a product from which on several threads are worth their start.
const WORTH_THREADS: usize = 2_000_000;

/// How many threads share so many multiplications.
pub(super) fn num_threads(num_multiplications: usize) -> usize {
    match num_multiplications {
        WORTH_THREADS.. => rayon::current_num_threads(),
        _ => 1,
    }
}

impl<T: Real> Product<'_, T> {
    /// Computes the product, its rows shared among the threads if it is large.
    pub(super) fn run_shared(self, arch: Arch) {
        let num_threads = num_threads(self.num_rows * self.depth * self.num_columns);
        if num_threads == 1 {
            return self.run(arch);
        }
        let rows_each = self.num_rows.div_ceil(num_threads).next_multiple_of(8);
        let (a, b, start) = (self.a, self.b, self.start);
        let parts = self.out.par_chunks_mut(rows_each * self.out_stride);
        parts.enumerate().for_each(|(index, out)| {
            let first = index * rows_each;
            Product {
                a: Matrix {
                    numbers: &a.numbers[first * a.stride..],
                    stride: a.stride,
                },
                b,
                start,
                out,
                out_stride: self.out_stride,
                num_rows: rows_each.min(self.num_rows - first),
                depth: self.depth,
                num_columns: self.num_columns,
            }
            .run(arch);
        });
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
    /// Adds the products of a tile of `M` rows and `N` vectors of columns to its sums, for a part of the depth.
    fn tile<S: Simd, T: Real, const M: usize, const N: usize>(
        simd: S,
        a: Matrix<'_, T>,
        b: Matrix<'_, T>,
        part: Range<usize>,
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
        part: Range<usize>,
        row: usize,
        column: usize,
        mut sums: [[T::Vector<S>; N]; M],
    ) -> [[T::Vector<S>; N]; M] {
        let depth = part.end - part.start;
        // Slices as long as the loop need no check of their bounds within it.
        let rows: [&[T]; M] =
            std::array::from_fn(|i| &a.numbers[(row + i) * a.stride + part.start..][..depth]);
        let width = N * T::lanes::<S>();
        let b_rows = b.numbers[part.start * b.stride..].chunks_exact(b.stride);
        for (k, b_row) in (0..depth).zip(b_rows) {
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
        part: Range<usize>,
        row: usize,
        column: usize,
        mut sums: [[T::Vector<S>; N]; M],
    ) -> [[T::Vector<S>; N]; M] {
        let width = N * T::lanes::<S>();
        let a_rows = a.numbers[part.start * a.stride..].chunks(a.stride);
        let b_rows = b.numbers[part.start * b.stride..].chunks_exact(b.stride);
        for (a_row, b_row) in a_rows.zip(b_rows).take(part.len()) {
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

/// Rows of the right factor that are walked through at once: three vectors of each fit the first-level cache.
const DEPTH: usize = 128;

/// All tiles of a product.
#[inline(always)]
fn tiles<S: Simd, T: Real, L: Left>(simd: S, mut product: Product<'_, T>) {
    let depth = product.depth;
    for first in (0..depth.max(1)).step_by(DEPTH) {
        let part = first..(first + DEPTH).min(depth);
        // With 32 registers a tile has 24 sums, with 16 registers 12.
        if S::REGISTER_COUNT >= 32 {
            columns_of_tiles::<S, T, L, 8, 3>(simd, &mut product, part);
        } else {
            columns_of_tiles::<S, T, L, 6, 2>(simd, &mut product, part);
        }
    }
}

/// The tiles of `M` rows and at most `N` vectors of columns. Tiles one below the other share their columns of the right
/// factor, which stay in the cache.
#[inline(always)]
fn columns_of_tiles<S: Simd, T: Real, L: Left, const M: usize, const N: usize>(
    simd: S,
    product: &mut Product<'_, T>,
    part: Range<usize>,
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
            1 => column_of_tiles::<S, T, L, M, 1>(simd, product, column, part.clone()),
            2 => column_of_tiles::<S, T, L, M, 2>(simd, product, column, part.clone()),
            _ => column_of_tiles::<S, T, L, M, N>(simd, product, column, part.clone()),
        }
        left -= width;
        column += width * lanes;
    }
}

/// The tiles of `N` vectors of columns, one below the other: of `M` rows each, and smaller ones at the end.
#[inline(always)]
fn column_of_tiles<S: Simd, T: Real, L: Left, const M: usize, const N: usize>(
    simd: S,
    product: &mut Product<'_, T>,
    column: usize,
    part: Range<usize>,
) {
    let num_rows = product.num_rows;
    let mut row = 0;
    while row + M <= num_rows {
        one_tile::<S, T, L, M, N>(simd, product, row, column, part.clone());
        row += M;
    }
    while row + 4 <= num_rows {
        one_tile::<S, T, L, 4, N>(simd, product, row, column, part.clone());
        row += 4;
    }
    while row < num_rows {
        one_tile::<S, T, L, 1, N>(simd, product, row, column, part.clone());
        row += 1;
    }
}

/// One tile, from its start to its result.
#[inline(always)]
fn one_tile<S: Simd, T: Real, L: Left, const M: usize, const N: usize>(
    simd: S,
    product: &mut Product<'_, T>,
    row: usize,
    column: usize,
    part: Range<usize>,
) {
    let width = N * T::lanes::<S>();
    let stride = product.out_stride;
    let first = |numbers: &[T]| -> [T::Vector<S>; N] {
        let (vectors, _) = T::as_vectors::<S>(&numbers[column..column + width]);
        std::array::from_fn(|n| vectors[n])
    };
    // Later parts of the depth are added to the result of the first.
    let start = match part.start {
        0 => product.start,
        _ => Start::Result,
    };
    let sums: [[T::Vector<S>; N]; M] = match start {
        Start::Zero => [[T::splat(simd, T::ZERO); N]; M],
        Start::Row(numbers) => [first(numbers); M],
        Start::Result => std::array::from_fn(|i| first(&product.out[(row + i) * stride..])),
    };
    let sums = L::tile(simd, product.a, product.b, part, row, column, sums);
    for (i, sums) in sums.into_iter().enumerate() {
        let out = &mut product.out[(row + i) * stride + column..][..width];
        let (vectors, _) = T::as_vectors_mut::<S>(out);
        for (vector, sum) in vectors.iter_mut().zip(sums) {
            *vector = sum;
        }
    }
}

/// The transposed matrix: `out[j][i] = a[i][j]`, for `num_rows` rows and `num_columns` columns of `a`.
///
/// Rows and columns of both may be read and written up to their padding.
pub(super) fn transpose<T: Real>(
    arch: Arch,
    a: Matrix<'_, T>,
    num_rows: usize,
    num_columns: usize,
    out: &mut [T],
    out_stride: usize,
) {
    arch.dispatch(Loop(
        #[inline(always)]
        || {
            for i in (0..num_rows).step_by(BLOCK) {
                for j in (0..num_columns).step_by(BLOCK) {
                    transpose_block(a, num_rows, num_columns, i, j, out, out_stride);
                }
            }
        },
    ));
}

/// Rows and columns that are transposed at once.
const BLOCK: usize = 8;

#[inline(always)]
fn transpose_block<T: Real>(
    a: Matrix<'_, T>,
    num_rows: usize,
    num_columns: usize,
    i: usize,
    j: usize,
    out: &mut [T],
    out_stride: usize,
) {
    let mut block = [[T::ZERO; BLOCK]; BLOCK];
    for (k, row) in block.iter_mut().enumerate().take(num_rows - i) {
        row.copy_from_slice(&a.numbers[(i + k) * a.stride + j..][..BLOCK]);
    }
    for k in 0..BLOCK.min(num_columns - j) {
        let mut column = [T::ZERO; BLOCK];
        for (x, row) in column.iter_mut().zip(&block) {
            *x = row[k];
        }
        out[(j + k) * out_stride + i..][..BLOCK].copy_from_slice(&column);
    }
}
