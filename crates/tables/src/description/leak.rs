//! Whether the label can be read off another column.

use super::summary::{LabelCell, MAX_CLASSES, Summary};
use super::warnings::LEAST_ROWS;

/// The smallest number of rows for which one threshold, or the same order, means anything: few rows of two kinds are often
/// apart by themselves.
const LEAST_ORDERED: usize = 200;

/// The smallest number of rows of each of two classes for the same.
const LEAST_OF_CLASS: usize = 20;

/// The reason to say that a column gives the label away; `None` if it does not.
pub(super) fn gives_label_away(column: &Summary, label: &Summary) -> Option<String> {
    if column.counts.rows < LEAST_ROWS {
        return None;
    }
    let largest = label.values.iter().map(|value| value.count).max();
    let majority = largest.unwrap_or(0) as f64 / label.counts.values().max(1) as f64;
    let num_classes = label.distinct.count();
    let is_class = (2..=MAX_CLASSES as u64).contains(&num_classes);
    // A column that leaves less than a twentieth of the errors of the majority class.
    let is_nearly_all = |share: &f64| 1.0 - share <= 0.05 * (1.0 - majority) && *share >= 0.99;
    if is_class && let Some(share) = column.missing_determines_class().filter(is_nearly_all) {
        return Some(format!(
            "whether it has a value determines {:.1} % of the labels",
            100.0 * share
        ));
    }
    if column.counts.values() < LEAST_ROWS {
        return None;
    }
    let determined = column.determines_class().filter(|_| is_class);
    if let Some(share) = determined.filter(is_nearly_all) {
        return Some(format!(
            "its values determine {:.1} % of the labels",
            100.0 * share
        ));
    }
    let correlation = column.with_label.correlation().unwrap_or(0.0);
    if correlation.abs() >= 0.9999 {
        return Some(format!(
            "its correlation with the label is {correlation:.6}"
        ));
    }
    let are_numbers = column.counts.numbers == column.counts.values();
    if !are_numbers {
        return None;
    }
    if num_classes == 2 {
        let range = column.sample.range_of_a_class();
        return range.map(|[low, high]| match (low, high) {
            (Some(low), Some(high)) => {
                format!("one class has all values from {low} to {high}, and the other none of them")
            }
            (Some(bound), None) | (None, Some(bound)) => {
                format!("the values up to {bound} are those of one class, and all others those of the other")
            }
            (None, None) => "its values are those of one class".to_owned(),
        });
    }
    let has_same_order = !is_class && column.sample.rank_correlation()?.abs() >= 0.9999;
    has_same_order.then(|| "its values have the same order as the label".to_owned())
}

/// The numbers of some rows, evenly spread over the table, with their labels.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    limit: usize,
    /// One of so many rows is kept.
    stride: usize,
    seen: usize,
    rows: Vec<(f64, LabelCell)>,
}

impl Sample {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(2),
            stride: 1,
            seen: 0,
            rows: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, number: f64, label: &LabelCell) {
        if label.class.is_none() && label.number.is_none() {
            return;
        }
        if self.seen.is_multiple_of(self.stride) {
            if self.rows.len() == self.limit {
                let mut place = 0;
                self.rows.retain(|_| {
                    place += 1;
                    place % 2 == 1
                });
                self.stride *= 2;
            }
            if self.seen.is_multiple_of(self.stride) {
                self.rows.push((number, *label));
            }
        }
        self.seen += 1;
    }

    /// The range of numbers that has nearly all rows of one of two classes and hardly any of the other; an end is `None` if
    /// no row lies beyond it. `None` if there is none, or a class has few rows.
    fn range_of_a_class(&self) -> Option<[Option<f64>; 2]> {
        let mut rows: Vec<(f64, bool)> = (self.rows.iter())
            .filter_map(|(number, label)| Some((*number, label.class? == 0)))
            .collect();
        let num_first = rows.iter().filter(|(_, is_first)| *is_first).count();
        let rarer = num_first.min(rows.len() - num_first);
        if rows.len() < LEAST_ORDERED || rarer < LEAST_OF_CLASS {
            return None;
        }
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        let most_errors = (rows.len() / 200).min(rarer / 20);
        let of_class = |class: bool, num_rows: usize| {
            let (surplus, range) = best_range(&rows, class);
            (num_rows - surplus <= most_errors).then_some(range)
        };
        let [low, high] =
            of_class(true, num_first).or_else(|| of_class(false, rows.len() - num_first))?;
        let (first, last) = (rows.first()?.0, rows.last()?.0);
        // A range that begins at the smallest number is told by its end, and one that ends at the largest by the number
        // before it.
        Some(match (low > first, high < last) {
            (true, true) => [Some(low), Some(high)],
            (true, false) => {
                let below = rows.iter().rev().find(|(number, _)| *number < low);
                [None, below.map(|(number, _)| *number)]
            }
            (false, true) => [None, Some(high)],
            (false, false) => [None, None],
        })
    }

    /// Spearman's rank correlation of numbers and label; `None` for few rows, or if it cannot be said.
    fn rank_correlation(&self) -> Option<f64> {
        let rows = self.rows.iter();
        let (numbers, targets): (Vec<f64>, Vec<f64>) = rows
            .filter_map(|(number, label)| Some((*number, label.number?)))
            .unzip();
        if numbers.len() < LEAST_ORDERED {
            return None;
        }
        let mut covariance = super::summary::Covariance::default();
        for (x, y) in ranks(&numbers).into_iter().zip(ranks(&targets)) {
            covariance.add(x, y);
        }
        covariance.correlation()
    }
}

/// The range of sorted numbers in which the rows of `class` outnumber the others most, and by how many.
fn best_range(rows: &[(f64, bool)], class: bool) -> (usize, [f64; 2]) {
    let (mut best, mut range) = (0, [f64::NAN; 2]);
    let (mut surplus, mut start) = (0_isize, f64::NAN);
    for equal in rows.chunk_by(|a, b| a.0 == b.0) {
        if surplus <= 0 {
            (surplus, start) = (0, equal[0].0);
        }
        for (_, of_class) in equal {
            surplus += if *of_class == class { 1 } else { -1 };
        }
        if surplus > best {
            (best, range) = (surplus, [start, equal[0].0]);
        }
    }
    (best.unsigned_abs(), range)
}

/// The rank of each number; equal numbers have the mean of their ranks.
fn ranks(numbers: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
    let mut ranks = vec![0.0; numbers.len()];
    let mut first = 0;
    for equal in order.chunk_by(|&a, &b| numbers[a] == numbers[b]) {
        for &place in equal {
            ranks[place] = first as f64 + (equal.len() - 1) as f64 / 2.0;
        }
        first += equal.len();
    }
    ranks
}
