//! Row numbers as a feature: a column that numbers the rows and says nothing about new ones.

use emberlab_run_format::{Finding, FindingKind, Severity};

use crate::diagnosis::wording::{evidence, finding, sentences};
use crate::diagnosis::{Earliest, Observations, ObservedData, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::RowNumbers,
    earliest: Earliest::BeforeTraining,
    condition: "one of several columns has whole numbers from 0, a different one in each of 20 rows or more, below twice the number of rows; or below a hundred times that number if they rise or fall from row to row",
    is_one_problem: true,
    detect,
};

/// With fewer rows, different whole numbers may be chance.
const ENOUGH_ROWS: usize = 20;
/// Row numbers in any order stay below this many times the number of rows. Numbers drawn at random from this range
/// would repeat.
const SHUFFLED: f64 = 2.0;
/// Row numbers in order stay below this many times the number of rows: some rows may have been removed. Times in
/// seconds are larger.
const ORDERED: f64 = 100.0;
/// Targets follow a column this closely, from 0 to 1, in a file that is sorted by its targets.
const SORTED: f64 = 0.5;

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    observed.data.and_then(numbered).into_iter().collect()
}

fn numbered(data: ObservedData<'_>) -> Option<Finding> {
    let columns = numbering_columns(&data);
    if columns.is_empty() {
        return None;
    }
    let names = columns
        .iter()
        .map(|(j, _)| format!("{:?}", data.feature_name(*j)));
    let names: Vec<String> = names.collect();
    let follows: Vec<f64> = columns.iter().map(|(_, c)| follows(&data, c)).collect();
    let closest = follows.iter().copied().fold(0.0, f64::max);
    let (severity, consequence) = if closest > SORTED {
        (
            Severity::Error,
            ", and the targets follow the order of the rows: metrics look better than the network is",
        )
    } else {
        (Severity::Warning, "")
    };
    let mut found = finding(
        FindingKind::RowNumbers,
        severity,
        format!(
            "the column {} counts the rows, as a row number does, which says nothing about new rows{consequence}",
            names.join(" and ")
        ),
    );
    for (((_, column), name), follows) in columns.iter().zip(&names).zip(follows) {
        let bound = |bound: fn(f64, f64) -> f64| column.iter().copied().reduce(bound);
        for (which, value) in [("smallest", bound(f64::min)), ("largest", bound(f64::max))] {
            let value = value.unwrap_or(f64::NAN);
            found
                .evidence
                .push(evidence(format!("{which} {name}"), value));
        }
        found.evidence.push(evidence(
            format!("how closely the targets follow {name}, from 0 to 1"),
            follows,
        ));
    }
    found
        .evidence
        .push(evidence("rows", data.samples.len() as f64));
    found.causes = sentences(&[
        "a table saved with its row numbers, as pandas does by default",
        "an identifier that was given in the order of the rows",
        "a time at which each row was measured, which is no mistake",
    ]);
    found.remedies = vec![
        format!(
            "`dataset.drop = [{}]`, which leaves it out",
            names.join(", ")
        ),
        "for a time: `split.method = \"sequential\"`, which validates on the later rows"
            .to_string(),
    ];
    Some(found)
}

/// The columns that number the rows, as `(feature, values)`.
fn numbering_columns(data: &ObservedData<'_>) -> Vec<(usize, Vec<f64>)> {
    let (num_rows, num_features) = (data.samples.len(), data.samples.num_features());
    if !data.is_table() || num_features < 2 || num_rows < ENOUGH_ROWS {
        return Vec::new();
    }
    let mut candidates: Vec<(usize, Order)> =
        (0..num_features).map(|j| (j, Order::new())).collect();
    for row in 0..num_rows as u32 {
        let values = data.row(row);
        candidates.retain_mut(|(j, order)| order.takes(values[*j], num_rows));
        if candidates.is_empty() {
            break;
        }
    }
    let column = |j: usize| (0..num_rows as u32).map(move |row| data.row(row)[j]);
    let columns = candidates
        .into_iter()
        .map(|(j, _)| (j, column(j).collect()));
    columns
        .filter(|(_, column): &(usize, Vec<f64>)| are_different(column))
        .collect()
}

/// The order of a column's whole numbers so far.
struct Order {
    last: Option<f64>,
    rises: bool,
    falls: bool,
    largest: f64,
}

impl Order {
    fn new() -> Self {
        Self {
            last: None,
            rises: true,
            falls: true,
            largest: 0.0,
        }
    }

    /// Adds the next value. Returns whether the column may still number `num_rows` rows.
    fn takes(&mut self, value: f64, num_rows: usize) -> bool {
        if let Some(last) = self.last {
            self.rises &= value > last;
            self.falls &= value < last;
        }
        self.last = Some(value);
        self.largest = self.largest.max(value);
        let spread = if self.rises || self.falls {
            ORDERED
        } else {
            SHUFFLED
        };
        value >= 0.0 && value.fract() == 0.0 && self.largest < spread * num_rows as f64
    }
}

