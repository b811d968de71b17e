//! The command line: options that several commands share.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::Resettable;
use clap::{Args, Command as Program, CommandFactory, FromArgMatches, Parser, ValueEnum};
use emberlab_experiments::Resources;
use emberlab_run_format::Weights;
use emberlab_training::Stay;

use crate::commands::Command;
use crate::failure::Failure;
use crate::{data_dirs, threads};

/// A laboratory for small neural networks.
#[derive(Debug, Parser)]
#[command(name = "emberlab", version, about, arg_required_else_help = true)]
pub struct Arguments {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
    /// Folders that every command uses.
    #[command(flatten)]
    pub shared: Shared,
}

impl Arguments {
    /// Reads the command line of this process. If it is wrong, prints the reason and ends the process.
    pub fn read() -> Self {
        let program = with_negative_values(without_empty_variables(Self::command()));
        let matches = program.get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// The program, for which an empty environment variable counts as one that is not set.
fn without_empty_variables(program: Program) -> Program {
    let is_empty = |name: &std::ffi::OsStr| std::env::var_os(name).is_some_and(|v| v.is_empty());
    program
        .mut_args(|arg| match arg.get_env().is_some_and(is_empty) {
            true => arg.env(Resettable::Reset),
            false => arg,
        })
        .mut_subcommands(without_empty_variables)
}

/// The program, whose options take a negative number as their value. Those that need a positive one then say so.
fn with_negative_values(program: Program) -> Program {
    program
        .mut_args(
            |arg| match arg.get_action().takes_values() && !arg.is_positional() {
                true => arg.allow_negative_numbers(true),
                false => arg,
            },
        )
        .mut_subcommands(with_negative_values)
}

/// The folder for run folders, if none is given.
pub const DEFAULT_ARTIFACTS: &str = "artifacts";

/// Folders that every command uses.
#[derive(Debug, Args)]
pub struct Shared {
    /// Folder for run folders.
    #[arg(
        long,
        global = true,
        env = "EMBERLAB_ARTIFACTS_DIR",
        default_value = DEFAULT_ARTIFACTS,
        value_name = "DIR"
    )]
    pub artifacts: PathBuf,
    /// Folder with data sets; searched before the cache folder.
    #[arg(long, global = true, env = "EMBERLAB_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// The device and the threads of a command.
#[derive(Debug, Args)]
pub struct Running {
    /// Device to compute on; see `emberlab devices`.
    #[arg(long, env = "EMBERLAB_DEVICE", default_value = emberlab_training::device::DEFAULT, value_name = "NAME")]
    pub device: String,
    /// Threads for each tensor operation; by default one, with which small networks are fastest. The processes of a
    /// `compare --stack` on a GPU share all cores.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

impl Running {
    /// Threads for each tensor operation.
    pub fn num_threads(&self) -> u16 {
        self.threads.unwrap_or(1)
    }

    /// What a trial runs on: the device, the threads, and the folders of data sets.
    pub fn resources(&self, shared: &Shared) -> Resources {
        Resources {
            device: self.device.clone(),
            num_threads: usize::from(self.num_threads()),
            data_dirs: data_dirs::all(shared),
        }
    }

    /// Sets the number of threads for the tensor operations of this process.
    ///
    /// # Errors
    /// [`Failure::Failed`] if the threads cannot be started.
    pub fn set_threads(&self) -> Result<(), Failure> {
        threads::set(self.num_threads())
    }
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
    #[arg(
        long,
        value_enum,
        value_name = "WHEN",
        default_value_t = StayChoice::Short,
        default_missing_value = "always",
        num_args = 0..=1,
        require_equals = true
    )]
    pub stay: StayChoice,
    /// Train at most this many epochs a second, so that people can watch. The result does not change, and the pauses do
    /// not count in its training time.
    #[arg(long, value_name = "EPOCHS", value_parser = least_epoch)]
    pub pace: Option<Duration>,
    /// Stop after this step, as Ctrl-C does; `emberlab resume` continues from there.
    #[arg(long, value_name = "STEP")]
    pub stop_at: Option<u64>,
}

/// After which trainings the dashboard stays open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StayChoice {
    /// After every training.
    Always,
    /// After trainings of less than ten seconds.
    Short,
    /// After no training.
    Never,
}

impl From<StayChoice> for Stay {
    fn from(choice: StayChoice) -> Self {
        match choice {
            StayChoice::Always => Self::Always,
            StayChoice::Short => Self::Short,
            StayChoice::Never => Self::Never,
        }
    }
}

/// The shortest time of an epoch, from the number of epochs a second.
fn least_epoch(text: &str) -> Result<Duration, String> {
    let expected = "expected a number of epochs a second above 0, such as 20 or 0.5";
    let pace: f64 = text.parse().map_err(|_| expected.to_string())?;
    match Duration::try_from_secs_f64(1.0 / pace) {
        Ok(time) if pace > 0.0 => Ok(time),
        _ => Err(expected.to_string()),
    }
}

/// A network of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WeightsChoice {
    /// The network after the last step.
    Last,
    /// The network of the best epoch.
    Best,
}

impl From<WeightsChoice> for Weights {
    fn from(choice: WeightsChoice) -> Self {
        match choice {
            WeightsChoice::Last => Self::Last,
            WeightsChoice::Best => Self::Best,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negative_value_is_refused_by_its_option() {
        let refusal = |words: &[&str]| {
            let program = with_negative_values(Arguments::command());
            let matches = program.try_get_matches_from(words);
            matches
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default()
        };
        let found = refusal(&["emberlab", "compare", "a.toml", "--retries", "-1"]);
        assert!(
            found.contains("invalid value '-1' for '--retries"),
            "{found}"
        );
        assert_eq!(
            refusal(&["emberlab", "find-lr", "a.toml", "--from", "-1"]),
            ""
        );
    }

    #[test]
    fn a_pace_is_the_least_time_of_an_epoch() {
        assert_eq!(least_epoch("20"), Ok(Duration::from_millis(50)));
        assert_eq!(least_epoch("0.5"), Ok(Duration::from_secs(2)));
        for wrong in ["0", "-1", "nan", "1e-300", "fast", ""] {
            assert!(least_epoch(wrong).is_err(), "{wrong:?}");
        }
    }
}
