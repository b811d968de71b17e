//! Learning rates that a learning-rate range test suggests.

use serde::Serialize;

use crate::statistics::{mean, median};

/// The share of a test's steps, on either side of a step, over which its loss is smoothed and its slope is measured. In
/// a test over seven decades this is a third of a decade. Losses of single batches are too noisy for less.
const REACH: f64 = 0.05;

/// A fall of the loss has to be this many times larger than its own noise. Losses of random labels reach four times,
/// those of the shipped experiments at least ten.
const TIMES_NOISE: f64 = 6.0;
/// The smallest fall that counts, as a share of the first loss.
const SMALLEST_FALL: f64 = 0.02;
/// The fall has begun where the loss has lost this share of it for good.
const BEGUN: f64 = 0.1;
/// The share of the seeds that have to agree.
const AGREEING: f64 = 0.75;
/// Seeds agree if their rates lie within this factor of each other: a decade.
const DECADE: f64 = 10.0;

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
    /// Reads a curve over ascending `learning_rates`; `None` if the loss never fell by more than its noise.
    pub fn of(learning_rates: &[f64], curve: &RangeCurve) -> Option<Self> {
        let smooth = smoothed(&curve.losses, learning_rates.len());
        let reach = reach(learning_rates.len());
        let order = |a: &usize, b: &usize| smooth[*a].total_cmp(&smooth[*b]);
        let lowest = (0..smooth.len()).min_by(order)?;
        // Means of whole neighbourhoods: at the ends, where these are smaller, a single loss may be low by chance.
        let whole = reach..smooth.len().checked_sub(reach)?;
        let (start, bottom) = (*smooth.get(reach)?, smooth[whole.min_by(order)?]);
        let fall = start - bottom;
        // Before the fall has begun, the steepest slope only shows how batches differ.
        let has_not_begun = |i: &usize| smooth[*i] >= start - BEGUN * fall;
        let begun = (reach..=lowest).rfind(has_not_begun).unwrap_or(reach);
        let slope = |i: usize| smooth[i + reach] - smooth[i - reach];
        let inner = begun..(lowest + 1).min(smooth.len() - reach);
        let steepest = inner.min_by(|&a, &b| slope(a).total_cmp(&slope(b)))?;
        // Batches differ: their losses scatter around the smoothed curve, of which two means are compared.
        let scatter = curve.losses[..=lowest].iter().zip(&smooth);
        let scatter: Vec<f64> = scatter
            .map(|(loss, smooth)| (loss - smooth).powi(2))
            .collect();
        let noise = mean(&scatter).sqrt() * (2.0 / (2 * reach + 1) as f64).sqrt();
        let is_real = fall > TIMES_NOISE * noise && fall > SMALLEST_FALL * start.abs();
        (is_real && slope(steepest) < 0.0).then(|| Self {
            steepest: learning_rates[steepest],
            lowest: learning_rates[lowest],
            diverged: learning_rates.get(curve.losses.len()).copied(),
        })
    }

    /// The suggestion of the findings of several seeds: their median, if most seeds agree on it.
    ///
    /// # Errors
    /// [`NoSuggestion`] with the reason why there is none.
    pub fn suggested(findings: &[Option<Self>]) -> Result<Self, NoSuggestion> {
        let found: Vec<Self> = findings.iter().flatten().copied().collect();
        let median = Self::median(&found).ok_or(NoSuggestion::NeverFalls)?;
        let (num_found, num_seeds) = (found.len(), findings.len());
        let needed = (AGREEING * num_seeds as f64).ceil() as usize;
        if num_found < needed {
            return Err(NoSuggestion::FallsRarely {
                num_found,
                num_seeds,
            });
        }
        let mut rates: Vec<f64> = found.iter().map(|finding| finding.steepest).collect();
        rates.sort_by(f64::total_cmp);
        let agree = |near: &[f64]| near[near.len() - 1] <= DECADE * near[0];
        match rates.windows(needed.max(1)).any(agree) {
            true => Ok(median),
            false => Err(NoSuggestion::Disagree {
                low: rates[0],
                high: rates[num_found - 1],
            }),
        }
    }

    /// The medians of several findings; `None` if there are none. The rate of divergence is that of the seed that
    /// diverged first, since a learning rate has to suit all seeds.
    fn median(findings: &[Self]) -> Option<Self> {
        let of = |value: fn(&Self) -> f64| median(&findings.iter().map(value).collect::<Vec<_>>());
        (!findings.is_empty()).then(|| Self {
            steepest: of(|f| f.steepest),
            lowest: of(|f| f.lowest),
            diverged: findings.iter().filter_map(|f| f.diverged).reduce(f64::min),
        })
    }
}

