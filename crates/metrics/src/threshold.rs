//! The threshold above which a probability means class 1, and the choice of the best one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::MetricsError;
use crate::confusion::share;
use crate::ranked::Ranked;

/// The numbers of samples by target and prediction, at one threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThresholdCounts {
    /// A probability above it is class 1.
    pub threshold: f64,
    /// Samples of class 1 that are found.
    pub true_positives: u64,
    /// Samples of class 0 that are taken for class 1.
    pub false_positives: u64,
    /// Samples of class 1 that are missed.
    pub false_negatives: u64,
    /// Samples of class 0 that are not taken for class 1.
    pub true_negatives: u64,
}

impl ThresholdCounts {
    /// Share of right predictions, in [0, 1].
    pub fn accuracy(&self) -> f64 {
        let right = self.true_positives + self.true_negatives;
        share(right, right + self.false_positives + self.false_negatives)
    }

    /// Share of the predictions of class 1 that are right, in [0, 1]; 0 if there are none.
    pub fn precision(&self) -> f64 {
        share(
            self.true_positives,
            self.true_positives + self.false_positives,
        )
    }

    /// Share of the samples of class 1 that are found, in [0, 1].
    pub fn recall(&self) -> f64 {
        share(
            self.true_positives,
            self.true_positives + self.false_negatives,
        )
    }

    /// Share of the samples of class 0 that are taken for class 1, in [0, 1].
    pub fn false_positive_rate(&self) -> f64 {
        share(
            self.false_positives,
            self.false_positives + self.true_negatives,
        )
    }

    /// Harmonic mean of precision and recall, in [0, 1].
    pub fn f1(&self) -> f64 {
        let wrong = self.false_positives + self.false_negatives;
        share(2 * self.true_positives, 2 * self.true_positives + wrong)
    }

    /// Youden's J: recall minus false positive rate, in [−1, 1]; random guesses have 0 (Youden 1950).
    pub fn youden(&self) -> f64 {
        self.recall() - self.false_positive_rate()
    }

    /// Mean cost of a sample, in the units of the two costs.
    pub fn cost(&self, false_positive: f64, false_negative: f64) -> f64 {
        let samples =
            self.true_positives + self.false_positives + self.false_negatives + self.true_negatives;
        let total = false_positive * self.false_positives as f64
            + false_negative * self.false_negatives as f64;
        total / samples as f64
    }
}

/// The criterion for the best threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum ThresholdBy {
    /// The highest F1 of class 1.
    F1,
    /// The highest Youden's J.
    Youden,
    /// The lowest mean cost.
    Cost {
        /// Cost of a sample of class 0 that is taken for class 1; zero or positive.
        false_positive: f64,
        /// Cost of a sample of class 1 that is missed; zero or positive.
        false_negative: f64,
    },
}

impl ThresholdBy {
    /// The number to maximise: F1, Youden's J, or the negative cost.
    fn worth(&self, counts: &ThresholdCounts) -> f64 {
        match *self {
            Self::F1 => counts.f1(),
            Self::Youden => counts.youden(),
            Self::Cost {
                false_positive,
                false_negative,
            } => -counts.cost(false_positive, false_negative),
        }
    }
}

impl ThresholdBy {
    /// The criterion as it is given on a command line: [`from_str`](Self::from_str) reads it.
    pub fn argument(&self) -> String {
        match self {
            Self::F1 => "f1".to_string(),
            Self::Youden => "youden".to_string(),
            Self::Cost {
                false_positive,
                false_negative,
            } => format!("cost={false_positive}:{false_negative}"),
        }
    }
}

impl fmt::Display for ThresholdBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::F1 => f.write_str("F1"),
            Self::Youden => f.write_str("Youden's J"),
            Self::Cost {
                false_positive,
                false_negative,
            } => write!(f, "cost {false_positive}:{false_negative}"),
        }
    }
}

impl FromStr for ThresholdBy {
    type Err = String;

