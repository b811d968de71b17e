//! The noise that a step adds to the gradients.
//!
//! A number follows from the seed, the step and the place of the parameter alone, by the 32-bit integers that masks of
//! dropout follow from. So nothing of it is stored, a resumed training adds what an uninterrupted one adds, and all
//! engines add the same numbers.

use crate::dropout::{keys, mix, seed_words};
use crate::plan::GradientNoise;
use crate::real::Real;

/// Stand in place of a layer's number in the keys of a mask, which no layer reaches.
const STREAMS: [u32; 2] = [u32::MAX, u32::MAX - 1];

/// The noise of all gradients of one network in one step.
///
/// # Source
/// Neelakantan et al. 2015, <https://arxiv.org/abs/1511.06807>, equation 1. The normal distribution is that of Box and
/// Muller 1958, <https://doi.org/10.1214/aoms/1177706645>, cut off where its tail is less probable than 2⁻²⁴.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepNoise {
    keys: [[u32; 2]; 2],
    std: f64,
}

impl StepNoise {
    /// The noise of a step.
    ///
    /// - `seed`: that of the network's steps
    /// - `step`: the number of steps done before
    pub fn new(noise: GradientNoise, seed: u64, step: u64) -> Self {
        Self {
            keys: STREAMS.map(|stream| keys(seed_words(seed), step as u32, stream)),
            std: noise.std / (1.0 + step as f64).powf(noise.decay / 2.0),
        }
    }

    /// Adds the noise of neighbouring parameters to their gradients. `first` is the place of the first in
    /// [`State::parameters`](crate::State::parameters).
    #[inline(always)]
    pub fn add_to<T: Real>(&self, gradients: &mut [T], first: usize) {
        let std = T::from_f64(self.std);
        let first = first as u32;
        for (index, gradient) in gradients.iter_mut().enumerate() {
            let place = first.wrapping_add(index as u32);
            let [radius, angle] = self.keys.map(|[first, second]| {
                // 24 bits, which f32 holds exactly.
                (mix(place.wrapping_add(first), second) >> 8) as i32
            });
            *gradient += std * normal(radius, angle);
        }
    }
}

/// A normally distributed number from two integers below 2²⁴.
#[inline(always)]
fn normal<T: Real>(radius: i32, angle: i32) -> T {
    // In (0, 1].
    let share = T::from_f64(f64::from(radius + 1) * 2f64.powi(-24));
    let radius = (T::from_f64(-2.0) * share.ln()).sqrt();
    // A uniform angle: its highest bit gives the sign of the cosine, and the other 23 bits an angle from 0 to π/2 whose sine
    // is its size.
    let quarter = T::from_f64((f64::from(angle & 0x007f_ffff) + 0.5) * 2f64.powi(-23));
    let sine = sine_of_quarters(quarter);
    radius * if angle > 0x007f_ffff { -sine } else { sine }
}

/// `sin(π x / 2)` for `x` from 0 to 1, by its Taylor series; its error is below 1e-11.
#[inline(always)]
fn sine_of_quarters<T: Real>(x: T) -> T {
    let x = x * T::from_f64(std::f64::consts::FRAC_PI_2);
    let square = -(x * x);
    let mut series = T::ONE;
    for factors in [14 * 15, 12 * 13, 10 * 11, 8 * 9, 6 * 7, 4 * 5, 2 * 3] {
        series = T::ONE + series * square * T::from_f64(1.0 / f64::from(factors));
    }
    x * series
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOISE: GradientNoise = GradientNoise {
        std: 0.5,
        decay: 0.55,
    };

    fn numbers<T: Real>(seed: u64, step: u64, count: usize) -> Vec<f64> {
        let mut numbers = vec![T::ZERO; count];
        StepNoise::new(NOISE, seed, step).add_to(&mut numbers, 0);
        numbers.into_iter().map(T::to_f64).collect()
    }

    fn mean(numbers: impl Iterator<Item = f64> + Clone) -> f64 {
        numbers.clone().sum::<f64>() / numbers.count() as f64
    }

    #[test]
    fn the_noise_is_normal_and_its_variance_falls_as_in_the_paper() {
        for step in [0, 1, 99] {
            let variance = 0.25 / (1.0 + step as f64).powf(0.55);
            let standard: Vec<f64> = (numbers::<f64>(7, step, 1 << 16).iter())
                .map(|x| x / variance.sqrt())
                .collect();
            let moment = |k| mean(standard.iter().map(move |x| x.powi(k)));
            // Five standard deviations of the moments of 65,536 normal numbers are 0.02, 0.03, 0.08 and 0.2.
            assert!(moment(1).abs() < 0.02, "{}", moment(1));
            assert!((moment(2) - 1.0).abs() < 0.03, "{}", moment(2));
            assert!(moment(3).abs() < 0.08, "{}", moment(3));
            assert!((moment(4) - 3.0).abs() < 0.2, "{}", moment(4));
            // Φ(−1) and Φ(1.96).
            for (x, share) in [(-1.0, 0.158_655), (1.96, 0.975_002)] {
                let below = mean(standard.iter().map(|z| f64::from(u8::from(*z < x))));
                assert!((below - share).abs() < 0.01, "{below} lie below {x}");
            }
        }
    }

    #[test]
    fn noise_is_independent_of_other_seeds_steps_and_places() {
        let count = 1 << 16;
        let one = numbers::<f64>(1, 2, count + 1);
        let variance = mean(one.iter().map(|x| x * x));
        for other in [
            numbers::<f64>(2, 2, count),
            numbers::<f64>(1 << 32, 2, count),
            numbers::<f64>(1, 3, count),
            one[1..].to_vec(),
        ] {
            let products = one.iter().zip(&other).map(|(a, b)| a * b);
            let correlation = mean(products) / variance;
            assert!(correlation.abs() < 0.02, "{correlation}");
        }
    }

    #[test]
    fn f32_has_the_noise_of_f64_and_parts_that_of_the_whole() {
        let exact = numbers::<f64>(1, 2, 1000);
        for (a, b) in numbers::<f32>(1, 2, 1000).iter().zip(&exact) {
            assert!((a - b).abs() < 1e-6, "{a} is not {b}");
        }
        let mut part = vec![0.0; 100];
        StepNoise::new(NOISE, 1, 2).add_to(&mut part, 500);
        assert_eq!(part, exact[500..600]);
    }
}
