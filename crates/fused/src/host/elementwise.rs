//! Loops over numbers, compiled for each instruction set.

use pulp::{Arch, Simd, WithSimd};

/// Runs a kernel with the best instructions of the processor.
pub(super) trait Run: WithSimd<Output = ()> + Sized {
    fn run(self, arch: Arch) {
        arch.dispatch(self);
    }
}

impl<K: WithSimd<Output = ()>> Run for K {}

/// `y = f(x)` for each number.
pub(super) fn map<T: Copy, F: Fn(T) -> T>(arch: Arch, x: &[T], y: &mut [T], f: F) {
    arch.dispatch(Map { x, y, f });
}

/// `z = f(x, y, z)` for each number of three slices.
pub(super) fn zip3<T: Copy, F: Fn(T, T, T) -> T>(arch: Arch, x: &[T], y: &[T], z: &mut [T], f: F) {
    arch.dispatch(Zip3 { x, y, z, f });
}

struct Map<'a, T, F> {
    x: &'a [T],
    y: &'a mut [T],
    f: F,
}

impl<T: Copy, F: Fn(T) -> T> WithSimd for Map<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (y, x) in self.y.iter_mut().zip(self.x) {
            *y = (self.f)(*x);
        }
    }
}

struct Zip3<'a, T, F> {
    x: &'a [T],
    y: &'a [T],
    z: &'a mut [T],
    f: F,
}

impl<T: Copy, F: Fn(T, T, T) -> T> WithSimd for Zip3<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for ((z, x), y) in self.z.iter_mut().zip(self.x).zip(self.y) {
            *z = (self.f)(*x, *y, *z);
        }
    }
}

/// A loop that is compiled for each instruction set. It is `FnMut`, since the shim that calls an `FnOnce` by value is not
/// inlined, and its closure is written with `#[inline(always)]`: otherwise it would be compiled for the least of them.
pub(super) struct Loop<F>(pub(super) F);

impl<F: FnMut()> WithSimd for Loop<F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        (self.0)();
    }
}
