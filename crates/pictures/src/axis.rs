//! An axis: its label, its range, and the round numbers along it.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use crate::error::PictureError;

/// The label of an axis, and how it is scaled.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axis {
    label: String,
    range: Option<(f64, f64)>,
    logarithmic: bool,
    whole: bool,
    names: Vec<String>,
}

impl Axis {
    /// An axis with a label, which should name the unit, as in `time [s]`.
    pub fn new(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            ..Self::default()
        }
    }

    /// Sets the range (by default that of the data).
    pub fn range(mut self, min: f64, max: f64) -> Self {
        self.range = Some((min, max));
        self
    }

    /// Makes the axis logarithmic: values that are not positive are not drawn.
    pub fn logarithmic(mut self) -> Self {
        self.logarithmic = true;
        self
    }

    /// Makes the numbers along the axis whole, as for counts.
    pub fn whole(mut self) -> Self {
        self.whole = true;
        self
    }

    /// Shows names instead of numbers, for bars: name `i` stands at value `i`.
    pub fn names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.names = names.into_iter().map(Into::into).collect();
        self
    }

    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// Whether the axis can show a value.
    pub(crate) fn admits(&self, value: f64) -> bool {
        value.is_finite() && (!self.logarithmic || value > 0.0)
    }

    /// The scale for data from `data.0` to `data.1`. `padding` is the share of the axis that stays free before and
    /// after the data.
    pub(crate) fn scale(
        &self,
        data: Option<(f64, f64)>,
        padding: (f64, f64),
        ticks: usize,
    ) -> Result<Scale, PictureError> {
        let forward = |value: f64| if self.logarithmic { value.ln() } else { value };
        let (min, max) = match (self.range, data) {
            (Some(range), _) => range,
            (None, Some((min, max))) => {
                let (mut low, mut high) = (forward(min), forward(max));
                let mut margins = ((high - low) * padding.0, (high - low) * padding.1);
                // A single value needs an axis of some length, too.
                if high - low <= 1e-12 * high.abs().max(low.abs()) {
                    let margin = if self.logarithmic {
                        0.5
                    } else {
                        0.5 * low.abs().max(1.0)
                    };
                    margins = (margin, margin);
                }
                low -= margins.0;
                high += margins.1;
                if self.logarithmic {
                    (low.exp(), high.exp())
                } else {
                    (low, high)
                }
            }
            (None, None) if self.logarithmic => (0.1, 1.0),
            (None, None) => (0.0, 1.0),
        };
        let fits =
            min.is_finite() && max.is_finite() && min < max && (!self.logarithmic || min > 0.0);
        if !fits {
            return Err(PictureError::Range {
                label: self.label.clone(),
                min,
                max,
            });
        }
        let ticks = if self.names.is_empty() {
            if self.logarithmic {
                decades(min, max, ticks)
            } else {
                round_ticks(min, max, ticks, self.whole)
            }
        } else {
            (0..self.names.len()).map(|i| i as f64).collect()
        };
        Ok(Scale {
            min,
            max,
            logarithmic: self.logarithmic,
            ticks,
            names: self.names.clone(),
        })
    }
}

/// An axis with its final range and the numbers along it.
#[derive(Debug, Clone)]
pub(crate) struct Scale {
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) logarithmic: bool,
    ticks: Vec<f64>,
    names: Vec<String>,
}

impl Scale {
    /// The place of a value along the axis: 0 at the beginning and 1 at the end.
    pub(crate) fn share(&self, value: f64) -> f64 {
        if self.logarithmic {
            (value / self.min).ln() / (self.max / self.min).ln()
        } else {
            (value - self.min) / (self.max - self.min)
        }
    }

    /// The values of the ticks.
    pub(crate) fn ticks(&self) -> &[f64] {
        &self.ticks
    }

    /// The texts of the ticks.
    pub(crate) fn labels(&self) -> Vec<String> {
        self.ticks
            .iter()
            .map(|tick| self.format_ext(tick))
            .collect()
    }
}

impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let length = f64::from(limit.1) - f64::from(limit.0);
        // Places far outside are clipped anyway; the bound avoids an overflow.
        let share = self.share(*value).clamp(-20.0, 21.0);
        (f64::from(limit.0) + share * length).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.min..self.max
    }
}

impl ValueFormatter<f64> for Scale {
    fn format_ext(&self, value: &f64) -> String {
        if !self.names.is_empty() {
            return self.names.get(*value as usize).cloned().unwrap_or_default();
        }
        // A short logarithmic axis has the ticks of a linear one, which are closer than doubles.
        let is_even = |ticks: &[f64]| {
            let mut pairs = ticks.windows(2);
            !self.logarithmic || pairs.any(|pair| pair[1] - pair[0] < 0.45 * pair[1])
        };
        let step = |value: f64| match self.ticks.as_slice() {
            ticks @ [a, b, ..] if is_even(ticks) => b - a,
            _ => value,
        };
        // All numbers of an axis have the same notation.
        let is_scientific = |tick: &f64| needs_exponent(*tick, step(*tick));
        match self.ticks.iter().any(is_scientific) {
            true => scientific(*value, step(*value)),
            false => readable(*value, step(*value)),
        }
    }
}

/// A number with as many decimals as numbers `step` apart need, and with a true minus sign.
pub(crate) fn readable(value: f64, step: f64) -> String {
    if needs_exponent(value, step) {
        return scientific(value, step);
    }
    if value == 0.0 {
        return "0".to_string();
    }
    let decimals = (-step.abs().log10() - 1e-9).ceil().max(0.0) as usize;
    format!("{value:.decimals$}").replace('-', "−")
}

fn needs_exponent(value: f64, step: f64) -> bool {
    value != 0.0 && (value.abs() >= 1e6 || step.abs() < 1e-4)
}

/// A number with a power of ten, and as many digits as numbers `step` apart need.
fn scientific(value: f64, step: f64) -> String {
    if value == 0.0 {
        return "0".to_string();
    }
    let exponent = |x: f64| (x.abs().log10() + 1e-9).floor();
    let digits = (exponent(value) - exponent(step)).max(0.0) as usize;
    format!("{value:.*e}", digits.min(3)).replace('-', "−")
}

/// At most `count` multiples of 1, 2 or 5 times a power of ten between `min` and `max`.
fn round_ticks(min: f64, max: f64, count: usize, whole: bool) -> Vec<f64> {
    let smallest = (max - min) / count.max(1) as f64;
    let magnitude = 10f64.powf(smallest.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * magnitude)
        .find(|step| *step >= smallest * 0.999)
        .unwrap_or(10.0 * magnitude);
    let step = if whole { step.max(1.0) } else { step };
    let slack = 1e-9 * (max - min);
    let first = ((min - slack) / step).ceil() as i64;
    let last = ((max + slack) / step).floor() as i64;
    (first..=last)
        .map(|n| {
            // `3 * 0.1` is 0.30000000000000004, but `3 / 10` is 0.3.
            let inverse = (1.0 / step).round();
            if step < 1.0 {
                n as f64 / inverse
            } else {
                n as f64 * step
            }
        })
        .collect()
}

