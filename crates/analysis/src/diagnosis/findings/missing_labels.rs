//! A class that reads as missing: rows whose label is a word for "not known".

use emberlab_run_format::{Finding, FindingKind, Severity};

use crate::diagnosis::wording::{evidence, finding, listed, sentences};
use crate::diagnosis::{Earliest, Observations, Rule};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    kind: FindingKind::MissingLabels,
    earliest: Earliest::BeforeTraining,
    condition: "the name of a class is empty or reads as missing, such as unknown, missing, n.a. or -",
    is_one_problem: true,
    detect,
};

/// Names that stand for a missing label, in lower case. They include the texts that pandas reads as missing.
const WORDS: [&str; 44] = [
    "",
    "-",
    "--",
    "---",
    "–",
    "—",
    ".",
    "..",
    "...",
    "?",
    "??",
    "???",
    "*",
    "na",
    "n/a",
    "n.a.",
    "n.a",
    "#na",
    "#n/a",
    "<na>",
    "#n/a n/a",
    "nan",
    "-nan",
    "1.#ind",
    "-1.#ind",
    "1.#qnan",
    "-1.#qnan",
    "null",
    "(null)",
    "none",
    "nil",
    "missing",
    "unknown",
    "unk",
    "undefined",
    "unspecified",
    "not available",
    "not known",
    "not recorded",
    "no data",
    "unbekannt",
    "inconnu",
    "desconocido",
    "sconosciuto",
];

fn detect(observed: &Observations<'_>) -> Vec<Finding> {
    let Some(data) = observed.data else {
        return Vec::new();
    };
    let reads_as_missing = |name: &str| WORDS.contains(&name.trim().to_lowercase().as_str());
    let classes = data.class_counts();
    let missing: Vec<&(&str, usize)> = classes
        .iter()
        .filter(|(name, _)| reads_as_missing(name))
        .collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let names: Vec<String> = missing
        .iter()
        .map(|(name, _)| format!("{name:?}"))
        .collect();
    let mut found = finding(
        FindingKind::MissingLabels,
        Severity::Warning,
        match names.as_slice() {
            [name] => format!(
                "{name} looks like a word for a missing label, and the network learns it as a class"
            ),
            _ => format!(
                "{} look like words for missing labels, and the network learns them as classes",
                listed(&names, names.len())
            ),
        },
    );
    let counts = missing.iter();
    found.evidence = counts
        .map(|(name, count)| evidence(format!("rows of {name:?}"), *count as f64))
        .collect();
    found.causes = sentences(&["rows whose label nobody knew when the table was written"]);
    found.remedies = vec![
        format!(
            "adding {} to the list `dataset.missing`, if it means that the label is missing",
            names.join(", ")
        ),
        "removing these rows from the table".to_string(),
    ];
    vec![found]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::observed_data::examples::{Table, classes, noise};

    fn kinds(third: &str) -> Vec<FindingKind> {
        let names: Vec<&str> = (0..42).map(|i| ["no", "yes", third][i % 3]).collect();
        Table::new(&[("x", noise(42, 1))], classes(&names)).kinds()
    }

    #[test]
    fn a_class_whose_name_reads_as_missing_is_found() {
        for name in ["unknown", "Missing", "n.a.", "-", " NA ", "?", ""] {
            assert_eq!(kinds(name), [FindingKind::MissingLabels], "{name:?}");
        }
        for name in ["maybe", "0", "-1", "nano", "+"] {
            assert_eq!(kinds(name), [], "{name:?}");
        }
    }
}
