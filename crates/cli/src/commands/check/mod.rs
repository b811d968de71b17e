//! `emberlab check`: comparisons with references.

mod gradients;
mod trace;

use std::process::ExitCode;

use crate::arguments::Shared;
use crate::failure::Failure;

/// Check the calculations against references.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The check.
    #[command(subcommand)]
    check: Check,
}

#[derive(Debug, clap::Subcommand)]
enum Check {
    /// Repeat trainings that were recorded in PyTorch, step for step, and compare.
    Trace(trace::Args),
    /// Compare the gradients of autodiff with central differences and closed forms.
    Gradients(gradients::Args),
}

/// Runs the check.
///
/// # Errors
/// [`Failure::Check`] if a deviation is too large.
pub fn run(args: &Args, shared: &Shared) -> Result<ExitCode, Failure> {
    match &args.check {
        Check::Trace(args) => trace::run(args),
        Check::Gradients(args) => gradients::run(args, shared),
    }
}
