//! Numbers as classes: a number to predict that was taken for a class.

use emberlab_run_format::{Finding, FindingKind, Severity};

use crate::diagnosis::wording::{evidence, finding, sentences};
use crate::diagnosis::{Earliest, Observations, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::NumericClasses,
    earliest: Earliest::BeforeTraining,
    condition: "there are more than 20 classes, all are numbers, and some are not whole or a class has fewer than 5 rows on average",
    is_one_problem: true,
    detect,
};

/// Up to this number of classes may well be numbers: ratings, digits, numbers of rings.
const FEW_CLASSES: usize = 20;
/// The number of rows of a class, on average, that suffices to learn it.
const ENOUGH_ROWS: usize = 5;

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let Some(data) = observed.data else {
        return Vec::new();
    };
    let names = data.samples.class_names().unwrap_or_default();
    let numbers: Result<Vec<f64>, _> = names.iter().map(|name| name.trim().parse()).collect();
    let (Ok(numbers), num_rows) = (numbers, data.samples.len()) else {
        return Vec::new();
    };
    let is_sparse = num_rows < ENOUGH_ROWS * numbers.len();
    let are_whole = numbers.iter().all(|x| x.fract() == 0.0);
    if numbers.len() <= FEW_CLASSES || are_whole && !is_sparse {
        return Vec::new();
    }
    let mut found = finding(
        FindingKind::NumericClasses,
        Severity::Error,
        format!(
            "the {num_rows} rows have {} different numbers as classes: to the network they have no order, and 1 is as wrong for 2 as 100 is",
            numbers.len()
        ),
    );
    found.evidence = vec![
        evidence("classes", numbers.len() as f64),
        evidence(
            "rows of a class on average",
            num_rows as f64 / numbers.len() as f64,
        ),
    ];
    found.causes = sentences(&["a number to predict, and `dataset.task` left out"]);
    found.remedies = sentences(&["`dataset.task = \"regression\"` with `loss.name = \"mse\"`"]);
    vec![found]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::observed_data::examples::{Table, classes, noise};

    fn kinds(num_rows: usize, class: impl Fn(usize) -> String) -> Vec<FindingKind> {
        let names: Vec<String> = (0..num_rows).map(class).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut table = Table::new(&[("x", noise(num_rows, 1))], classes(&names));
        // Every class is in the training split, and there is no other.
        table.splits.train.append(&mut table.splits.valid);
        table.kinds()
    }

    #[test]
    fn many_numbers_as_classes_are_found() {
        assert_eq!(
            kinds(100, |i| (i % 40).to_string()),
            [FindingKind::NumericClasses]
        );
        assert_eq!(
            kinds(1000, |i| (0.5 * (i % 40) as f64).to_string()),
            [FindingKind::NumericClasses]
        );
        assert_eq!(kinds(100, |i| (i % 10).to_string()), []);
        assert_eq!(kinds(1000, |i| (i % 40).to_string()), []);
        assert_eq!(kinds(100, |i| format!("bus {}", i % 40)), []);
    }
}
