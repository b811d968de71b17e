//! One run, and whether its files have changed.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use emberlab_metrics::{Metric, Split};
use emberlab_run_format::files::{CONFIG, DIAGNOSIS, FAILURE, METRICS, RESULT};
use emberlab_run_format::{BestEpoch, Diagnosis, Failure, RunResult};
use emberlab_storage::RunLock;
use serde::{Deserialize, Serialize};

use super::curve::{Curve, Objective};
use super::kept::{CLOCK_TICK, Kept, is_fresh, json};
use super::lines::Stamp;

/// How long after its last epoch a run counts as one that grows, if its lock cannot be seen.
const GROWING: Duration = Duration::from_secs(60);
/// How long the files of a run that nothing trains are taken to be unchanged, if its folder and its metrics are.
const TRUST: Duration = Duration::from_secs(10);

/// The state of a run, as far as its files tell it at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// A process of this machine is training it.
    Running,
    /// Its metrics have grown within the last minute, but no process of this machine holds its lock.
    Growing,
    /// There is a result.
    Finished,
    /// The training was stopped or killed.
    Interrupted,
    /// The training ended with an error.
    Failed,
    /// A file cannot be read.
    Damaged,
}

impl State {
    /// Whether it may change with the next epoch.
    pub(super) fn is_live(self) -> bool {
        matches!(self, Self::Running | Self::Growing)
    }
}

/// A run in the list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Row {
    /// `experiment/run`.
    pub run: String,
    pub state: State,
    /// The reason why it failed, or the file that is damaged.
    pub reason: Option<String>,
    /// Epochs done.
    pub epochs: usize,
    /// Epochs planned.
    pub num_epochs: Option<usize>,
    /// Seconds until the last planned epoch at the pace so far.
    pub seconds_left: Option<f64>,
    /// The best epoch by the objective.
    pub best: Option<BestEpoch>,
    /// The name of the objective, such as `valid_loss`.
    pub figure: Option<String>,
    /// The objective of the last network of a finished run, else after the last epoch.
    pub objective: Option<f64>,
    pub train_loss: Option<f64>,
    pub valid_loss: Option<f64>,
    /// The kinds of problems that were found, the most severe first.
    pub findings: Vec<&'static str>,
    /// The time at which its metrics last changed, or at which it began if there are none, in seconds since 1970.
    pub changed: u64,
}

impl Row {
    /// The row of a run about which nothing is known.
    pub(super) fn new(run: String) -> Self {
        Self {
            run,
            state: State::Interrupted,
            reason: None,
            epochs: 0,
            num_epochs: None,
            seconds_left: None,
            best: None,
            figure: None,
            objective: None,
            train_loss: None,
            valid_loss: None,
            findings: Vec::new(),
            changed: 0,
        }
    }
}

/// The parts of a configuration that a list needs; everything else is ignored.
#[derive(Debug, Deserialize)]
struct Config {
    training: Training,
}

#[derive(Debug, Deserialize)]
struct Training {
    num_epochs: usize,
    objective: ObjectiveConfig,
}

#[derive(Debug, Deserialize)]
struct ObjectiveConfig {
    metric: Metric,
    split: Split,
}

fn config(content: &[u8]) -> Result<Config, String> {
    let text = std::str::from_utf8(content).map_err(|error| error.to_string())?;
    toml::from_str(text).map_err(|error| error.message().to_string())
}

/// A run that is watched.
#[derive(Debug)]
pub(super) struct WatchedRun {
    path: PathBuf,
    folder: Option<Stamp>,
    metrics: Option<Stamp>,
    looked: Option<Instant>,
    /// Whether a file was modified so recently that it may change again without a new modification time.
    is_fresh: bool,
    config: Kept<Config>,
    result: Kept<RunResult>,
    failure: Kept<Failure>,
    diagnosis: Kept<Diagnosis>,
    curve: Curve,
    fault: Option<String>,
    /// The time at which its metrics last grew.
    grew: Option<Instant>,
    /// Whether a process of this machine was training it.
    was_held: bool,
    /// The time at which it was first seen to train, and the epochs done then.
    pace: Option<(Instant, usize)>,
    pub row: Row,
    /// The version of the list with which the row last changed.
    pub version: u64,
}

