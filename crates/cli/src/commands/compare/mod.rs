//! `emberlab compare`: trains every variant with every seed, and reports the differences.

mod estimate;
mod explanations;
pub mod jobs;
mod launchers;
mod progress;
mod tables;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use emberlab_config_source::{ConfigError, ConfigSource};
use emberlab_experiments::{Comparison, ExperimentError, PlannedTrial, Prepared, Run, Target};
use emberlab_report::{TrialPlace, TrialTable, duration};
use emberlab_run_format::Question;
use emberlab_run_format::files::comparison as files;
use emberlab_storage::{RunLock, replace};
use emberlab_training::{Split, StopFlag, device};

use crate::arguments::{Running, Shared};
use crate::command_line::CommandLine;
use crate::failure::Failure;
use crate::progress::count;
use crate::{data_dirs, output_files, signals};
use estimate::estimate;
use explanations::{BaselinesChoice, Explaining};
use jobs::{JobEnd, run_all};
use launchers::{Launch, LauncherChoice};
use progress::{ShownJob, TrialProgress};

/// Train every variant in a TOML file with every seed, and compare the results.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The comparison's TOML file.
    config: PathBuf,
    /// Override a key of every trial, such as `training.num_epochs=10`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Number of trials that run at the same time; by default the number of cores.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Largest number of trials that are trained together in one batched model, if they differ only in seed or learning
    /// rate. This is faster for small networks, with the same results up to rounding. On a CPU, the number is limited
    /// to what its caches hold.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    stack: u16,
    /// Number of times that a failed trial is tried again.
    #[arg(long, default_value_t = 0, value_name = "N")]
    retries: u16,
    /// List the trials without training.
    #[arg(long)]
    dry_run: bool,
    /// Write the trials to a file, one per line as JSON, without training; see `emberlab trial`.
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    plan: Option<PathBuf>,
    /// Write the trials to `plan.jsonl` beside their runs and print a script that runs them on a cluster, without
    /// training.
    #[arg(long, value_enum, value_name = "LAUNCHER", conflicts_with_all = ["dry_run", "plan", "stack"])]
    launcher: Option<LauncherChoice>,
    /// Report on the trials that are done, without training.
    #[arg(long, conflicts_with_all = ["dry_run", "plan", "launcher"])]
    collect: bool,
    /// The simple predictors, such as logistic regression, that the best variant is compared with on the same splits:
    /// `auto` computes them for data of up to a million values, `all` for data of any size.
    #[arg(long, value_enum, default_value = "auto", value_name = "WHICH")]
    baselines: BaselinesChoice,
    /// Print JSON instead of tables.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    running: Running,
}

