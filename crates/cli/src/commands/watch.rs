//! `emberlab watch`: runs in the browser, as they grow.

use std::process::ExitCode;

use emberlab_live::watch::Viewer;

use crate::arguments::Shared;
use crate::failure::Failure;
use crate::serving::Serving;
use crate::signals;

/// Watch runs in the browser as they grow: a list, curves of several runs together, variants of a comparison.
///
/// It only reads.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The runs and experiments: paths, beginnings of names, `latest`, or folders of experiments. Without one, all
    /// runs.
    #[arg(value_name = "RUN|EXPERIMENT")]
    names: Vec<String>,
    #[command(flatten)]
    serving: Serving,
}

/// Serves the page until Ctrl-C.
///
/// # Errors
/// [`Failure`] if a name is not that of a run or an experiment, or the port cannot be opened.
pub fn run(args: &Args, shared: &Shared) -> Result<ExitCode, Failure> {
    let viewer = Viewer::new(shared.artifacts.clone(), &args.names)?;
    let stop = signals::stop_on_request(false)?;
    let site = args.serving.open()?;
    let others = "can read the metrics of these runs";
    args.serving.announce(&site, "runs", others)?;
    viewer.serve(site, &stop)?;
    Ok(ExitCode::SUCCESS)
}
