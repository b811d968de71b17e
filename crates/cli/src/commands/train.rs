//! `emberlab train`: trains the network of a TOML file, or one for a table.

use std::ffi::OsStr;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use emberlab_analysis::OngoingDiagnosis;
use emberlab_config_source::ConfigSource;
use emberlab_experiments::{
    Execution, ExperimentConfig, ExperimentError, Run, Trial, outdated_threshold,
};
use emberlab_metrics::Metric;
use emberlab_run_format::files::DIAGNOSIS;
use emberlab_run_format::{ChosenThreshold, Diagnosis, Ending, RunResult, Weights};
use emberlab_tables::FormatConfig;
use emberlab_training::{Dashboard, Observer, TrainingError, WeightAverage};

use crate::arguments::{DashboardChoice, Running, Shared, Showing};
use crate::command_line::CommandLine;
use crate::failure::Failure;
use crate::progress::{Behind, JsonLines, Lines, Silent, clock, count, number, print_line};
use crate::run_explanations::answer;
use crate::starting::{TaskChoice, starter};
use crate::{signals, tables, terminal};

/// Train a network as a TOML file describes it, or one that fits a table.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The experiment's TOML file; or a table or a folder of images, whose experiment is the one that `emberlab new`
    /// writes.
    config: PathBuf,
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
    /// Name of the run's folder; by default the time and the seed.
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    #[command(flatten)]
    running: Running,
    #[command(flatten)]
    showing: Showing,
}

/// Trains a network.
///
/// # Errors
/// [`Failure`] with the place in the file if the configuration is wrong, or with the reason.
pub fn run(args: &Args, shared: &Shared) -> Result<ExitCode, Failure> {
    let source = source(args)?.with_overrides(&args.overrides)?;
    let config = ExperimentConfig::from_source(&source)?;
    tell_ignored(&config, &args.config, &args.overrides, shared);
    let new = OngoingDiagnosis::default();
    let (execution, is_quiet) = execution(&args.running, &args.showing, shared, new)?;
    let config = config.with_inspection();
    let begun = Trial::begin(config, &shared.artifacts, args.run.as_deref(), execution);
    let (trial, warnings) = begun.map_err(|error| error.with_place(&source))?;
    for warning in warnings {
        say!("warning: {warning}");
    }
    if !is_quiet {
        introduce(&trial, &args.running.device);
    }
    let run = trial.run.clone();
    let result = trial.train();
    let result = result.inspect_err(|error| hint(error, &run, &args.running, shared))?;
    conclude(&run, &result, is_quiet, &args.running, shared)
}

/// The experiment in a TOML file, or the one for a table or a folder of images, which is any other path.
fn source(args: &Args) -> Result<ConfigSource, Failure> {
    let path = &args.config;
    let is_toml = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
    if is_toml && args.label.is_none() || !path.exists() {
        return Ok(ConfigSource::load(path)?);
    }
    if is_toml {
        return Err(Failure::Usage(format!(
            "`--label` is for tables; {} says itself which column is the label, and `--set dataset.label=COLUMN` overrides it",
            path.display()
        )));
    }
    let label = args.label.as_deref();
    let starter = starter("train", path, &FormatConfig::default(), label, args.task)?;
    if !matches!(
        args.showing.dashboard,
        DashboardChoice::Json | DashboardChoice::Quiet
    ) {
        for note in &starter.notes {
            say!("note: {note}");
        }
    }
    for warning in &starter.warnings {
        say!("warning: {warning}");
    }
    let name = format!("the experiment for {}", path.display());
    Ok(ConfigSource::new(name, starter.to_toml()?))
}

/// Says which keys of a comparison a command ignores, and which command uses them.
pub fn tell_ignored(config: &ExperimentConfig, path: &Path, overrides: &[String], shared: &Shared) {
    let keys = config.comparison_keys();
    if keys.is_empty() {
        return;
    }
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    let compare = CommandLine::new([OsStr::new("compare"), path.as_os_str()]);
    say!(
        "note: {} ignored here: one network is trained, as if {} not in the file\n\
         to use {}:  {}",
        match keys.as_slice() {
            [one] => format!("{one} is"),
            several => format!("{} are", several.join(", ")),
        },
        if keys.len() == 1 {
            "it were"
        } else {
            "they were"
        },
        if keys.len() == 1 { "it" } else { "them" },
        compare.overrides(overrides).shared(shared),
    );
}

