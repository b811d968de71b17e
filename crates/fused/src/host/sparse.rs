//! Products with inputs that are mostly background.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::backward::sum_of_rows;
use super::buffer::Buffer;
use super::elementwise::{Loop, Run};
use super::layout::Layer;
use super::product::{Matrix, Product, Start, num_threads};
use super::rows::Rows;
use crate::foreground::{Difference, Foreground};
use crate::real::Real;

/// The memory of products with inputs that are mostly background.
#[derive(Debug, Default)]
pub(super) struct SparseWork<T> {
    /// What all samples share: the background's product, or the sum of the gradients of all outputs.
    shared: Buffer<T>,
    /// Where the numbers of each column of the inputs begin, and where the last ones end.
    starts: Vec<usize>,
    /// The numbers, column by column.
    differences: Vec<Difference<T>>,
}

/// The inputs of a tile, column by column.
#[derive(Clone, Copy)]
pub(super) struct SparseColumns<'a, T> {
    /// `[d_input]`
    background: &'a [T],
    starts: &'a [usize],
    differences: &'a [Difference<T>],
    /// The sum of the gradients of all outputs, `[stride]`.
    delta_sum: &'a [T],
}

impl<T: Real> SparseWork<T> {
    /// The products of a tile's inputs and a weight, with the bias.
    pub(super) fn forward(
        &mut self,
        arch: Arch,
        foreground: &Foreground<T>,
        samples: &Rows<'_>,
        layer: &Layer,
        parameters: &[T],
        out: &mut [T],
    ) {
        let weight = Matrix {
            numbers: &parameters[layer.weight.clone()],
            stride: layer.stride,
        };
        let bias = layer.bias.clone().map(|bias| &parameters[bias]);
        self.shared.grow(layer.stride);
        Product {
            a: Matrix {
                numbers: foreground.background(),
                stride: layer.d_input,
            },
            b: weight,
            start: bias.map_or(Start::Zero, Start::Row),
            out: &mut self.shared,
            out_stride: layer.stride,
            num_rows: 1,
            depth: layer.d_input,
            num_columns: layer.d_output,
        }
        .run(arch);
        let shared = &self.shared[..layer.stride];
        let part = |(first, out): (usize, &mut [T])| {
            for row in out.chunks_exact_mut(layer.stride) {
                row.copy_from_slice(shared);
            }
            SparseProduct {
                rows: |row| foreground.of_sample(samples.sample(first + row)),
                b: weight,
                out,
                out_stride: layer.stride,
                num_columns: layer.d_output,
            }
            .run(arch);
        };
        let num_rows = samples.len();
        let num_numbers: usize = (0..num_rows)
            .map(|row| foreground.of_sample(samples.sample(row)).len())
            .sum();
        match num_threads(num_numbers * layer.d_output) {
            1 => part((0, out)),
            num_threads => {
                let rows_each = num_rows.div_ceil(num_threads);
                let parts = out.par_chunks_mut(rows_each * layer.stride).enumerate();
                parts.for_each(|(index, out)| part((index * rows_each, out)));
            }
        }
    }

    /// The inputs of a tile column by column, for the gradients of the weight.
    pub(super) fn columns<'a>(
        &'a mut self,
        arch: Arch,
        foreground: &'a Foreground<T>,
        samples: &Rows<'_>,
        delta: Matrix<'_, T>,
    ) -> SparseColumns<'a, T> {
        let d_input = foreground.background().len();
        // A counting sort: how many numbers a column has, where they begin, and then each number at its place.
        self.starts.clear();
        self.starts.resize(d_input + 1, 0);
        let starts = &mut self.starts[..];
        for row in 0..samples.len() {
            for difference in foreground.of_sample(samples.sample(row)) {
                starts[difference.index as usize] += 1;
            }
        }
        let mut total = 0;
        for start in &mut *starts {
            total += std::mem::replace(start, total);
        }
        if self.differences.len() < total {
            (self.differences).resize(total, Difference::default());
        }
        let differences = &mut self.differences[..total];
        for row in 0..samples.len() {
            for difference in foreground.of_sample(samples.sample(row)) {
                let start = &mut starts[difference.index as usize];
                differences[*start] = Difference {
                    index: row as u32,
                    value: difference.value,
                };
                *start += 1;
            }
        }
        // Each start has moved to the next one.
        starts.copy_within(..d_input, 1);
        starts[0] = 0;
        self.shared.grow(delta.stride);
        let shared = &mut self.shared[..delta.stride];
        sum_of_rows(arch, delta.numbers, delta.stride, shared, true);
        SparseColumns {
            background: foreground.background(),
            starts: &self.starts,
            differences: &self.differences,
            delta_sum: &self.shared[..delta.stride],
        }
    }
}

