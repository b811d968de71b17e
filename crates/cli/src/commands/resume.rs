//! `emberlab resume`: continues a run from its newest checkpoint.

use std::path::PathBuf;
use std::process::ExitCode;

use emberlab_experiments::{Change, NothingToDo, Resume, Resumed, Run, Trial};

use crate::arguments::{Running, Shared, Showing};
use crate::command_line::CommandLine;
use crate::commands::train::{conclude, execution, hint};
use crate::failure::Failure;
use crate::progress::{count, print_line};

/// Continue a run from its newest checkpoint.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run: a path, a unique beginning of its name, or `latest`.
    #[arg(default_value = "latest")]
    run: String,
    /// Change a key for the rest of the training, such as `training.num_epochs=200`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Allow changes of when the training ends, such as fewer epochs or another patience.
    #[arg(long)]
    force: bool,
    /// The place of your own table or folder, if it has moved since the training; the data must be the same.
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    #[command(flatten)]
    running: Running,
    #[command(flatten)]
    showing: Showing,
}

/// Continues a run from its newest checkpoint.
///
/// # Errors
/// [`Failure`] if there is no such run, if it cannot be continued, or with the reason why training failed.
pub fn run(args: &Args, shared: &Shared) -> Result<ExitCode, Failure> {
    let run = Run::find(&shared.artifacts, &args.run)?;
    // If its files cannot be read, opening the run below reports why.
    let before = run.ongoing_diagnosis().unwrap_or_default();
    let (execution, is_quiet) = execution(&args.running, &args.showing, shared, before)?;
    let moved = args.data.iter();
    let moved = moved.map(|path| format!("dataset.path={:?}", path.display().to_string()));
    let overrides: Vec<String> = args.overrides.iter().cloned().chain(moved).collect();
    let resume = Trial::resume(run.clone(), &overrides, args.force, execution)?;
    let (trial, resumed) = match resume {
        Resume::Continues(trial, resumed) => (trial, resumed),
        Resume::NothingToDo(nothing) => {
            for warning in &nothing.warnings {
                say!("warning: {warning}");
            }
            say!(
                "{}",
                explain(&nothing, &run, CommandLine::about("resume", &run, shared))
            );
            return Ok(ExitCode::SUCCESS);
        }
    };
    for damaged in &resumed.damaged {
        say!("warning: {damaged}; it is set aside and an older checkpoint is used");
    }
    for warning in &resumed.warnings {
        say!("warning: {warning}");
    }
    for note in &resumed.notes {
        say!("note: {note}");
    }
    if !is_quiet {
        introduce(&run, &resumed);
    }
    let result = trial.train();
    let result = result.inspect_err(|error| hint(error, &run, &args.running, shared))?;
    conclude(&run, &result, is_quiet, &args.running, shared)
}

/// The reason why there is nothing to do, and the command that trains on.
fn explain(nothing: &NothingToDo, run: &Run, resume: CommandLine) -> String {
    let NothingToDo {
        epochs,
        stopped,
        changes,
        warnings,
    } = nothing;
    let run = run.id();
    let (why, more) = match stopped {
        Some(stopped) => (
            format!(
                "{run} stopped early after {}: {stopped}",
                count(*epochs, "epoch")
            ),
            resume
                .with([
                    "--set".to_string(),
                    format!(
                        "training.early_stopping.patience={}",
                        stopped.more_patience()
                    ),
                ])
                .with(["--force"]),
        ),
        None => (
            format!("{run} has finished, after {}", count(*epochs, "epoch")),
            resume.with([
                "--set".to_string(),
                format!("training.num_epochs={}", 2 * epochs),
            ]),
        ),
    };
    let ignored = match changes.as_slice() {
        [] => String::new(),
        changes => format!(
            "these changes are not stored, because nothing is trained with them:\n{}\n",
            Change::list(changes)
        ),
    };
    let unchanged = match warnings.is_empty() {
        true => "no file is changed",
        false => "no other file is changed",
    };
    format!("{why}\nnothing to do: {unchanged}\n{ignored}to train on:  {more}")
}

/// Prints where the run continues and which keys of its configuration have changed.
fn introduce(run: &Run, resumed: &Resumed) {
    print_line(&match resumed.position {
        Some(position) => format!(
            "{} continues after {} and {} of the next epoch",
            run.id(),
            count(position.epoch, "epoch"),
            count(position.step_in_epoch, "step")
        ),
        None => format!(
            "{} has no checkpoint: it starts again from the beginning, with the same seed",
            run.id()
        ),
    });
    if !resumed.changes.is_empty() {
        print_line(&format!(
            "with changes:\n{}",
            Change::list(&resumed.changes)
        ));
    }
}
