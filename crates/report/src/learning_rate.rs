//! Learning rates that a learning-rate range test suggests.

use serde::Serialize;

use crate::statistics::median;

/// The share of a test's steps, on either side of a step, that its loss is smoothed and its slope is measured over. In a
/// test over seven decades this is a third of a decade. Losses of single batches are too noisy for less.
const REACH: f64 = 0.05;

/// The losses of a range test with one seed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RangeCurve {
    /// The seed.
    pub seed: u64,
    /// One loss per learning rate; shorter if the training diverged.
    pub losses: Vec<f64>,
}

/// The learning rates that one or several curves suggest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RangeFinding {
    /// The rate at which the smoothed loss falls fastest over the logarithm of the rate: a good first choice.
    pub steepest: f64,
    /// The rate at which the smoothed loss is lowest: about the highest that is useful.
    pub lowest: f64,
    /// The first rate at which the training diverged, if it did.
    pub diverged: Option<f64>,
}

impl RangeFinding {
    /// Reads a curve over ascending `learning_rates`; `None` if the loss never fell.
    pub fn of(learning_rates: &[f64], curve: &RangeCurve) -> Option<Self> {
        let smooth = smoothed(&curve.losses, learning_rates.len());
        let reach = reach(learning_rates.len());
        let (lowest, bottom) = smooth
            .iter()
            .copied()
            .enumerate()
            .min_by(|a, b| a.1.total_cmp(&b.1))?;
        let slope = |i: usize| smooth[i + reach] - smooth[i - reach];
        let inner = reach..(lowest + 1).min(smooth.len() - reach.min(smooth.len()));
        let steepest = inner.min_by(|&a, &b| slope(a).total_cmp(&slope(b)))?;
        (bottom < smooth[0] && slope(steepest) < 0.0).then(|| Self {
            steepest: learning_rates[steepest],
            lowest: learning_rates[lowest],
            diverged: learning_rates.get(curve.losses.len()).copied(),
        })
    }

    /// The medians of several findings; `None` if there are none. The rate of divergence is that of the seed that
    /// diverged first, since a learning rate has to suit all seeds.
    pub fn median(findings: &[Self]) -> Option<Self> {
        let of = |value: fn(&Self) -> f64| median(&findings.iter().map(value).collect::<Vec<_>>());
        (!findings.is_empty()).then(|| Self {
            steepest: of(|f| f.steepest),
            lowest: of(|f| f.lowest),
            diverged: findings.iter().filter_map(|f| f.diverged).reduce(f64::min),
        })
    }
}

fn reach(num_steps: usize) -> usize {
    ((num_steps as f64 * REACH) as usize).max(1)
}

/// The losses of a test of `num_steps`, each replaced by the mean of its neighbourhood. The neighbourhood shrinks towards
/// both ends to stay centred: a mean over earlier steps only would find every rate too high.
pub fn smoothed(losses: &[f64], num_steps: usize) -> Vec<f64> {
    let mean = |i: usize| {
        let reach = reach(num_steps).min(i).min(losses.len() - 1 - i);
        let around = &losses[i - reach..=i + reach];
        around.iter().sum::<f64>() / around.len() as f64
    };
    (0..losses.len()).map(mean).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn rates() -> Vec<f64> {
        (0..=60)
            .map(|i| 10_f64.powf(f64::from(i) / 10.0 - 5.0))
            .collect()
    }

    fn curve(loss: impl Fn(f64) -> f64) -> RangeCurve {
        RangeCurve {
            seed: 0,
            losses: rates().into_iter().map(loss).collect(),
        }
    }

    #[test]
    fn a_falling_step_is_found_where_it_is_steepest() {
        // A logistic fall in log10 of the rate, centred at 10^-2, and a rise from 10^0.
        let falls = curve(|rate| {
            let x = rate.log10();
            1.0 / (1.0 + (3.0 * (x + 2.0)).exp()) + (x - 0.0).max(0.0)
        });
        let mut noisy = falls.clone();
        for (i, loss) in noisy.losses.iter_mut().enumerate() {
            *loss += if i % 2 == 0 { 0.1 } else { -0.1 };
        }
        let finding = RangeFinding::of(&rates(), &noisy).unwrap();
        assert!((finding.steepest.log10() + 2.0).abs() < 0.35, "{finding:?}");
        let finding = RangeFinding::of(&rates(), &falls).unwrap();
        assert!((finding.steepest.log10() + 2.0).abs() < 0.05, "{finding:?}");
        assert!(finding.lowest.log10().abs() < 0.35, "{finding:?}");
        assert_eq!(finding.diverged, None);
    }

    #[test]
    fn a_curve_that_ends_early_diverged_at_the_next_rate() {
        let mut falls = curve(|rate| 1.0 / (1.0 + rate * 1e3));
        falls.losses.truncate(45);
        let finding = RangeFinding::of(&rates(), &falls).unwrap();
        assert_eq!(finding.diverged, Some(rates()[45]));
    }

    #[test]
    fn a_loss_that_never_falls_suggests_nothing() {
        assert_eq!(RangeFinding::of(&rates(), &curve(|_| 0.7)), None);
        assert_eq!(RangeFinding::of(&rates(), &curve(|rate| 1.0 + rate)), None);
        let empty = RangeCurve {
            seed: 0,
            losses: vec![],
        };
        assert_eq!(RangeFinding::of(&rates(), &empty), None);
    }

    #[test]
    fn several_seeds_agree_on_their_median_and_on_the_first_that_diverged() {
        let finding = |steepest, diverged| RangeFinding {
            steepest,
            lowest: 1.0,
            diverged,
        };
        let all = [
            finding(0.1, Some(5.0)),
            finding(0.3, None),
            finding(0.2, Some(3.0)),
        ];
        let median = RangeFinding::median(&all).unwrap();
        assert_eq!((median.steepest, median.diverged), (0.2, Some(3.0)));
        assert_eq!(RangeFinding::median(&[]), None);
    }
}
