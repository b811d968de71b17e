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
    found.causes = sentences(&[
        "rows that are sorted by class and were split in their order",
        "a split too small for the number of classes",
    ]);
    found.remedies = sentences(&["`split.method = \"stratified\"`", "a larger split"]);
    found
}
