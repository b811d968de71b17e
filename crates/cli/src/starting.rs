//! The first experiment for data of the user's own, as `new` writes it and `train` uses it at once.

use std::path::Path;

use emberlab_datasets::DatasetError;
use emberlab_experiments::{Run, Starter, guess_label};
use emberlab_run_format::files::{CONFIG, comparison};
use emberlab_tables::{FormatConfig, RowReader, TableError, TableTask};

use crate::command_line::CommandLine;
use crate::failure::Failure;

/// Whether the label of a table is a class or a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum TaskChoice {
    /// It is a class.
    Classification,
    /// It is a number.
    Regression,
}

impl From<TaskChoice> for TableTask {
    fn from(choice: TaskChoice) -> Self {
        match choice {
            TaskChoice::Classification => Self::Classification,
            TaskChoice::Regression => Self::Regression,
        }
    }
}

/// An experiment for the table or the folder of images at `path`. `command` is the one that was called.
///
/// # Errors
/// [`Failure::Usage`] if a folder is given with a label; or if a table is given without one, with the columns to choose
/// from; [`Failure`] if the data cannot be read.
pub fn starter(
    command: &str,
    path: &Path,
    format: &FormatConfig,
    label: Option<&str>,
    task: Option<TaskChoice>,
) -> Result<Starter, Failure> {
    refuse_runs(path)?;
    match label {
        None if path.is_dir() => Ok(Starter::for_images(path)?),
        Some(_) if path.is_dir() => Err(Failure::Usage(format!(
            "{} is a folder; a table is one file. If it holds a folder of images for each class, leave out `--label`",
            path.display()
        ))),
        Some(_) if path.exists() && !path.is_file() => Err(Failure::Usage(format!(
            "{} is no file that can be read more than once; save the table in one",
            path.display()
        ))),
        Some(label) => Ok(Starter::for_table(
            path,
            format,
            label,
            task.map(Into::into),
        )?),
        None => Err(without_label(command, path, format)?),
    }
}

/// Refuses the folder of a run, of a comparison or of several runs, which would be read as images.
fn refuse_runs(path: &Path) -> Result<(), Failure> {
    let again = |command: &str, file: &str| CommandLine::new([command]).with([path.join(file)]);
    let has = |file: &str| path.join(file).is_file();
    if has(comparison::CONFIG) {
        let artifacts = path.parent().filter(|parent| *parent != Path::new(""));
        let artifacts = artifacts.unwrap_or(Path::new("."));
        let compare = again("compare", comparison::CONFIG);
        let compare = compare.with([Path::new("--artifacts"), artifacts]);
        return Err(Failure::Usage(format!(
            "{} is a comparison, not data\nto continue it:  {compare}",
            path.display()
        )));
    }
    if has(comparison::PLAN) {
        return Err(Failure::Usage(format!(
            "{} is a comparison, not data",
            path.display()
        )));
    }
    if path.is_dir() && Run::at(path).is_some() {
        let resume = CommandLine::new(["resume"]).with([path]);
        return Err(Failure::Usage(format!(
            "{} is a run, not data\nto continue it:  {resume}\nto train it anew:  {}",
            path.display(),
            again("train", CONFIG)
        )));
    }
    let mut entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    // A folder that may not be looked into, such as the trash of a drive, is no run.
    let is_run = |path: &Path| path.join(CONFIG).is_file() && Run::at(path).is_some();
    match entries.any(|entry| is_run(&entry.path())) {
        true => Err(Failure::Usage(format!(
            "{} is the folder of an experiment's runs, not data: name one of its runs, as in `emberlab resume RUN`",
            path.display()
        ))),
        false => Ok(()),
    }
}

/// The error of a command without `--label`.
fn without_label(command: &str, path: &Path, format: &FormatConfig) -> Result<Failure, Failure> {
    let rows = RowReader::open(path, format);
    let rows = rows.map_err(|error: TableError| DatasetError::from(error))?;
    let columns = rows.columns();
    const MOST: usize = 30;
    let mut listed: Vec<&str> = columns.iter().take(MOST).map(String::as_str).collect();
    let more = format!("and {} more", columns.len().saturating_sub(MOST));
    if columns.len() > MOST {
        listed.push(&more);
    }
    let guess = guess_label(columns).map_or(String::new(), |guess| {
        let line = CommandLine::new([command])
            .with([path])
            .with(["--label", guess]);
        format!("\nperhaps:  {line}")
    });
    Ok(Failure::Usage(format!(
        "which column of {} should be learnt? Name it with `--label`; the columns are {}{guess}",
        path.display(),
        listed.join(", "),
    )))
}