impl<T: Real> SparseColumns<'_, T> {
    /// The gradients of the rows of a weight from row `first`, added to what is there unless they are the first of a
    /// batch.
    pub(super) fn gradients(
        self,
        arch: Arch,
        first: usize,
        delta: Matrix<'_, T>,
        num_columns: usize,
        is_first: bool,
        out: &mut [T],
    ) {
        let (background, delta_sum) = (&self.background[first..], self.delta_sum);
        arch.dispatch(Loop(
            #[inline(always)]
            || {
                for (row, &background) in out.chunks_exact_mut(delta.stride).zip(background) {
                    for (gradient, &sum) in row.iter_mut().zip(delta_sum) {
                        let before = if is_first { T::ZERO } else { *gradient };
                        *gradient = before + background * sum;
                    }
                }
            },
        ));
        SparseProduct {
            rows: |row| {
                let row = first + row;
                &self.differences[self.starts[row]..self.starts[row + 1]]
            },
            b: delta,
            out,
            out_stride: delta.stride,
            num_columns,
        }
        .run(arch);
    }
}

/// `out += a b` for a sparse matrix `a`.
///
/// # Shapes
/// - `rows`: the numbers of each row of `a`
/// - `b`: `[depth, num_columns]`, padded
/// - `out`: `[num_rows, num_columns]`, padded
struct SparseProduct<'a, T, F> {
    rows: F,
    b: Matrix<'a, T>,
    out: &'a mut [T],
    out_stride: usize,
    num_columns: usize,
}

impl<'a, T: Real, F: Fn(usize) -> &'a [Difference<T>]> WithSimd for SparseProduct<'a, T, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let lanes = T::lanes::<S>();
        let num_vectors = self.num_columns.div_ceil(lanes);
        let num_blocks = num_vectors.div_ceil(8);
        let mut first = 0;
        for block in 0..num_blocks {
            let width = (num_vectors - first).div_ceil(num_blocks - block);
            let column = first * lanes;
            match width {
                1 => self.block::<S, 1>(simd, column),
                2 => self.block::<S, 2>(simd, column),
                3 => self.block::<S, 3>(simd, column),
                4 => self.block::<S, 4>(simd, column),
                5 => self.block::<S, 5>(simd, column),
                6 => self.block::<S, 6>(simd, column),
                7 => self.block::<S, 7>(simd, column),
                _ => self.block::<S, 8>(simd, column),
            }
            first += width;
        }
    }
}

/// Rows of `a` that are multiplied with one part of `b` before the next: their sums stay in the first-level cache.
const ROWS_AT_ONCE: usize = 16;

/// Bytes of a part of `b`, which stays in the first-level cache as well.
const BYTES_AT_ONCE: usize = 40 * 1024;

/// Bytes of a row of `b` up to which there is but one part: a start of each row for each part would take longer than the
/// second-level cache does.
const BYTES_OF_A_NARROW_ROW: usize = 128;

impl<'a, T: Real, F: Fn(usize) -> &'a [Difference<T>]> SparseProduct<'a, T, F> {
    /// `N` vectors of columns, which stay in registers while the numbers of a row of `a` within a part of `b` are walked
    /// through.
    #[inline(always)]
    fn block<S: Simd, const N: usize>(&mut self, simd: S, column: usize) {
        let width = N * T::lanes::<S>();
        let depth_at_once = match width * size_of::<T>() {
            ..=BYTES_OF_A_NARROW_ROW => usize::MAX,
            bytes => BYTES_AT_ONCE / bytes,
        };
        let groups = self.out.chunks_mut(self.out_stride * ROWS_AT_ONCE);
        for (group, out) in groups.enumerate() {
            let first = group * ROWS_AT_ONCE;
            // How many numbers of each row are multiplied.
            let mut done = [0; ROWS_AT_ONCE];
            let mut end = 0;
            let mut is_done = false;
            while !is_done {
                is_done = true;
                end += depth_at_once;
                let rows = out.chunks_exact_mut(self.out_stride).zip(&mut done);
                for (row, (out, done)) in rows.enumerate() {
                    let (sums, _) = T::as_vectors_mut::<S>(&mut out[column..column + width]);
                    let mut kept: [T::Vector<S>; N] = std::array::from_fn(|n| sums[n]);
                    for &Difference { index, value } in &(self.rows)(first + row)[*done..] {
                        let index = index as usize;
                        if index >= end {
                            is_done = false;
                            break;
                        }
                        *done += 1;
                        let b = &self.b.numbers[index * self.b.stride + column..][..width];
                        let (vectors, _) = T::as_vectors::<S>(b);
                        let factor = T::splat(simd, value);
                        for (sum, &vector) in kept.iter_mut().zip(vectors) {
                            *sum = T::mul_add(simd, factor, vector, *sum);
                        }
                    }
                    for (sum, kept) in sums.iter_mut().zip(kept) {
                        *sum = kept;
                    }
                }
            }
        }
    }
}
