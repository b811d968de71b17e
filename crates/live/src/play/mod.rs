//! The playground: one training, which the page starts, stops and changes.
//!
//! - `experiment`: the text of the experiment, changed key by key, within limits;
//! - `session`: the thread that trains, and takes the requests of pages;
//! - `view`: the plane of the data that is drawn;
//! - `painter`: the thread that draws the network over the plane;
//! - `history`: learning curves, thinned out when they are long;
//! - `board`: the newest message of each kind, for any number of pages;
//! - `seeds`: trainings with several seeds in the background;
//! - `tables`: tables that a browser sends;
//! - `threads`: the threads of all this;
//! - `routes`: the addresses of the server, and the connection to each page.
//!
//! All pages of a server show the same training.

mod board;
mod experiment;
mod explain;
mod history;
mod painter;
mod routes;
mod seeds;
mod session;
mod tables;
mod threads;
mod view;

use std::path::PathBuf;

use emberlab_experiments::{ExperimentError, Resources};
use emberlab_training::StopFlag;

pub use experiment::Experiment;

use self::session::Session;
use crate::server::{ServerError, Site};

/// A playground before its start.
#[derive(Debug, Clone)]
pub struct Playground {
    /// The experiment.
    pub experiment: Experiment,
    /// The device, the threads and the folders of data sets.
    pub resources: Resources,
    /// The folder in which runs and tables are saved.
    pub artifacts: PathBuf,
    /// The JSON Schema of experiments.
    pub schema: String,
}

/// An error of the playground.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// The experiment cannot be trained.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// The server failed.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] rayon::ThreadPoolBuildError),
}

impl Playground {
    /// Loads the data and starts the threads. Nothing is trained before a page asks for it.
    ///
    /// # Errors
    /// [`PlayError`] if the experiment cannot be trained.
    pub fn start(self) -> Result<Playing, PlayError> {
        Ok(Playing {
            session: session::start(self)?,
        })
    }
}

/// A playground that waits for pages.
pub struct Playing {
    session: Session,
}

impl Playing {
    /// Serves the pages until a stop is requested.
    ///
    /// # Errors
    /// [`PlayError::Server`] if the server fails.
    pub fn serve(self, site: Site, stop: &StopFlag) -> Result<(), PlayError> {
        site.serve(routes::routes(self.session), "index.html", stop)?;
        Ok(())
    }
}
