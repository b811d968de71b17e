//! The command line: options that several commands share.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use emberlab_metrics::ThresholdBy;

use crate::commands::Command;

/// A laboratory for small neural networks.
#[derive(Debug, Parser)]
#[command(name = "emberlab", version, about, arg_required_else_help = true)]
pub struct Arguments {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub shared: Shared,
}

/// Options of every command.
#[derive(Debug, Args)]
pub struct Shared {
    /// Folder for run folders.
    #[arg(
        long,
        global = true,
        env = "EMBERLAB_ARTIFACTS_DIR",
        default_value = "artifacts",
        value_name = "DIR"
    )]
    pub artifacts: PathBuf,
    /// Folder with data sets; searched before the cache folder.
    #[arg(long, global = true, env = "EMBERLAB_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// Where a command computes.
#[derive(Debug, Args)]
pub struct Running {
    /// Device to compute on; see `emberlab devices`.
    #[arg(long, env = "EMBERLAB_DEVICE", default_value = emberlab_training::device::DEFAULT, value_name = "NAME")]
    pub device: String,
    /// Threads for each tensor operation; small networks are fastest with one.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: u16,
}

/// The display during training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DashboardChoice {
    /// Burn's dashboard on a terminal, otherwise one line per epoch.
    Auto,
    /// Burn's terminal dashboard.
    Tui,
    /// One line per epoch.
    Plain,
    /// One JSON object per epoch.
    Json,
    /// Nothing.
    Quiet,
}

/// How a training is displayed, and how far it goes.
#[derive(Debug, Args)]
pub struct Showing {
    /// Display during training.
    #[arg(long, value_enum, default_value_t = DashboardChoice::Auto)]
    pub dashboard: DashboardChoice,
    /// Keep the dashboard open after the training, until a key is pressed.
    #[arg(long)]
    pub stay: bool,
    /// Stop after this step, as Ctrl-C does; `emberlab resume` continues from there.
    #[arg(long, value_name = "STEP")]
    pub stop_at: Option<u64>,
}

/// Train a network as a TOML file says.
#[derive(Debug, Args)]
pub struct Train {
    /// The experiment's TOML file.
    pub config: PathBuf,
    /// Override a key, such as `model.activation=gelu`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// Name of the run's folder; time and seed when absent.
    #[arg(long, value_name = "NAME")]
    pub run: Option<String>,
    /// How it runs.
    #[command(flatten)]
    pub running: Running,
    /// How it is shown.
    #[command(flatten)]
    pub showing: Showing,
}

/// Go on with a run from its newest checkpoint.
#[derive(Debug, Args)]
pub struct Resume {
    /// The run: a path, a unique beginning of its name, or `latest`.
    #[arg(default_value = "latest")]
    pub run: String,
    /// Change a key on the way, such as `training.num_epochs=200`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// Accept changes of when the training ends: fewer epochs, another patience.
    #[arg(long)]
    pub force: bool,
    /// How it runs.
    #[command(flatten)]
    pub running: Running,
    /// How it is shown.
    #[command(flatten)]
    pub showing: Showing,
}

/// Train every variant of a TOML file with every seed, and say what differs.
#[derive(Debug, Args)]
pub struct Compare {
    /// The comparison's TOML file.
    pub config: PathBuf,
    /// Override a key of every trial, such as `training.num_epochs=10`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// Trials that run side by side; the number of cores when absent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Trials that train as one program at most, where they differ in seed or learning rate alone: small
    /// networks are faster so, and results are the same up to rounding. On a processor no more than its
    /// caches hold.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub stack: u16,
    /// How often a trial that failed is tried again.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub retries: u16,
    /// List the trials and train none.
    #[arg(long)]
    pub dry_run: bool,
    /// Write the trials to a file, a JSON line each, and train none: see `emberlab trial`.
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub plan: Option<PathBuf>,
    /// Write the trials to `plan.jsonl` beside their runs, print the script that runs them on a cluster,
    /// and train none.
    #[arg(long, value_enum, value_name = "ENGINE", conflicts_with_all = ["dry_run", "plan", "stack"])]
    pub launcher: Option<LauncherChoice>,
    /// Report what is there and train none.
    #[arg(long, conflicts_with_all = ["dry_run", "plan", "launcher"])]
    pub collect: bool,
    /// Print JSON instead of tables.
    #[arg(long)]
    pub json: bool,
    /// How each trial runs.
    #[command(flatten)]
    pub running: Running,
}

