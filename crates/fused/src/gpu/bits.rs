//! A number that a kernel is compiled for.

/// An f32 that can be compared and hashed, as the name of a compiled kernel must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Bits(u32);

impl Bits {
    /// The number.
    pub(super) fn value(self) -> f32 {
        f32::from_bits(self.0)
    }
}

impl From<f64> for Bits {
    fn from(number: f64) -> Self {
        Self((number as f32).to_bits())
    }
}
