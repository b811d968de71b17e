//! Moments, quantiles and histograms of many numbers.

use emberlab_run_format::{Histogram, NUM_BINS, QUANTILES};

/// Bins that are so narrow that only a few values share one; a multiple of [`NUM_BINS`].
const NARROW_BINS: usize = 128 * NUM_BINS;

/// The sum of `f` of all values. Eight sums are computed side by side, because an addition waits for the one before.
fn sum(values: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    let mut sums = [0.0; 8];
    let (eights, rest) = values.as_chunks::<8>();
    for eight in eights {
        for (sum, &value) in sums.iter_mut().zip(eight) {
            *sum += f(value);
        }
    }
    let rest: f64 = rest.iter().map(|&value| f(value)).sum();
    sums.iter().sum::<f64>() + rest
}

/// The Euclidean norm.
pub(super) fn norm(values: &[f64]) -> f64 {
    sum(values, |x| x * x).sqrt()
}

/// The square root of the mean of the squares.
pub fn root_mean_square(values: &[f64]) -> f64 {
    norm(values) / (values.len().max(1) as f64).sqrt()
}

/// Mean and standard deviation. The sum of squares is divided by the number of values.
pub(super) fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = sum(values, |x| x) / count;
    let squares = sum(values, |x| (x - mean) * (x - mean));
    (mean, (squares / count).sqrt())
}

/// The smallest and the largest finite value, or ∞ and −∞ if there is none; and whether all values are finite.
fn range(values: &[f64]) -> (f64, f64, bool) {
    let (mut low, mut high) = ([f64::INFINITY; 8], [f64::NEG_INFINITY; 8]);
    let mut is_finite = true;
    let (eights, rest) = values.as_chunks::<8>();
    let mut widen = |lane: usize, value: f64| {
        let is_number = value.abs() < f64::INFINITY;
        is_finite &= is_number;
        low[lane] = if is_number && value < low[lane] {
            value
        } else {
            low[lane]
        };
        high[lane] = if is_number && value > high[lane] {
            value
        } else {
            high[lane]
        };
    };
    for eight in eights {
        (0..8).for_each(|lane| widen(lane, eight[lane]));
    }
    rest.iter().for_each(|&value| widen(0, value));
    let low = low.into_iter().fold(f64::INFINITY, f64::min);
    let high = high.into_iter().fold(f64::NEG_INFINITY, f64::max);
    (low, high, is_finite)
}

/// Bins of equal width from the smallest finite value to the largest.
struct Bins {
    low: f64,
    high: f64,
    per_unit: f64,
    last: usize,
    is_finite: bool,
}

impl Bins {
    /// `count` bins; `None` if no value is finite.
    fn of(values: &[f64], count: usize) -> Option<Self> {
        let (low, high, is_finite) = range(values);
        let per_unit = match high > low {
            true => count as f64 / (high - low),
            false => 0.0,
        };
        (low <= high).then_some(Self {
            low,
            high,
            per_unit,
            last: count - 1,
            is_finite,
        })
    }

    /// The bin of a finite value. A larger value is in the same bin or in a later one.
    fn place(&self, value: f64) -> usize {
        (((value - self.low) * self.per_unit) as usize).min(self.last)
    }

    /// The number of finite values in each bin.
    fn counts(&self, values: &[f64]) -> Vec<u64> {
        // Neighbours are counted in two tables: equal ones, such as zeros, would wait for each other.
        let mut tables = [vec![0_u32; self.last + 1], vec![0_u32; self.last + 1]];
        let finite = values
            .iter()
            .filter(|value| self.is_finite || value.is_finite());
        for (index, &value) in finite.enumerate() {
            tables[index % 2][self.place(value)] += 1;
        }
        let [first, second] = tables;
        let pairs = first.into_iter().zip(second);
        pairs.map(|(a, b)| u64::from(a) + u64::from(b)).collect()
    }
}

/// The values in bins of equal width from the smallest finite one to the largest.
pub(super) fn histogram(values: &[f64]) -> Histogram {
    match Bins::of(values, NUM_BINS) {
        Some(bins) => Histogram {
            low: bins.low,
            high: bins.high,
            counts: bins.counts(values),
        },
        None => Histogram {
            low: f64::NAN,
            high: f64::NAN,
            counts: vec![0; NUM_BINS],
        },
    }
}