/// The reason why a range test suggests no learning rate.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum NoSuggestion {
    /// No seed's loss fell.
    #[error("at no learning rate did the loss fall by more than its batches differ")]
    NeverFalls,
    /// The losses of too few seeds fell.
    #[error(
        "with only {num_found} of {num_seeds} seeds did the loss fall by more than its batches differ"
    )]
    FallsRarely {
        /// Seeds whose loss fell.
        num_found: usize,
        /// All seeds.
        num_seeds: usize,
    },
    /// The loss falls fastest at different rates.
    #[error("the seeds disagree: the loss falls fastest anywhere from {low:.1e} to {high:.1e}")]
    Disagree {
        /// The lowest rate.
        low: f64,
        /// The highest rate.
        high: f64,
    },
}

fn reach(num_steps: usize) -> usize {
    ((num_steps as f64 * REACH) as usize).max(1)
}

/// The losses of a test of `num_steps`, each replaced by the mean of its neighbourhood. The neighbourhood shrinks
/// towards both ends to stay centred: a mean over earlier steps only would find every rate too high.
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
        let suggested = RangeFinding::suggested(&all.map(Some)).unwrap();
        assert_eq!((suggested.steepest, suggested.diverged), (0.2, Some(3.0)));
    }

    #[test]
    fn seeds_that_disagree_or_find_nothing_suggest_nothing() {
        let finding = |steepest| {
            Some(RangeFinding {
                steepest,
                lowest: 1.0,
                diverged: None,
            })
        };
        let suggested = |rates: &[Option<f64>]| {
            let all: Vec<_> = rates.iter().map(|rate| rate.and_then(finding)).collect();
            RangeFinding::suggested(&all).map(|found| found.steepest)
        };
        assert_eq!(suggested(&[None, None]), Err(NoSuggestion::NeverFalls));
        assert_eq!(
            suggested(&[Some(0.1), None, None, Some(0.1), Some(0.1)]),
            Err(NoSuggestion::FallsRarely {
                num_found: 3,
                num_seeds: 5
            })
        );
        let wild = [2e-6, 1e-3, 1e-3, 4.0, 1e-1].map(Some);
        assert_eq!(
            suggested(&wild),
            Err(NoSuggestion::Disagree {
                low: 2e-6,
                high: 4.0
            })
        );
        // A decade is agreement, and one of five may be far off.
        let decade = [3.3e-3, 4.2e-3, 1.5e-2, 1.7e-2, 1.8e-2].map(Some);
        assert_eq!(suggested(&decade), Ok(1.5e-2));
        let one_off = [2e-6, 1e-3, 2e-3, 3e-3, 1e-3].map(Some);
        assert_eq!(suggested(&one_off), Ok(1e-3));
    }

    #[test]
    fn a_loss_that_only_scatters_does_not_fall() {
        // A fixed sequence that looks random, with values around 0.7 as of batches of random labels.
        let mut state = 1_u64;
        let mut noise = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 40) as f64 / (1_u64 << 24) as f64 - 0.5
        };
        let rates: Vec<f64> = (0..200).map(|i| 1e-6 * 1.08_f64.powi(i)).collect();
        for seed in 0..100 {
            let losses = rates.iter().map(|_| 0.7 + 0.2 * noise()).collect();
            assert_eq!(RangeFinding::of(&rates, &RangeCurve { seed, losses }), None);
        }
    }
}
