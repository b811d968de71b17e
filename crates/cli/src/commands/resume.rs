//! `emberlab resume`: a run that goes on.

use std::process::ExitCode;

use emberlab_experiments::{Run, Trial};

use crate::arguments::{Resume, Shared};
use crate::commands::train::{conclude, execution};
use crate::failure::Failure;

/// Goes on with a run from its newest checkpoint.
///
/// # Errors
/// [`Failure`] if there is nothing to go on from, or what went wrong.
pub fn run(command: &Resume, shared: &Shared) -> Result<ExitCode, Failure> {
    let run = Run::find(&shared.artifacts, &command.run)?;
    let (execution, is_quiet) = execution(&command.running, &command.showing, shared)?;
    let trial = Trial::reopen(run.clone(), execution)?;
    let result = trial.resume(|resumed| {
        for damaged in &resumed.damaged {
            eprintln!("warning: {damaged}; an older one is used");
        }
        if !is_quiet {
            println!(
                "{} goes on after {} epochs and {} steps of the next",
                run.id(),
                resumed.position.epoch,
                resumed.position.step_in_epoch
            );
        }
    })?;
    conclude(&run, &result, is_quiet, shared)
}
