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
pub mod predict;
pub mod report;
pub mod resume;
pub mod runs;
pub mod train;
pub mod trial;

use std::process::ExitCode;

use clap::Subcommand;

use crate::arguments::{self, Shared};
use crate::failure::Failure;

/// The table of all commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a network as a TOML file describes it.
    Train(train::Args),
    /// Continue a run from its newest checkpoint.
    Resume(resume::Args),
    /// Train every variant in a TOML file with every seed, and compare the results.
    Compare(compare::Args),
    /// Train one trial of a comparison, as a job on a cluster.
    Trial(trial::Args),
    /// Find a learning rate: train briefly while it grows, over several seeds.
    FindLr(find_lr::Args),
    /// List, check and clean up runs.
    Runs(runs::Args),
    /// Evaluate the network of a finished run.
    Evaluate(evaluate::Args),
    /// Predict rows of a table, or images, with the network of a finished run.
    Predict(predict::Args),
    /// Find out what is wrong with a run, and what to try.
    Diagnose(diagnose::Args),
    /// Write a report about a run or a comparison, as one page.
    Report(report::Args),
    /// Draw activations, losses, initializers and normalizations.
    Gallery(gallery::Args),
    /// Show how optimizers descend a surface, or the loss around a trained network.
    Descend(descend::Args),
    /// List, show and download data sets.
    Data(arguments::Data),
    /// List the devices to compute on, or time an experiment on each.
    Devices(devices::Args),
    /// Check the calculations against references.
    Check(check::Args),
    /// Show a configuration with all defaults, or the schema of configurations.
    Config(config::Args),
    /// Print shell completions.
    Completions(completions::Args),
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    /// Those of the command.
    pub fn run(&self, shared: &Shared) -> Result<ExitCode, Failure> {
        match self {
            Self::Train(args) => train::run(args, shared),
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
            Self::Devices(args) => devices::run(args, shared),
            Self::Check(args) => check::run(args, shared),
            Self::Config(args) => config::run(args),
            Self::Completions(args) => completions::run(args),
        }
    }
}