    /// Reads `f1`, `youden` or `cost=FP:FN`, such as `cost=1:5`.
    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || {
            format!(
                "`{text}` is not `f1`, `youden` or `cost=FP:FN`; with `cost=1:5` a missed sample costs five times as much as a false alarm"
            )
        };
        match text {
            "f1" => Ok(Self::F1),
            "youden" => Ok(Self::Youden),
            _ => {
                let costs = text.strip_prefix("cost=").and_then(|c| c.split_once(':'));
                let (false_positive, false_negative) = costs.ok_or_else(refused)?;
                let cost = |text: &str| {
                    let number: Option<f64> = text.trim().parse().ok();
                    number.filter(|c| c.is_finite() && *c >= 0.0)
                };
                let false_positive = cost(false_positive).ok_or_else(refused)?;
                let false_negative = cost(false_negative).ok_or_else(refused)?;
                if false_positive + false_negative == 0.0 {
                    return Err(format!(
                        "`{text}`: without any cost every threshold is as good as another"
                    ));
                }
                Ok(Self::Cost {
                    false_positive,
                    false_negative,
                })
            }
        }
    }
}

/// The best threshold on some samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BestThreshold {
    /// The criterion.
    pub by: ThresholdBy,
    /// F1, Youden's J, or the mean cost at this threshold.
    pub value: f64,
    /// The threshold, and the numbers of samples at it.
    #[serde(rename = "at")]
    pub counts: ThresholdCounts,
}

impl Ranked {
    /// The counts where class 1 is predicted for the `num_levels` highest distinct probabilities.
    fn counts(&self, num_levels: usize, threshold: f64) -> ThresholdCounts {
        let at = |counts: &[u64]| num_levels.checked_sub(1).map_or(0, |i| counts[i]);
        let (tp, fp) = (at(&self.true_positives), at(&self.false_positives));
        ThresholdCounts {
            threshold,
            true_positives: tp,
            false_positives: fp,
            false_negatives: self.num_positive() - tp,
            true_negatives: self.num_negative() - fp,
        }
    }

    /// The counts where class 1 is predicted above `threshold`.
    pub(crate) fn above(&self, threshold: f64) -> ThresholdCounts {
        let num_levels = self.scores.partition_point(|&score| score > threshold);
        self.counts(num_levels, threshold)
    }
}

/// The counts at the thresholds 0, 0.01, …, 1.
pub(crate) fn threshold_table(ranked: &Ranked) -> Vec<ThresholdCounts> {
    (0..=100)
        .map(|i| ranked.above(f64::from(i) / 100.0))
        .collect()
}