/// The ticks of a logarithmic axis: powers of ten between `min` and `max`, at most `count` of them.
///
/// With fewer than three, their doubles and fivefolds are added. If there are still too few, the ticks are those
/// of a linear axis.
fn decades(min: f64, max: f64, count: usize) -> Vec<f64> {
    let inside = |value: &f64| *value >= min * (1.0 - 1e-9) && *value <= max * (1.0 + 1e-9);
    let exponents = min.log10().floor() as i32..=max.log10().ceil() as i32;
    let powers: Vec<f64> = exponents
        .clone()
        .map(|e| 10f64.powi(e))
        .filter(inside)
        .collect();
    if powers.len() > 2 {
        let every = powers.len().div_ceil(count.max(2));
        return powers.into_iter().step_by(every).collect();
    }
    let finer: Vec<f64> = exponents
        .flat_map(|e| [1.0, 2.0, 5.0].map(|factor| factor * 10f64.powi(e)))
        .filter(inside)
        .collect();
    if finer.len() > 1 {
        finer
    } else {
        round_ticks(min, max, count, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(
            round_ticks(0.0, 1.0, 6, false),
            [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
        );
        assert_eq!(
            round_ticks(-3.1, 3.1, 7, false),
            [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0]
        );
        assert_eq!(
            round_ticks(0.0, 300.0, 7, false),
            [0.0, 50.0, 100.0, 150.0, 200.0, 250.0, 300.0]
        );
        assert_eq!(round_ticks(1.0, 3.0, 9, true), [1.0, 2.0, 3.0]);
    }

    #[test]
    fn ticks_of_a_short_logarithmic_axis_have_the_decimals_that_tell_them_apart() {
        let labels = |min: f64, max: f64| {
            let ticks = decades(min, max, 5);
            let scale = Scale {
                min,
                max,
                logarithmic: true,
                ticks,
                names: Vec::new(),
            };
            scale.labels()
        };
        assert_eq!(labels(0.011, 0.0195), ["0.012", "0.014", "0.016", "0.018"]);
        assert_eq!(labels(0.01, 10.0), ["0.01", "0.1", "1", "10"]);
        assert_eq!(labels(1.0, 12.0), ["1", "2", "5", "10"]);
    }

    #[test]
    fn logarithmic_ticks_are_powers_of_ten_or_round_between_them() {
        let close = |found: Vec<f64>, expected: &[f64]| {
            assert_eq!(found.len(), expected.len(), "{found:?}");
            for (a, b) in found.iter().zip(expected) {
                assert!((a / b - 1.0).abs() < 1e-12, "{found:?}");
            }
        };
        close(decades(0.0005, 2.0, 6), &[0.001, 0.01, 0.1, 1.0]);
        close(decades(0.3, 3.0, 6), &[0.5, 1.0, 2.0]);
        close(decades(1e-9, 1.0, 4), &[1e-9, 1e-6, 1e-3, 1.0]);
    }

    #[test]
    fn numbers_have_the_decimals_of_their_step() {
        assert_eq!(readable(0.30000000000000004, 0.1), "0.3");
        assert_eq!(readable(-2.0, 1.0), "−2");
        assert_eq!(readable(0.01, 0.01), "0.01");
        assert_eq!(readable(1500.0, 500.0), "1500");
        assert_eq!(readable(1e-6, 1e-6), "1e−6");
        assert_eq!(readable(0.25, 0.05), "0.25");
    }

    #[test]
    fn all_numbers_of_an_axis_have_the_same_notation() {
        let labels = |axis: Axis, low, high| {
            let scale = axis.scale(Some((low, high)), (0.0, 0.0), 5);
            scale.expect("a scale").labels()
        };
        let depths = labels(Axis::new("gradient").logarithmic(), 1e-10, 1e10);
        assert_eq!(depths, ["1e−10", "1e−5", "1e0", "1e5", "1e10"]);
        let counts = labels(Axis::new("steps"), 0.0, 2e6);
        assert_eq!(counts, ["0", "5e5", "1.0e6", "1.5e6", "2.0e6"]);
        let losses = labels(Axis::new("loss").logarithmic(), 1e-3, 10.0);
        assert_eq!(losses, ["0.001", "0.01", "0.1", "1", "10"]);
    }

    #[test]
    fn an_axis_of_one_value_has_room_around_it() {
        let scale = Axis::new("x")
            .scale(Some((2.0, 2.0)), (0.0, 0.0), 5)
            .expect("a scale");
        assert!(scale.min < 2.0 && scale.max > 2.0);
    }

    #[test]
    fn a_logarithmic_axis_that_reaches_zero_is_refused() {
        let axis = Axis::new("loss").logarithmic().range(0.0, 1.0);
        let error = axis.scale(None, (0.0, 0.0), 5).expect_err("no logarithm");
        assert_eq!(error.to_string(), "the axis `loss` cannot go from 0 to 1");
    }
}