/// How a trial runs, and whether the terminal shows only errors. `before` holds what a resumed run has already done.
///
/// # Errors
/// [`Failure::Usage`] if `--dashboard tui` is given without a terminal, or with one that cannot draw.
pub fn execution(
    running: &Running,
    showing: &Showing,
    shared: &Shared,
    before: OngoingDiagnosis,
) -> Result<(Execution, bool), Failure> {
    let is_terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    let can_draw = is_terminal && terminal::can_draw(&std::io::stdout());
    let choice = match showing.dashboard {
        DashboardChoice::Auto if can_draw => DashboardChoice::Tui,
        DashboardChoice::Auto => DashboardChoice::Plain,
        DashboardChoice::Tui if !is_terminal => {
            return Err(Failure::Usage(
                "`--dashboard tui` needs a terminal; use `plain`, `json` or `quiet`".to_string(),
            ));
        }
        DashboardChoice::Tui if !can_draw => return Err(Failure::Usage(cannot_draw())),
        choice => choice,
    };
    let (observer, is_quiet): (Box<dyn Observer>, bool) = match choice {
        DashboardChoice::Auto | DashboardChoice::Plain => (Box::new(Lines::after(before)), false),
        DashboardChoice::Tui => (Box::new(Behind::after(before)), false),
        DashboardChoice::Json => (Box::new(JsonLines::after(before)), true),
        DashboardChoice::Quiet => (Box::new(Silent::default()), true),
    };
    let dashboard = match choice == DashboardChoice::Tui {
        true => Dashboard::Tui {
            stay: showing.stay.into(),
        },
        false => Dashboard::Quiet,
    };
    running.set_threads()?;
    let stop = signals::stop_on_request(matches!(choice, DashboardChoice::Plain))?;
    if let Some(step) = showing.stop_at {
        stop.request_at(step);
    }
    let execution = Execution {
        resources: running.resources(shared),
        dashboard,
        least_epoch: showing.pace.unwrap_or_default(),
        stop,
        observer,
    };
    Ok((execution, is_quiet))
}

/// The reason why a dashboard cannot be drawn on this terminal.
fn cannot_draw() -> String {
    let kind = match std::env::var("TERM") {
        Ok(name) if !name.is_empty() => format!("`TERM={name}`"),
        _ => "no `TERM`".to_string(),
    };
    format!(
        "`--dashboard tui` needs a terminal that can draw, and this one cannot, by {kind}; use `plain`, `json` or `quiet`"
    )
}

/// Prints the network, the device and the sizes of the splits before the training.
fn introduce(trial: &Trial, device: &str) {
    let prepared = trial.prepared();
    let splits = &prepared.splits;
    print_line(&format!(
        "{}: {} on {device}, {} parameters, {} train / {} valid / {} test samples of {}",
        trial.config().name,
        trial.config().model.name(),
        trial.num_parameters(),
        splits.train.len(),
        splits.valid.len(),
        splits.test.len(),
        trial.config().dataset.name(),
    ));
    print_line(&format!("trained by: {}", trial.trained_by()));
    if trial.waits_for_every_epoch() {
        let schedule = trial.config().scheduler.schedule.name();
        print_line(&format!(
            "one epoch in each call to the GPU, because `{schedule}` waits for the metrics of every epoch"
        ));
    }
}

