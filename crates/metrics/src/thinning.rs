//! Fewer points for curves that are drawn and stored.

/// The indices of at most `max_points` points of a curve, spread evenly along its length, with both ends. If the
/// curve has no more points than that, all are returned. `max_points` must be at least 2.
pub(crate) fn thinned(x: &[f64], y: &[f64], max_points: usize) -> Vec<usize> {
    let num_points = x.len();
    if num_points <= max_points {
        return (0..num_points).collect();
    }
    let mut lengths = vec![0.0];
    for i in 1..num_points {
        let step = (x[i] - x[i - 1]).hypot(y[i] - y[i - 1]);
        lengths.push(lengths[i - 1] + step);
    }
    let total = lengths[num_points - 1];
    let mut kept: Vec<usize> = (0..max_points)
        .map(|k| total * k as f64 / (max_points - 1) as f64)
        .map(|wanted| lengths.partition_point(|&l| l < wanted).min(num_points - 1))
        .collect();
    kept.dedup();
    kept
}

/// The numbers at the indices, rounded to five decimals, which is finer than any picture and short in a file.
pub(crate) fn chosen(numbers: &[f64], indices: &[usize]) -> Vec<f64> {
    indices.iter().map(|&i| rounded(numbers[i])).collect()
}

/// A number rounded to five decimals.
pub(crate) fn rounded(number: f64) -> f64 {
    if number.is_finite() {
        (number * 1e5).round() / 1e5
    } else {
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_both_ends_and_spreads_along_the_curve() {
        // A hundred points up the first step of length 1, one point after a second of length 1.
        let x: Vec<f64> = (0..=100).map(|i| if i < 100 { 0.0 } else { 1.0 }).collect();
        let y: Vec<f64> = (0..=100).map(|i| f64::from(i.min(99)) / 99.0).collect();
        let kept = thinned(&x, &y, 11);
        assert_eq!((kept[0], kept.last()), (0, Some(&100)));
        assert!(kept.len() <= 11 && kept.contains(&99), "{kept:?}");
        assert_eq!(thinned(&x, &y, 101).len(), 101);
    }

    #[test]
    fn numbers_are_rounded_and_infinity_stays() {
        let kept = chosen(&[0.123456789, f64::INFINITY], &[0, 1]);
        assert_eq!(kept, [0.12346, f64::INFINITY]);
    }
}
