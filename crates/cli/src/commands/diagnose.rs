//! `emberlab diagnose`: what is wrong with a run, with evidence and remedies.

use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use emberlab_analysis::RULES;
use emberlab_experiments::{Run, diagnose};
use emberlab_run_format::{Diagnosis, Finding, Place, Severity};

use crate::arguments::{Running, Shared};
use crate::data_dirs;
use crate::failure::Failure;
use crate::progress::number;

/// Find out what is wrong with a run, and what to try.
///
/// Works on runs that are finished, stopped or failed. If the loss of a run has become NaN or infinite, the training is
/// repeated up to that step to name the layer and the operation. The findings are written to `diagnosis.json` in the
/// run folder.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run: its path, the beginning of its name, or `latest`.
    #[arg(default_value = "latest")]
    run: String,
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
    /// The place of your own table or folder, if it has moved since the training; the data must be the same.
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// Device and threads.
    #[command(flatten)]
    running: Running,
}

/// Diagnoses a run.
///
/// # Errors
/// [`Failure`] if the run cannot be read or the output cannot be written.
pub fn run(args: &Args, shared: &Shared) -> Result<ExitCode, Failure> {
    args.running.set_threads()?;
    let run = Run::find(&shared.artifacts, &args.run)?.with_data(args.data.clone());
    let diagnosis = diagnose(&run, &args.running.device, &data_dirs::all(shared))?;
    let text = if args.json {
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
            let findings = diagnosis.findings.iter().map(in_full);
            let findings: Vec<String> = findings.collect();
            format!("{run}: {count} {what}\n\n{}", findings.join("\n\n"))
        }
    }
}

/// A finding with its evidence, causes and remedies.
fn in_full(finding: &Finding) -> String {
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
        ("usual causes", &finding.causes),
        ("what to try", &finding.remedies),
    ] {
        if !sentences.is_empty() {
            let _ = write!(text, "\n  {title}:\n    - {}", sentences.join("\n    - "));
        }
    }
    text
}

/// Whole numbers without a decimal point, others with four digits.
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
