//! `emberlab runs`: what there is, whether it is whole, and what of it can go.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use emberlab_experiments::{ExperimentError, Run, RunSummary};
use serde_json::json;

use crate::arguments::{Runs, RunsAction, Shared};
use crate::failure::Failure;
use crate::progress::number;
use crate::tables;

/// Lists, checks or tidies runs.
///
/// # Errors
/// [`Failure::Check`] if a file is not as it was written; otherwise what went wrong.
pub fn run(command: &Runs, shared: &Shared) -> Result<ExitCode, Failure> {
    match &command.action {
        None => list(shared, command.json),
        Some(RunsAction::Check { runs }) => check(&wanted(runs, shared)?, command.json),
        Some(RunsAction::Prune { runs, yes }) => {
            let abandoned = match runs.is_empty() {
                true => Run::abandoned(&shared.artifacts)?,
                false => Vec::new(),
            };
            prune(&wanted(runs, shared)?, abandoned, *yes)
        }
    }
}

/// The runs of these names, or all.
fn wanted(names: &[String], shared: &Shared) -> Result<Vec<Run>, ExperimentError> {
    if names.is_empty() {
        return Run::all(&shared.artifacts);
    }
    let found = names.iter().map(|name| Run::find(&shared.artifacts, name));
    found.collect()
}

fn list(shared: &Shared, as_json: bool) -> Result<ExitCode, Failure> {
    let runs = Run::all(&shared.artifacts)?;
    let summaries: Vec<RunSummary> = runs.iter().map(RunSummary::of).collect();
    let mut out = std::io::stdout();
    if as_json {
        let entries: serde_json::Value = summaries.iter().map(|s| json!(s)).collect();
        writeln!(out, "{entries:#}")?;
        return Ok(ExitCode::SUCCESS);
    }
    if summaries.is_empty() {
        writeln!(out, "no runs in {}", shared.artifacts.display())?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = tables::table(["run", "state", "best", "epoch", "age"], 3);
    for summary in &summaries {
        let best = summary.best.as_ref().map_or(String::new(), |best| {
            let value = number(best.value);
            format!("{} {} {value} in {}", best.split, best.metric, best.epoch)
        });
        let planned = summary
            .num_epochs
            .map_or("?".to_string(), |n| n.to_string());
        table.add_row([
            summary.run.clone(),
            summary.state.to_string(),
            best,
            format!("{}/{planned}", summary.epochs),
            ago(summary.age_seconds),
        ]);
    }
    writeln!(out, "{table}")?;
    for summary in &summaries {
        if let Some(reason) = &summary.reason {
            writeln!(out, "{} {}: {reason}", summary.run, summary.state)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn check(runs: &[Run], as_json: bool) -> Result<ExitCode, Failure> {
    let mut out = std::io::stdout();
    let mut num_damaged = 0;
    let mut report = Vec::new();
    for run in runs {
        let (num_files, faults) = run.check()?;
        num_damaged += usize::from(!faults.is_empty());
        if as_json {
            report.push(json!({ "run": run.id(), "num_files": num_files, "faults": faults }));
            continue;
        }
        let verdict = match faults.len() {
            0 => format!("whole ({num_files} files and checkpoints)"),
            n => format!("{n} of {num_files} files and checkpoints are damaged"),
        };
        writeln!(out, "{}: {verdict}", run.id())?;
        for fault in faults {
            writeln!(out, "  {fault}")?;
        }
    }
    if as_json {
        writeln!(out, "{:#}", serde_json::Value::from(report))?;
    }
    match num_damaged {
        0 => Ok(ExitCode::SUCCESS),
        n => Err(Failure::Check(format!(
            "{n} of {} runs are damaged",
            runs.len()
        ))),
    }
}

fn prune(runs: &[Run], abandoned: Vec<PathBuf>, yes: bool) -> Result<ExitCode, Failure> {
    let mut out = std::io::stdout();
    let mut found: Vec<(&Run, Vec<PathBuf>)> = Vec::new();
    for run in runs {
        let debris = run.debris()?;
        if !debris.is_empty() {
            found.push((run, debris));
        }
    }
    let debris = found.iter().flat_map(|(_, debris)| debris);
    let paths: Vec<&PathBuf> = debris.chain(&abandoned).collect();
    let num_paths = paths.len();
    if num_paths == 0 {
        writeln!(out, "nothing to delete")?;
        return Ok(ExitCode::SUCCESS);
    }
    for path in paths {
        writeln!(out, "{}", path.display())?;
    }
    if !yes && !agrees(&format!("delete these {num_paths}?"))? {
        writeln!(out, "nothing was deleted")?;
        return Ok(ExitCode::SUCCESS);
    }
    for (run, debris) in &found {
        run.delete(debris)?;
    }
    Run::delete_abandoned(&abandoned)?;
    writeln!(out, "deleted {num_paths}")?;
    Ok(ExitCode::SUCCESS)
}

/// Asks a question that only `y` or `yes` agrees to.
fn agrees(question: &str) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "there is no terminal to ask on; `--yes` deletes without asking".to_string(),
        ));
    }
    let mut out = std::io::stdout();
    write!(out, "{question} [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// `12 s`, `3 min`, `5 h` or `2 d`.
fn ago(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}
