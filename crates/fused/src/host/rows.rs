//! The samples of a batch, and their inputs.

use std::ops::Range;

use super::buffer::Buffer;
use super::product::Matrix;
use crate::real::Real;

/// Samples of a split.
#[derive(Clone)]
pub(super) enum Rows<'a> {
    Range(Range<usize>),
    List(&'a [u32]),
}

impl<'a> Rows<'a> {
    /// A list of samples, as a range if each follows the one before.
    pub(super) fn of(rows: &'a [u32]) -> Self {
        match rows.first() {
            Some(&first) if (first..).zip(rows).all(|(expected, row)| expected == *row) => {
                Self::Range(first as usize..first as usize + rows.len())
            }
            _ => Self::List(rows),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Range(range) => range.len(),
            Self::List(rows) => rows.len(),
        }
    }

    /// The sample of a row.
    pub(super) fn sample(&self, row: usize) -> usize {
        match self {
            Self::Range(range) => range.start + row,
            Self::List(rows) => rows[row] as usize,
        }
    }

    /// Calls `f` with the index of each row and its sample.
    pub(super) fn for_each(&self, mut f: impl FnMut(usize, usize)) {
        match self {
            Self::Range(range) => range.clone().enumerate().for_each(|(i, row)| f(i, row)),
            Self::List(rows) => {
                let rows = rows.iter().enumerate();
                rows.for_each(|(i, row)| f(i, *row as usize));
            }
        }
    }
}

/// Copies the inputs of a list of samples; those of a range are read where they are.
pub(super) fn gather<T: Real>(all: &[T], width: usize, rows: &Rows<'_>, inputs: &mut Buffer<T>) {
    let Rows::List(rows) = rows else { return };
    inputs.grow(rows.len() * width);
    for (input, row) in inputs.chunks_mut(width).zip(*rows) {
        let start = *row as usize * width;
        input.copy_from_slice(&all[start..start + width]);
    }
}

/// The inputs of a tile.
pub(super) fn inputs<'a, T: Real>(
    all: &'a [T],
    width: usize,
    rows: &Rows<'_>,
    gathered: &'a [T],
) -> Matrix<'a, T> {
    let numbers = match rows {
        Rows::Range(range) => &all[range.start * width..range.end * width],
        Rows::List(_) => gathered,
    };
    Matrix {
        numbers,
        stride: width,
    }
}
