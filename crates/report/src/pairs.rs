//! Differences between variants, paired by seed and fold.

use std::collections::{BTreeMap, HashMap};

use emberlab_metrics::{Direction, Metric};
use emberlab_run_format::{PairedDifference, TrialOutcome, Verdict};

use crate::statistics::{bootstrap_median, holm, median, wilcoxon};

/// p-values below this count as a significant difference.
pub(crate) const SIGNIFICANCE: f64 = 0.05;

/// Compares every variant with the best one.
pub(crate) fn differences(
    trials: &[TrialOutcome],
    best: &str,
    others: &[&str],
    objective: &str,
    metric: Metric,
) -> Vec<PairedDifference> {
    let mut values: HashMap<&str, BTreeMap<(u64, Option<usize>), f64>> = HashMap::new();
    for trial in trials.iter().filter(|trial| trial.is_done()) {
        let of_variant = values.entry(&trial.variant).or_default();
        let value = trial.finite(objective).unwrap_or(f64::NAN);
        of_variant.insert((trial.seed, trial.fold), value);
    }
    let none = BTreeMap::new();
    let values = |variant: &str| values.get(variant).unwrap_or(&none);
    let worst = match metric.direction() {
        Direction::Higher => f64::NEG_INFINITY,
        Direction::Lower => f64::INFINITY,
    };
    let best_values = values(best);
    let paired: Vec<Vec<f64>> = others
        .iter()
        .map(|other| {
            let other = values(other);
            let pairs = best_values
                .iter()
                .filter_map(|(key, b)| Some((*b, *other.get(key)?)));
            let difference = |(b, o): (f64, f64)| match (b.is_finite(), o.is_finite()) {
                (true, true) => o - b,
                (true, false) => worst,
                (false, true) => -worst,
                (false, false) => 0.0,
            };
            pairs.map(difference).collect()
        })
        .collect();
    let p_values: Vec<f64> = paired.iter().map(|d| wilcoxon(d)).collect();
    let corrected = holm(&p_values);
    let all = others.iter().zip(paired).zip(corrected);
    all.map(|((other, differences), p_value)| PairedDifference {
        best: best.to_string(),
        variant: (*other).to_string(),
        num_pairs: differences.len(),
        median: median(&differences),
        interval: bootstrap_median(&differences),
        p_value,
        verdict: if p_value < SIGNIFICANCE {
            Verdict::Worse
        } else {
            Verdict::NotToldApart
        },
    })
    .collect()
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
