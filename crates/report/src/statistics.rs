//! Medians, bootstrap intervals and tests for paired differences.

use emberlab_rng::stream;
use rand::RngExt;

/// The median; of an even number of values, the mean of the two in the middle. NaN without values.
pub fn median(values: &[f64]) -> f64 {
    quantile(&sorted(values), 0.5)
}

/// The arithmetic mean. NaN without values.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The standard deviation of a sample, with `n - 1` in the denominator; 0 for a single value.
pub fn standard_deviation(values: &[f64]) -> f64 {
    if values.len() == 1 {
        return 0.0;
    }
    let mean = mean(values);
    let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    (squares / (values.len() as f64 - 1.0)).sqrt()
}

/// A quantile of sorted values, interpolated linearly between neighbours as by `numpy.quantile`.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    if sorted.is_empty() {
        return f64::NAN;
    }
    let place = share * (sorted.len() - 1) as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    between(sorted[low], sorted[high], place - low as f64)
}

/// The number that lies `share` of the way from `low` to `high`.
fn between(low: f64, high: f64, share: f64) -> f64 {
    match low == high || low.is_infinite() && high.is_finite() {
        // This also avoids the difference of two infinities, which is NaN.
        true => low,
        false => low + (high - low) * share,
    }
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// Number of resamples of a bootstrap. With another seed, the ends of an interval move by about a hundredth of its
/// width.
const RESAMPLES: usize = 10_000;

/// The percentile bootstrap interval of the median, 95 %.
///
/// The same values always give the same interval. `None` below two values.
///
/// # Source
/// Efron and Tibshirani 1993, An Introduction to the Bootstrap, section 13.3.
pub fn bootstrap_median(values: &[f64]) -> Option<(f64, f64)> {
    if values.len() < 2 {
        return None;
    }
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let sorted: Vec<f64> = order.iter().map(|&i| values[i]).collect();
    let mut ranks = vec![0; values.len()];
    for (rank, &i) in order.iter().enumerate() {
        ranks[i] = rank;
    }
    let mut rng = stream(0, "bootstrap", &[]);
    let mut counts = vec![0_u32; values.len()];
    let mut medians: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            counts.fill(0);
            for _ in 0..values.len() {
                counts[ranks[rng.random_range(0..values.len())]] += 1;
            }
            counted_median(&sorted, &counts)
        })
        .collect();
    medians.sort_by(f64::total_cmp);
    Some((quantile(&medians, 0.025), quantile(&medians, 0.975)))
}

/// The median of as many numbers as there are sorted values, each of which occurs as often as its count says. Counting
/// is several times as fast as sorting each resample.
fn counted_median(sorted: &[f64], counts: &[u32]) -> f64 {
    let (low, high) = ((sorted.len() - 1) / 2, sorted.len() / 2);
    let mut num_so_far = 0;
    let mut at_low = None;
    for (value, count) in sorted.iter().zip(counts) {
        num_so_far += *count as usize;
        if at_low.is_none() && num_so_far > low {
            at_low = Some(*value);
        }
        if let Some(at_low) = at_low
            && num_so_far > high
        {
            return between(at_low, *value, 0.5);
        }
    }
    f64::NAN
}

/// The p-value of Wilcoxon's signed-rank test, two-sided: the probability of ranks at least as one-sided as these if
/// neither of a pair were better.
///
/// Differences of zero are left out, and equal differences share their ranks; those that differ by less than a billionth
/// count as equal, because differences of equal fractions differ by their rounding. The p-value is exact, by counting all
/// assignments of signs; above 500 differences, where counting takes long, the sum of the ranks counts as normally
/// distributed. It is 1 if all differences are zero.
///
/// # Source
/// Wilcoxon 1945, Individual Comparisons by Ranking Methods; equals
/// `scipy.stats.wilcoxon(method="exact")` where there are no ties.
pub fn wilcoxon(differences: &[f64]) -> f64 {
    let mut nonzero: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0).collect();
    nonzero.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let ranks = doubled_ranks(&nonzero);
    let positive: usize = nonzero
        .iter()
        .zip(&ranks)
        .filter(|(d, _)| **d > 0.0)
        .map(|(_, rank)| rank)
        .sum();
    let total: usize = ranks.iter().sum();
    let smaller = positive.min(total - positive);
    match ranks.len() > MOST_COUNTED {
        true => normal_tail(&ranks, smaller),
        false => exact_tail(&ranks, smaller),
    }
}

/// The most differences whose p-value is counted. The time grows with the cube of their number.
const MOST_COUNTED: usize = 500;