/// Trains the trials of a comparison that are not done, and reports on all.
///
/// # Errors
/// [`Failure`] with the place in the file if the configuration is wrong, the trials that failed, or the reason.
pub fn run(args: &Args, shared: &Shared) -> Result<ExitCode, Failure> {
    let source = ConfigSource::load(&args.config)?.with_overrides(&args.overrides)?;
    let comparison = Comparison::from_source(&source)?;
    let config = &comparison.config;
    config.check_outside_data(&shared.artifacts, "--artifacts")?;
    for epoch in comparison.missing_epochs() {
        say!("warning: `at_epochs` has {epoch}, and no trial has so many epochs: it is left out");
    }
    let mut limits = BTreeMap::new();
    if !args.collect {
        let is_absent = |trial: &PlannedTrial| matches!(trial.run(&shared.artifacts), Ok(None));
        if comparison.trials.iter().all(is_absent) {
            comparison.check_losses(&source)?;
        }
        limits = check_data(&comparison, &source, shared)?;
    }
    // Two processes that train one comparison would each report on trials that the other one has not ended, and one that
    // trains it reads its plan.
    let _lock = match args.dry_run || args.collect || args.plan.is_some() {
        true => None,
        false => Some(lock(&comparison, shared)?),
    };
    let missing = missing(&comparison, &shared.artifacts).inspect_err(|error| {
        if let ExperimentError::ConfigChanged { .. } = error {
            let name = &comparison.config.name;
            say!(
                "the existing trials of `{name}` belong to another comparison: \
                 give this one another name with `--set name=…`, or remove those trials"
            );
        }
    })?;
    if args.dry_run {
        return list(&comparison, &missing, args, shared);
    }
    if let Some(path) = &args.plan {
        let lines = PlannedTrial::to_lines(&comparison.trials)?;
        output_files::write(path, lines.as_bytes())?;
        if !output_files::is_stdout(path) {
            let num_trials = comparison.trials.len();
            writeln!(
                std::io::stdout(),
                "{num_trials} trials in {}",
                path.display()
            )?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(launcher) = args.launcher {
        return launch(launcher, args, shared, &comparison);
    }
    let mut failed = Vec::new();
    if !args.collect && !missing.is_empty() {
        device::open(&args.running.device)?;
        let stop = signals::stop_on_request(false)?;
        let stacks = stacks(args, &comparison, &missing, &limits);
        failed = train(args, shared, &comparison, &stacks, &stop)?;
        if stop.is_requested() {
            say!("interrupted; every trial is saved\nto continue:  the same command again");
            return Ok(ExitCode::from(signals::INTERRUPTED));
        }
    }
    report(args, shared, &comparison, &source)?;
    match failed.as_slice() {
        [] => Ok(ExitCode::SUCCESS),
        failed => Err(failure(failed, comparison.trials.len())),
    }
}

/// The missing trials in groups that train together in one batched model, of at most `--stack` trials. On a CPU a
/// group is no larger than the limit of its variant, nor than each job's share of the trials.
fn stacks(
    args: &Args,
    comparison: &Comparison,
    missing: &[usize],
    limits: &BTreeMap<String, usize>,
) -> Vec<Vec<usize>> {
    let largest = usize::from(args.stack);
    let share = missing.len().div_ceil(num_jobs(args));
    let size = |trial: &PlannedTrial| match device::is_processor(&args.running.device) {
        true => {
            let limit = limits.get(&trial.variant).copied().unwrap_or(1);
            largest.min(limit).min(share)
        }
        false => largest,
    };
    let mut indices = missing.to_vec();
    if largest > 1 {
        // Trials with the same seed have the same data, which a stack loads once.
        indices.sort_by_key(|&index| {
            let trial = &comparison.trials[index];
            (trial.seed, trial.fold)
        });
    }
    PlannedTrial::stacks(&comparison.trials, &indices, size)
}

/// The error that lists the failed trials and why they failed.
fn failure(failed: &[(&PlannedTrial, String)], num_trials: usize) -> Failure {
    let lines: Vec<String> = failed
        .iter()
        .map(|(trial, reason)| format!("{} {}", trial.run, reason.replace('\n', "\n    ")))
        .collect();
    Failure::Check(format!(
        "{} of {num_trials} trials failed; run the same command to try them again\n  {}",
        failed.len(),
        lines.join("\n  ")
    ))
}

/// Writes the plan beside the runs and prints the script that runs it.
fn launch(
    launcher: LauncherChoice,
    args: &Args,
    shared: &Shared,
    comparison: &Comparison,
) -> Result<ExitCode, Failure> {
    check_plan(shared, comparison)?;
    let plan = write_plan(shared, comparison)?;
    let absolute = |path: &Path| {
        std::path::absolute(path).map_err(Failure::of("no path of the current folder"))
    };
    let data_dir = shared.data_dir.as_deref().map(absolute).transpose()?;
    let launch = Launch {
        name: &comparison.config.name,
        num_trials: comparison.trials.len(),
        threads: args.running.num_threads(),
        program: &std::env::current_exe().map_err(Failure::of("no path of this program"))?,
        plan: &absolute(&plan)?,
        artifacts: &absolute(&shared.artifacts)?,
        data_dir: data_dir.as_deref(),
        device: &args.running.device,
    };
    write!(std::io::stdout(), "{}", launch.script(launcher))?;
    Ok(ExitCode::SUCCESS)
}

/// Checks that no other plan waits to be trained: jobs that were submitted with it find their trials by its lines.
///
/// # Errors
/// [`Failure::Usage`] if another `plan.jsonl` has trials that are not done.
fn check_plan(shared: &Shared, comparison: &Comparison) -> Result<(), Failure> {
    let plan = shared
        .artifacts
        .join(&comparison.config.name)
        .join(files::PLAN);
    // A plan that is not there or cannot be read has no trials that a job could train.
    let Ok(planned) = PlannedTrial::load_all(&plan) else {
        return Ok(());
    };
    let is_done = |trial: &PlannedTrial| {
        let run = Run::at(&trial.folder(&shared.artifacts));
        run.is_some_and(|run| run.is_done())
    };
    let num_open = planned.iter().filter(|trial| !is_done(trial)).count();
    let is_same = PlannedTrial::to_lines(&planned)? == PlannedTrial::to_lines(&comparison.trials)?;
    if num_open == 0 || is_same {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "{} is another plan, with {num_open} of {} trials not done, which submitted jobs may still train: let them end, or \
         remove it if there are none; or give this comparison another name with `--set name=…`",
        plan.display(),
        planned.len()
    )))
}

