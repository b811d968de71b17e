//! Differences between variants, paired by seed.

use std::collections::{BTreeMap, HashMap};

use emberlab_metrics::{Direction, Metric};
use emberlab_run_format::{PairedDifference, TrialOutcome, Verdict};

use crate::numbers::count;
use crate::statistics::{bootstrap_median, difference, holm, mean, median, wilcoxon};

/// p-values below this count as a significant difference.
pub(crate) const SIGNIFICANCE: f64 = 0.05;

/// The finite or infinite value of a trial's objective: NaN counts as the worst.
pub(crate) fn or_worst(value: f64, metric: Metric) -> f64 {
    match (value.is_finite(), metric.direction()) {
        (true, _) => value,
        (false, Direction::Higher) => f64::NEG_INFINITY,
        (false, Direction::Lower) => f64::INFINITY,
    }
}

/// The values of a variant's finished trials by seed and fold.
type Values = BTreeMap<(u64, Option<usize>), f64>;

/// Compares every variant with the best one.
pub(crate) fn differences(
    trials: &[TrialOutcome],
    best: &str,
    others: &[&str],
    objective: &str,
    metric: Metric,
) -> Vec<PairedDifference> {
    let mut values: HashMap<&str, Values> = HashMap::new();
    for trial in trials.iter().filter(|trial| trial.is_done()) {
        if let Some(value) = trial.value(objective) {
            let of_variant = values.entry(&trial.variant).or_default();
            of_variant.insert((trial.seed, trial.fold), or_worst(value, metric));
        }
    }
    let none = BTreeMap::new();
    let values = |variant: &str| values.get(variant).unwrap_or(&none);
    let best_values = values(best);
    let mut folds: Vec<usize> = best_values.keys().filter_map(|(_, fold)| *fold).collect();
    folds.sort_unstable();
    folds.dedup();
    let paired: Vec<Vec<f64>> = others
        .iter()
        .map(|other| of_seeds(best_values, values(other)))
        .collect();
    let p_values: Vec<f64> = paired.iter().map(|d| wilcoxon(d)).collect();
    let corrected = holm(&p_values);
    let all = others.iter().zip(paired).zip(corrected);
    all.map(|((other, differences), p_value)| {
        let median = median(&differences);
        PairedDifference {
            best: best.to_string(),
            variant: (*other).to_string(),
            num_pairs: differences.len(),
            num_folds: (!folds.is_empty()).then_some(folds.len()),
            median,
            interval: bootstrap_median(&differences),
            p_value,
            verdict: verdict(median, p_value, metric),
        }
    })
    .collect()
}

/// The difference `other - best` of each seed that both have, of the means over the folds that both have: folds share
/// training rows, so they are not independent.
fn of_seeds(best: &Values, other: &Values) -> Vec<f64> {
    let mut of_seed: BTreeMap<u64, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
    for (key, value) in best {
        if let Some(other) = other.get(key) {
            let (theirs, ours) = of_seed.entry(key.0).or_default();
            theirs.push(*other);
            ours.push(*value);
        }
    }
    // Rounded once, after the means. Two infinities are equal: where both are infinitely worse, neither is better.
    let of_seed = of_seed.values();
    of_seed
        .map(|(theirs, ours)| difference(mean(theirs), mean(ours)))
        .collect()
}

/// The verdict on a variant by the median of its differences from the best one.
fn verdict(median: f64, p_value: f64, metric: Metric) -> Verdict {
    let is_better = |a, b| metric.direction().is_improvement(a, b);
    match p_value < SIGNIFICANCE && !median.is_nan() {
        true if is_better(median, 0.0) => Verdict::Better,
        true if is_better(0.0, median) => Verdict::Worse,
        _ => Verdict::NotToldApart,
    }
}

/// `10 seeds`, or `2 seeds × 5 folds`.
pub(crate) fn seeds(num_seeds: usize, num_folds: Option<usize>) -> String {
    let seeds = count(num_seeds, "seed");
    match num_folds {
        Some(num_folds) => format!("{seeds} × {}", count(num_folds, "fold")),
        None => seeds,
    }
}

