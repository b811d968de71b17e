//! Extreme values: a column, or a target, with a few values so large that the others become nearly equal when it is
//! standardised.

use emberlab_datasets::Standardize;
use emberlab_run_format::{Finding, FindingKind, Severity};

use crate::diagnosis::wording::{evidence, finding, listed, sentences, significant};
use crate::diagnosis::{Earliest, Observations, ObservedData, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::ExtremeValues,
    earliest: Earliest::BeforeTraining,
    condition: "the middle half of the training values of a column of a table, or of a target, lies within a tenth of their standard deviation, and is not one value, while another value is more than five deviations from the mean; columns only without `standardize.method = \"robust\"`",
    is_one_problem: false,
    detect,
};

/// The middle half of ordinary values covers more than this share of their standard deviation.
const NARROW: f64 = 0.1;
/// An extreme value is this many deviations from the mean at least.
const FAR: f64 = 5.0;
/// Columns that the summary names.
const MOST_NAMED: usize = 5;

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let data = observed.data.filter(ObservedData::is_table);
    let found = data.map(|data| [of_columns(&data), of_targets(&data)]);
    found.into_iter().flatten().flatten().collect()
}

fn of_columns(data: &ObservedData<'_>) -> Option<Finding> {
    if data.standardize.method == Standardize::Robust {
        return None;
    }
    let num_features = data.samples.num_features();
    let mut spreads = vec![Spread::default(); num_features];
    for &row in &data.splits.train {
        for (spread, x) in spreads.iter_mut().zip(data.row(row)) {
            spread.add(x);
        }
    }
    let suspects: Vec<usize> = (0..num_features)
        .filter(|&i| spreads[i].has_far_value())
        .collect();
    let mut values = vec![Vec::new(); suspects.len()];
    if !suspects.is_empty() {
        for &row in &data.splits.train {
            let row = data.row(row);
            for (values, &i) in values.iter_mut().zip(&suspects) {
                values.push(row[i]);
            }
        }
    }
    let extreme = suspects.into_iter().zip(&mut values).filter_map(|(i, x)| {
        let name = format!("`{}`", data.feature_name(i));
        spreads[i].is_silenced(x).then_some((name, spreads[i]))
    });
    let extreme: Vec<(String, Spread)> = extreme.collect();
    let names: Vec<String> = extreme.iter().map(|(name, _)| name.clone()).collect();
    let (first, spread) = extreme.first()?;
    let summary = match names.len() {
        1 => format!(
            "{first} has values far from the others, up to {}: beside them the others are nearly equal to the network",
            significant(spread.farthest())
        ),
        _ => format!(
            "{} have values far from the others: beside them the others are nearly equal to the network",
            listed(&names, MOST_NAMED)
        ),
    };
    let mut found = finding(FindingKind::ExtremeValues, Severity::Warning, summary);
    for (name, spread) in extreme.iter().take(MOST_NAMED) {
        found.evidence.extend([
            evidence(
                format!("value of {name} farthest from the mean"),
                spread.farthest(),
            ),
            evidence(
                format!("its distance in standard deviations of {name}"),
                spread.distance(),
            ),
        ]);
    }
    found.causes = sentences(&[
        "a value that was mistyped, or that stands for a missing one",
        "a column whose values differ by orders of magnitude, such as incomes",
    ]);
    found.remedies = sentences(&[
        "`standardize.method = \"robust\"`, which scales a column by the middle half of its values",
        "the values corrected in the table, or named in `dataset.missing_in`",
    ]);
    Some(found)
}

fn of_targets(data: &ObservedData<'_>) -> Option<Finding> {
    let train = &data.splits.train;
    let extreme = data
        .target_columns()
        .into_iter()
        .find_map(|(name, values)| {
            let mut values: Vec<f64> = train.iter().map(|&row| values[row as usize]).collect();
            let mut spread = Spread::default();
            values.iter().for_each(|y| spread.add(*y));
            let is_extreme = spread.has_far_value() && spread.is_silenced(&mut values);
            is_extreme.then_some((name, spread))
        });
    let (name, spread) = extreme?;
    let mut found = finding(
        FindingKind::ExtremeValues,
        Severity::Warning,
        format!(
            "the target `{name}` has values far from the others, up to {}: they alone decide the loss and its scale",
            significant(spread.farthest())
        ),
    );
    found.evidence = vec![
        evidence(
            format!("value of `{name}` farthest from the mean"),
            spread.farthest(),
        ),
        evidence("its distance in standard deviations", spread.distance()),
    ];
    found.causes = sentences(&[
        "a value that was mistyped, or that stands for a missing one",
        "a target whose values differ by orders of magnitude, such as prices",
    ]);
    found.remedies = sentences(&[
        "the rows with these values corrected or removed",
        "the logarithm of the target in its place",
    ]);
    Some(found)
}