/// The [`histogram`] of values, and their [`QUANTILES`], interpolated linearly; these are NaN if a value is.
///
/// Narrow bins say which values are near a quantile, so that only these few are sorted.
pub(super) fn histogram_and_quantiles(values: &[f64]) -> (Histogram, [f64; 5]) {
    let Some(bins) = Bins::of(values, NARROW_BINS).filter(|bins| bins.is_finite) else {
        return (histogram(values), quantiles(&mut values.to_vec()));
    };
    let counts = bins.counts(values);
    let wide = counts.chunks(NARROW_BINS / NUM_BINS);
    let histogram = Histogram {
        low: bins.low,
        high: bins.high,
        counts: wide.map(|counts| counts.iter().sum()).collect(),
    };
    // After a ReLU, half of all values are equal to the smallest one.
    let num_lowest = values.iter().filter(|value| **value == bins.low).count();
    // The bins that hold the other values around a quantile, with the number of values before each.
    let last = values.len() - 1;
    let mut wanted: Vec<usize> = QUANTILES
        .into_iter()
        .map(|share| share * last as f64)
        .flat_map(|place| [place.floor() as usize, place.ceil() as usize])
        .collect();
    wanted.retain(|place| *place >= num_lowest);
    wanted.sort_unstable();
    wanted.dedup();
    let mut near: Vec<(usize, usize, Vec<f64>)> = Vec::new();
    let mut before = 0;
    let mut wanted = wanted.into_iter().peekable();
    let mut is_near = vec![u8::MAX; NARROW_BINS];
    for (bin, &count) in counts.iter().enumerate() {
        let end = before + count as usize;
        let before_others = before.max(num_lowest);
        if wanted.peek().is_some_and(|&place| place < end) {
            is_near[bin] = near.len() as u8;
            near.push((before_others, end, Vec::with_capacity(end - before_others)));
            while wanted.next_if(|&place| place < end).is_some() {}
        }
        before = end;
    }
    for &value in values.iter().filter(|value| **value > bins.low) {
        if let Some((_, _, values)) = near.get_mut(usize::from(is_near[bins.place(value)])) {
            values.push(value);
        }
    }
    for (_, _, values) in &mut near {
        values.sort_unstable_by(f64::total_cmp);
    }
    let at = |place: usize| {
        if place < num_lowest {
            return bins.low;
        }
        let bin = near
            .iter()
            .find(|(start, end, _)| (*start..*end).contains(&place));
        bin.map_or(f64::NAN, |(start, _, values)| values[place - start])
    };
    let quantiles = QUANTILES.map(|share| {
        let place = share * last as f64;
        let (lower, upper) = (at(place.floor() as usize), at(place.ceil() as usize));
        between(lower, upper, place.fract())
    });
    (histogram, quantiles)
}

/// The [`QUANTILES`], interpolated linearly; NaN if a value is. The values are reordered.
fn quantiles(values: &mut [f64]) -> [f64; 5] {
    let is_nan = |value: &f64| value.is_nan();
    let (Some(last), false) = (values.len().checked_sub(1), values.iter().any(is_nan)) else {
        return [f64::NAN; 5];
    };
    values.sort_unstable_by(f64::total_cmp);
    QUANTILES.map(|share| {
        let place = share * last as f64;
        let (lower, upper) = (
            values[place.floor() as usize],
            values[place.ceil() as usize],
        );
        between(lower, upper, place.fract())
    })
}

/// The number that lies the given share of the way from `lower` to `upper`.
fn between(lower: f64, upper: f64, share: f64) -> f64 {
    match lower == upper {
        true => upper, // also for infinities
        false => lower + (upper - lower) * share,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_interpolated_as_numpy_does() {
        // numpy.quantile([7, 1, 3, 2, 11], [0.01, 0.25, 0.5, 0.75, 0.99])
        let (_, found) = histogram_and_quantiles(&[7.0, 1.0, 3.0, 2.0, 11.0]);
        let expected = [1.04, 2.0, 3.0, 7.0, 10.84];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found}, {expected}");
        }
        assert_eq!(histogram_and_quantiles(&[2.0]).1, [2.0; 5]);
        assert!(histogram_and_quantiles(&[1.0, f64::NAN]).1[0].is_nan());
        assert!(histogram_and_quantiles(&[]).1[0].is_nan());
        let infinite = histogram_and_quantiles(&[1.0, f64::INFINITY, f64::INFINITY]).1;
        assert_eq!(infinite[2..], [f64::INFINITY; 3]);
    }

    #[test]
    fn quantiles_from_narrow_bins_are_those_of_sorted_values() {
        let wave = |k: usize| (0.37 * k as f64 + (k * k) as f64).sin();
        let waves: Vec<f64> = (0..10_000).map(wave).collect();
        let half_zero = waves.iter().map(|x| x.max(0.0)).collect();
        let one_far_out = [&waves[..], &[1e9]].concat();
        for mut values in [waves, half_zero, one_far_out] {
            let (bins, found) = histogram_and_quantiles(&values);
            assert_eq!(bins.counts.iter().sum::<u64>(), values.len() as u64);
            assert_eq!(found, quantiles(&mut values));
        }
    }

    #[test]
    fn a_histogram_counts_every_finite_value() {
        let found = histogram(&[0.0, 3.0, 1.5, 1.5, f64::NAN, f64::INFINITY]);
        assert_eq!((found.low, found.high), (0.0, 3.0));
        assert_eq!(found.counts.iter().sum::<u64>(), 4);
        assert_eq!(
            (found.counts[0], found.counts[15], found.counts[29]),
            (1, 2, 1)
        );
        assert_eq!(histogram(&[2.0, 2.0]).counts[0], 2);
        assert!(histogram(&[f64::NAN]).low.is_nan());
    }
}
