//! The values that replace missing ones: computed from the training rows, as scikit-learn's `SimpleImputer` does.

use crate::config::{Impute, ImputeCategory, ImputeNumber};

/// The number that replaces missing ones, from the numbers of the training rows that are not missing; `None` if nothing
/// replaces them.
pub(super) fn number(impute: &Impute, mut present: Vec<f64>) -> Option<f64> {
    match impute.number {
        ImputeNumber::Error => None,
        ImputeNumber::Constant => Some(impute.constant),
        ImputeNumber::Mean => Some(mean(&present)),
        ImputeNumber::Median if present.is_empty() => None,
        ImputeNumber::Median => {
            present.sort_unstable_by(f64::total_cmp);
            let (low, high) = (present[(present.len() - 1) / 2], present[present.len() / 2]);
            // Halved first, so that the sum stays finite.
            Some(if low == high {
                low
            } else {
                low / 2.0 + high / 2.0
            })
        }
    }
}

/// The mean, with the rounding errors of the sum compensated as in Kahan's and Neumaier's sum.
fn mean(numbers: &[f64]) -> f64 {
    let count = numbers.len() as f64;
    let (mut sum, mut lost) = (0.0_f64, 0.0);
    for number in numbers {
        // Divided first, so that the sum stays finite.
        let part = number / count;
        let next = sum + part;
        lost += match sum.abs() >= part.abs() {
            true => (sum - next) + part,
            false => (part - next) + sum,
        };
        sum = next;
    }
    sum + lost
}

/// The category that replaces missing ones.
pub(super) enum ReplacedBy {
    /// None: a missing category is an error.
    Nothing,
    /// One of the categories, as an index into them.
    Category(usize),
    /// A category of its own.
    Own,
}

/// The category that replaces missing ones, from the names of the categories and their numbers of training rows.
pub(super) fn category(impute: &Impute, names: &[String], counts: &[usize]) -> ReplacedBy {
    match impute.category {
        ImputeCategory::Error => ReplacedBy::Nothing,
        ImputeCategory::Own => ReplacedBy::Own,
        ImputeCategory::MostFrequent => {
            // The first in alphabetic order of those with the highest count.
            let places = 0..names.len().min(counts.len());
            let most =
                places.max_by(|&a, &b| counts[a].cmp(&counts[b]).then(names[b].cmp(&names[a])));
            most.map_or(ReplacedBy::Nothing, ReplacedBy::Category)
        }
    }
}
