//! `emberlab play`: a playground in the browser.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use emberlab_config_source::ConfigSource;
use emberlab_experiments::{ExperimentConfig, Run};
use emberlab_live::play::{Experiment, PlayError, Playground};
use emberlab_tables::FormatConfig;

use crate::arguments::{Running, Shared};
use crate::failure::Failure;
use crate::serving::Serving;
use crate::signals;
use crate::starting::{TaskChoice, starter};

/// The experiment of a playground that is given none.
const MOONS: &str = include_str!("../../../../configs/train/moons.toml");

/// Try networks in the browser: paint points, change a network while it learns, see every neuron.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An experiment's TOML file, a table, or a run; by default two moons.
    #[arg(value_name = "CONFIG|TABLE|RUN")]
    experiment: Option<PathBuf>,
    /// Of a table: the column to learn.
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// Of a table: whether the label is a class or a number; by default, a label with many different numbers is a
    /// number.
    #[arg(long, value_enum, requires = "label")]
    task: Option<TaskChoice>,
    /// Override a key, such as `model.activation=gelu`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    #[command(flatten)]
    running: Running,
    #[command(flatten)]
    serving: Serving,
}

/// Serves the playground until Ctrl-C.
///
/// # Errors
/// [`Failure`] if the experiment cannot be trained, or the port cannot be opened.
pub fn run(args: &Args, shared: &Shared) -> Result<ExitCode, Failure> {
    let source = source(args, shared)?.with_overrides(&args.overrides)?;
    let experiment = Experiment::new(source)?;
    args.running.set_threads()?;
    let schema = schemars::schema_for!(ExperimentConfig);
    let schema = serde_json::to_string(&schema).map_err(|e| Failure::Failed(e.to_string()))?;
    let playground = Playground {
        experiment,
        resources: args.running.resources(shared),
        artifacts: shared.artifacts.clone(),
        schema,
    };
    let stop = signals::stop_on_request(false)?;
    let playing = playground.start()?;
    let site = args.serving.open()?;
    let others =
        "can use this page, and so train on this machine and write to its artifacts folder";
    args.serving.announce(&site, "playground", others)?;
    playing.serve(site, &stop)?;
    Ok(ExitCode::SUCCESS)
}

/// The experiment in a TOML file, for a table, of a run, or the one for two moons.
fn source(args: &Args, shared: &Shared) -> Result<ConfigSource, Failure> {
    let Some(path) = &args.experiment else {
        return Ok(ConfigSource::new("moons.toml", MOONS));
    };
    if has_extension(path, "toml") && path.exists() {
        return Ok(ConfigSource::load(path)?);
    }
    if path.is_file() {
        let format = FormatConfig::default();
        let label = args.label.as_deref();
        let starter = starter("play", path, &format, label, args.task)?;
        for warning in &starter.warnings {
            say!("warning: {warning}");
        }
        let name = format!("the experiment for {}", path.display());
        return Ok(ConfigSource::new(name, starter.to_toml()?));
    }
    if has_extension(path, "toml") {
        return Ok(ConfigSource::load(path)?);
    }
    let run = Run::find(&shared.artifacts, &path.to_string_lossy())?;
    Ok(run.source()?)
}

fn has_extension(path: &Path, extension: &str) -> bool {
    let found = path.extension();
    found.is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

impl From<PlayError> for Failure {
    fn from(error: PlayError) -> Self {
        match error {
            PlayError::Experiment(error) => error.into(),
            error => Self::Failed(error.to_string()),
        }
    }
}