/// Writes every trial to `plan.jsonl` beside the runs.
fn write_plan(shared: &Shared, comparison: &Comparison) -> Result<PathBuf, Failure> {
    let folder = shared.artifacts.join(&comparison.config.name);
    make_folder(&folder)?;
    let plan = folder.join(files::PLAN);
    write(&plan, &PlannedTrial::to_lines(&comparison.trials)?)?;
    Ok(plan)
}

/// Loads the data of the first trial of each variant and checks that data, network and loss fit together, once for all
/// variants that are alike in these. Returns how many trials of each variant are best trained in one batched model on a
/// CPU.
fn check_data(
    comparison: &Comparison,
    source: &ConfigSource,
    shared: &Shared,
) -> Result<BTreeMap<String, usize>, Failure> {
    let data_dirs = data_dirs::all(shared);
    let mut limits = BTreeMap::new();
    let mut checked: BTreeMap<String, Checked> = BTreeMap::new();
    let mut first: Option<(&str, Split)> = None;
    for trial in &comparison.trials {
        if limits.contains_key(&trial.variant) {
            continue;
        }
        let key = trial
            .config
            .check_key()
            .map_err(|e| Failure::Failed(e.to_string()))?;
        let checked = match checked.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let found = check(trial, comparison.config.target, &data_dirs);
                entry.insert(found.map_err(|error| error.with_place(source))?)
            }
        };
        limits.insert(trial.variant.clone(), checked.limit);
        for warning in &checked.warnings {
            say!("warning: {}: {warning}", trial.variant);
        }
        let split = checked.objective_split;
        let (other, other_split) = *first.get_or_insert((&trial.variant, split));
        if split != other_split {
            let message = format!(
                "the objective of `{other}` is measured on the {other_split} split and that of `{}` on the {split} split, \
                 because one of them has no validation rows: give both some, or set `training.objective.split = \"train\"`",
                trial.variant
            );
            return Err(ConfigError::at_key(source, "training.objective.split", message).into());
        }
    }
    Ok(limits)
}

/// A trial whose data, network and loss fit together.
struct Checked {
    /// How many such trials are best trained in one batched model on a CPU.
    limit: usize,
    warnings: Vec<String>,
    /// The split that the objective is measured on.
    objective_split: Split,
}

/// Checks that data, network and loss of a trial fit together, and the metric of the target with them.
fn check(
    trial: &PlannedTrial,
    target: Option<Target>,
    data_dirs: &[PathBuf],
) -> Result<Checked, ExperimentError> {
    let prepared = Prepared::for_comparison(trial.config.clone(), target, data_dirs)?;
    let network = prepared.init_network(&device::host())?;
    Ok(Checked {
        limit: prepared.networks_per_batched_model(&network),
        warnings: prepared.warnings(),
        objective_split: prepared.objective_split(),
    })
}