/// Mean, deviation and ends of values.
#[derive(Debug, Clone, Copy)]
struct Spread {
    count: f64,
    mean: f64,
    /// The sum of the squared distances from the mean.
    squares: f64,
    low: f64,
    high: f64,
}

impl Default for Spread {
    fn default() -> Self {
        Self {
            count: 0.0,
            mean: 0.0,
            squares: 0.0,
            low: f64::INFINITY,
            high: f64::NEG_INFINITY,
        }
    }
}

impl Spread {
    /// Adds a value, by Welford's recurrence, which large means do not make inexact.
    fn add(&mut self, x: f64) {
        self.count += 1.0;
        let before = x - self.mean;
        self.mean += before / self.count;
        self.squares += before * (x - self.mean);
        (self.low, self.high) = (self.low.min(x), self.high.max(x));
    }

    fn deviation(&self) -> f64 {
        (self.squares / self.count).sqrt()
    }

    /// The value that is farthest from the mean.
    fn farthest(&self) -> f64 {
        match self.high - self.mean >= self.mean - self.low {
            true => self.high,
            false => self.low,
        }
    }

    /// The distance of that value from the mean in deviations.
    fn distance(&self) -> f64 {
        (self.farthest() - self.mean).abs() / self.deviation()
    }

    fn has_far_value(&self) -> bool {
        self.distance() > FAR
    }

    /// Whether the middle half of the values covers little of their deviation, but more than one value.
    fn is_silenced(&self, values: &mut [f64]) -> bool {
        let mut quantile = |share: usize| {
            let at = values.len() * share / 4;
            *values.select_nth_unstable_by(at, f64::total_cmp).1
        };
        let middle = quantile(3) - quantile(1);
        0.0 < middle && middle < NARROW * self.deviation()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::observed_data::examples::{Table, alternating, noise};
    use emberlab_datasets::Targets;

    /// A column of ordinary numbers with one in the middle replaced.
    fn with(value: f32) -> Vec<f32> {
        let mut values = noise(200, 1);
        values[50] = value;
        values
    }

    #[test]
    fn a_column_with_one_extreme_value_is_named_until_it_is_scaled_by_its_middle_half() {
        let mut table = Table::new(&[("a", with(1e9)), ("b", noise(200, 2))], alternating(200));
        table.standardize.method = Standardize::PerFeature;
        let found = table.findings();
        let kinds: Vec<FindingKind> = found.iter().map(|f| f.kind).collect();
        assert_eq!(kinds, [FindingKind::ExtremeValues]);
        assert!(found[0].summary.starts_with("`a` has values"), "{found:#?}");
        assert!(found[0].remedies[0].contains("robust"));
        table.standardize.method = Standardize::Robust;
        assert_eq!(table.kinds(), []);
    }

    #[test]
    fn ordinary_columns_and_rare_categories_have_no_extreme_values() {
        let heavy = noise(200, 3).iter().map(|x| (2.0 * x).exp()).collect();
        let rare = (0..200).map(|i| f32::from(i == 7)).collect();
        let columns = [("a", with(2.0)), ("heavy", heavy), ("rare", rare)];
        let mut table = Table::new(&columns, alternating(200));
        table.standardize.method = Standardize::PerFeature;
        assert_eq!(table.kinds(), []);
    }

    #[test]
    fn a_target_with_one_extreme_value_is_found() {
        let targets = |values: Vec<f32>| Targets::numbers(values.into_iter().map(f64::from));
        let mut table = Table::new(&[("x", noise(200, 2))], targets(with(1e7)));
        table.standardize.targets = true;
        let found = table.findings();
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].summary.starts_with("the target "), "{found:#?}");
        table.samples.targets = targets(with(2.0));
        assert_eq!(table.kinds(), []);
    }
}
