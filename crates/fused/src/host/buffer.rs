//! Numbers that begin at a cache line.

use std::ops::{Deref, DerefMut};

/// Bytes of a cache line, and of the longest vector.
const LINE: usize = 64;

/// Numbers that begin at a cache line, so that no vector of a row lies on two of them.
#[derive(Debug, Default)]
pub(super) struct Buffer<T> {
    numbers: Vec<T>,
    start: usize,
    length: usize,
}

impl<T: Copy + Default> Buffer<T> {
    /// So many zeros.
    pub(super) fn zeros(length: usize) -> Self {
        let spare = LINE / size_of::<T>();
        let numbers = vec![T::default(); length + spare];
        let start = numbers.as_ptr().align_offset(LINE).min(spare);
        Self {
            numbers,
            start,
            length,
        }
    }

    /// Makes room for at least so many numbers. All are zero if it grew.
    pub(super) fn grow(&mut self, length: usize) {
        if self.length < length {
            *self = Self::zeros(length);
        }
    }
}

impl<T> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.numbers[self.start..self.start + self.length]
    }
}

impl<T> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.numbers[self.start..self.start + self.length]
    }
}