/// Twice the rank of each absolute value. Equal values share the mean of their ranks.
fn doubled_ranks(sorted: &[f64]) -> Vec<usize> {
    let mut ranks = Vec::with_capacity(sorted.len());
    for group in sorted.chunk_by(|a, b| are_equal(a.abs(), b.abs())) {
        let first = ranks.len() + 1;
        let last = ranks.len() + group.len();
        ranks.extend(vec![first + last; group.len()]);
    }
    ranks
}

/// Whether two numbers differ by no more than a billionth of the larger, as by rounding.
fn are_equal(a: f64, b: f64) -> bool {
    let largest = a.abs().max(b.abs());
    a == b || largest.is_finite() && (a - b).abs() <= 1e-9 * largest
}

/// The difference `a - b`, which is 0 if the two are equal up to rounding.
pub fn difference(a: f64, b: f64) -> f64 {
    match are_equal(a, b) {
        true => 0.0,
        false => a - b,
    }
}

/// Twice the share of assignments of signs whose positive ranks sum to at most `smaller`.
fn exact_tail(ranks: &[usize], smaller: usize) -> f64 {
    let total: usize = ranks.iter().sum();
    // The share of assignments with each sum, one rank after the other.
    let mut shares = vec![0.0; total + 1];
    shares[0] = 1.0;
    for &rank in ranks {
        for sum in (0..=total).rev() {
            let with = if sum >= rank { shares[sum - rank] } else { 0.0 };
            shares[sum] = 0.5 * (shares[sum] + with);
        }
    }
    let tail: f64 = shares[..=smaller].iter().sum();
    (2.0 * tail).min(1.0)
}

/// The same by a normal distribution of mean `Σ rank / 2` and variance `Σ rank² / 4`.
fn normal_tail(ranks: &[usize], smaller: usize) -> f64 {
    let mean = ranks.iter().sum::<usize>() as f64 / 2.0;
    let variance: f64 = ranks.iter().map(|&rank| (rank as f64).powi(2) / 4.0).sum();
    two_tails((mean - smaller as f64) / variance.sqrt())
}

/// The probability that a normally distributed number is at least `z` standard deviations from its mean; `z ≥ 0`.
///
/// # Source
/// Abramowitz and Stegun 1964, Handbook of Mathematical Functions: series 26.2.11, continued fraction 26.2.14.
fn two_tails(z: f64) -> f64 {
    let density = (-0.5 * z * z).exp() * (2.0 / std::f64::consts::PI).sqrt();
    if z < 3.0 {
        let (mut term, mut sum) = (z, z);
        for k in 1..100 {
            term *= z * z / f64::from(2 * k + 1);
            sum += term;
        }
        1.0 - density * sum
    } else {
        let fraction = (1..100).rev().fold(z, |below, k| z + f64::from(k) / below);
        density / fraction
    }
}