/// The lock of the comparison's folder, which ends with the process.
fn lock(comparison: &Comparison, shared: &Shared) -> Result<RunLock, Failure> {
    let folder = shared.artifacts.join(&comparison.config.name);
    make_folder(&folder)?;
    let lock = RunLock::acquire(&folder).map_err(ExperimentError::from);
    Ok(lock?)
}

/// The indices of the trials that are not done, in order.
fn missing(comparison: &Comparison, artifacts: &Path) -> Result<Vec<usize>, ExperimentError> {
    let mut missing = Vec::new();
    for trial in &comparison.trials {
        if !trial.run(artifacts)?.is_some_and(|run| run.has_result()) {
            missing.push(trial.index);
        }
    }
    Ok(missing)
}

/// Lists the trials, which of them are done, and about how long the others would take.
fn list(
    comparison: &Comparison,
    missing: &[usize],
    args: &Args,
    shared: &Shared,
) -> Result<ExitCode, Failure> {
    let mut out = std::io::stdout();
    for trial in &comparison.trials {
        let state = match missing.binary_search(&trial.index) {
            Ok(_) => "to train",
            Err(_) => "done",
        };
        writeln!(
            out,
            "{:>4}  {state:8}  {}/{}  {} epochs",
            trial.index, trial.experiment, trial.run, trial.config.training.num_epochs
        )?;
    }
    writeln!(
        out,
        "{}, {}, {} to train",
        count(comparison.variants.len(), "variant"),
        count(comparison.trials.len(), "trial"),
        missing.len(),
    )?;
    if !missing.is_empty() {
        let estimate = estimate(comparison, missing, args, shared)?;
        writeln!(
            out,
            "about {} with {} at the same time, without early stopping: {}",
            duration(estimate.seconds),
            count(estimate.num_jobs, "job"),
            estimate.basis
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The number of trials that run at the same time.
fn num_jobs(args: &Args) -> usize {
    args.jobs.map_or_else(num_cores, usize::from)
}

/// The number of cores that this process may use.
fn num_cores() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}

/// Trains stacks of trials, each stack in its own process. Returns the trials that failed, with the reason.
fn train<'a>(
    args: &Args,
    shared: &Shared,
    comparison: &'a Comparison,
    stacks: &[Vec<usize>],
    stop: &StopFlag,
) -> Result<Vec<(&'a PlannedTrial, String)>, Failure> {
    let trials = &comparison.trials;
    let plan = write_plan(shared, comparison)?;
    let program = std::env::current_exe().map_err(Failure::of("no path of this program"))?;
    let num_threads = num_threads(args, stacks);
    let job = |index: usize| {
        let stack = &stacks[index];
        trial_command(&program, &plan, stack, num_threads, args, shared)
    };
    let shown = stacks.iter().map(|stack| ShownJob {
        name: match stack.as_slice() {
            [] => String::new(),
            [alone] => trials[*alone].run.clone(),
            [first, others @ ..] => format!("{} and {} more", trials[*first].run, others.len()),
        },
        num_trials: stack.len(),
    });
    let progress = TrialProgress::new(shown.collect(), args.json);
    let retries = usize::from(args.retries);
    let ends = run_all(stacks.len(), num_jobs(args), retries, job, stop, &progress);
    progress.finish();
    let failed = ends.into_iter().filter_map(|(index, end)| match end {
        JobEnd::Failed(reason) => Some((&stacks[index], reason)),
        JobEnd::Done | JobEnd::Interrupted => None,
    });
    let mut all = Vec::new();
    for (stack, reason) in failed {
        for &index in stack {
            // Some trials of a stack that failed may be done.
            if !trials[index]
                .run(&shared.artifacts)?
                .is_some_and(|run| run.has_result())
            {
                all.push((&trials[index], reason.clone()));
            }
        }
    }
    all.sort_by_key(|(trial, _)| trial.index);
    Ok(all)
}

/// The number of threads of each process. The networks of a stack on a GPU train together, and the processor does its
/// part for all of them: metrics, checkpoints and predictions. So the processes share all cores, unless a number is
/// given.
fn num_threads(args: &Args, stacks: &[Vec<usize>]) -> usize {
    let num_jobs = num_jobs(args).min(stacks.len()).max(1);
    match args.running.threads {
        None if args.stack > 1 && !device::is_processor(&args.running.device) => {
            num_cores().div_ceil(num_jobs)
        }
        _ => usize::from(args.running.num_threads()),
    }
}

/// The command that trains these trials in a process of its own.
fn trial_command(
    program: &Path,
    plan: &Path,
    indices: &[usize],
    num_threads: usize,
    args: &Args,
    shared: &Shared,
) -> Command {
    let indices: Vec<String> = indices.iter().map(usize::to_string).collect();
    let mut trial = Command::new(program);
    trial
        .arg("trial")
        .arg("--plan")
        .arg(plan)
        .args(["--index", &indices.join(",")])
        .args(["--parent", &std::process::id().to_string()])
        .args(["--dashboard", "json"])
        .args(["--device", &args.running.device])
        .args(["--threads", &num_threads.to_string()])
        .arg("--artifacts")
        .arg(&shared.artifacts);
    if let Some(folder) = &shared.data_dir {
        trial.arg("--data-dir").arg(folder);
    }
    trial
}

/// Reads the results of the trials, writes the tables of the comparison beside them, and prints a summary.
fn report(
    args: &Args,
    shared: &Shared,
    comparison: &Comparison,
    source: &ConfigSource,
) -> Result<(), Failure> {
    let config = &comparison.config;
    let objective = &config.training.objective;
    let question = Question {
        experiment: config.name.clone(),
        metric: objective.metric,
        split: objective.split.to_string(),
        asked_split: None,
        at_epochs: config.at_epochs.clone(),
        target: config
            .target
            .map(|target| (target.metric, target.split.to_string(), target.value)),
    };
    let place = |trial: &PlannedTrial| TrialPlace {
        variant: trial.variant.clone(),
        seed: trial.seed,
        fold: trial.fold,
        run: trial.folder(&shared.artifacts),
    };
    let places: Vec<TrialPlace> = comparison.trials.iter().map(place).collect();
    let mut result = emberlab_report::comparison::load(question, &places)?;
    let explaining = Explaining {
        comparison,
        shared,
        device: &args.running.device,
        num_threads: num_jobs(args),
    };
    explaining.add_baselines(&mut result, args.baselines)?;
    explaining.write_importance(&result)?;
    let json = emberlab_report::to_json(&result, &config.name)?;
    let folder = shared.artifacts.join(&config.name);
    make_folder(&folder)?;
    let mut csv = Vec::new();
    let table = TrialTable::new(&result.trials);
    table.write_csv(&mut csv)?;
    let parquet = table.to_parquet();
    // The configuration, so that the comparison can be repeated from this folder alone.
    let config_with_name = source.with_overrides(&[format!("name=\"{}\"", config.name)])?;
    let written: [(PathBuf, &[u8]); 4] = [
        (folder.join(files::CONFIG), config_with_name.text.as_bytes()),
        (folder.join(files::TRIALS), &csv),
        (folder.join(files::TRIALS_PARQUET), &parquet),
        (folder.join(files::RESULT), json.as_bytes()),
    ];
    for (path, content) in &written {
        replace(path, content).map_err(ExperimentError::from)?;
    }
    let mut out = std::io::stdout();
    if args.json {
        write!(out, "{json}")?;
        return Ok(());
    }
    tables::write(&result, &mut out)?;
    for (path, _) in &written {
        writeln!(out, "saved in {}", path.display())?;
    }
    let page = CommandLine::new(["report", &config.name]).shared(shared);
    writeln!(out, "as one page:  {page}")?;
    Ok(())
}

/// Makes a folder and those above it.
fn make_folder(folder: &Path) -> Result<(), Failure> {
    let made = std::fs::create_dir_all(folder);
    made.map_err(Failure::of(format_args!(
        "cannot make {}",
        folder.display()
    )))
}

/// Writes a file so that it appears whole.
fn write(path: &Path, text: &str) -> Result<(), ExperimentError> {
    Ok(replace(path, text.as_bytes())?)
}