/// What runs the trials of a plan on a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LauncherChoice {
    /// A Slurm job array, for `sbatch`.
    Slurm,
    /// HyperQueue tasks, for `sh`.
    Hq,
    /// A Kubernetes Job with an index, for `kubectl apply -f`.
    K8s,
}

/// Train one trial of a comparison's plan, as a cluster's job.
#[derive(Debug, Args)]
pub struct TrialOf {
    /// The plan, as `emberlab compare --plan` wrote it.
    #[arg(long, value_name = "FILE")]
    pub plan: PathBuf,
    /// Which trial, counted from 0; taken from SLURM_ARRAY_TASK_ID, HQ_TASK_ID or JOB_COMPLETION_INDEX
    /// when absent. Several with commas between train as one program, where they can.
    #[arg(long, value_name = "I", value_delimiter = ',')]
    pub index: Vec<usize>,
    /// The process that started it, with which it ends.
    #[arg(long, hide = true, value_name = "PID")]
    pub parent: Option<i32>,
    /// How it runs.
    #[command(flatten)]
    pub running: Running,
    /// How it is shown.
    #[command(flatten)]
    pub showing: Showing,
}

/// Find a learning rate: train for a moment while it grows, over several seeds.
#[derive(Debug, Args)]
pub struct FindLr {
    /// The experiment's TOML file.
    pub config: PathBuf,
    /// Override a key, such as `optimizer.name=sgd`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// The lowest learning rate, of the first step.
    #[arg(long, default_value_t = 1e-6, value_name = "RATE")]
    pub from: f64,
    /// The highest learning rate, of the last step.
    #[arg(long, default_value_t = 10.0, value_name = "RATE")]
    pub to: f64,
    /// Steps between them, each with a rate of its own, growing by one factor.
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u32).range(20..=100_000))]
    pub steps: u32,
    /// Seeds to try, from 0.
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub seeds: u16,
    /// Write every loss to a CSV file.
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Print JSON instead of table and curve.
    #[arg(long)]
    pub json: bool,
    /// How it runs.
    #[command(flatten)]
    pub running: Running,
}

/// List, check and tidy runs.
#[derive(Debug, Args)]
pub struct Runs {
    /// What to do; lists them when absent.
    #[command(subcommand)]
    pub action: Option<RunsAction>,
    /// Print JSON instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// What to do with runs.
#[derive(Debug, Subcommand)]
pub enum RunsAction {
    /// Verify every file of runs: sizes, sums and contents.
    Check {
        /// The runs: paths, unique beginnings of names, or `latest`; all of them when absent.
        runs: Vec<String>,
    },
    /// Delete what nothing needs: old and damaged checkpoints, and what killed processes left.
    Prune {
        /// The runs: paths, unique beginnings of names, or `latest`; all of them when absent.
        runs: Vec<String>,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// A part of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SplitChoice {
    /// The training split.
    Train,
    /// The validation split.
    Valid,
    /// The test split.
    Test,
}

/// Which network of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WeightsChoice {
    /// The network after the last step.
    Last,
    /// The network of the best epoch.
    Best,
}

/// Say what a finished run's network is worth.
#[derive(Debug, Args)]
pub struct Evaluate {
    /// The run: a path, a unique beginning of its name, or `latest`.
    #[arg(default_value = "latest")]
    pub run: String,
    /// The split to predict; test, else valid, else train when absent.
    #[arg(long, value_enum)]
    pub split: Option<SplitChoice>,
    /// The network to use.
    #[arg(long, value_enum, default_value = "last")]
    pub weights: WeightsChoice,
    /// Two classes: choose the probability above which class 1 is predicted, on the validation split, and store
    /// it with the model for `predict`: `f1`, `youden`, or `cost=FP:FN` (the costs of a false alarm and a miss).
    #[arg(long, value_name = "WHAT")]
    pub threshold_by: Option<ThresholdBy>,
    /// Draw pictures as SVG into this folder; `pictures` in the run's folder when none is named. Boundaries over
    /// the epochs are drawn by training again.
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    pub pictures: Option<Option<PathBuf>>,
    /// Write every picture as PNG too.
    #[arg(long, requires = "pictures")]
    pub png: bool,
    /// The two features of the boundary, by name or number from 1; of more than two features, the two principal
    /// components when absent.
    #[arg(long, value_name = "X,Y", value_delimiter = ',')]
    pub axes: Vec<String>,
    /// Print JSON instead of tables.
    #[arg(long)]
    pub json: bool,
    /// How it runs.
    #[command(flatten)]
    pub running: Running,
}

/// What predictions are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PredictionFormat {
    /// A table with a row for each input.
    Csv,
    /// A list with an object for each input.
    Json,
}

