//! Functions of four numbers at a time, written out from arithmetic.
//!
//! The built-in ones of shading languages differ between devices, overflow early or are missing. These have the
//! accuracy of f32 everywhere. Comparisons are written so that NaN stays NaN.

use std::f32::consts::{FRAC_1_SQRT_2, LN_2, LOG2_E};

use cubecl::prelude::*;

/// Four neighbouring numbers, which the kernel loads, computes and stores together.
pub(super) type Four = Vector<f32, Const<4>>;

/// `exp(x)`; 0 below −104, infinite above 89.
#[cube]
pub(super) fn exp(x: Four) -> Four {
    let x = select_many(x.greater_than(&Four::new(89.0)), Four::new(89.0), x);
    let x = select_many(x.less_than(&Four::new(-104.5)), Four::new(-104.5), x);
    let n = (x * Four::new(LOG2_E) + Four::new(0.5)).floor();
    // ln 2 in two parts. The first has few digits, so that its product with n is exact.
    let r = x - n * Four::new(0.693_359_4) + n * Four::new(2.121_944_4e-4);
    let mut y = Four::new(1.987_569_1e-4);
    y = y * r + Four::new(1.398_199_9e-3);
    y = y * r + Four::new(8.333_452e-3);
    y = y * r + Four::new(4.166_579_6e-2);
    y = y * r + Four::new(0.166_666_65);
    y = y * r + Four::new(0.5);
    let y = y * r * r + r + Four::new(1.0);
    // 2ⁿ in two factors, neither of which overflows or underflows before the product does.
    let half = (n * Four::new(0.5)).floor();
    y * power_of_two(half) * power_of_two(n - half)
}

/// `2ⁿ` for a whole number from −126 to 127.
#[cube]
fn power_of_two(n: Four) -> Four {
    let exponent = Vector::<i32, Const<4>>::cast_from(n + Four::new(127.0));
    Four::reinterpret(exponent << Vector::<i32, Const<4>>::new(23))
}

/// `tanh(x)`
#[cube]
pub(super) fn tanh(x: Four) -> Four {
    let square = x * x;
    let mut polynomial = Four::new(-5.704_988_7e-3);
    polynomial = polynomial * square + Four::new(2.063_909e-2);
    polynomial = polynomial * square + Four::new(-5.373_971_6e-2);
    polynomial = polynomial * square + Four::new(0.133_314_42);
    polynomial = polynomial * square + Four::new(-0.333_332_83);
    let near = polynomial * square * x + x;
    let size = x.abs();
    let far = Four::new(1.0) - Four::new(2.0) / (exp(size * Four::new(2.0)) + Four::new(1.0));
    let far = select_many(x.less_than(&Four::new(0.0)), -far, far);
    select_many(size.less_than(&Four::new(0.625)), near, far)
}

/// `ln(1 + x)` from 0 to 1.
#[cube]
pub(super) fn ln_1p(x: Four) -> Four {
    let s = x / (Four::new(2.0) + x);
    let square = s * s;
    let mut series = Four::new(1.0 / 15.0);
    series = series * square + Four::new(1.0 / 13.0);
    series = series * square + Four::new(1.0 / 11.0);
    series = series * square + Four::new(1.0 / 9.0);
    series = series * square + Four::new(1.0 / 7.0);
    series = series * square + Four::new(1.0 / 5.0);
    series = series * square + Four::new(1.0 / 3.0);
    Four::new(2.0) * (series * square * s + s)
}

/// `ln(1 + x)` of one finite number, zero or above.
#[cube]
pub(super) fn ln_1p_of_any(x: f32) -> f32 {
    // 1 + x = m 2ᵉ with m from 1 to 2.
    let bits = u32::reinterpret(x + 1.0);
    let exponent = f32::cast_from(bits >> 23) - 127.0;
    let mantissa = f32::reinterpret((bits & 0x007f_ffff) | 0x3f80_0000);
    let is_near = x <= 1.0;
    let rest = ln_1p(Four::new(select(is_near, x, mantissa - 1.0))).extract(0usize);
    let whole = select(is_near, 0.0, exponent * LN_2);
    // A NaN is neither near nor far.
    select(is_near || x > 1.0, whole + rest, x)
}

/// `1 / (1 + exp(−x))`
#[cube]
pub(super) fn sigmoid(x: Four) -> Four {
    let decay = exp(-x.abs());
    let above = Four::new(1.0) / (Four::new(1.0) + decay);
    select_many(x.less_than(&Four::new(0.0)), decay * above, above)
}

/// `tanh(ln(1 + exp(x)))`
#[cube]
pub(super) fn tanh_of_softplus(x: Four) -> Four {
    let bounded = select_many(x.greater_than(&Four::new(20.0)), Four::new(20.0), x);
    let exponential = exp(bounded);
    let excess = exponential * (exponential + Four::new(2.0));
    excess / (excess + Four::new(2.0))
}

/// The distribution function of the normal distribution, `erfc(−x / √2) / 2`.
///
/// # Source
/// `erfcc` of Press et al., Numerical Recipes, section 6.2: accurate to 1.2e-7 of the value, far below zero, too.
#[cube]
pub(super) fn normal_distribution(x: Four) -> Four {
    let z = x.abs() * Four::new(FRAC_1_SQRT_2);
    let t = Four::new(1.0) / (Four::new(1.0) + z * Four::new(0.5));
    let mut y = Four::new(0.170_872_77);
    y = y * t + Four::new(-0.822_152_23);
    y = y * t + Four::new(1.488_515_9);
    y = y * t + Four::new(-1.135_204);
    y = y * t + Four::new(0.278_868_07);
    y = y * t + Four::new(-0.186_288_06);
    y = y * t + Four::new(0.096_784_18);
    y = y * t + Four::new(0.374_091_96);
    y = y * t + Four::new(1.000_023_7);
    y = y * t + Four::new(-1.265_512_2);
    let below = t * exp(y - z * z) * Four::new(0.5);
    select_many(x.less_than(&Four::new(0.0)), below, Four::new(1.0) - below)
}

/// Whether a number is NaN, told from its bits: shading languages may assume that there is none.
#[cube]
pub(super) fn is_nan(x: f32) -> bool {
    (u32::reinterpret(x) & 0x7fff_ffff) > 0x7f80_0000
}
