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
