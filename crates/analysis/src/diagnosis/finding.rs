//! How findings are made.

use emberlab_run_format::{Evidence, Finding, FindingKind, Severity};

/// A finding with nothing but its sentence yet.
pub(crate) fn finding(kind: FindingKind, severity: Severity, summary: String) -> Finding {
    Finding {
        kind,
        severity,
        summary,
        place: None,
        evidence: Vec::new(),
        causes: Vec::new(),
        remedies: Vec::new(),
    }
}

pub(crate) fn evidence(name: impl Into<String>, value: f64) -> Evidence {
    Evidence {
        name: name.into(),
        value,
    }
}

/// A share as people read it.
pub(crate) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    match percent {
        p if p != 0.0 && p.abs() < 1.0 => format!("{p:.2} %"),
        p if p.fract() == 0.0 => format!("{p:.0} %"),
        p => format!("{p:.1} %"),
    }
}

/// Owned sentences from literals.
pub(crate) fn sentences(sentences: &[&str]) -> Vec<String> {
    sentences.iter().map(|&s| s.to_string()).collect()
}