/// Predict rows of a table, or images, with a finished run's network.
///
/// Inputs are raw, as the training data were: the run's own standardising is applied, and its threshold, if
/// `evaluate --threshold-by` stored one.
#[derive(Debug, Args)]
pub struct Predict {
    /// The run: a path, a unique beginning of its name, or `latest`.
    pub run: String,
    /// CSV files (`-` for standard input), or PNG files for a network that takes images.
    #[arg(required = true)]
    pub inputs: Vec<PathBuf>,
    /// Black for white in images; `auto` inverts dark ink on light paper.
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN")]
    pub invert: InvertChoice,
    /// What to write.
    #[arg(long, value_enum, default_value = "csv")]
    pub format: PredictionFormat,
    /// The network to use.
    #[arg(long, value_enum, default_value = "last")]
    pub weights: WeightsChoice,
    /// How it runs.
    #[command(flatten)]
    pub running: Running,
}

/// Whether images become their negatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InvertChoice {
    /// If their rim is light, since the lab's digits and clothes are light on dark.
    Auto,
    /// All of them.
    Yes,
    /// None.
    No,
}

/// Make one page of what a run or a comparison came to.
#[derive(Debug, Args)]
pub struct Report {
    /// A comparison's name or folder; or a run: a path, a unique beginning of its name; or `latest`: the
    /// newest run, or the comparison that it belongs to.
    #[arg(default_value = "latest", value_name = "RUN|EXPERIMENT")]
    pub subject: String,
    /// What it is for: a browser, a text, or another program.
    #[arg(long, value_enum, default_value = "html")]
    pub format: FormatChoice,
    /// Write it to this file; `report.html` beside what it reports, or the terminal, when absent.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// The format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatChoice {
    /// One page that needs no other file.
    Html,
    /// Text with tables; pictures in words.
    Markdown,
    /// The figures, a row each.
    Csv,
    /// Figures and curves.
    Json,
}

/// List, show and fetch data sets.
#[derive(Debug, Args)]
pub struct Data {
    /// What to do.
    #[command(subcommand)]
    pub action: DataAction,
}

/// What to do with data.
#[derive(Debug, Subcommand)]
pub enum DataAction {
    /// List the data sets and whether each is at hand.
    List,
    /// Show a data set: shape, classes, ranges and a few samples.
    Show {
        /// Name of a data set, or a TOML file whose data set is meant.
        name: String,
        /// Override a key of the data set, such as `noise=0.3`; may be repeated.
        #[arg(long = "set", value_name = "KEY=VALUE")]
        overrides: Vec<String>,
    },
    /// Download a data set into the data folder.
    Fetch {
        /// A data set that `emberlab data list` offers to fetch, such as `mnist`.
        name: String,
        /// Download from here instead, a folder's address; may be repeated.
        #[arg(long, value_name = "URL")]
        mirror: Vec<String>,
    },
}

/// Show a configuration, or the schema of all.
#[derive(Debug, Args)]
pub struct Config {
    /// What to do.
    #[command(subcommand)]
    pub action: ConfigAction,
}

/// What to do with configurations.
#[derive(Debug, Subcommand)]
pub enum ConfigAction {
    /// Print a configuration with every default written out.
    Show {
        /// The experiment's TOML file.
        config: PathBuf,
        /// Override a key, such as `model.activation=gelu`; may be repeated.
        #[arg(long = "set", value_name = "KEY=VALUE")]
        overrides: Vec<String>,
    },
    /// Print the JSON Schema of a configuration, for editors.
    Schema,
}
