//! A class is missing: a split without a sample of it.

use emberlab_datasets::MissingClasses;
use emberlab_run_format::{Finding, FindingKind, Severity};

use crate::diagnosis::wording::{evidence, finding, listed, sentences};
use crate::diagnosis::{Earliest, Observations, ObservedData, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::MissingClass,
    earliest: Earliest::BeforeTraining,
    condition: "a split has no sample of a class",
    is_one_problem: false,
    detect,
};

/// Classes that a sentence lists.
const MOST_LISTED: usize = 10;

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let Some(data) = observed.data else {
        return Vec::new();
    };
    let missing = data.splits.missing_classes(data.samples);
    missing
        .iter()
        .map(|missing| in_split(missing, &data))
        .collect()
}

fn in_split(missing: &MissingClasses, data: &ObservedData<'_>) -> Finding {
    let names = listed(&missing.classes, MOST_LISTED);
    let splits = data.splits;
    let (rows, severity, summary) = if missing.split == "train" {
        let summary =
            format!("the train split has no sample of {names}: the network cannot learn it");
        (&splits.train, Severity::Error, summary)
    } else {
        let rows = if missing.split == "valid" {
            &splits.valid
        } else {
            &splits.test
        };
        let summary = format!(
            "the {} split has no sample of {names}: its metrics say nothing about {}",
            missing.split,
            if missing.classes.len() == 1 {
                "it"
            } else {
                "them"
            }
        );
        (rows, Severity::Warning, summary)
    };
    let mut found = finding(FindingKind::MissingClass, severity, summary);
    let mut counts: Vec<(&str, usize)> = data.class_counts_of(rows);
    // The missing classes are the least frequent.
    if counts.len() > MOST_LISTED {
        counts.sort_by_key(|(_, count)| *count);
        counts.truncate(MOST_LISTED);
    }
    for (name, count) in counts {
        let name = format!("{} rows of {name}", missing.split);
        found.evidence.push(evidence(name, count as f64));
    }
    let all: Vec<u32> = (0..data.samples.len() as u32).collect();
    let counts = data.class_counts_of(&all);
    let num_splits = [&splits.train, &splits.valid, &splits.test]
        .iter()
        .filter(|rows| !rows.is_empty())
        .count();
    let is_rare = |name: &&String| {
        let count = counts.iter().find(|(class, _)| class == name);
        count.is_some_and(|(_, count)| *count < num_splits)
    };
    let rare: Vec<String> = missing.classes.iter().filter(is_rare).cloned().collect();
    if !rare.is_empty() {
        let names = listed(&rare, MOST_LISTED);
        found
            .causes
            .push(format!("fewer rows of {names} than there are splits"));
        found.remedies.push(format!(
            "more rows of {names}; or merge or drop {}",
            if rare.len() == 1 {
                "the class"
            } else {
                "these classes"
            }
        ));
    }
    if rare.len() < missing.classes.len() {
        let in_order = "rows that are sorted by class and were split in their order";
        let too_small = "a split too small for the number of classes";
        // A stratified split needs a row for each class.
        let mut sizes = [&splits.train, &splits.valid, &splits.test]
            .map(Vec::len)
            .into_iter();
        if sizes.any(|size| size > 0 && size < counts.len()) {
            found.causes.extend(sentences(&[too_small]));
            found.remedies.extend(sentences(&[
                "larger valid and test splits, or fewer classes",
            ]));
            return found;
        }
        if data.is_stratified {
            found.causes.extend(sentences(&[too_small]));
        } else {
            found.causes.extend(sentences(&[in_order, too_small]));
            found
                .remedies
                .extend(sentences(&["`split.method = \"stratified\"`"]));
        }
        found.remedies.extend(sentences(&["a larger split"]));
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::observed_data::examples::{Table, classes, noise};
    use emberlab_run_format::{Finding, FindingKind};

    fn found(names: &[&str], is_stratified: bool) -> Finding {
        let table = Table {
            is_stratified,
            ..Table::new(&[("a", noise(names.len(), 1))], classes(names))
        };
        let mut findings = table.findings().into_iter();
        let found = findings.find(|found| found.kind == FindingKind::MissingClass);
        found.expect("a finding")
    }

    #[test]
    fn a_class_with_fewer_rows_than_splits_needs_more_rows_whatever_the_method() {
        let mut names = ["no", "yes"].repeat(20);
        names[0] = "maybe";
        for is_stratified in [false, true] {
            let remedies = found(&names, is_stratified).remedies;
            assert!(remedies[0].starts_with("more rows of "), "{remedies:?}");
            assert!(!remedies.iter().any(|r| r.contains("stratified")));
        }
    }

    #[test]
    fn a_stratified_split_is_advised_unless_it_is_there_already() {
        let mut names = vec!["no"; 40];
        names[20..].fill("yes");
        names[..4].fill("maybe");
        let is_advised = |is_stratified: bool| {
            let remedies = found(&names, is_stratified).remedies;
            remedies.iter().any(|r| r.contains("stratified"))
        };
        assert!(is_advised(false) && !is_advised(true));
    }

    #[test]
    fn a_stratified_split_is_not_advised_where_a_split_has_fewer_rows_than_classes() {
        let names: Vec<String> = (0..50)
            .flat_map(|class| vec![format!("c{class:02}"); 3])
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let remedies = found(&names, false).remedies;
        assert!(
            !remedies.iter().any(|r| r.contains("stratified")),
            "{remedies:?}"
        );
        assert!(
            remedies.iter().any(|r| r.contains("fewer classes")),
            "{remedies:?}"
        );
    }
}
