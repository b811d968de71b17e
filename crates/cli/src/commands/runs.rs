//! `emberlab runs`: lists runs, checks their files, and deletes what is no longer needed.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use emberlab_experiments::{ExperimentError, Run, RunSummary};
use serde_json::json;

use crate::arguments::Shared;
use crate::failure::Failure;
use crate::progress::number;
use crate::tables;

/// List, check and clean up runs.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The action. Without one, the runs are listed.
    #[command(subcommand)]
    action: Option<Action>,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Check every file of runs: sizes, checksums and contents.
    Check {
        /// The runs: paths, beginnings of names, or `latest`. Without one, all runs.
        runs: Vec<String>,
    },
    /// Delete old checkpoints, damaged ones that were set aside, and incomplete files of killed processes.
    Prune {
        /// The runs: paths, beginnings of names, or `latest`. Without one, all runs.
        runs: Vec<String>,
        /// Delete without asking.
        #[arg(long)]
        yes: bool,
    },
}

/// Lists, checks or cleans up runs.
///
/// # Errors
/// [`Failure::Check`] if a file is not as it was written; another [`Failure`] if a folder cannot be read or a file not
/// be deleted.
pub fn run(args: &Args, shared: &Shared) -> Result<ExitCode, Failure> {
    match &args.action {
        None => list(shared, args.json),
        Some(Action::Check { runs }) => {
            let runs = wanted(runs, shared)?;
            if runs.is_empty() && !args.json {
                return no_runs(shared);
            }
            check(&runs, args.json)
        }
        Some(Action::Prune { runs, yes }) => {
            let abandoned = match runs.is_empty() {
                true => Run::abandoned(&shared.artifacts)?,
                false => Vec::new(),
            };
            prune(&wanted(runs, shared)?, abandoned, *yes)
        }
    }
}

/// The runs of these names; all runs if there are no names.
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
    if !as_json && summaries.is_empty() {
        return no_runs(shared);
    }
    let mut out = std::io::stdout();
    if as_json {
        let entries: serde_json::Value = summaries.iter().map(|s| json!(s)).collect();
        writeln!(out, "{entries:#}")?;
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
            shortened(&summary.run),
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

/// Says that there is nothing to list or check.
fn no_runs(shared: &Shared) -> Result<ExitCode, Failure> {
    writeln!(
        std::io::stdout(),
        "no runs in {}",
        shared.artifacts.display()
    )?;
    Ok(ExitCode::SUCCESS)
}

fn check(runs: &[Run], as_json: bool) -> Result<ExitCode, Failure> {
    let mut out = std::io::stdout();
    let mut num_damaged = 0;
    let mut report = Vec::new();
    for run in runs {
        // A folder that cannot be read is damage of one run, and the others are checked all the same.
        let checked = run.check();
        let (num_files, faults) = checked.unwrap_or_else(|error| (1, vec![error.to_string()]));
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

/// Asks a question; true if the answer is `y` or `yes`.
fn agrees(question: &str) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "cannot ask, since the standard input is not a terminal; `--yes` deletes without asking".to_string(),
        ));
    }
    let mut out = std::io::stdout();
    write!(out, "{question} [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Letters of a name that the list shows, at most: long names would make every row as wide.
const MOST_LETTERS: usize = 60;

/// A name, without its middle if it is long.
fn shortened(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= MOST_LETTERS {
        return name.to_string();
    }
    let half = (MOST_LETTERS - 1) / 2;
    let ends = [&letters[..half], &letters[letters.len() - half..]];
    ends.map(|end| end.iter().collect::<String>()).join("…")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_keeps_its_ends() {
        assert_eq!(shortened("moons/one"), "moons/one");
        let name = format!("moons/{}end", "x".repeat(220));
        let short = shortened(&name);
        assert!(
            short.starts_with("moons/") && short.ends_with("end"),
            "{short}"
        );
        assert!(short.chars().count() <= MOST_LETTERS);
    }
}
