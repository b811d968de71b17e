//! Leakage: the training uses something of the rows that it is judged by.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use emberlab_datasets::{
    Features, Standardize, StandardizeConfig, Standardizer, StatisticsFrom, Targets,
};
use emberlab_run_format::{Finding, FindingKind, Severity};

use crate::diagnosis::wording::{evidence, finding, percent, sentences};
use crate::diagnosis::{Earliest, Observations, ObservedData, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::Leakage,
    earliest: Earliest::BeforeTraining,
    condition: "inputs are standardised with the mean and deviation of all rows; or 5 % of the rows of a split, and at least three, are also in the training split with the same target, which is ten times more than chance would give",
    is_one_problem: false,
    detect,
};

/// Share of a split's rows that may also be training rows: real data contain a few copies.
const FEW_COPIES: f64 = 0.05;
/// Fewer copies than this mean nothing, whatever their share.
const MIN_COPIES: usize = 3;
/// Copies are this many times as frequent as equal rows would be if the features had nothing to do with each other.
const ABOVE_CHANCE: f64 = 10.0;
/// A copy has the target of its original: among rows with the same features, at most this share has another target.
const OTHER_TARGETS: f64 = 0.1;

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let Some(data) = observed.data else {
        return Vec::new();
    };
    if data.splits.valid.is_empty() && data.splits.test.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<Finding> = shared_statistics(&data).into_iter().collect();
    found.extend(shared_rows(&data));
    found
}

fn shared_statistics(data: &ObservedData<'_>) -> Option<Finding> {
    let config = data.standardize;
    if config.statistics != StatisticsFrom::All || config.method == Standardize::None {
        return None;
    }
    let of_train = StandardizeConfig {
        statistics: StatisticsFrom::Train,
        ..*config
    };
    let fit = |config| Standardizer::fit(config, data.samples, &data.splits.train);
    let [all, train] = [config, &of_train].map(fit);
    let shifts = all.mean.iter().zip(&train.mean).zip(&train.std);
    let shift = shifts.map(|((a, t), std)| ((a - t) / std).abs());
    let mut found = finding(
        FindingKind::Leakage,
        Severity::Warning,
        "`standardize.statistics` is \"all\": the validation and test rows influence how inputs are scaled"
            .to_string(),
    );
    found.evidence = vec![evidence(
        "largest shift of a feature's mean by those rows, in standard deviations",
        shift.fold(0.0, f64::max),
    )];
    found.causes = sentences(&["mean and deviation computed before the data were split"]);
    found.remedies = sentences(&["`standardize.statistics = \"train\"`"]);
    Some(found)
}

fn shared_rows(data: &ObservedData<'_>) -> Vec<Finding> {
    let splits = data.splits;
    // The target of the training rows with the same features; none if their targets differ.
    let mut trained: HashMap<u64, Option<u64>> = HashMap::new();
    for &row in &splits.train {
        let target = target_hash(data, row);
        let known = trained
            .entry(features_hash(data, row))
            .or_insert(Some(target));
        if *known != Some(target) {
            *known = None;
        }
    }
    let mut all = Vec::new();
    for (split, rows) in [("valid", &splits.valid), ("test", &splits.test)] {
        let (mut num_copies, mut num_others) = (0_usize, 0_usize);
        for &row in rows {
            match trained.get(&features_hash(data, row)) {
                Some(&target) if target == Some(target_hash(data, row)) => num_copies += 1,
                Some(_) => num_others += 1,
                None => {}
            }
        }
        let share = num_copies as f64 / rows.len().max(1) as f64;
        let share_of_others = num_others as f64 / (num_copies + num_others).max(1) as f64;
        if num_copies < MIN_COPIES || share < FEW_COPIES || share_of_others > OTHER_TARGETS {
            continue;
        }
        if share < ABOVE_CHANCE * share_by_chance(data, share / ABOVE_CHANCE) {
            continue;
        }
        let mut found = finding(
            FindingKind::Leakage,
            Severity::Warning,
            format!(
                "{num_copies} of {} {split} rows ({}) are also training rows: a network that memorises them looks better than it is",
                rows.len(),
                percent(share)
            ),
        );
        found.evidence = vec![
            evidence(
                format!("{split} rows that are also in train"),
                num_copies as f64,
            ),
            evidence(format!("{split} rows"), rows.len() as f64),
        ];
        found.causes = sentences(&[
            "rows copied or augmented before the data were split",
            "a table that lists the same measurement more than once",
        ]);
        found.remedies = sentences(&["removing the copies from the table before the split"]);
        all.push(found);
    }
    all
}

