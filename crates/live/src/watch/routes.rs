//! The addresses of the viewer. All of them only read, and a run is looked up by its name among the known ones.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use emberlab_run_format::files::{FRAMES, LAYERS, METRICS};
use serde::Serialize;

use super::curve::{Rows, is_line_start};
use super::lines::{open, whole_lines};
use super::scanner::Scanner;
use crate::server::{json, parameter};

type Shared = Arc<Mutex<Scanner>>;

/// The reason why a request has no answer.
type Refusal = (StatusCode, String);

/// The most bytes of frames or layers in one answer, but for a line that is longer.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// The addresses of the viewer.
pub(super) fn routes(scanner: Shared) -> Router {
    Router::new()
        .route("/runs", get(runs))
        .route("/run/metrics", get(metrics))
        .route("/run/inside", get(inside))
        .route("/comparison", get(comparison))
        .with_state(scanner)
}

/// Lines of a file of text.
#[derive(Debug, Default, Serialize)]
struct Lines {
    text: String,
    /// The byte at which the next lines begin.
    next: u64,
    /// Whether these are lines from the first on.
    is_first: bool,
}

/// The records of the inside of a network.
#[derive(Debug, Serialize)]
struct Inside {
    frames: Lines,
    layers: Lines,
    generation: u64,
}

async fn runs(State(scanner): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let since = number(query.as_deref(), "since");
    answer(move || Ok(json(&locked(&scanner).changes(since)))).await
}

async fn metrics(State(scanner): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    answer(move || {
        let (path, generation, is_same) = known(&scanner, &query)?;
        let from = number(Some(&query), "from");
        let from = if is_same { from } else { 0 };
        let rows = Rows::read(&path.join(METRICS), from, generation);
        rows.map(|rows| json(&rows))
            .map_err(|error| unreadable(METRICS, &error))
    })
    .await
}

async fn inside(State(scanner): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    answer(move || {
        let (path, generation, is_same) = known(&scanner, &query)?;
        let read = |name: &str, key: &str| {
            let from = number(Some(&query), key);
            let from = if is_same { from } else { 0 };
            lines(path.join(name), from).map_err(|error| unreadable(name, &error))
        };
        Ok(json(&Inside {
            frames: read(FRAMES, "frames")?,
            layers: read(LAYERS, "layers")?,
            generation,
        }))
    })
    .await
}

async fn comparison(State(scanner): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let name = parameter(query.as_deref(), "experiment").unwrap_or_default();
    answer(move || {
        let found = locked(&scanner).variants(&name);
        Ok(json(&found.ok_or_else(|| unknown("experiment"))?))
    })
    .await
}

/// Files are read outside the task that serves the pages: a slow disk delays only the page that asked.
async fn answer(work: impl FnOnce() -> Result<Response, Refusal> + Send + 'static) -> Response {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(response)) => response,
        Ok(Err(refusal)) => refusal.into_response(),
        Err(panic) => (StatusCode::INTERNAL_SERVER_ERROR, panic.to_string()).into_response(),
    }
}

/// The scanner, which scans again even if another request has panicked while it used it.
fn locked(scanner: &Shared) -> MutexGuard<'_, Scanner> {
    scanner.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The folder of a run by its name, how often its metrics were replaced, and whether the page knows of that.
fn known(scanner: &Shared, query: &str) -> Result<(PathBuf, u64, bool), Refusal> {
    let id = parameter(Some(query), "run").unwrap_or_default();
    let scanner = locked(scanner);
    let run = scanner.run(&id).ok_or_else(|| unknown("run"))?;
    let generation = run.generation();
    let is_same = number(Some(query), "generation") == generation;
    Ok((run.path().to_path_buf(), generation, is_same))
}

fn lines(path: PathBuf, from: u64) -> std::io::Result<Lines> {
    let Ok(mut file) = open(&path) else {
        return Ok(Lines::default());
    };
    let from = if is_line_start(&mut file, from)? {
        from
    } else {
        0
    };
    let found = whole_lines(&mut file, from, MOST_BYTES)?;
    Ok(Lines {
        next: from + found.len() as u64,
        text: String::from_utf8_lossy(&found).into_owned(),
        is_first: from == 0,
    })
}

fn number(query: Option<&str>, key: &str) -> u64 {
    let text = parameter(query, key);
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn unknown(what: &str) -> Refusal {
    let why = format!("There is no such {what}.");
    (StatusCode::NOT_FOUND, why)
}

fn unreadable(name: &str, error: &impl std::fmt::Display) -> Refusal {
    let why = format!("{name} cannot be read: {error}");
    (StatusCode::UNPROCESSABLE_ENTITY, why)
}
