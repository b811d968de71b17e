//! Scalar functions of f32, as fused kernels call them.
//!
//! They have neither branches nor calls, so the compiler turns loops over them into vector instructions.

use std::f32::consts::LOG2_E;

/// Adding this to a number below 2²² and subtracting it again rounds to the nearest integer.
const ROUNDER: f32 = 12_582_912.0;

/// `exp(x)`, to 2 units in the last place. It is 0 below −104, infinite above 89, and NaN for NaN.
///
/// # Source
/// Cephes, `expf`: `exp(x) = 2ⁿ exp(r)` with `|r| ≤ ln(2)/2`, and a polynomial of degree 7 for `exp(r)`.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // These comparisons, unlike `clamp`, leave NaN as it is.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.5 { -104.5 } else { x };
    let rounded = x * LOG2_E + ROUNDER;
    let n = rounded - ROUNDER;
    // ln 2 in two parts. The first has few digits, so that its product with n is exact.
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let mut y = 1.987_569_1e-4;
    for coefficient in [
        1.398_199_9e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        0.166_666_65,
        0.5,
    ] {
        y = y * r + coefficient;
    }
    let y = y * r * r + r + 1.0;
    // 2ⁿ in two factors, neither of which overflows or underflows before the product does.
    let n = (rounded.to_bits() as i32).wrapping_sub(ROUNDER.to_bits() as i32);
    let half = n >> 1;
    y * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) << 23) as u32)
}

/// `tanh(x)`, to 2 units in the last place. It is exactly ±1 beyond ±9.1, and NaN for NaN.
///
/// # Source
/// Cephes, `tanhf`: an odd polynomial below 0.625, and `1 − 2 / (exp(2 x) + 1)` above.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let square = x * x;
    let mut polynomial = -5.704_988_7e-3;
    for coefficient in [2.063_909e-2, -5.373_971_6e-2, 0.133_314_42, -0.333_332_83] {
        polynomial = polynomial * square + coefficient;
    }
    let near = polynomial * square * x + x;
    let far = 1.0 - 2.0 / (exp(2.0 * x.abs()) + 1.0);
    if x.abs() < 0.625 {
        near
    } else {
        far.copysign(x)
    }
}

/// `ln(1 + x)` for `x` from 0 to 1, to 2 units in the last place. It is NaN for NaN.
///
/// # Source
/// The series of `2 artanh(x / (2 + x))`, whose argument is at most 1/3.
#[inline(always)]
pub fn ln_1p(x: f32) -> f32 {
    let s = x / (2.0 + x);
    let square = s * s;
    let mut series = 1.0 / 15.0;
    for odd in [13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        series = series * square + 1.0 / odd;
    }
    2.0 * (series * square * s + s)
}

/// `ln(x)` of zero, infinity, NaN or a positive normal number, to 2 units in the last place.
///
/// # Source
/// Cephes, `logf`: `ln(m 2ᵉ)` with `m` in [√½, √2), and a polynomial of degree 9 for `ln(m)`.
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    let bits = x.to_bits();
    // The exponent of x / √½, so that the fraction lies around 1.
    let exponent = (bits.wrapping_sub(0x3f35_04f3) as i32) >> 23;
    let fraction = f32::from_bits(bits.wrapping_sub((exponent << 23) as u32)) - 1.0;
    let exponent = exponent as f32;
    let square = fraction * fraction;
    let mut polynomial = 7.037_683_6e-2;
    for coefficient in [
        -0.115_146_1,
        0.116_769_99,
        -0.124_201_41,
        0.142_493_23,
        -0.166_680_58,
        0.200_007_14,
        -0.249_999_94,
        0.333_333_3,
    ] {
        polynomial = polynomial * fraction + coefficient;
    }
    let rest = polynomial * square * fraction - exponent * 2.121_944_4e-4 - 0.5 * square;
    let logarithm = fraction + rest + exponent * 0.693_359_4;
    let logarithm = if x == 0.0 {
        f32::NEG_INFINITY
    } else {
        logarithm
    };
    // Infinity stays infinite, and NaN stays NaN.
    if x < f32::INFINITY { logarithm } else { x }
}