/// The threshold in [0, 1] that is best on these samples; of equally good ones the one nearest to 0.5.
///
/// Thresholds lie halfway between neighbouring probabilities, so that rounding does not change any prediction.
///
/// # Errors
/// [`MetricsError::Lengths`], [`MetricsError::Label`], [`MetricsError::OneClass`],
/// [`MetricsError::NotFinite`].
pub fn best_threshold(
    targets: &[u32],
    probabilities: &[f64],
    by: ThresholdBy,
) -> Result<BestThreshold, MetricsError> {
    let ranked = Ranked::new(targets, probabilities)?;
    let halfway = |pair: &[f64]| {
        let middle = pair[1] + (pair[0] - pair[1]) / 2.0;
        // Between neighbouring floats there is no other: the lower one separates them too.
        if middle < pair[0] { middle } else { pair[1] }
    };
    let between = ranked.scores.windows(2).map(halfway);
    let lowest = ranked.scores.last().map_or(0.0, |p| (p / 2.0).max(0.0));
    let highest = ranked.scores.first().map_or(1.0, |p| p.midpoint(1.0));
    let candidates = between.chain([lowest, highest.max(0.0), 0.5, 1.0]);
    let candidates = candidates.filter(|t| (0.0..=1.0).contains(t));
    let from_half = |counts: &ThresholdCounts| (counts.threshold - 0.5).abs();
    let best = candidates
        .map(|threshold| ranked.above(threshold))
        .max_by(|a, b| {
            let worth = by.worth(a).total_cmp(&by.worth(b));
            worth.then_with(|| from_half(b).total_cmp(&from_half(a)))
        });
    let counts = best.unwrap_or_else(|| ranked.above(0.5));
    let value = match by {
        ThresholdBy::Cost { .. } => 0.0 - by.worth(&counts),
        _ => by.worth(&counts),
    };
    Ok(BestThreshold { by, value, counts })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::curves::tests::{PROBABILITIES, TARGETS, close};

    #[test]
    fn counts_and_scores_at_a_threshold_equal_scikit_learn() {
        // y = (p > th).astype(int); tn, fp, fn, tp = confusion_matrix(t, y).ravel()
        // print(th, tp, fp, fn, tn, f1_score(t, y), tp / 5 - fp / 5)
        let expected = [
            (0.0, [5, 5, 0, 0], 0.6666666666666666, 0.0),
            (0.3, [5, 3, 0, 2], 0.7692307692307693, 0.4),
            (0.35, [4, 2, 1, 3], 0.7272727272727273, 0.4),
            (0.5, [3, 1, 2, 4], 0.6666666666666666, 0.4),
            (0.7, [1, 1, 4, 4], 0.2857142857142857, 0.0),
            (1.0, [0, 0, 5, 5], 0.0, 0.0),
        ];
        let ranked = Ranked::new(&TARGETS, &PROBABILITIES).unwrap();
        for (threshold, counts, f1, youden) in expected {
            let c = ranked.above(threshold);
            let found = [
                c.true_positives,
                c.false_positives,
                c.false_negatives,
                c.true_negatives,
            ];
            assert_eq!(found, counts, "at {threshold}");
            close(&[c.f1(), c.youden()], &[f1, youden]);
        }
    }

    #[test]
    fn the_best_threshold_by_f1_is_the_best_that_scikit_learn_finds() {
        // max(f1_score(t, p >= th) for th in np.unique(p)): 0.7692307692307693, at 0.35
        let best = best_threshold(&TARGETS, &PROBABILITIES, ThresholdBy::F1).unwrap();
        close(&[best.value], &[0.7692307692307693]);
        close(&[best.counts.threshold], &[(0.35 + 0.1) / 2.0]);
    }

    #[test]
    fn expensive_misses_lower_the_threshold_and_expensive_alarms_raise_it() {
        let by = |cost: &str| {
            let by = cost.parse().unwrap();
            best_threshold(&TARGETS, &PROBABILITIES, by).unwrap()
        };
        // To find all of class 1, three of ten samples are false alarms; without any, only 0.9 is predicted as class 1.
        let (misses, alarms) = (by("cost=1:10"), by("cost=10:1"));
        assert_eq!(misses.counts.false_negatives, 0);
        close(&[misses.value], &[0.3]);
        assert_eq!(alarms.counts.false_positives, 0);
        close(&[alarms.counts.threshold, alarms.value], &[0.85, 0.4]);
    }

    #[test]
    fn of_equally_good_thresholds_the_one_nearest_to_a_half_is_taken() {
        let best = best_threshold(&[0, 0, 1, 1], &[0.1, 0.2, 0.9, 0.95], ThresholdBy::Youden);
        let best = best.unwrap();
        assert_eq!((best.value, best.counts.threshold), (1.0, 0.5));
    }

    #[test]
    fn the_criterion_is_read_from_text() {
        assert_eq!("youden".parse(), Ok(ThresholdBy::Youden));
        let cost = ThresholdBy::Cost {
            false_positive: 1.0,
            false_negative: 2.5,
        };
        assert_eq!("cost=1:2.5".parse(), Ok(cost));
        let free: Result<ThresholdBy, String> = "cost=0:0".parse();
        assert!(free.unwrap_err().contains("without any cost"));
        for by in [ThresholdBy::F1, ThresholdBy::Youden, cost] {
            assert_eq!(by.argument().parse(), Ok(by));
        }
        for wrong in ["roc", "cost", "cost=1", "cost=-1:2", "cost=NaN:1", ""] {
            assert!(wrong.parse::<ThresholdBy>().is_err(), "{wrong}");
        }
    }
}
