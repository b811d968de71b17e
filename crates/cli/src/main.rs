//! The `emberlab` command.

mod arguments;
mod commands;
mod comparison_explanations;
mod comparison_tables;
mod data_dirs;
mod diagnostics;
mod evaluation_pictures;
mod failure;
mod jobs;
mod launchers;
mod panics;
mod picture_files;
mod progress;
mod run_explanations;
mod signals;
mod tables;
mod terminal_chart;
mod threads;
mod trial_progress;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Arguments;
use crate::failure::Failure;

/// Training allocates and frees many small tensors, which this allocator makes cheap.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = panics::caught(|| arguments.command.run(&arguments.shared));
    match result {
        Ok(code) => code,
        Err(Failure::ClosedPipe) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", diagnostics::report(&failure));
            failure.exit_code()
        }
    }
}
