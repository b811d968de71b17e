//! The loss around a trained network, along two random directions.

use std::io::Write;
use std::process::ExitCode;

use emberlab_analysis::{Landscape, LandscapeError, landscape};
use emberlab_experiments::{LoadedRun, Run};
use emberlab_run_format::Weights;
use serde_json::json;

use super::pictures::landscape_map;
use super::{Args, save};
use crate::arguments::Shared;
use crate::command_line::CommandLine;
use crate::failure::Failure;
use crate::progress::number;
use crate::{data_dirs, tables};

/// Samples of the training split that the loss is averaged over, at most.
const MOST_SAMPLES: usize = 1000;

/// Measures and draws the loss around the trained network of a run.
pub(super) fn run(args: &Args, name: &str, shared: &Shared) -> Result<ExitCode, Failure> {
    if !(args.reach.is_finite() && args.reach > 0.0) {
        return Err(Failure::Usage(format!(
            "`--reach {}` must be positive",
            args.reach
        )));
    }
    let run = Run::find(&shared.artifacts, name)?;
    let device = &args.running.device;
    let loaded = LoadedRun::load(&run, Weights::Last, device, &data_dirs::all(shared))?;
    let batch = loaded
        .prepared
        .first_of_train(MOST_SAMPLES, &loaded.device)?;
    let num_samples = loaded.prepared.splits.train.len().min(MOST_SAMPLES);
    let loss = &loaded.prepared.config.loss;
    let nodes = usize::from(args.nodes);
    let found = landscape(&loaded.network, loss, &batch, nodes, args.reach, args.seed);
    let found = found.map_err(|error| match error {
        LandscapeError::Training(error) => error.into(),
        LandscapeError::Model(error) => Failure::Failed(error.to_string()),
    })?;
    if !found.center.is_finite() {
        return Err(Failure::Check(format!(
            "the loss of the trained network is {}: there is nothing to see around it\nto find the cause:  {}",
            found.center,
            CommandLine::about("diagnose", &run, shared).running(&args.running)
        )));
    }
    let svg = landscape_map(&run.id(), &found)?;
    let files = save(
        args,
        &[("landscape", svg)],
        ("landscape.csv", landscape_csv(&found)),
    )?;
    let (lowest, highest) = lowest_and_highest(&found.losses);
    let mut out = std::io::stdout();
    if args.json {
        let value = json!({
            "run": run.id(), "samples": num_samples, "center": found.center, "lowest": lowest, "highest": highest,
            "reach": found.reach, "nodes": found.num_nodes, "losses": found.losses,
        });
        writeln!(out, "{value:#}")?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(
        out,
        "{}: {} of {num_samples} training samples around the trained network, along two random directions as long \
         as its weights, unit by unit (Li et al. 2018)",
        run.id(),
        loss.name()
    )?;
    let mut table = tables::table(["where", "loss"], 1);
    for (place, loss) in [
        ("the trained network", found.center),
        ("lowest seen", lowest),
        ("highest seen", highest),
    ] {
        table.add_row([place.to_string(), number(loss)]);
    }
    writeln!(out, "{table}")?;
    for path in &files {
        writeln!(out, "{}", path.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The lowest and the highest of the finite losses.
fn lowest_and_highest(losses: &[f64]) -> (f64, f64) {
    let finite = || losses.iter().copied().filter(|loss| loss.is_finite());
    (
        finite().fold(f64::INFINITY, f64::min),
        finite().fold(f64::NEG_INFINITY, f64::max),
    )
}

fn landscape_csv(found: &Landscape) -> String {
    let at = |i: usize| found.reach * (2.0 * i as f64 / (found.num_nodes - 1) as f64 - 1.0);
    let mut text = String::from("first,second,loss\n");
    for (i, loss) in found.losses.iter().enumerate() {
        text += &format!(
            "{},{},{loss}\n",
            at(i % found.num_nodes),
            at(i / found.num_nodes)
        );
    }
    text
}
