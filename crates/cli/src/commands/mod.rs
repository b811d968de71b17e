//! The commands, one file for each: its arguments, its work and its output.

pub mod check;
pub mod compare;
pub mod completions;
pub mod config;
pub mod data;
pub mod descend;
pub mod devices;
pub mod diagnose;
pub mod evaluate;
pub mod find_lr;
pub mod gallery;
pub mod new;
#[cfg(feature = "live")]
pub mod play;
pub mod predict;
pub mod report;
pub mod resume;
pub mod runs;
pub mod summary;
pub mod train;
pub mod trial;
#[cfg(feature = "live")]
pub mod watch;

use std::process::ExitCode;

use clap::Subcommand;

use crate::arguments::Shared;
use crate::failure::Failure;

/// The table of all commands. The help text of each stands at its `Args`.
#[derive(Debug, Subcommand)]
pub enum Command {
    New(new::Args),
    Train(train::Args),
    #[cfg(feature = "live")]
    Play(play::Args),
    #[cfg(feature = "live")]
    Watch(watch::Args),
    Resume(resume::Args),
    Compare(compare::Args),
    Trial(trial::Args),
    FindLr(find_lr::Args),
    Runs(runs::Args),
    Evaluate(evaluate::Args),
    Predict(predict::Args),
    Diagnose(diagnose::Args),
    Report(report::Args),
    Gallery(gallery::Args),
    Descend(descend::Args),
    Data(data::Args),
    Summary(summary::Args),
    Devices(devices::Args),
    Check(check::Args),
    Config(config::Args),
    Completions(completions::Args),
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    /// Those of the command.
    pub fn run(&self, shared: &Shared) -> Result<ExitCode, Failure> {
        match self {
            Self::New(args) => new::run(args, shared),
            Self::Train(args) => train::run(args, shared),
            #[cfg(feature = "live")]
            Self::Play(args) => play::run(args, shared),
            #[cfg(feature = "live")]
            Self::Watch(args) => watch::run(args, shared),
            Self::Resume(args) => resume::run(args, shared),
            Self::Compare(args) => compare::run(args, shared),
            Self::Trial(args) => trial::run(args, shared),
            Self::FindLr(args) => find_lr::run(args, shared),
            Self::Runs(args) => runs::run(args, shared),
            Self::Evaluate(args) => evaluate::run(args, shared),
            Self::Predict(args) => predict::run(args, shared),
            Self::Diagnose(args) => diagnose::run(args, shared),
            Self::Report(args) => report::run(args, shared),
            Self::Gallery(args) => gallery::run(args),
            Self::Descend(args) => descend::run(args, shared),
            Self::Data(args) => data::run(args, shared),
            Self::Summary(args) => summary::run(args, shared),
            Self::Devices(args) => devices::run(args, shared),
            Self::Check(args) => check::run(args, shared),
            Self::Config(args) => config::run(args),
            Self::Completions(args) => completions::run(args),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use crate::arguments::Arguments;

    #[test]
    fn every_command_and_every_option_has_a_help_text() {
        let program = Arguments::command();
        program.clone().debug_assert();
        let mut commands: Vec<&clap::Command> = program.get_subcommands().collect();
        while let Some(command) = commands.pop() {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "{name} has no help text");
            for option in command
                .get_arguments()
                .filter(|option| !option.is_hide_set())
            {
                let help = option.get_help().or_else(|| option.get_long_help());
                assert!(
                    help.is_some(),
                    "{name}: {} has no help text",
                    option.get_id()
                );
            }
            commands.extend(command.get_subcommands());
        }
    }
}