fn are_different(column: &[f64]) -> bool {
    let mut sorted = column.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.windows(2).all(|pair| pair[0] < pair[1])
}

/// How closely the targets follow the order of a column: 0 if neighbours in that order are no more alike than any two
/// rows, 1 if they are the same.
///
/// For classes this is Cohen's kappa of neighbours; for numbers it is one minus half of von Neumann's ratio.
fn follows(data: &ObservedData<'_>, column: &[f64]) -> f64 {
    let mut order: Vec<usize> = (0..column.len()).collect();
    order.sort_by(|&a, &b| column[a].total_cmp(&column[b]));
    let pairs = || order.windows(2).map(|pair| (pair[0], pair[1]));
    let num_pairs = (column.len() - 1) as f64;
    let num_rows = column.len() as f64;
    let (apart, apart_by_chance) = match (data.samples.labels(), data.target_columns().first()) {
        (Some(labels), _) => {
            let counts = data.class_counts();
            let shares = counts.iter().map(|(_, count)| *count as f64 / num_rows);
            let different = pairs().filter(|&(a, b)| labels[a] != labels[b]).count();
            (
                different as f64 / num_pairs,
                1.0 - shares.map(|p| p * p).sum::<f64>(),
            )
        }
        (None, Some((_, values))) => {
            let mean = values.iter().sum::<f64>() / num_rows;
            let squares = values.iter().map(|y| (y - mean) * (y - mean));
            let steps = pairs().map(|(a, b)| (values[b] - values[a]).powi(2));
            (
                steps.sum::<f64>() / num_pairs,
                2.0 * squares.sum::<f64>() / num_rows,
            )
        }
        (None, None) => return 0.0,
    };
    match apart_by_chance > 0.0 {
        true => (1.0 - apart / apart_by_chance).max(0.0),
        false => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::observed_data::examples::{Table, alternating, classes, noise};
    use emberlab_datasets::{Standardize, Targets};

    const ROWS: usize = 60;

    fn table(numbers: impl Iterator<Item = usize>, targets: Targets) -> Table {
        let numbers = numbers.map(|i| i as f32).collect();
        let mut table = Table::new(&[("id", numbers), ("x", noise(ROWS, 1))], targets);
        table.standardize.method = Standardize::PerFeature;
        table
    }

    fn kinds(numbers: impl Iterator<Item = usize>) -> Vec<FindingKind> {
        table(numbers, alternating(ROWS)).kinds()
    }

    #[test]
    fn numbers_of_rows_are_found_in_order_shuffled_and_with_gaps() {
        let found = [FindingKind::RowNumbers];
        assert_eq!(kinds(0..ROWS), found);
        assert_eq!(kinds((1..=ROWS).rev()), found);
        // 7 and 60 have no common divisor: every number occurs once.
        assert_eq!(kinds((0..ROWS).map(|i| 7 * i % ROWS)), found);
        // The index of a table of which every twentieth row was kept.
        assert_eq!(kinds((0..ROWS).map(|i| 20 * i + 3)), found);
    }

    #[test]
    fn counts_measurements_and_times_are_no_row_numbers() {
        assert_eq!(kinds((0..ROWS).map(|i| i / 2)), []);
        assert_eq!(kinds((0..ROWS).map(|i| 7 * i % 37)), []);
        // Seconds since 1970.
        assert_eq!(kinds((0..ROWS).map(|i| 1_550_083_456 + 128 * i)), []);
        // The only feature of a function: the network has no other input.
        let x: Vec<f32> = (0..40).map(|i| i as f32).collect();
        assert_eq!(Table::new(&[("x", x)], alternating(40)).kinds(), []);
    }

    #[test]
    fn a_table_sorted_by_class_is_an_error_and_the_remedy_names_the_column() {
        let sorted: Vec<&str> = (0..ROWS).map(|i| if i < 30 { "a" } else { "b" }).collect();
        let mut table = table(0..ROWS, classes(&sorted));
        // Every fourth row is a validation row, so that both splits have both classes.
        (table.splits.valid, table.splits.train) = (0..ROWS as u32).partition(|row| row % 4 == 0);
        let found = table.findings();
        assert_eq!(found[0].severity, Severity::Error);
        assert!(
            found[0].remedies[0].contains("dataset.drop = [\"id\"]"),
            "{found:#?}"
        );
        // One of 59 pairs of neighbours differs, of two classes of one half each: 1 − (1 / 59) / 0.5.
        let follows = found[0].evidence[2].value;
        assert!((follows - (1.0 - 2.0 / 59.0)).abs() < 1e-12, "{follows}");
        table.samples.targets = Targets::numbers((0..ROWS).map(|i| i as f64 / 60.0));
        assert_eq!(table.findings()[0].severity, Severity::Error);
        table.samples.targets = Targets::numbers(noise(ROWS, 2).into_iter().map(f64::from));
        assert_eq!(table.findings()[0].severity, Severity::Warning);
    }
}
