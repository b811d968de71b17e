//! A class is missing: a split without a sample of it.

use emberlab_datasets::MissingClasses;
use emberlab_run_format::{Finding, FindingKind, Severity};

use crate::diagnosis::wording::{evidence, finding, sentences};
use crate::diagnosis::{Earliest, Observations, ObservedData, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::MissingClass,
    earliest: Earliest::BeforeTraining,
    condition: "a split has no sample of a class",
    is_one_problem: false,
    detect,
};

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

/// With more classes, the rows of each are not counted one by one.
const MOST_COUNTED: usize = 20;

fn in_split(missing: &MissingClasses, data: &ObservedData<'_>) -> Finding {
    let names = missing.in_words();
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
            "the {} split has no sample of {names}: its metrics say nothing about that class",
            missing.split
        );
        (rows, Severity::Warning, summary)
    };
    let mut found = finding(FindingKind::MissingClass, severity, summary);
    let (labels, names) = (data.samples.labels(), data.samples.class_names());
    let names = names.unwrap_or_default();
    if names.len() > MOST_COUNTED {
        let absent = missing.classes.len() as f64;
        found.evidence.push(evidence("classes", names.len() as f64));
        found
            .evidence
            .push(evidence("classes without a sample", absent));
    }
    let counted = names.iter().take_while(|_| names.len() <= MOST_COUNTED);
    for (class, name) in counted.enumerate() {
        let is_class =
            |&&row: &&u32| labels.is_some_and(|labels| labels[row as usize] as usize == class);
        let count = rows.iter().filter(is_class).count();
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