/// p-values corrected for multiple comparisons by Holm's step-down method.
///
/// # Source
/// Holm 1979, A Simple Sequentially Rejective Multiple Test Procedure.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut corrected = vec![0.0; p_values.len()];
    let mut largest: f64 = 0.0;
    for (place, &i) in order.iter().enumerate() {
        largest = largest.max(p_values[i] * (p_values.len() - place) as f64);
        corrected[i] = largest.min(1.0);
    }
    corrected
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[track_caller]
    fn assert_near(value: f64, expected: f64, tolerance: f64) {
        assert!(
            (value - expected).abs() <= tolerance,
            "{value} instead of {expected}"
        );
    }

    #[test]
    fn quantiles_and_deviation_equal_numpy() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
        let infinity = f64::INFINITY;
        assert_eq!(median(&[1.0, infinity, infinity]), infinity);
        assert_eq!(median(&[1.0, infinity]), infinity);
        assert_eq!(median(&[-infinity, 1.0]), -infinity);
        // numpy.std([1, 2, 4], ddof=1)
        assert_near(
            standard_deviation(&[1.0, 2.0, 4.0]),
            1.5275252316519465,
            1e-15,
        );
        assert_eq!(standard_deviation(&[5.0]), 0.0);
    }

    #[test]
    fn the_signed_rank_test_equals_scipy() {
        // scipy.stats.wilcoxon(d, method="exact").pvalue
        let d = [0.5, 1.1, -0.2, 1.9, 0.7, 2.3, -0.9, 1.4];
        assert_near(wilcoxon(&d), 0.078125, 1e-12);
        let all_positive: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_near(wilcoxon(&all_positive), 0.001953125, 1e-15);
        assert_eq!(wilcoxon(&[0.0, 0.0]), 1.0);
        assert_eq!(wilcoxon(&[]), 1.0);
    }

    #[test]
    fn ties_have_exact_p_values() {
        // Ranks 2, 2, 2: all three of one sign is one of eight assignments, on each side.
        assert_near(wilcoxon(&[1.0, 1.0, 1.0]), 0.25, 1e-15);
        assert_near(wilcoxon(&[1.0, -1.0, 1.0, 0.0]), 1.0, 1e-15);
    }

    #[test]
    fn rounding_breaks_no_tie() {
        // Differences of accuracies over 36 rows: 2, 2, -2 and 1 rows, twice 0.
        let rows = [(31, 29), (23, 21), (7, 9), (30, 29), (11, 11)];
        let of = |rows: i32| f64::from(rows) / 36.0;
        let found: Vec<f64> = rows.map(|(a, b)| difference(of(a), of(b))).to_vec();
        assert_ne!(found[0], found[1]);
        let whole = rows.map(|(a, b)| f64::from(a - b));
        assert_eq!(wilcoxon(&found), wilcoxon(&whole));
        assert_eq!(difference(0.1 + 0.2, 0.3), 0.0);
        assert_eq!(difference(f64::INFINITY, f64::INFINITY), 0.0);
    }

    #[test]
    fn many_differences_have_exact_p_values() {
        let sign = |i: i32| if i % 3 == 0 { -1.0 } else { 1.0 };
        let d: Vec<f64> = (1..=101).map(|i| sign(i) * f64::from(i)).collect();
        // scipy.stats.wilcoxon(d, method="exact").pvalue
        assert_near(wilcoxon(&d), 0.002283440122850422, 1e-12);
    }

    #[test]
    fn many_more_differences_have_p_values_of_a_normal_distribution() {
        // scipy.stats.norm.sf(z) * 2
        for (z, expected) in [
            (0.0, 1.0),
            (1.0, 0.31731050786291415),
            (1.959963984540054, 0.05000000000000004),
            (2.999, 0.002708673067454213),
            (3.0, 0.0026997960632601866),
            (6.0, 1.973175290075396e-09),
        ] {
            assert_near(two_tails(z) / expected, 1.0, 1e-12);
        }
        // As near to the exact value as the size of the sample promises.
        let sign = |i: i32| if i % 9 < 4 { -1.0 } else { 1.0 };
        let d: Vec<f64> = (1..=200).map(|i| sign(i) * f64::from(i)).collect();
        let ranks = doubled_ranks(&d);
        let positive = (1..=200).filter(|i| sign(*i) > 0.0).map(|i| 2 * i as usize);
        let smaller = ranks.iter().sum::<usize>() - positive.sum::<usize>();
        assert_near(normal_tail(&ranks, smaller) / wilcoxon(&d), 1.0, 5e-3);
        let d: Vec<f64> = (1..=10_000).map(|i| sign(i) * f64::from(i)).collect();
        assert!(wilcoxon(&d) < 1e-20);
    }

    #[test]
    fn the_correction_of_holm_equals_statsmodels() {
        // statsmodels.stats.multitest.multipletests([0.01, 0.04, 0.03], method="holm")[1]
        let corrected = holm(&[0.01, 0.04, 0.03]);
        for (value, expected) in corrected.into_iter().zip([0.03, 0.06, 0.06]) {
            assert_near(value, expected, 1e-15);
        }
    }

    #[test]
    fn the_bootstrap_interval_repeats_and_covers_the_median() {
        let values: Vec<f64> = (0..20).map(f64::from).collect();
        let (low, high) = bootstrap_median(&values).unwrap();
        assert_eq!(bootstrap_median(&values), Some((low, high)));
        assert!(
            low < 9.5 && 9.5 < high && low > 2.0 && high < 17.0,
            "{low} {high}"
        );
        assert_eq!(bootstrap_median(&[1.0]), None);
        assert_eq!(bootstrap_median(&[1.0, 1.0]), Some((1.0, 1.0)));
    }
    #[test]
    fn counting_a_resample_gives_the_median_of_sorting_it() {
        let mut rng = stream(1, "test", &[]);
        for n in 2..30 {
            let values: Vec<f64> = (0..n).map(|i| f64::from(i * i)).collect();
            let mut counts = vec![0; values.len()];
            let mut resample = Vec::new();
            for _ in 0..n {
                let i = rng.random_range(0..values.len());
                counts[i] += 1;
                resample.push(values[i]);
            }
            assert_eq!(counted_median(&values, &counts), median(&resample), "{n}");
        }
        // The mean of infinity and itself is infinity, not NaN.
        let infinite = [1.0, f64::INFINITY];
        assert_eq!(counted_median(&infinite, &[0, 2]), f64::INFINITY);
    }
}
