//! Whether the label can be read off another column.

use super::summary::{MAX_CLASSES, Summary};
use super::warnings::LEAST_ROWS;

/// The reason to say that a column gives the label away; `None` if it does not.
pub(super) fn gives_label_away(column: &Summary, label: &Summary) -> Option<String> {
    if column.counts.rows < LEAST_ROWS {
        return None;
    }
    let largest = label.values.iter().map(|value| value.count).max();
    let majority = largest.unwrap_or(0) as f64 / label.counts.values().max(1) as f64;
    let is_class = (2..=MAX_CLASSES as u64).contains(&label.distinct.count());
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
    let correlation = column.with_label.correlation().unwrap_or(0.0);
    match determined.filter(is_nearly_all) {
        Some(share) => Some(format!(
            "its values determine {:.1} % of the labels",
            100.0 * share
        )),
        None if correlation.abs() >= 0.9999 => Some(format!(
            "its correlation with the label is {correlation:.6}"
        )),
        None => None,
    }
}
