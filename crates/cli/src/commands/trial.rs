//! `emberlab trial`: trains one or several trials from the plan of a comparison, on any machine.

use std::path::PathBuf;
use std::process::ExitCode;

use emberlab_experiments::{Execution, PlannedTrial, Run, Trial};
use emberlab_run_format::{Ending, RunResult};
use emberlab_training::{Dashboard, Stay};

use crate::arguments::{Running, Shared, Showing};
use crate::commands::compare::jobs;
use crate::commands::train::{conclude, execution};
use crate::failure::Failure;
use crate::progress::{Silent, print_line};
use crate::{open_files, signals};

/// The environment variables in which cluster schedulers give a job its index.
const INDEX_VARIABLES: [&str; 3] = ["SLURM_ARRAY_TASK_ID", "HQ_TASK_ID", "JOB_COMPLETION_INDEX"];

/// Train one trial of a comparison, as a job on a cluster.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The plan written by `emberlab compare --plan`.
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// Index of the trial, from 0; by default from SLURM_ARRAY_TASK_ID, HQ_TASK_ID or JOB_COMPLETION_INDEX. Several,
    /// separated by commas, are trained in one batched model if possible.
    #[arg(long, value_name = "I", value_delimiter = ',')]
    index: Vec<usize>,
    /// The process that started this one; when it ends, this one stops.
    #[arg(long, hide = true, value_name = "PID")]
    parent: Option<i32>,
    #[command(flatten)]
    running: Running,
    #[command(flatten)]
    showing: Showing,
}

/// Trains a trial, or several in one batched model. A trial that was interrupted continues; one that is done is left
/// as it is.
///
/// # Errors
/// [`Failure`] if there is no such trial, or with the reason why training failed.
pub fn run(args: &Args, shared: &Shared) -> Result<ExitCode, Failure> {
    if let Some(parent) = args.parent {
        jobs::end_with(parent).map_err(Failure::Failed)?;
    }
    open_files::allow_as_many_as_possible();
    let indices = match args.index.as_slice() {
        [] => vec![index_from_environment()?],
        given => given.to_vec(),
    };
    let planned = PlannedTrial::load(&args.plan, &indices)?;
    let begun = planned
        .first()
        .and_then(|first| Run::at(&first.folder(&shared.artifacts)));
    let before = begun.and_then(|run| run.ongoing_diagnosis().ok());
    let before = before.unwrap_or_default();
    let (mut execution, is_quiet) = execution(&args.running, &args.showing, shared, before)?;
    // A job among many must not wait for a person.
    if let Dashboard::Tui { stay } = &mut execution.dashboard
        && *stay == Stay::Short
    {
        *stay = Stay::Never;
    }
    let others = without_output(&execution);
    let mut first = Some(execution);
    // The first trial is shown.
    let next = || first.take().unwrap_or_else(|| without_output(&others));
    let opened = PlannedTrial::open_all(&planned, &shared.artifacts, next)?;
    let mut trials = Vec::new();
    for (trial, planned) in opened.into_iter().zip(&planned) {
        match trial {
            Some(trial) => trials.push(trial),
            None if is_quiet => {}
            None => print_line(&format!("{}/{} is done", planned.experiment, planned.run)),
        }
    }
    let runs: Vec<Run> = trials.iter().map(|trial| trial.run.clone()).collect();
    let results = Trial::train_together(trials)?;
    if let ([run], [result]) = (runs.as_slice(), results.as_slice()) {
        return conclude(run, result, is_quiet, &args.running, shared);
    }
    let is_interrupted = |result: &RunResult| result.ending == Ending::Interrupted;
    if results.iter().any(is_interrupted) {
        say!("interrupted; every trial is saved\nto continue:  the same command again");
        return Ok(ExitCode::from(signals::INTERRUPTED));
    }
    for run in runs.iter().filter(|_| !is_quiet) {
        print_line(&format!("{} is done", run.id()));
    }
    Ok(ExitCode::SUCCESS)
}

/// How a trial runs without output, beside the one that is shown.
fn without_output(shown: &Execution) -> Execution {
    Execution {
        least_epoch: shown.least_epoch,
        observer: Box::new(Silent::default()),
        ..Execution::quiet(shown.resources.clone(), shown.stop.clone())
    }
}

fn index_from_environment() -> Result<usize, Failure> {
    let given = INDEX_VARIABLES
        .into_iter()
        .filter_map(|name| Some((name, std::env::var(name).ok()?)))
        .find(|(_, text)| !text.is_empty());
    let Some((name, text)) = given else {
        return Err(Failure::Usage(format!(
            "which trial? Give `--index`, or set one of {}",
            INDEX_VARIABLES.join(", ")
        )));
    };
    text.parse()
        .map_err(|_| Failure::Usage(format!("{name}={text} is not the index of a trial")))
}
