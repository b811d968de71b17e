//! The `emberlab` command.

// `say!` and `writeln!` instead: these two end the program where nobody reads what it prints.
#![warn(clippy::print_stderr, clippy::print_stdout)]

#[macro_use]
mod say;

mod arguments;
mod command_line;
mod commands;
mod data_dirs;
mod diagnostics;
mod failure;
mod open_files;
mod output_files;
mod panics;
mod progress;
mod run_explanations;
#[cfg(feature = "live")]
mod serving;
mod signals;
mod starting;
mod table_description;
mod table_format;
mod tables;
mod terminal;
mod terminal_chart;
mod threads;

use std::process::ExitCode;

use crate::arguments::Arguments;
use crate::failure::Failure;

/// Training allocates and frees many small tensors, which this allocator makes cheap.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::read();
    let result = panics::caught(|| arguments.command.run(&arguments.shared));
    match result {
        Ok(code) => code,
        Err(Failure::ClosedPipe) => ExitCode::SUCCESS,
        Err(failure) => {
            say!("{}", diagnostics::report(&failure));
            if let Some(next) = command_line::next_step(&failure, &arguments.shared) {
                say!("{next}");
            }
            failure.exit_code()
        }
    }
}
