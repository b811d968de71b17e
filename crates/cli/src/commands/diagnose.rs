//! `emberlab diagnose`: what is wrong with a run, how that is known, and what to try.

use std::fmt::Write as _;
use std::io::Write;
use std::process::ExitCode;

use emberlab_analysis::RULES;
use emberlab_experiments::{Run, diagnose};
use emberlab_run_format::{Diagnosis, Finding, Place, Severity};

use crate::arguments::{Diagnose, Shared};
use crate::commands::train::set_threads;
use crate::data_dirs;
use crate::failure::Failure;
use crate::progress::number;

/// Diagnoses a run.
///
/// # Errors
/// [`Failure`] if the run cannot be read or the output cannot be written.
pub fn run(command: &Diagnose, shared: &Shared) -> Result<ExitCode, Failure> {
    set_threads(&command.running)?;
    let run = Run::find(&shared.artifacts, &command.run)?;
    let diagnosis = diagnose(&run, &command.running.device, &data_dirs::all(shared))?;
    let text = if command.json {
        serde_json::to_string_pretty(&diagnosis).map_err(|e| Failure::Failed(e.to_string()))?
    } else {
        render(&run.id(), &diagnosis)
    };
    writeln!(std::io::stdout(), "{text}")?;
    Ok(ExitCode::SUCCESS)
}

fn render(run: &str, diagnosis: &Diagnosis) -> String {
    match diagnosis.findings.len() {
        0 => {
            let kinds: Vec<String> = RULES.iter().map(|rule| rule.kind.to_string()).collect();
            format!("{run}: nothing found\nlooked for: {}", kinds.join(", "))
        }
        count => {
            let what = if count == 1 { "finding" } else { "findings" };
            let findings = diagnosis.findings.iter().map(told);
            let findings: Vec<String> = findings.collect();
            format!("{run}: {count} {what}\n\n{}", findings.join("\n\n"))
        }
    }
}

/// A finding in full.
fn told(finding: &Finding) -> String {
    let mut text = format!("{}: {}", severity(finding.severity), finding.kind);
    if let Some(place) = finding.place.as_ref().map(place).filter(|p| !p.is_empty()) {
        let _ = write!(text, " ({place})");
    }
    let _ = write!(text, "\n  {}", finding.summary);
    let names = finding.evidence.iter().map(|e| e.name.chars().count());
    let width = names.max().unwrap_or(0);
    for evidence in &finding.evidence {
        let _ = write!(
            text,
            "\n    {:<width$}  {}",
            evidence.name,
            figure(evidence.value)
        );
    }
    for (title, sentences) in [
        ("what usually causes it", &finding.causes),
        ("what to try", &finding.remedies),
    ] {
        if !sentences.is_empty() {
            let _ = write!(text, "\n  {title}:\n    - {}", sentences.join("\n    - "));
        }
    }
    text
}

/// A whole number as one, any other to four digits.
fn figure(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        format!("{value:.0}")
    } else {
        number(value)
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn place(place: &Place) -> String {
    let parts = [
        place.epoch.map(|epoch| format!("epoch {epoch}")),
        place.step.map(|step| format!("step {step}")),
        place.layer.clone(),
        place.direction.map(|direction| direction.to_string()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(", ")
}
