//! Central differences, which recognise kinks.

use emberlab_training::TrainingError;

/// The step, to be multiplied by the magnitude of the number if that is above 1. It is the cube root of the precision
/// of float64, where the sum of truncation and rounding errors is smallest.
pub const STEP: f64 = 6.055_454_452_393_343e-6;

/// The slope at a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Difference {
    /// The slope.
    Smooth(f64),
    /// Within a step of the point, the slope to the left differs from that to the right.
    Kink,
}

/// The slope of `function` at `x`.
///
/// It is a kink if the jump from the left slope to the right one does not shrink with the step, as that of a
/// bent but smooth function does, or if half the step gives another slope.
pub(crate) fn central(
    x: f64,
    mut function: impl FnMut(f64) -> Result<f64, TrainingError>,
) -> Result<Difference, TrainingError> {
    let h = STEP * x.abs().max(1.0);
    let middle = function(x)?;
    let mut slopes = |h: f64| -> Result<(f64, f64, f64), TrainingError> {
        // The arguments as they are after rounding.
        let (after, before) = (x + h, x - h);
        let (above, below) = (function(after)?, function(before)?);
        let slope = (above - below) / (after - before);
        Ok((
            slope,
            (above - middle) / (after - x) - (middle - below) / (x - before),
            above.abs(),
        ))
    };
    let (slope, jump, height) = slopes(h)?;
    let (half_slope, half_jump, _) = slopes(h / 2.0)?;
    // The error of a slope by rounding alone.
    let noise = 100.0 * f64::EPSILON * height.max(middle.abs()) / h;
    let jumps =
        half_jump.abs() > 0.75 * jump.abs() && half_jump.abs() > noise.max(1e-6 * slope.abs());
    let disagrees =
        (slope - half_slope).abs() > 2.0 * noise + 1e-5 * slope.abs().max(half_slope.abs());
    if jumps || disagrees {
        return Ok(Difference::Kink);
    }
    // Where the curvature jumps, as that of elu at 0, the error is linear in the step instead of quadratic: the
    // slope for half the step shows the error, and extrapolation removes it.
    let bends = (slope - half_slope).abs() > 2.0 * noise;
    Ok(Difference::Smooth(if bends {
        2.0 * half_slope - slope
    } else {
        slope
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(x: f64, function: impl Fn(f64) -> f64) -> Difference {
        central(x, |x| Ok(function(x))).expect("a slope")
    }

    #[test]
    fn slopes_of_smooth_functions_are_right_to_ten_digits() {
        for x in [-3.0, -0.5, 0.0, 1e-3, 2.0] {
            let Difference::Smooth(slope) = of(x, f64::sin) else {
                panic!("a sine has no kink at {x}")
            };
            assert!((slope - x.cos()).abs() < 1e-10, "{slope}");
        }
        // At the bottom of a parabola the slopes on both sides differ, but the difference shrinks with the step.
        assert!(
            matches!(of(0.0, |x| 50.0 * x * x), Difference::Smooth(slope) if slope.abs() < 1e-9)
        );
    }

    #[test]
    fn a_jump_of_the_curvature_is_no_kink_and_does_no_harm() {
        let elu = |x: f64| if x > 0.0 { x } else { x.exp_m1() };
        let Difference::Smooth(slope) = of(0.0, elu) else {
            panic!("elu has no kink")
        };
        assert!((slope - 1.0).abs() < 1e-9, "{slope}");
    }

    #[test]
    fn kinks_at_the_point_and_beside_it_are_recognised() {
        for offset in [0.0, 1e-6, 2e-6, -2.5e-6, 5e-6] {
            assert_eq!(
                of(0.0, |x| (x - offset).abs()),
                Difference::Kink,
                "{offset}"
            );
            assert_eq!(
                of(0.0, |x| (x - offset).max(0.0)),
                Difference::Kink,
                "{offset}"
            );
        }
        assert!(
            matches!(of(0.0, |x| (x - 1e-4).abs()), Difference::Smooth(slope) if (slope + 1.0).abs() < 1e-9)
        );
    }
}
