//! `emberlab report`: what a run or a comparison came to, as one page, or for other programs.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use emberlab_experiments::{ExperimentError, Run};
use emberlab_report::{ComparisonPage, ReportError, RunReport, html, markdown};
use emberlab_run_format::files::{self, comparison};
use emberlab_storage::replace;

use crate::arguments::{FormatChoice, Report, Shared};
use crate::failure::Failure;

/// Reports.
///
/// # Errors
/// [`Failure`] if there is no such run or comparison, a file cannot be read, or the report not be written.
pub fn run(command: &Report, shared: &Shared) -> Result<ExitCode, Failure> {
    let subject = Subject::find(&shared.artifacts, &command.subject)?;
    let text = subject.report(command.format)?;
    let path = match (&command.out, command.format) {
        (Some(path), _) => path.clone(),
        (None, FormatChoice::Html) => subject.folder().join(files::REPORT),
        (None, _) => {
            std::io::stdout().write_all(text.as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    replace(&path, text.as_bytes()).map_err(ExperimentError::from)?;
    writeln!(std::io::stdout(), "report in {}", path.display())?;
    Ok(ExitCode::SUCCESS)
}

/// What is reported.
enum Subject {
    /// One run, in this folder.
    Run(PathBuf),
    /// All trials of a comparison, in this folder.
    Comparison(PathBuf),
}

impl Subject {
    /// The comparison or the run of that name.
    fn find(artifacts: &Path, name: &str) -> Result<Self, ExperimentError> {
        let is_there = |folder: &Path, file| folder.join(file).is_file();
        for folder in [artifacts.join(name), PathBuf::from(name)] {
            // One that has not been collected yet says so when it is read.
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

    fn report(&self, format: FormatChoice) -> Result<String, ReportError> {
        match self {
            Self::Run(folder) => {
                let report = RunReport::load(folder)?;
                match format {
                    FormatChoice::Html => Ok(html::render(&report.document()?)),
                    FormatChoice::Markdown => Ok(markdown::render(&report.document()?)),
                    FormatChoice::Csv => report.to_csv(),
                    FormatChoice::Json => report.to_json(),
                }
            }
            Self::Comparison(folder) => {
                let page = ComparisonPage::load(folder)?;
                match format {
                    FormatChoice::Html => Ok(html::render(&page.document()?)),
                    FormatChoice::Markdown => Ok(markdown::render(&page.document()?)),
                    FormatChoice::Csv => page.to_csv(),
                    FormatChoice::Json => page.to_json(),
                }
            }
        }
    }
}