/// The fewest pairs with which `num_others` variants could all differ significantly from the best.
pub(crate) fn fewest_pairs(num_others: usize) -> usize {
    let reaches = |n: &usize| {
        let smallest = 2.0 * 0.5_f64.powi(i32::try_from(*n).unwrap_or(i32::MAX));
        smallest * (num_others as f64) < SIGNIFICANCE
    };
    (1..64).find(reaches).unwrap_or(64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use emberlab_run_format::Outcome;

    fn trials(variant: &str, values: &[f64]) -> Vec<TrialOutcome> {
        let trial = |(seed, value): (usize, &f64)| TrialOutcome {
            variant: variant.to_string(),
            seed: seed as u64,
            fold: None,
            run: String::new(),
            outcome: Outcome::Completed,
            epochs: 1,
            steps: 1,
            seconds: 1.0,
            epochs_to_target: None,
            figures: [("valid_loss".to_string(), *value)].into(),
        };
        values.iter().enumerate().map(trial).collect()
    }

    #[test]
    fn a_constant_difference_is_significant_in_spite_of_noisy_seeds() {
        let noise: Vec<f64> = (0..10).map(|i| f64::from(i * 7 % 10)).collect();
        let shifted: Vec<f64> = noise.iter().map(|x| x + 0.5 + x * 1e-3).collect();
        let all = [trials("a", &noise), trials("b", &shifted)].concat();
        let found = differences(&all, "a", &["b"], "valid_loss", Metric::Loss);
        assert_eq!((found[0].num_pairs, found[0].verdict), (10, Verdict::Worse));
        assert!(
            (found[0].median - 0.5045).abs() < 1e-12,
            "{}",
            found[0].median
        );
        // Ten differences of one sign: 2 / 2^10.
        assert_eq!(found[0].p_value, 2.0 / 1024.0);
    }

    #[test]
    fn a_variant_that_ends_in_nan_is_infinitely_worse() {
        let good = trials("a", &[0.1; 10]);
        let bad = trials("b", &[f64::NAN; 10]);
        let all = [good, bad].concat();
        let found = differences(&all, "a", &["b"], "valid_loss", Metric::Loss);
        assert_eq!(
            (found[0].median, found[0].verdict),
            (f64::INFINITY, Verdict::Worse)
        );
    }

    #[test]
    fn the_verdict_follows_the_sign_of_the_difference() {
        let base: Vec<f64> = (0..8).map(|i| f64::from(i) * 0.01).collect();
        let higher: Vec<f64> = base.iter().map(|x| x + 0.5).collect();
        let all = [trials("a", &base), trials("b", &higher)].concat();
        let of = |metric| differences(&all, "a", &["b"], "valid_loss", metric)[0].verdict;
        assert_eq!(of(Metric::Loss), Verdict::Worse);
        assert_eq!(of(Metric::Accuracy), Verdict::Better);
        let of = |best, other| differences(&all, best, &[other], "valid_loss", Metric::Loss);
        assert_eq!(of("b", "a")[0].verdict, Verdict::Better);
    }

    #[test]
    fn the_folds_of_a_seed_are_one_pair() {
        let with_folds = |variant: &str, rise: f64| -> Vec<TrialOutcome> {
            let all = (0..2).flat_map(|seed| (0..5).map(move |fold| (seed, fold)));
            let trial = |(seed, fold): (u64, usize)| TrialOutcome {
                seed,
                fold: Some(fold),
                ..trials(variant, &[rise * fold as f64]).remove(0)
            };
            all.map(trial).collect()
        };
        let all = [with_folds("a", 1.0), with_folds("b", 2.0)].concat();
        let found = differences(&all, "a", &["b"], "valid_loss", Metric::Loss).remove(0);
        // The mean of 0, 1, 2, 3 and 4.
        assert_eq!((found.num_pairs, found.num_folds), (2, Some(5)));
        assert_eq!(found.median, 2.0);
        assert_eq!(found.verdict, Verdict::NotToldApart);
        assert_eq!(seeds(found.num_pairs, found.num_folds), "2 seeds × 5 folds");
    }

    #[test]
    fn folds_with_the_same_mean_do_not_differ() {
        let values = |folds: &[f64]| -> Values {
            let folds = folds.iter().enumerate();
            folds.map(|(fold, v)| ((0, Some(fold)), *v)).collect()
        };
        let same = values(&[0.5, 0.5, 0.5]);
        assert_eq!(of_seeds(&same, &values(&[0.6, 0.7, 0.2])), [0.0]);
        let bad = values(&[f64::INFINITY, 0.5, 0.5]);
        assert_eq!(of_seeds(&bad, &values(&[0.5, 0.5, f64::INFINITY])), [0.0]);
        assert_eq!(of_seeds(&same, &bad), [f64::INFINITY]);
    }

    #[test]
    fn few_seeds_are_never_significant_and_the_needed_number_is_known() {
        let all = [trials("a", &[1.0; 5]), trials("b", &[2.0; 5])].concat();
        let found = differences(&all, "a", &["b"], "valid_loss", Metric::Loss);
        assert_eq!(found[0].verdict, Verdict::NotToldApart);
        assert_eq!(
            (fewest_pairs(1), fewest_pairs(2), fewest_pairs(10)),
            (6, 7, 9)
        );
    }
}
