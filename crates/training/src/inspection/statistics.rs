//! Moments, quantiles and histograms of many numbers.

use emberlab_run_format::{Histogram, NUM_BINS, QUANTILES};

/// The Euclidean norm.
pub(super) fn norm(values: &[f64]) -> f64 {
    values.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// The square root of the mean of the squares.
pub fn root_mean_square(values: &[f64]) -> f64 {
    norm(values) / (values.len().max(1) as f64).sqrt()
}

/// Mean and standard deviation, which is divided by the number of values.
pub(super) fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    (mean, (squares / count).sqrt())
}

/// The [`QUANTILES`], interpolated linearly; NaN if a value is. The values are reordered.
pub(super) fn quantiles(values: &mut [f64]) -> [f64; 5] {
    let Some(last) = values.len().checked_sub(1) else {
        return [f64::NAN; 5];
    };
    if values.iter().any(|value| value.is_nan()) {
        return [f64::NAN; 5];
    }
    let mut found = [0.0; 5];
    // From the largest to the smallest: everything above a place that was found stays there.
    let mut end = values.len();
    for (found, share) in found.iter_mut().zip(QUANTILES).rev() {
        let place = share * last as f64;
        let (below, above) = (place.floor() as usize, place.ceil() as usize);
        let end_of_this = end.max(above + 1);
        values[..end_of_this].select_nth_unstable_by(above, f64::total_cmp);
        let upper = values[above];
        let lower = match below == above {
            true => upper,
            false => values[..above]
                .iter()
                .copied()
                .fold(f64::NEG_INFINITY, f64::max),
        };
        end = above + 1;
        *found = match lower == upper {
            true => upper, // also for infinities
            false => lower + (upper - lower) * (place - below as f64),
        };
    }
    found
}

/// The values in bins of equal width from the smallest finite one to the largest.
pub(super) fn histogram(values: &[f64]) -> Histogram {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for &value in values.iter().filter(|value| value.is_finite()) {
        low = low.min(value);
        high = high.max(value);
    }
    let mut counts = vec![0; NUM_BINS];
    if low > high {
        let (low, high) = (f64::NAN, f64::NAN);
        return Histogram { low, high, counts };
    }
    let per_unit = match high > low {
        true => NUM_BINS as f64 / (high - low),
        false => 0.0,
    };
    for &value in values.iter().filter(|value| value.is_finite()) {
        let bin = ((value - low) * per_unit) as usize;
        counts[bin.min(NUM_BINS - 1)] += 1;
    }
    Histogram { low, high, counts }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_interpolated_as_numpy_does() {
        // numpy.quantile([7, 1, 3, 2, 11], [0.01, 0.25, 0.5, 0.75, 0.99])
        let mut values = [7.0, 1.0, 3.0, 2.0, 11.0];
        let expected = [1.04, 2.0, 3.0, 7.0, 10.84];
        for (found, expected) in quantiles(&mut values).iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found}, {expected}");
        }
        assert_eq!(quantiles(&mut [2.0]), [2.0; 5]);
        assert!(quantiles(&mut [1.0, f64::NAN])[0].is_nan());
        assert!(quantiles(&mut [])[0].is_nan());
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
