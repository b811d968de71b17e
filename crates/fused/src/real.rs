//! The number types of fused kernels, as vectors and one by one.

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use pulp::Simd;

use crate::scalar;

/// A floating-point type that networks are trained in: `f32` or `f64`.
///
/// The functions of `f32` have neither branches nor calls, so the compiler turns loops over them into vector
/// instructions; their errors are a few units in the last place. Those of `f64` are the platform's.
pub trait Real:
    Copy
    + Default
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + Send
    + Sync
    + std::fmt::Debug
    + 'static
{
    /// A vector register of an instruction set.
    type Vector<S: Simd>: Copy;

    /// Numbers in a vector.
    fn lanes<S: Simd>() -> usize;
    /// A vector of one number.
    fn splat<S: Simd>(simd: S, x: Self) -> Self::Vector<S>;
    /// `a b + c`, rounded once where the instruction set can.
    fn mul_add<S: Simd>(
        simd: S,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
        c: Self::Vector<S>,
    ) -> Self::Vector<S>;
    /// The slice as vectors, and the numbers that are left.
    fn as_vectors<S: Simd>(numbers: &[Self]) -> (&[Self::Vector<S>], &[Self]);
    /// The slice as vectors, and the numbers that are left.
    fn as_vectors_mut<S: Simd>(numbers: &mut [Self]) -> (&mut [Self::Vector<S>], &mut [Self]);

    /// The nearest number of this type.
    fn from_f64(x: f64) -> Self;
    /// The same number in float64.
    fn to_f64(self) -> f64;
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// The smallest positive number with all its digits.
    const SMALLEST_NORMAL: Self;
    /// From here on `tanh(softplus(x))` is 1, and the square of `exp(x)` is far from infinity.
    const MISH_BOUND: Self;

    /// `|x|`
    fn abs(self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// `exp(x)`
    fn exp(self) -> Self;
    /// The natural logarithm of a number that is NaN, zero, infinite or positive and normal.
    fn ln(self) -> Self;
    /// `ln(1 + x)` for `x` from 0 to 1.
    fn ln_1p(self) -> Self;
    /// The hyperbolic tangent.
    fn tanh(self) -> Self;
    /// The error function.
    fn erf(self) -> Self;
}

/// `1 / (1 + exp(−x))`
#[inline(always)]
pub(crate) fn sigmoid<T: Real>(x: T) -> T {
    let decay = (-x.abs()).exp();
    let above = T::ONE / (T::ONE + decay);
    if x < T::ZERO { decay * above } else { above }
}

/// The larger of `x` and zero; NaN for NaN.
#[inline(always)]
pub(crate) fn positive_part<T: Real>(x: T) -> T {
    if x < T::ZERO { T::ZERO } else { x }
}

impl Real for f32 {
    type Vector<S: Simd> = S::f32s;

    #[inline(always)]
    fn lanes<S: Simd>() -> usize {
        S::F32_LANES
    }
    #[inline(always)]
    fn splat<S: Simd>(simd: S, x: Self) -> S::f32s {
        simd.splat_f32s(x)
    }
    #[inline(always)]
    fn mul_add<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
        simd.mul_add_e_f32s(a, b, c)
    }
    #[inline(always)]
    fn as_vectors<S: Simd>(numbers: &[Self]) -> (&[S::f32s], &[Self]) {
        S::as_simd_f32s(numbers)
    }
    #[inline(always)]
    fn as_vectors_mut<S: Simd>(numbers: &mut [Self]) -> (&mut [S::f32s], &mut [Self]) {
        S::as_mut_simd_f32s(numbers)
    }
    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const SMALLEST_NORMAL: Self = f32::MIN_POSITIVE;
    const MISH_BOUND: Self = 20.0;
    #[inline(always)]
    fn abs(self) -> Self {
        f32::abs(self)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }
    #[inline(always)]
    fn exp(self) -> Self {
        scalar::exp(self)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        scalar::ln(self)
    }
    #[inline(always)]
    fn ln_1p(self) -> Self {
        scalar::ln_1p(self)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        scalar::tanh(self)
    }
    #[inline(always)]
    fn erf(self) -> Self {
        scalar::erf(self)
    }
}

impl Real for f64 {
    type Vector<S: Simd> = S::f64s;

    #[inline(always)]
    fn lanes<S: Simd>() -> usize {
        S::F64_LANES
    }
    #[inline(always)]
    fn splat<S: Simd>(simd: S, x: Self) -> S::f64s {
        simd.splat_f64s(x)
    }
    #[inline(always)]
    fn mul_add<S: Simd>(simd: S, a: S::f64s, b: S::f64s, c: S::f64s) -> S::f64s {
        simd.mul_add_e_f64s(a, b, c)
    }
    #[inline(always)]
    fn as_vectors<S: Simd>(numbers: &[Self]) -> (&[S::f64s], &[Self]) {
        S::as_simd_f64s(numbers)
    }
    #[inline(always)]
    fn as_vectors_mut<S: Simd>(numbers: &mut [Self]) -> (&mut [S::f64s], &mut [Self]) {
        S::as_mut_simd_f64s(numbers)
    }
    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const SMALLEST_NORMAL: Self = f64::MIN_POSITIVE;
    const MISH_BOUND: Self = 40.0;
    #[inline(always)]
    fn abs(self) -> Self {
        f64::abs(self)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }
    #[inline(always)]
    fn exp(self) -> Self {
        f64::exp(self)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        f64::ln(self)
    }
    #[inline(always)]
    fn ln_1p(self) -> Self {
        f64::ln_1p(self)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        f64::tanh(self)
    }
    #[inline(always)]
    fn erf(self) -> Self {
        libm::erf(self)
    }
}
