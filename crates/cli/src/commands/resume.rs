//! `emberlab resume`: a run that goes on.

use std::io::Write;
use std::process::ExitCode;

use emberlab_experiments::{Change, Resumed, Run, Trial};

use crate::arguments::{Resume, Shared};
use crate::commands::train::{conclude, execution, hint};
use crate::failure::Failure;
use crate::progress::count;

/// Goes on with a run from its newest checkpoint.
///
/// # Errors
/// [`Failure`] if there is nothing to go on from, or what went wrong.
pub fn run(command: &Resume, shared: &Shared) -> Result<ExitCode, Failure> {
    let run = Run::find(&shared.artifacts, &command.run)?;
    // A run whose curves cannot be read is told of when it is opened.
    let before = run.learning_curves().unwrap_or_default();
    let (execution, is_quiet) = execution(&command.running, &command.showing, shared, before)?;
    let reopened = Trial::reopen(run.clone(), &command.overrides, command.force, execution);
    let (trial, resumed) = reopened?;
    for damaged in &resumed.damaged {
        eprintln!("warning: {damaged}; it is set aside and an older one used");
    }
    for note in &resumed.notes {
        eprintln!("note: {note}");
    }
    if !is_quiet {
        introduce(&run, &resumed)?;
    }
    let result = trial.train();
    let result = result.inspect_err(|error| hint(error, &run, shared))?;
    conclude(&run, &result, is_quiet, shared)
}

/// Says what the run goes on from, and what of it has changed.
fn introduce(run: &Run, resumed: &Resumed) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    match resumed.position {
        Some(position) => writeln!(
            out,
            "{} goes on after {} and {} of the next",
            run.id(),
            count(position.epoch, "epoch"),
            count(position.step_in_epoch, "step")
        )?,
        None => writeln!(
            out,
            "{} has no checkpoint: it begins again from its seed",
            run.id()
        )?,
    }
    if !resumed.changes.is_empty() {
        writeln!(out, "with changes:\n{}", Change::list(&resumed.changes))?;
    }
    Ok(())
}
