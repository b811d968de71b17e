//! Pieces that findings are made of.

use emberlab_run_format::{Evidence, Finding, FindingKind, Place, Severity};

/// A finding with its summary, without place, evidence, causes and remedies.
pub(super) fn finding(kind: FindingKind, severity: Severity, summary: String) -> Finding {
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

pub(super) fn evidence(name: impl Into<String>, value: f64) -> Evidence {
    Evidence {
        name: name.into(),
        value,
    }
}

/// The place of a finding in one layer.
pub(super) fn in_layer(layer: &str) -> Option<Place> {
    Some(Place {
        epoch: None,
        step: None,
        layer: Some(layer.to_string()),
        direction: None,
        operation: None,
    })
}

/// A share in [0, 1] as a percentage.
pub(super) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    match percent {
        p if p != 0.0 && p.abs() < 1.0 => format!("{p:.2} %"),
        p if p.fract() == 0.0 => format!("{p:.0} %"),
        p => format!("{p:.1} %"),
    }
}

/// Owned sentences from literals.
pub(super) fn sentences(sentences: &[&str]) -> Vec<String> {
    sentences.iter().map(|&s| s.to_string()).collect()
}
