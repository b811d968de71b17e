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

/// A list of words, of which the first `most` are named.
pub(super) fn listed(words: &[String], most: usize) -> String {
    let named = words[..words.len().min(most)].join(", ");
    match words.len().saturating_sub(most) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// A number with three significant digits.
pub(super) fn significant(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_string(),
        size if !(1e-3..1e5).contains(&size) => format!("{value:.2e}"),
        size => {
            let decimals = (2.0 - size.log10().floor()).max(0.0);
            format!("{value:.0$}", decimals as usize)
        }
    }
}

/// Owned sentences from literals.
pub(super) fn sentences(sentences: &[&str]) -> Vec<String> {
    sentences.iter().map(|&s| s.to_string()).collect()
}
