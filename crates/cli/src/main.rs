//! The `emberlab` command.

mod arguments;
mod commands;
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
mod signals;
mod tables;
mod terminal_chart;
mod trial_progress;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};
use crate::failure::Failure;

/// Small tensors are made and dropped all the time; this allocator makes that cheap.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = panics::caught(|| match &arguments.command {
        Command::Train(command) => commands::train::run(command, &arguments.shared),
        Command::Resume(command) => commands::resume::run(command, &arguments.shared),
        Command::Compare(command) => commands::compare::run(command, &arguments.shared),
        Command::Trial(command) => commands::trial::run(command, &arguments.shared),
        Command::FindLr(command) => commands::find_lr::run(command, &arguments.shared),
        Command::Runs(command) => commands::runs::run(command, &arguments.shared),
        Command::Evaluate(command) => commands::evaluate::run(command, &arguments.shared),
        Command::Predict(command) => commands::predict::run(command, &arguments.shared),
        Command::Diagnose(command) => commands::diagnose::run(command, &arguments.shared),
        Command::Report(command) => commands::report::run(command, &arguments.shared),
        Command::Gallery(command) => commands::gallery::run(command),
        Command::Descend(command) => commands::descend::run(command, &arguments.shared),
        Command::Data(command) => commands::data::run(command, &arguments.shared),
        Command::Devices(command) => commands::devices::run(command, &arguments.shared),
        Command::Check(command) => commands::check::run(command, &arguments.shared),
        Command::Config(command) => commands::config::run(command),
        Command::Completions(command) => commands::completions::run(command),
    });
    match result {
        Ok(code) => code,
        Err(Failure::ClosedPipe) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", diagnostics::report(&failure));
            failure.exit_code()
        }
    }
}
