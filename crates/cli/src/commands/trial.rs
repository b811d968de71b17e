//! `emberlab trial`: one trial of a comparison's plan, wherever it runs.

use std::process::ExitCode;

use emberlab_experiments::{PlannedTrial, Run};

use crate::arguments::{Shared, TrialOf};
use crate::commands::train::{conclude, execution};
use crate::failure::Failure;
use crate::jobs;

/// Where schedulers of clusters tell a job its number.
const INDEX_VARIABLES: [&str; 3] = ["SLURM_ARRAY_TASK_ID", "HQ_TASK_ID", "JOB_COMPLETION_INDEX"];

/// Trains the trial, goes on with it, or finds it done.
///
/// # Errors
/// [`Failure`] if there is no such trial, or what went wrong.
pub fn run(command: &TrialOf, shared: &Shared) -> Result<ExitCode, Failure> {
    if let Some(parent) = command.parent {
        jobs::end_with(parent).map_err(Failure::Failed)?;
    }
    let index = match command.index {
        Some(index) => index,
        None => index_from_environment()?,
    };
    let trials = PlannedTrial::load(&command.plan)?;
    let planned = trials.get(index).ok_or_else(|| {
        Failure::Usage(format!(
            "there is no trial {index} in {}, which holds {}",
            command.plan.display(),
            trials.len()
        ))
    })?;
    let name = format!("{}/{}", planned.experiment, planned.run);
    let begun = Run::find(&shared.artifacts, &name);
    let before = begun
        .and_then(|run| run.learning_curves())
        .unwrap_or_default();
    let (execution, is_quiet) = execution(&command.running, &command.showing, shared, before)?;
    let Some(trial) = planned.open(&shared.artifacts, execution)? else {
        if !is_quiet {
            println!("{}/{} is done", planned.experiment, planned.run);
        }
        return Ok(ExitCode::SUCCESS);
    };
    let run = trial.run.clone();
    let result = trial.train()?;
    conclude(&run, &result, is_quiet, shared)
}

fn index_from_environment() -> Result<usize, Failure> {
    let given = INDEX_VARIABLES
        .into_iter()
        .find_map(|name| Some((name, std::env::var(name).ok()?)));
    let Some((name, text)) = given else {
        return Err(Failure::Usage(format!(
            "which trial? Give `--index`, or one of {}",
            INDEX_VARIABLES.join(", ")
        )));
    };
    text.parse()
        .map_err(|_| Failure::Usage(format!("{name}={text} is no trial's index")))
}
