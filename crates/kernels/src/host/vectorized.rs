//! Loops compiled for each set of vector instructions.

use pulp::{Arch, Simd, WithSimd};

/// Runs a loop with the widest vector instructions of the processor.
///
/// The loop is compiled once for each set of instructions, and which of them runs is decided where the program runs.
/// The results are the same with all of them: the compiler neither fuses a product with a sum nor changes the order of
/// a sum.
///
/// The closure, and each closure that it calls, is written with `#[inline(always)]` and `move`. One that is not inlined
/// would be compiled for the least processor, whose vectors have four numbers, and a number that is captured by
/// reference would be read again and again, since the loop might change it.
pub fn vectorized(run: impl FnMut()) {
    Arch::new().dispatch(Loop(run));
}

/// It holds an `FnMut`, since the shim that calls an `FnOnce` by value is not inlined.
struct Loop<F>(F);

impl<F: FnMut()> WithSimd for Loop<F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        (self.0)();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{erf, tanh};

    #[test]
    fn every_set_of_instructions_gives_the_same_bits() {
        let results = |arch: Arch| {
            let mut numbers: Vec<f32> = (-500..500).map(|i| i as f32 / 60.0).collect();
            let mut sum = 0.0;
            arch.dispatch(Loop(
                #[inline(always)]
                || {
                    for x in &mut numbers {
                        *x = *x * erf(*x) + tanh(*x) * 0.3;
                        sum += *x * *x;
                    }
                },
            ));
            numbers.push(sum);
            numbers.into_iter().map(f32::to_bits).collect::<Vec<_>>()
        };
        assert_eq!(results(Arch::new()), results(Arch::Scalar));
    }
}
