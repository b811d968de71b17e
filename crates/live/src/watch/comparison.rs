//! The variants of an experiment as their trials finish.

use std::collections::BTreeMap;
use std::path::Path;

use emberlab_report::statistics::median;
use emberlab_run_format::files::comparison::RESULT;
use serde::{Deserialize, Serialize};

use super::lines;
use super::run::{Row, State};

/// The runs of an experiment by their variants, with the conclusion when there is one.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Variants {
    /// The figure that is compared, such as `valid_loss`.
    pub figure: Option<String>,
    pub variants: Vec<Variant>,
    /// The sentences of the comparison that has ended last; none while it goes on.
    pub conclusion: Vec<String>,
}

/// The trials of a variant. They differ in their seeds and folds.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Variant {
    pub name: String,
    /// Trials that have begun.
    pub num_runs: usize,
    pub num_running: usize,
    pub num_finished: usize,
    pub num_failed: usize,
    /// The median of the figure over the finished trials whose figure is finite, and the range.
    pub median: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
}

/// What the page needs of `comparison.json`.
#[derive(Debug, Deserialize)]
struct Answer {
    conclusion: Vec<String>,
}

impl Variants {
    /// Sorts the runs in `folder` by their variants.
    pub(super) fn of(folder: &Path, rows: &[&Row]) -> Self {
        let mut by_name: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for row in rows {
            let name = row.run.split_once('/').map_or("", |(_, name)| name);
            by_name.entry(variant(name)).or_default().push(row);
        }
        let is_running = rows.iter().any(|row| row.state.is_live());
        let answer = match is_running {
            true => None,
            false => lines::read(&folder.join(RESULT)).ok(),
        };
        let answer = answer.and_then(|text| serde_json::from_slice::<Answer>(&text).ok());
        Self {
            figure: rows.iter().find_map(|row| row.figure.clone()),
            variants: by_name
                .iter()
                .map(|(name, rows)| Variant::of(name, rows))
                .collect(),
            conclusion: answer.map_or(Vec::new(), |answer| answer.conclusion),
        }
    }
}

impl Variant {
    fn of(name: &str, rows: &[&Row]) -> Self {
        let count = |is: fn(&Row) -> bool| rows.iter().filter(|row| is(row)).count();
        let finished = rows.iter().filter(|row| row.state == State::Finished);
        let values: Vec<f64> = finished
            .filter_map(|row| row.objective.filter(|value| value.is_finite()))
            .collect();
        let middle = (!values.is_empty()).then(|| median(&values));
        Self {
            name: name.to_string(),
            num_runs: rows.len(),
            num_running: count(|row| row.state.is_live()),
            num_finished: count(|row| row.state == State::Finished),
            num_failed: count(|row| matches!(row.state, State::Failed | State::Damaged)),
            median: middle,
            low: values.iter().copied().reduce(f64::min),
            high: values.iter().copied().reduce(f64::max),
        }
    }
}

/// The name of a run without its seed and fold: `relu` of `relu-seed0` and of `relu-seed0-fold2`.
fn variant(name: &str) -> &str {
    let without = |name, mark: &str| match str::rsplit_once(name, mark) {
        Some((before, number)) if number.parse::<u64>().is_ok() => before,
        _ => name,
    };
    without(without(name, "-fold"), "-seed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_and_folds_are_no_part_of_a_variant() {
        assert_eq!(variant("relu-hidden-8-seed12"), "relu-hidden-8");
        assert_eq!(variant("relu-seed0-fold2"), "relu");
        assert_eq!(variant("my-seed"), "my-seed");
        assert_eq!(variant("alpha"), "alpha");
    }
}
