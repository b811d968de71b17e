//! `emberlab report`: a report about a run or a comparison, as a page or as data.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use emberlab_experiments::{ExperimentError, Run};
use emberlab_report::{ComparisonPage, ReportError, RunReport, html, markdown};
use emberlab_run_format::files::{self, comparison};

use crate::arguments::Shared;
use crate::failure::Failure;
use crate::output_files::{is_stdout, write};

/// Write a report about a run or a comparison.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name or folder of a comparison; or a run: its path, or the beginning of its name; or `latest`: the newest
    /// run, or the comparison that it belongs to.
    #[arg(default_value = "latest", value_name = "RUN|EXPERIMENT")]
    subject: String,
    /// The format of the report.
    #[arg(long, value_enum, default_value = "html")]
    format: Format,
    /// The file to write; `-` is the terminal. Without it, HTML goes to `report.html` in the folder of the run or comparison, and other
    /// formats go to the terminal.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One page for a browser; it needs no other file.
    Html,
    /// Text with tables, and a description of each picture.
    Markdown,
    /// The metrics, one row each.
    Csv,
    /// All figures and curves.
    Json,
}

/// Writes the report.
///
/// # Errors
/// [`Failure`] if there is no such run or comparison, a file cannot be read, or the report cannot be written.
pub fn run(args: &Args, shared: &Shared) -> Result<ExitCode, Failure> {
    let subject = Subject::find(&shared.artifacts, &args.subject)?;
    let (text, warnings) = subject.report(args.format)?;
    for warning in warnings {
        say!("warning: {warning}");
    }
    let path = match (&args.out, args.format) {
        (Some(path), _) => path.clone(),
        (None, Format::Html) => subject.folder().join(files::REPORT),
        (None, _) => PathBuf::from("-"),
    };
    write(&path, text.as_bytes()).map_err(|failure| match &args.out {
        Some(_) => failure,
        None => Failure::Failed(format!(
            "{failure}; `--out FILE` writes the report elsewhere"
        )),
    })?;
    if !is_stdout(&path) {
        writeln!(std::io::stdout(), "report in {}", path.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The subject of a report.
enum Subject {
    /// The folder of a run.
    Run(PathBuf),
    /// The folder of a comparison.
    Comparison(PathBuf),
}

impl Subject {
    /// The comparison or the run of that name.
    fn find(artifacts: &Path, name: &str) -> Result<Self, ExperimentError> {
        let is_there = |folder: &Path, file| folder.join(file).is_file();
        for folder in [artifacts.join(name), PathBuf::from(name)] {
            // A comparison without results yet is an error when it is read.
            if is_there(&folder, comparison::RESULT) || is_there(&folder, comparison::PLAN) {
                return Ok(Self::Comparison(folder));
            }
        }
        let run = Run::find(artifacts, name)?.path().to_path_buf();
        Ok(match run.parent() {
            Some(folder) if name == "latest" && is_there(folder, comparison::RESULT) => {
                Self::Comparison(folder.to_path_buf())
            }
            _ => Self::Run(run),
        })
    }

    fn folder(&self) -> &Path {
        match self {
            Self::Run(folder) | Self::Comparison(folder) => folder,
        }
    }

    /// The report, and a warning for each file that is damaged or was changed.
    fn report(&self, format: Format) -> Result<(String, Vec<String>), ReportError> {
        Ok(match self {
            Self::Run(folder) => {
                let report = RunReport::load(folder)?;
                let text = match format {
                    Format::Html => html::render(&report.document()?),
                    Format::Markdown => markdown::render(&report.document()?),
                    Format::Csv => report.to_csv()?,
                    Format::Json => report.to_json()?,
                };
                (text, report.changed_files)
            }
            Self::Comparison(folder) => {
                let page = ComparisonPage::load(folder)?;
                let text = match format {
                    Format::Html => html::render(&page.document()?),
                    Format::Markdown => markdown::render(&page.document()?),
                    Format::Csv => page.to_csv()?,
                    Format::Json => page.to_json()?,
                };
                (text, page.damage)
            }
        })
    }
}
