//! `emberlab completions`: completions for a shell.

use std::io::Write;
use std::process::ExitCode;

use clap::CommandFactory;

use crate::arguments::Arguments;
use crate::failure::Failure;

/// Print shell completions.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell.
    shell: clap_complete::Shell,
}

/// Prints the completions of a shell.
///
/// # Errors
/// [`Failure`] if the output cannot be written.
pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut Arguments::command(),
        "emberlab",
        &mut script,
    );
    std::io::stdout().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}
