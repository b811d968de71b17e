//! The viewer of runs: a page that shows run folders as they grow. It only reads.
//!
//! - `kept`: files that are read again only when they have changed;
//! - `lines`: whole lines of a file that grows, from a place on;
//! - `curve`: the parts of `metrics.csv` that a list needs, and rows of it for curves;
//! - `run`: one run, and whether its files have changed;
//! - `scanner`: all runs, and what has changed since a page asked last;
//! - `comparison`: the variants of a comparison as their trials finish;
//! - `routes`: the addresses of the server.
//!
//! Nothing is read before a page asks, and files that are as they were are not read again.

mod comparison;
mod curve;
mod kept;
mod lines;
mod routes;
mod run;
mod scanner;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use emberlab_experiments::{ExperimentError, Run};
use emberlab_training::StopFlag;

use self::scanner::Scanner;
use crate::server::{ServerError, Site};

/// The viewer, with the runs that it shows.
pub struct Viewer {
    scanner: Scanner,
}

impl Viewer {
    /// A viewer of the runs and experiments of these names; of all runs in `artifacts` if there are no names.
    ///
    /// # Errors
    /// [`ExperimentError`] if a name is neither that of an experiment's folder nor of one run.
    pub fn new(artifacts: PathBuf, names: &[String]) -> Result<Self, ExperimentError> {
        let mut scanner = Scanner::new(artifacts.clone());
        for name in names {
            match is_folder_of_runs(&artifacts, name) {
                true => scanner.add_experiment(artifacts.join(name)),
                false => scanner.add_run(Run::find(&artifacts, name)?.path()),
            }
        }
        Ok(Self { scanner })
    }

    /// Serves the page until a stop is requested.
    ///
    /// # Errors
    /// [`ServerError`] if the server fails.
    pub fn serve(self, site: Site, stop: &StopFlag) -> Result<(), ServerError> {
        let scanner = Arc::new(Mutex::new(self.scanner));
        site.serve(routes::routes(scanner), "watch.html", stop)
    }
}

/// Whether a name is that of a folder in `artifacts` that may hold runs.
fn is_folder_of_runs(artifacts: &std::path::Path, name: &str) -> bool {
    let is_name = !name.is_empty() && !name.contains(['/', '\\']) && name != "." && name != "..";
    is_name && artifacts.join(name).is_dir() && Run::at(&artifacts.join(name)).is_none()
}