impl WatchedRun {
    /// A run that has not been looked at.
    pub(super) fn new(run: String, path: PathBuf) -> Self {
        Self {
            path,
            folder: None,
            metrics: None,
            looked: None,
            is_fresh: true,
            config: Kept::default(),
            result: Kept::default(),
            failure: Kept::default(),
            diagnosis: Kept::default(),
            curve: Curve::default(),
            fault: None,
            grew: None,
            was_held: false,
            pace: None,
            row: Row::new(run),
            version: 0,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The number of times that its metrics were found to be another file.
    pub(super) fn generation(&self) -> u64 {
        self.curve.generation
    }

    /// Looks at its files. Returns whether there is still a run.
    pub(super) fn refresh(&mut self) -> bool {
        let folder = Stamp::of_folder(&self.path);
        let metrics = Stamp::of_file(&self.path.join(METRICS));
        let is_same = folder == self.folder && metrics == self.metrics;
        let is_trusted = self.looked.is_some_and(|then| then.elapsed() < TRUST);
        if is_same && is_trusted && !self.is_fresh && !self.row.state.is_live() {
            return true;
        }
        let file = |name: &str| self.path.join(name);
        self.config.refresh(&file(CONFIG), config);
        if folder.is_none() || self.config.stamp().is_none() {
            return false;
        }
        self.result.refresh(&file(RESULT), json);
        self.failure.refresh(&file(FAILURE), json);
        self.diagnosis.refresh(&file(DIAGNOSIS), json);
        let stamps = [folder, metrics, self.config.stamp(), self.result.stamp()];
        self.is_fresh = stamps.into_iter().flatten().any(is_fresh);
        if metrics != self.metrics || metrics.is_some_and(is_fresh) || self.looked.is_none() {
            self.read_metrics(metrics);
        }
        (self.folder, self.metrics) = (folder, metrics);
        self.looked = Some(Instant::now());
        self.row = self.summary();
        true
    }

    fn objective(&self) -> Objective {
        let config = self.config.value();
        config.map_or((Metric::Loss, Split::Valid), |config| {
            let objective = &config.training.objective;
            (objective.metric, objective.split)
        })
    }

    fn read_metrics(&mut self, stamp: Option<Stamp>) {
        let path = self.path.join(METRICS);
        let objective = self.objective();
        let before = (self.curve.epochs, self.curve.generation);
        let is_first = self.looked.is_none();
        let read = match is_first && self.result.value().is_some() {
            true => Curve::of_finished(&path, objective).map(|curve| self.curve = curve),
            false => self.curve.follow(&path, objective),
        };
        let fault = read
            .err()
            .map(|error| format!("{}: {error}", path.display()));
        self.fault = fault;
        if before == (self.curve.epochs, self.curve.generation) {
            return;
        }
        let age = match is_first {
            true => stamp.and_then(|stamp| stamp.modified.elapsed().ok()),
            false => Some(Duration::ZERO),
        };
        // Rows written by a process of this machine that has ended do not mean that another machine trains the run.
        let is_ours = self.was_held || RunLock::is_held(&self.path);
        self.grew = age
            .filter(|_| !is_ours)
            .and_then(|age| Instant::now().checked_sub(age));
    }

    fn state(&mut self) -> (State, Option<String>) {
        let was_held = std::mem::replace(&mut self.was_held, RunLock::is_held(&self.path));
        if self.was_held {
            return (State::Running, None);
        }
        if was_held {
            // The process is gone: its last epochs do not mean that another machine trains the run.
            self.grew = None;
        }
        let faults = [
            self.config.fault(),
            self.fault.as_ref(),
            self.result.fault(),
        ];
        if let Some(fault) = faults.into_iter().flatten().next() {
            return (State::Damaged, Some(fault.clone()));
        }
        if self.result.value().is_some() {
            return (State::Finished, None);
        }
        if let Some(failure) = self.failure.value() {
            return (State::Failed, Some(failure.message.clone()));
        }
        match self.grew.is_some_and(|then| then.elapsed() < GROWING) {
            true => (State::Growing, None),
            false => (State::Interrupted, None),
        }
    }

    fn summary(&mut self) -> Row {
        let (state, reason) = self.state();
        let num_epochs = self.config.value().map(|config| config.training.num_epochs);
        let result = self.result.value();
        let curve = &self.curve;
        let epochs = result.map_or(curve.epochs, |result| result.epochs);
        let (metric, split) = self.objective();
        let best = result.and_then(|result| result.best.clone());
        let best = best.or_else(|| curve.best.clone());
        let split = best.as_ref().map_or(split, |best| best.split);
        let of_last = result.and_then(|result| result.metrics.get(&split)?.get(metric));
        let findings = self.diagnosis.value().map(|diagnosis| {
            let findings = diagnosis.findings.iter();
            findings.map(|finding| finding.kind.title()).collect()
        });
        let written = self.metrics.or(self.config.stamp());
        let row = Row {
            run: self.row.run.clone(),
            state,
            reason,
            epochs,
            num_epochs,
            seconds_left: None,
            figure: Some(format!("{split}_{metric}")),
            objective: of_last.or(curve.objective),
            train_loss: curve.train_loss,
            valid_loss: curve.valid_loss,
            best,
            findings: findings.unwrap_or_default(),
            changed: written.map_or(0, |stamp| seconds(stamp.modified)),
        };
        Row {
            seconds_left: self.seconds_left(&row),
            ..row
        }
    }

    /// Seconds until the last planned epoch, at the pace that was seen, or at the one since the run began. It changes
    /// with an epoch only, so that a row without news stays as it is.
    fn seconds_left(&mut self, row: &Row) -> Option<f64> {
        if !row.state.is_live() {
            self.pace = None;
            return None;
        }
        let left = row.num_epochs?.checked_sub(row.epochs)? as f64;
        let (since, before) = *self.pace.get_or_insert((Instant::now(), row.epochs));
        if row.epochs == self.row.epochs && self.row.seconds_left.is_some() {
            return self.row.seconds_left;
        }
        let seen = (since.elapsed(), row.epochs.saturating_sub(before));
        let began = self.config.stamp()?.modified;
        let all = self.metrics?.modified.duration_since(began).ok();
        let (time, done) = match all {
            Some(all) if seen.0 < CLOCK_TICK || seen.1 == 0 => (all, row.epochs),
            _ => seen,
        };
        let pace = time.as_secs_f64() / done as f64;
        Some(pace * left).filter(|seconds| seconds.is_finite())
    }
}

/// Seconds since 1970.
pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}