/// The share of rows that equal a training row by chance, if the features had nothing to do with each other. Tables of
/// a few words or booleans have many such rows. A share below `enough` is not computed to its end.
fn share_by_chance(data: &ObservedData<'_>, enough: f64) -> f64 {
    let num_rows = data.splits.train.len() as f64;
    let mut share = num_rows;
    for feature in 0..data.samples.num_features() {
        let mut counts: HashMap<u64, f64> = HashMap::new();
        for &row in &data.splits.train {
            *counts.entry(data.row(row)[feature].to_bits()).or_default() += 1.0;
        }
        // The probability that two rows have the same value.
        share *= counts.values().map(|count| count * count).sum::<f64>() / (num_rows * num_rows);
        if share < enough {
            break;
        }
    }
    share.min(1.0)
}

/// A hash of a row's features; two rows that differ have the same with probability 2⁻⁶⁴.
fn features_hash(data: &ObservedData<'_>, row: u32) -> u64 {
    let mut hasher = DefaultHasher::new();
    let width = data.samples.num_features();
    let start = row as usize * width;
    match &data.samples.features {
        Features::Bytes(values) => values[start..start + width].hash(&mut hasher),
        Features::Floats(values) => {
            let values = values[start..start + width].iter();
            values.for_each(|x| x.to_bits().hash(&mut hasher));
        }
        Features::Doubles(values) => {
            let values = values[start..start + width].iter();
            values.for_each(|x| x.to_bits().hash(&mut hasher));
        }
    }
    hasher.finish()
}

/// A hash of a row's class or numbers.
fn target_hash(data: &ObservedData<'_>, row: u32) -> u64 {
    let mut hasher = DefaultHasher::new();
    match &data.samples.targets {
        Targets::Classes { labels, .. } => labels[row as usize].hash(&mut hasher),
        Targets::Values { values, names } => {
            let start = row as usize * names.len();
            let numbers = values[start..start + names.len()].iter();
            numbers.for_each(|x| x.to_bits().hash(&mut hasher));
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::observed_data::examples::{Table, alternating, noise};

    /// A table of 40 rows whose last ten are validation rows, and copies of the first ten if `is_copied`.
    fn table(is_copied: bool) -> Table {
        let column = |seed| {
            let mut values = noise(40, seed);
            if is_copied {
                values.copy_within(0..10, 30);
            }
            values
        };
        Table::new(&[("a", column(1)), ("b", column(2))], alternating(40))
    }

    #[test]
    fn rows_that_are_in_train_and_in_valid_are_counted() {
        let found = table(true).findings();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].kind, FindingKind::Leakage);
        assert_eq!(found[0].evidence[0].value, 10.0);
        assert_eq!(table(false).findings(), [], "no row occurs twice");
    }

    #[test]
    fn rows_with_another_target_are_no_copies() {
        let mut table = table(true);
        if let Targets::Classes { labels, .. } = &mut table.samples.targets {
            labels[30..35].fill(0);
        }
        assert_eq!(table.findings(), []);
    }

    #[test]
    fn rows_that_are_equal_by_chance_are_no_copies() {
        // Three booleans have eight different rows.
        let boolean = |factor| (0..200).map(|i| ((i / factor) % 2) as f32).collect();
        let columns = [("a", boolean(1)), ("b", boolean(2)), ("c", boolean(4))];
        assert_eq!(Table::new(&columns, alternating(200)).findings(), []);
        // One measurement with two digits.
        let rounded = noise(200, 1)
            .into_iter()
            .map(|x| (100.0 * x).round() / 100.0);
        assert_eq!(
            Table::new(&[("x", rounded.collect())], alternating(200)).findings(),
            []
        );
    }
}
