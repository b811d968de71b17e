//! The findings of `diagnosis.json`, as notices of a report.

use std::collections::BTreeMap;

use emberlab_run_format::{Diagnosis, Finding, FindingKind, Severity};

use crate::document::{Notice, Weight};
use crate::number;
use crate::numbers::{count, short_list};

/// A notice for each finding of a run.
pub(crate) fn run_notices(diagnosis: &Diagnosis) -> Vec<Notice> {
    let notice = |finding: &Finding| Notice {
        weight: weight(finding.severity),
        title: capital(finding.kind.title()),
        text: capital(&finding.summary),
        evidence: evidence(finding),
        details: details(finding),
    };
    diagnosis.findings.iter().map(notice).collect()
}

/// A notice for each kind of finding over the trials of a comparison, each given as `(variant, run, diagnosis)`. The
/// most severe kinds come first, then the most frequent.
pub(crate) fn comparison_notices(trials: &[(String, String, Diagnosis)]) -> Vec<Notice> {
    let mut by_kind: BTreeMap<FindingKind, Vec<(&str, &str, &Finding)>> = BTreeMap::new();
    for (variant, run, diagnosis) in trials {
        for finding in &diagnosis.findings {
            let found = by_kind.entry(finding.kind).or_default();
            if !found.iter().any(|(_, other, _)| other == run) {
                found.push((variant, run, finding));
            }
        }
    }
    let mut kinds: Vec<Vec<(&str, &str, &Finding)>> = by_kind.into_values().collect();
    let severity = |found: &[(&str, &str, &Finding)]| found.iter().map(|f| f.2.severity).min();
    kinds.sort_by_key(|found| (severity(found), std::cmp::Reverse(found.len())));
    let notice = |found: Vec<(&str, &str, &Finding)>| {
        let mut variants: Vec<(&str, usize)> = Vec::new();
        for (variant, ..) in &found {
            match variants.iter_mut().find(|(name, _)| name == variant) {
                Some((_, n)) => *n += 1,
                None => variants.push((variant, 1)),
            }
        }
        let said: Vec<String> = variants
            .iter()
            .map(|(name, n)| format!("{n} of {name}"))
            .collect();
        let said: Vec<&str> = said.iter().map(String::as_str).collect();
        let (_, run, finding) = found[0];
        Notice {
            weight: weight(finding.severity),
            title: format!(
                "{}, {}",
                capital(finding.kind.title()),
                count(found.len(), "trial")
            ),
            text: format!(
                "{}. For example {run}: {}",
                short_list(&said),
                finding.summary
            ),
            evidence: evidence(finding),
            details: details(finding),
        }
    };
    kinds.into_iter().map(notice).collect()
}

fn weight(severity: Severity) -> Weight {
    match severity {
        Severity::Error => Weight::Error,
        Severity::Warning => Weight::Warning,
    }
}

/// The measured numbers of a finding; whole numbers without digits after the point.
fn evidence(finding: &Finding) -> Vec<(String, String)> {
    let value = |value: f64| match value.fract() == 0.0 && value.abs() < 1e5 {
        true => value.to_string(),
        false => number(value),
    };
    let evidence = finding.evidence.iter();
    evidence.map(|e| (e.name.clone(), value(e.value))).collect()
}

/// The usual causes of a finding, and the remedies to try.
fn details(finding: &Finding) -> Vec<(&'static str, Vec<String>)> {
    let parts = [
        ("Usual causes", &finding.causes),
        ("To try", &finding.remedies),
    ];
    let said = parts.into_iter().filter(|(_, said)| !said.is_empty());
    said.map(|(name, said)| (name, said.clone())).collect()
}

/// The text with a capital first letter.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use emberlab_run_format::Evidence;

    fn finding(kind: FindingKind, severity: Severity) -> Finding {
        Finding {
            kind,
            severity,
            summary: "half of layer 1 is dead.".to_string(),
            place: None,
            evidence: [("share", 0.5), ("units", 8.0)]
                .map(|(name, value)| Evidence {
                    name: name.to_string(),
                    value,
                })
                .to_vec(),
            causes: vec!["a large step".to_string()],
            remedies: vec!["a smaller one".to_string(), "leaky_relu".to_string()],
        }
    }

    fn trial(variant: &str, run: &str, findings: Vec<Finding>) -> (String, String, Diagnosis) {
        (variant.to_string(), run.to_string(), Diagnosis { findings })
    }

    #[test]
    fn a_notice_has_the_evidence_and_the_remedies() {
        let dead = finding(FindingKind::DeadRelus, Severity::Warning);
        let notices = run_notices(&Diagnosis {
            findings: vec![dead],
        });
        assert_eq!(
            (notices[0].weight, notices[0].title.as_str()),
            (Weight::Warning, "Dead ReLUs")
        );
        assert_eq!(notices[0].text, "Half of layer 1 is dead.");
        let evidence = [("share", "0.5000"), ("units", "8")];
        assert_eq!(
            notices[0].evidence,
            evidence.map(|(name, value)| (name.to_string(), value.to_string()))
        );
        let names: Vec<&str> = notices[0].details.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["Usual causes", "To try"]);
        assert_eq!(notices[0].details[1].1, ["a smaller one", "leaky_relu"]);
    }

    #[test]
    fn findings_of_many_trials_are_counted_by_kind_with_the_severe_first() {
        let dead = || finding(FindingKind::DeadRelus, Severity::Warning);
        let nan = || finding(FindingKind::NonFinite, Severity::Error);
        let notices = comparison_notices(&[
            trial("relu", "relu-seed0", vec![dead(), dead()]),
            trial("relu", "relu-seed1", vec![dead()]),
            trial("elu", "elu-seed0", vec![nan()]),
            trial("tanh", "tanh-seed0", Vec::new()),
        ]);
        let titles: Vec<&str> = notices.iter().map(|notice| notice.title.as_str()).collect();
        assert_eq!(titles, ["NaN or infinity, 1 trial", "Dead ReLUs, 2 trials"]);
        assert!(
            notices[1]
                .text
                .starts_with("2 of relu. For example relu-seed0: half of layer 1")
        );
    }
}
