//! Activations and their derivatives inside the kernel.

use std::f32::consts::FRAC_2_SQRT_PI;

use cubecl::prelude::*;

use super::bits::Bits;
use super::math::{Four, exp, ln_1p, normal_distribution, sigmoid, tanh, tanh_of_softplus};
use crate::plan::{Activation, SELU_ALPHA, SELU_SCALE};

/// An [`Activation`] as a kernel is compiled for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Curve {
    Linear,
    Sigmoid,
    Tanh,
    LeakyRelu { alpha: Bits },
    Elu { alpha: Bits, scale: Bits },
    Swish,
    Gelu,
    Softplus,
    Mish,
}

impl From<Activation> for Curve {
    fn from(activation: Activation) -> Self {
        let elu = |alpha: f64, scale: f64| Self::Elu {
            alpha: alpha.into(),
            scale: scale.into(),
        };
        match activation {
            Activation::Linear => Self::Linear,
            Activation::Sigmoid => Self::Sigmoid,
            Activation::Tanh => Self::Tanh,
            Activation::Relu => Self::LeakyRelu { alpha: 0.0.into() },
            Activation::LeakyRelu { alpha } => Self::LeakyRelu {
                alpha: alpha.into(),
            },
            Activation::Elu { alpha } => elu(alpha, 1.0),
            Activation::Selu => elu(SELU_ALPHA, SELU_SCALE),
            Activation::Swish => Self::Swish,
            Activation::Gelu => Self::Gelu,
            Activation::Softplus => Self::Softplus,
            Activation::Mish => Self::Mish,
        }
    }
}

/// The values and the derivatives of an activation.
#[cube]
pub(super) fn activate(x: Four, #[comptime] curve: Curve) -> (Four, Four) {
    let zero = Four::new(0.0);
    let one = Four::new(1.0);
    match comptime!(curve) {
        Curve::Linear => (x, one),
        Curve::Sigmoid => {
            let y = sigmoid(x);
            (y, y * (one - y))
        }
        Curve::Tanh => {
            let y = tanh(x);
            (y, one - y * y)
        }
        Curve::LeakyRelu { alpha } => {
            let below = Four::new(comptime!(alpha.value()));
            // A value of NaN stays NaN, without a multiplication by an alpha of 0.
            let low = if comptime!(alpha.value() == 0.0) {
                zero
            } else {
                x * below
            };
            (
                select_many(x.less_equal(&zero), low, x),
                select_many(x.greater_than(&zero), one, below),
            )
        }
        Curve::Elu { alpha, scale } => {
            let scale = Four::new(comptime!(scale.value()));
            let alpha = Four::new(comptime!(alpha.value()));
            let decay = exp(x);
            let above = x.greater_than(&zero);
            (
                scale * select_many(above, x, alpha * (decay - one)),
                scale * select_many(above, one, alpha * decay),
            )
        }
        Curve::Swish => {
            let s = sigmoid(x);
            (x * s, s + x * s * (one - s))
        }
        Curve::Gelu => {
            let share = normal_distribution(x);
            // The density is exp(−x² / 2) / √(2 π).
            let height = comptime!(FRAC_2_SQRT_PI * std::f32::consts::FRAC_1_SQRT_2 * 0.5);
            let density = exp(x * x * Four::new(-0.5)) * Four::new(height);
            (x * share, share + x * density)
        }
        Curve::Softplus => {
            let positive = select_many(x.less_than(&zero), zero, x);
            (positive + ln_1p(exp(-x.abs())), sigmoid(x))
        }
        Curve::Mish => {
            let t = tanh_of_softplus(x);
            (x * t, t + x * sigmoid(x) * (one - t * t))
        }
    }
}
