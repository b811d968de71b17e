//! Random numbers for tests, and random mutations of the bytes of a table.

/// A linear congruential generator (Knuth's MMIX constants), enough to scatter mutations.
pub(crate) struct Lcg(pub(crate) u64);

impl Lcg {
    /// A number from 0 to `bound` - 1.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    /// One of some values.
    pub(crate) fn choose<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())].clone()
    }

    /// Replaces, inserts or removes up to three bytes.
    pub(crate) fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..self.below(4) {
            let at = self.below(bytes.len());
            let byte = self.choose(b",;\t|\"'\r\n \0a0\xfc\xef");
            match self.below(3) {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
    }
}