/// The error function, to 3 units in the last place. It is exactly ±1 beyond ±4, and NaN for NaN.
///
/// # Source
/// Polynomials fitted to `erf(x) / x − 1` in `x²` below 0.93 and to `−ln(1 − erf(x))` above, by least squares whose
/// weights were raised where the error was large.
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    let square = x * x;
    let mut near = 8.316_775e-5;
    for coefficient in [
        -8.130_013e-4,
        5.199_907e-3,
        -2.685_894e-2,
        0.112_836_875,
        -0.376_126_32,
        0.128_379_17,
    ] {
        near = near * square + coefficient;
    }
    let near = near * x + x;
    let distance = x.abs();
    let distance = if distance > 4.0 { 4.0 } else { distance };
    let mut far = 2.127_868_4e-5;
    for coefficient in [
        -4.365_741_3e-4,
        4.181_237_4e-3,
        -2.514_607e-2,
        0.108_321_056,
        0.633_309_9,
        1.129_533_2,
        -1.784_511_6e-4,
    ] {
        far = far * distance + coefficient;
    }
    let far = (1.0 - exp(-far)).copysign(x);
    if x.abs() < 0.93 { near } else { far }
}

/// `1 / (1 + exp(-x))`, to 4 units in the last place. It is NaN for NaN.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    let decay = exp(-x.abs());
    let above = 1.0 / (1.0 + decay);
    if x < 0.0 { decay * above } else { above }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The error in units of the last place of `expected`.
    fn units(found: f32, expected: f64) -> f64 {
        let rounded = expected as f32;
        if found == rounded {
            return 0.0;
        }
        let unit = f64::from(rounded.abs().next_up()) - f64::from(rounded.abs());
        (f64::from(found) - expected).abs() / unit
    }

    /// Every 997th float of a range, with both signs.
    fn floats(from: f32, to: f32) -> impl Iterator<Item = f32> {
        (from.to_bits()..=to.to_bits())
            .step_by(997)
            .flat_map(|bits| [f32::from_bits(bits), -f32::from_bits(bits)])
    }

    #[test]
    fn exp_equals_f64s_to_two_units_in_the_last_place() {
        for x in floats(1e-30, 120.0) {
            let expected = f64::from(x).exp();
            assert!(units(exp(x), expected) <= 2.0, "exp({x}) = {}", exp(x));
        }
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-104.0), 0.0);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(89.0), f32::INFINITY);
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn tanh_equals_f64s_to_two_units_in_the_last_place() {
        for x in floats(1e-30, 120.0) {
            let expected = f64::from(x).tanh();
            assert!(units(tanh(x), expected) <= 2.0, "tanh({x}) = {}", tanh(x));
        }
        assert_eq!(tanh(0.0), 0.0);
        assert_eq!(tanh(9.1), 1.0);
        assert_eq!(tanh(f32::NEG_INFINITY), -1.0);
        assert!(tanh(f32::NAN).is_nan());
    }

    #[test]
    fn ln_1p_equals_f64s_to_two_units_in_the_last_place() {
        for x in floats(1e-30, 1.0).filter(|x| *x > 0.0) {
            let expected = f64::from(x).ln_1p();
            assert!(
                units(ln_1p(x), expected) <= 2.0,
                "ln_1p({x}) = {}",
                ln_1p(x)
            );
        }
        assert_eq!(ln_1p(0.0), 0.0);
        assert!(ln_1p(f32::NAN).is_nan());
    }

    #[test]
    fn ln_equals_f64s_to_two_units_in_the_last_place() {
        for x in floats(f32::MIN_POSITIVE, f32::MAX).filter(|x| *x > 0.0) {
            let expected = f64::from(x).ln();
            assert!(units(ln(x), expected) <= 2.0, "ln({x}) = {}", ln(x));
        }
        assert_eq!(ln(1.0), 0.0);
        assert_eq!(ln(0.0), f32::NEG_INFINITY);
        assert_eq!(ln(f32::INFINITY), f32::INFINITY);
        assert!(ln(f32::NAN).is_nan());
    }

    #[test]
    fn erf_equals_f64s_to_three_units_in_the_last_place() {
        for x in floats(1e-30, 12.0) {
            let expected = libm::erf(f64::from(x));
            assert!(units(erf(x), expected) <= 3.0, "erf({x}) = {}", erf(x));
        }
        assert_eq!(erf(0.0), 0.0);
        assert_eq!(erf(4.1), 1.0);
        assert_eq!(erf(f32::NEG_INFINITY), -1.0);
        assert!(erf(f32::NAN).is_nan());
    }

    #[test]
    fn sigmoid_equals_f64s_to_four_units_in_the_last_place() {
        for x in floats(1e-30, 120.0) {
            let expected = 1.0 / (1.0 + (-f64::from(x)).exp());
            assert!(
                units(sigmoid(x), expected) <= 4.0,
                "sigmoid({x}) = {}",
                sigmoid(x)
            );
        }
        assert_eq!(sigmoid(f32::NEG_INFINITY), 0.0);
        assert_eq!(sigmoid(f32::INFINITY), 1.0);
        assert!(sigmoid(f32::NAN).is_nan());
    }
}
