//! Values and slopes of activations.
//!
//! Closures take their numbers by value: one that is borrowed might change, so the compiler would read it again for each
//! number of a slice.

use pulp::Arch;

use super::elementwise::{map, zip3};
use crate::plan::{Activation, SELU_ALPHA, SELU_SCALE};
use crate::real::{Real, positive_part, sigmoid};

/// 1 / √(2π), the normal density at zero.
const DENSITY_AT_ZERO: f64 = 0.398_942_280_401_432_7;

impl Activation {
    /// `y = f(x)`.
    pub(super) fn forward<T: Real>(self, arch: Arch, x: &[T], y: &mut [T]) {
        let (zero, one) = (T::ZERO, T::ONE);
        match self {
            Self::Linear => y.copy_from_slice(x),
            Self::Sigmoid => map(arch, x, y, sigmoid),
            Self::Tanh => map(arch, x, y, T::tanh),
            Self::Relu => map(arch, x, y, positive_part),
            Self::LeakyRelu { alpha } => {
                let alpha = T::from_f64(alpha);
                map(
                    arch,
                    x,
                    y,
                    #[inline(always)]
                    move |x| if x <= zero { alpha * x } else { x },
                );
            }
            Self::Elu { alpha } => {
                let alpha = T::from_f64(alpha);
                map(
                    arch,
                    x,
                    y,
                    #[inline(always)]
                    move |x| {
                        if x > zero { x } else { alpha * (x.exp() - one) }
                    },
                );
            }
            Self::Selu => {
                let [alpha, scale] = [SELU_ALPHA, SELU_SCALE].map(T::from_f64);
                map(
                    arch,
                    x,
                    y,
                    #[inline(always)]
                    move |x| scale * if x > zero { x } else { alpha * (x.exp() - one) },
                );
            }
            Self::Swish => map(
                arch,
                x,
                y,
                #[inline(always)]
                move |x| x * sigmoid(x),
            ),
            Self::Gelu => map(
                arch,
                x,
                y,
                #[inline(always)]
                move |x| x * normal_distribution(x),
            ),
            Self::Softplus => map(
                arch,
                x,
                y,
                #[inline(always)]
                move |x| positive_part(x) + (-x.abs()).exp().ln_1p(),
            ),
            Self::Mish => map(
                arch,
                x,
                y,
                #[inline(always)]
                move |x| x * tanh_of_softplus(x),
            ),
        }
    }

    /// `delta = delta f'(x)`, where `y = f(x)`.
    pub(super) fn backward<T: Real>(self, arch: Arch, x: &[T], y: &[T], delta: &mut [T]) {
        let (zero, one) = (T::ZERO, T::ONE);
        match self {
            Self::Linear => {}
            Self::Sigmoid => zip3(
                arch,
                x,
                y,
                delta,
                #[inline(always)]
                move |_, y, d| d * (y * (one - y)),
            ),
            Self::Tanh => zip3(
                arch,
                x,
                y,
                delta,
                #[inline(always)]
                move |_, y, d| d * (one - y * y),
            ),
            Self::Relu => zip3(
                arch,
                x,
                y,
                delta,
                #[inline(always)]
                move |_, y, d| if y <= zero { zero } else { d },
            ),
            Self::LeakyRelu { alpha } => {
                let alpha = T::from_f64(alpha);
                zip3(
                    arch,
                    x,
                    y,
                    delta,
                    #[inline(always)]
                    move |x, _, d| if x > zero { d } else { alpha * d },
                );
            }
            Self::Elu { alpha } => {
                let alpha = T::from_f64(alpha);
                zip3(
                    arch,
                    x,
                    y,
                    delta,
                    #[inline(always)]
                    move |x, _, d| d * if x > zero { one } else { alpha * x.exp() },
                );
            }
            Self::Selu => {
                let [scale, shift] = [SELU_SCALE, SELU_SCALE * SELU_ALPHA].map(T::from_f64);
                zip3(
                    arch,
                    x,
                    y,
                    delta,
                    #[inline(always)]
                    move |_, y, d| d * if y > zero { scale } else { y + shift },
                );
            }
            Self::Swish => zip3(
                arch,
                x,
                y,
                delta,
                #[inline(always)]
                move |x, _, d| {
                    let sigmoid = sigmoid(x);
                    d * (sigmoid * (one + x * (one - sigmoid)))
                },
            ),
            Self::Gelu => {
                let [half, at_zero] = [0.5, DENSITY_AT_ZERO].map(T::from_f64);
                zip3(
                    arch,
                    x,
                    y,
                    delta,
                    #[inline(always)]
                    move |x, _, d| {
                        let density = at_zero * (-(half * x * x)).exp();
                        d * (normal_distribution(x) + x * density)
                    },
                );
            }
            Self::Softplus => zip3(
                arch,
                x,
                y,
                delta,
                #[inline(always)]
                move |x, _, d| d * sigmoid(x),
            ),
            Self::Mish => zip3(
                arch,
                x,
                y,
                delta,
                #[inline(always)]
                move |x, _, d| {
                    let tanh = tanh_of_softplus(x);
                    d * (tanh + x * sigmoid(x) * (one - tanh * tanh))
                },
            ),
        }
    }
}

/// `(1 + erf(x / √2)) / 2`.
#[inline(always)]
fn normal_distribution<T: Real>(x: T) -> T {
    let half = T::from_f64(0.5);
    half + half * (x * T::from_f64(std::f64::consts::FRAC_1_SQRT_2)).erf()
}

/// `((1 + eˣ)² − 1) / ((1 + eˣ)² + 1)`.
#[inline(always)]
fn tanh_of_softplus<T: Real>(x: T) -> T {
    let two = T::from_f64(2.0);
    let bounded = if x > T::MISH_BOUND { T::MISH_BOUND } else { x };
    let exponential = bounded.exp();
    let excess = exponential * (exponential + two);
    excess / (excess + two)
}