/// Prints how a training ended and which commands can follow.
///
/// # Errors
/// [`Failure`] if the output cannot be written.
pub fn conclude(
    run: &Run,
    result: &RunResult,
    is_quiet: bool,
    running: &Running,
    shared: &Shared,
) -> Result<ExitCode, Failure> {
    let command = |name| CommandLine::about(name, run, shared).running(running);
    if result.ending == Ending::Interrupted {
        print_interruption(result, &command("resume"));
        return Ok(ExitCode::from(signals::INTERRUPTED));
    }
    if let Some(threshold) = outdated_threshold(run)? {
        say!("note: {}", choose_again(&threshold, command("evaluate")));
    }
    if let Some(WeightAverage::Swa(skipped)) = run.config()?.training.average
        && result.epochs as u64 <= skipped
    {
        say!(
            "note: the average of `training.average.swa = {skipped}` begins after epoch {skipped}, and the training \
             ended before: the network has its last weights"
        );
    }
    if is_quiet {
        return Ok(ExitCode::SUCCESS);
    }
    print_result(result)?;
    if let Some(answer) = answer(run, result) {
        writeln!(std::io::stdout(), "{answer}")?;
    }
    print_findings(run, &command("diagnose"))?;
    writeln!(std::io::stdout(), "saved in {}", run.path().display())?;
    print_next_commands(run, running, shared)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the commands that show more of a finished run, below each other.
fn print_next_commands(run: &Run, running: &Running, shared: &Shared) -> Result<(), Failure> {
    let about = |name| CommandLine::about(name, run, shared);
    let play = cfg!(feature = "live").then(|| ("play with it:", about("play")));
    let others = [
        (
            "pictures:",
            about("evaluate").running(running).with(["--pictures"]),
        ),
        ("one page:", about("report")),
    ];
    for (purpose, command) in play.into_iter().chain(others) {
        writeln!(std::io::stdout(), "{purpose:<15}{command}")?;
    }
    Ok(())
}

/// A sentence about a threshold that belongs to an earlier network, with the command that chooses it again.
fn choose_again(threshold: &ChosenThreshold, evaluate: CommandLine) -> String {
    let evaluate = match threshold.weights() {
        Weights::Last => evaluate,
        Weights::Best => evaluate.with(["--weights", "best"]),
    };
    format!(
        "the threshold {:.4} belonged to the earlier {} network, and is not used for the new one; choose it again with:  {}",
        threshold.threshold(),
        threshold.weights(),
        evaluate.with(["--threshold-by", &threshold.best.by.argument()]),
    )
}

fn print_interruption(result: &RunResult, resume: &CommandLine) {
    let saved = if result.is_saved {
        "everything so far is saved"
    } else {
        "the steps after the last checkpoint are not saved"
    };
    say!(
        "interrupted in epoch {} after {} steps; {saved}\n\
         to continue:  {resume}",
        result.epochs + 1,
        result.steps,
    );
}

/// Prints the length of the training, the metrics of each split, and the best epoch.
fn print_result(result: &RunResult) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    let early = match result.ending {
        Ending::StoppedEarly => ", stopped early",
        _ => "",
    };
    writeln!(
        out,
        "\n{}, {} in {}{early}",
        count(result.epochs, "epoch"),
        count(result.steps as usize, "step"),
        clock(std::time::Duration::from_secs_f64(result.seconds)),
    )?;
    let names: Vec<&str> = result
        .metrics
        .values()
        .next()
        .map(|metrics| metrics.names().collect())
        .unwrap_or_default();
    let has_classes = names.contains(&Metric::Precision.name());
    let mut table = tables::table(["split"].into_iter().chain(names), 1);
    for (split, metrics) in &result.metrics {
        let figures = metrics.iter().map(|(_, value)| number(value));
        table.add_row([split.to_string()].into_iter().chain(figures));
    }
    writeln!(out, "{table}")?;
    if has_classes {
        writeln!(out, "precision, recall and f1 are means over the classes")?;
    }
    if let Some(best) = &result.best {
        writeln!(
            out,
            "best {} {}: {} in epoch {}",
            best.split,
            best.metric,
            number(best.value),
            best.epoch
        )?;
    }
    Ok(())
}

/// Prints the findings about the training, if there are some.
fn print_findings(run: &Run, diagnose: &CommandLine) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    // A run of an older version has no diagnosis, and one that cannot be read is not worth an error here.
    let diagnosis = run.read_json::<Diagnosis>(DIAGNOSIS).unwrap_or_default();
    for finding in &diagnosis.findings {
        writeln!(out, "found: {}: {}", finding.kind, finding.summary)?;
    }
    if !diagnosis.findings.is_empty() {
        writeln!(out, "what to try:  {diagnose}")?;
    }
    Ok(())
}

/// Prints which command helps with a run that failed.
pub fn hint(error: &ExperimentError, run: &Run, running: &Running, shared: &Shared) {
    let command = |name| CommandLine::about(name, run, shared).running(running);
    if let ExperimentError::Training(TrainingError::FlatLoss { .. }) = error {
        say!("more:  {}", command("diagnose"));
        return;
    }
    if !run.path().is_dir() {
        say!(
            "{} is not there any more: if it was renamed, `emberlab resume` with its new path continues it",
            run.path().display()
        );
    } else if run.has_checkpoint() {
        say!(
            "the last checkpoint is not affected; to continue from it:  {}",
            command("resume")
        );
    } else {
        say!(
            "there is no checkpoint yet; to begin again with the same seed:  {}",
            command("resume")
        );
    }
}
