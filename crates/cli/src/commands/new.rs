//! `emberlab new`: writes an experiment for data of the user's own.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use emberlab_config_source::ConfigSource;

use crate::arguments::Shared;
use crate::command_line::CommandLine;
use crate::data_dirs;
use crate::failure::Failure;
use crate::output_files;
use crate::starting::{TaskChoice, starter};
use crate::table_format::TableFormat;

/// Write an experiment for a table or a folder of images, with the reason of each choice.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The table, or a folder that holds a folder of images for each class.
    data: PathBuf,
    /// Of a table: the column to learn.
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// Whether the label is a class or a number; by default, a label with many different numbers is a number.
    #[arg(long, value_enum)]
    task: Option<TaskChoice>,
    /// The TOML file to write; `-` prints it. By default it is named like the data, in the current folder.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite a file that exists.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    format: TableFormat,
}

/// Writes the experiment, and prints what was chosen and the command that trains it.
///
/// # Errors
/// [`Failure`] if the data cannot be read, the file exists, or something in the data must change before a training.
pub fn run(args: &Args, shared: &Shared) -> Result<ExitCode, Failure> {
    let output = match &args.output {
        Some(output) => output.clone(),
        None => default_output(&args.data),
    };
    let is_printed = output_files::is_stdout(&output);
    if !is_printed {
        check_output(&output, args)?;
    }
    let format = args.format.config();
    let starter = starter("new", &args.data, &format, args.label.as_deref(), args.task)?;
    if !is_printed {
        starter.config.check_outside_data(&output, "-o")?;
    }
    let text = starter.to_toml()?;
    for warning in &starter.warnings {
        say!("warning: {warning}");
    }
    output_files::write(&output, text.as_bytes())?;
    if is_printed {
        return Ok(ExitCode::SUCCESS);
    }
    // If a training cannot begin, the user should know now, with the place in the new file.
    if let Err(error) = starter.check(&data_dirs::all(shared)) {
        say!(
            "{} needs a change before a training can begin:",
            output.display()
        );
        let source = ConfigSource::new(output.display().to_string(), text);
        return Err(error.with_place(&source).into());
    }
    let mut out = std::io::stdout();
    writeln!(out, "{} is written", output.display())?;
    for note in &starter.notes {
        writeln!(out, "- {note}")?;
    }
    let train = CommandLine::new(["train"]).with([&output]).shared(shared);
    let evaluate = CommandLine::new(["evaluate", "latest", "--weights", "best"]).shared(shared);
    writeln!(out, "next:  {train}\nthen:  {evaluate}")?;
    Ok(ExitCode::SUCCESS)
}

/// The file name of the data with the extension `toml`, in the current folder.
fn default_output(data: &Path) -> PathBuf {
    let mut name = PathBuf::from(data.file_name().unwrap_or(data.as_os_str()));
    // Such a name would be taken for an option.
    if name.as_os_str().as_encoded_bytes().starts_with(b"-") {
        name = Path::new(".").join(name);
    }
    for compressed in ["gz", "GZ"] {
        if name
            .extension()
            .is_some_and(|extension| extension == compressed)
        {
            name.set_extension("");
        }
    }
    name.set_extension("toml");
    name
}

/// Refuses to overwrite a file without `--force`, and the data in any case.
fn check_output(output: &Path, args: &Args) -> Result<(), Failure> {
    let is_data = match (fs::canonicalize(output), fs::canonicalize(&args.data)) {
        (Ok(output), Ok(data)) => output == data,
        _ => false,
    };
    if is_data {
        let message = format!(
            "{} holds the data; choose another file with `-o`",
            output.display()
        );
        return Err(Failure::Usage(message));
    }
    if output.exists() && !args.force {
        return Err(Failure::Usage(format!(
            "{} exists; overwrite it with `--force`, or choose another file with `-o`",
            output.display()
        )));
    }
    Ok(())
}
