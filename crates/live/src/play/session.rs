//! The thread that trains, and takes the requests of pages.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use emberlab_config_source::ConfigError;
use emberlab_experiments::{ExperimentError, Resources, Starter, StepwiseTrial};
use emberlab_models::Network;
use emberlab_run_format::{Histogram, LayerRow};
use emberlab_tables::FormatConfig;
use serde_json::Value;

use super::board::{Board, Topic};
use super::experiment::Experiment;
use super::explain::explain;
use super::painter::{Painter, Sitting};
use super::seeds::SeedsJob;
use super::tables::Tables;
use super::threads;
use super::view::View;
use super::{PlayError, Playground};
use crate::message::{
    Bins, Change, ClientMessage, Envelope, EpochRow, Event, Events, Findings, Found, Hello,
    LayerState, Layers, Problem, Saved, ServerMessage, Setting, Status,
};

/// How long the training goes on before it looks for requests.
const SLICE: Duration = Duration::from_millis(5);
/// Time between two messages of one kind while it trains.
const CURVES_EVERY: Duration = Duration::from_millis(50);
const STATUS_EVERY: Duration = Duration::from_millis(150);
const LAYERS_EVERY: Duration = Duration::from_millis(500);
const FINDINGS_EVERY: Duration = Duration::from_secs(2);
/// Time between two checks of what pages can take, while nothing trains.
const IDLE: Duration = Duration::from_millis(30);
/// The pace of a playground that has just begun, in epochs a second.
const FIRST_PACE: f64 = 20.0;
/// The most events on the curves.
const MOST_EVENTS: usize = 500;

/// A request of a page, and where its answer goes.
pub(super) struct Request {
    pub(super) message: ClientMessage,
    pub(super) replies: tokio::sync::mpsc::Sender<Vec<u8>>,
}

/// A session, as connections see it.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) requests: Sender<Request>,
    pub(super) board: Arc<Board>,
    pub(super) tables: Arc<Tables>,
    pub(super) schema: Arc<str>,
}

/// Starts the thread that trains.
///
/// # Errors
/// [`PlayError`] if the experiment cannot be trained.
pub(super) fn start(playground: Playground) -> Result<Session, PlayError> {
    let Playground {
        experiment,
        resources,
        artifacts,
        schema,
    } = playground;
    let board = Arc::new(Board::new());
    let tables = Arc::new(Tables::new(&artifacts));
    let painter = Painter::start(board.clone()).map_err(PlayError::Thread)?;
    let trial = StepwiseTrial::begin(experiment.config().clone(), &resources);
    let trial = trial.map_err(|error| experiment.placed(error))?;
    let (requests, received) = channel();
    let hello = Hello {
        program: env!("CARGO_PKG_VERSION").to_string(),
        artifacts: artifacts.display().to_string(),
        devices: vec![resources.device.clone()],
    };
    let now = Instant::now();
    let mut training = Training {
        board: board.clone(),
        painter,
        tables: tables.clone(),
        resources,
        artifacts,
        view: Arc::new(View::new(1, &trial, None)),
        columns: None,
        scene: 1,
        experiment,
        trial,
        is_running: false,
        steps_left: None,
        pace: Some(FIRST_PACE),
        owed: 0.0,
        trained_at: now,
        ending: String::new(),
        is_altered: false,
        events: Vec::new(),
        is_stale: true,
        speed: Speed::new(now),
        curves_at: now,
        status_at: now,
        layers_at: now,
        findings_at: now,
        seeds: None,
    };
    training.publish(Topic::Hello, ServerMessage::Hello(hello));
    training.present()?;
    let num_threads = training.resources.num_threads;
    threads::spawn("training", num_threads, move || training.run(&received))
        .map_err(PlayError::Thread)?;
    Ok(Session {
        requests,
        board,
        tables,
        schema: schema.into(),
    })
}

/// A request that cannot be met.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    #[error("{0}")]
    Other(String),
}

impl From<emberlab_training::TrainingError> for Refusal {
    fn from(error: emberlab_training::TrainingError) -> Self {
        Self::Experiment(error.into())
    }
}

/// The training, its experiment, and what the pages show of them.
struct Training {
    board: Arc<Board>,
    painter: Painter,
    tables: Arc<Tables>,
    resources: Resources,
    artifacts: std::path::PathBuf,
    experiment: Experiment,
    trial: StepwiseTrial,
    view: Arc<View>,
    /// The columns of the plane, if a page has chosen some.
    columns: Option<[usize; 2]>,
    /// Counts the trainings of this session.
    scene: u64,
    is_running: bool,
    /// Steps after which it stops, if a page asked for some.
    steps_left: Option<u64>,
    /// Epochs a second at most.
    pace: Option<f64>,
    /// Steps that the pace allows and that are not done yet.
    owed: f64,
    /// The time at which the training was last counted in `owed`.
    trained_at: Instant,
    ending: String,
    is_altered: bool,
    events: Vec<Event>,
    /// Whether the newest picture shows an older network.
    is_stale: bool,
    speed: Speed,
    curves_at: Instant,
    status_at: Instant,
    layers_at: Instant,
    findings_at: Instant,
    seeds: Option<SeedsJob>,
}

/// Steps a second, over about a second.
struct Speed {
    since: Instant,
    steps: u64,
    newest: f64,
}

impl Speed {
    fn new(now: Instant) -> Self {
        Self {
            since: now,
            steps: 0,
            newest: 0.0,
        }
    }

    fn add(&mut self, steps: u64, now: Instant) {
        self.steps += steps;
        let time = (now - self.since).as_secs_f64();
        if time >= 0.5 {
            self.newest = self.steps as f64 / time;
            (self.since, self.steps) = (now, 0);
        }
    }
}

impl Training {
    /// Trains and answers until no page and no server is left.
    fn run(mut self, requests: &Receiver<Request>) {
        loop {
            match requests.recv_timeout(self.pause()) {
                Ok(request) => self.take(request),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            while let Ok(request) = requests.try_recv() {
                self.take(request);
            }
            if self.is_running
                && let Err(error) = self.train()
            {
                self.stop(error.to_string());
            }
            self.paint();
        }
    }

    /// How long to wait for requests before the next look at the training.
    fn pause(&self) -> Duration {
        if !self.is_running {
            return IDLE;
        }
        let Some(pace) = self.pace.filter(|_| self.steps_left.is_none()) else {
            return Duration::ZERO;
        };
        let rate = pace * self.trial.steps_per_epoch().max(1) as f64;
        let next = (1.0 - self.owed).max(0.0) / rate;
        Duration::from_secs_f64(next)
            .saturating_sub(self.trained_at.elapsed())
            .min(IDLE)
    }

    /// Trains for a moment: as many steps as the pace allows, or as a page asked for.
    fn train(&mut self) -> Result<(), ExperimentError> {
        let now = Instant::now();
        let allowed = match (self.steps_left, self.pace) {
            (Some(steps), _) => steps,
            (None, None) => u64::MAX,
            (None, Some(pace)) => {
                let rate = pace * self.trial.steps_per_epoch().max(1) as f64;
                let time = (now - self.trained_at).as_secs_f64();
                // Steps that a slow machine could not take in time are not made up for.
                self.owed = (self.owed + rate * time).min((rate / 4.0).max(1.0));
                self.owed as u64
            }
        };
        self.trained_at = now;
        let until = now + SLICE;
        let mut left = allowed;
        let mut goes_on = true;
        let is_layers_due =
            self.board.has_pages() && (now >= self.layers_at || self.steps_left == Some(1));
        if left > 0 && is_layers_due {
            let before = self.trial.learning_network()?;
            goes_on = self.advance(1)?;
            left -= 1;
            self.inspect(Some(&before))?;
        }
        while goes_on && left > 0 {
            let time = until.saturating_duration_since(Instant::now());
            if time.is_zero() {
                break;
            }
            let step = self.trial.step();
            goes_on = self.advance(left.min(self.trial.steps_within(time)))?;
            left = left.saturating_sub(self.trial.step() - step);
        }
        let done = allowed.saturating_sub(left);
        if self.steps_left.is_none() && self.pace.is_some() {
            self.owed -= done as f64;
        }
        if let Some(steps) = &mut self.steps_left {
            *steps = left;
        }
        self.is_stale |= done > 0;
        let now = Instant::now();
        self.speed.add(done, now);
        if now >= self.curves_at {
            self.curves_at = now + CURVES_EVERY;
            self.board.tell();
        }
        if !goes_on {
            let ending = match self.trial.has_stopped_early() {
                true => "stopped early",
                false => "completed",
            };
            self.stop(ending.to_string());
        } else if self.steps_left == Some(0) {
            self.stop(String::new());
        } else if now >= self.status_at {
            self.status_at = now + STATUS_EVERY;
            self.publish_status();
        }
        if now >= self.findings_at && self.board.has_pages() {
            self.diagnose()?;
        }
        Ok(())
    }

    /// Trains some steps, and notes the epoch that has ended.
    fn advance(&mut self, steps: u64) -> Result<bool, ExperimentError> {
        let (goes_on, ended) = self.trial.advance(steps)?;
        if let Some(record) = ended {
            let mut history = self.board.history();
            if history.has_row(record.epoch) || !goes_on {
                history.push(EpochRow::from(&record));
            }
        }
        Ok(goes_on)
    }

    /// Stops the training; `ending` says why it cannot go on, if it cannot.
    fn stop(&mut self, ending: String) {
        self.is_running = false;
        self.steps_left = None;
        self.ending = ending;
        self.board.tell();
        self.publish_status();
        self.publish_setting();
        if let Err(error) = self.diagnose() {
            self.ending = error.to_string();
            self.publish_status();
        }
    }

    /// Hands the network to the painter, if a page can take a picture and has an older one.
    fn paint(&mut self) {
        if !self.is_stale || !self.board.wants_picture() || !self.painter.is_free() {
            return;
        }
        // If the device fails, the next step says so.
        if let Ok(network) = self.trial.network() {
            let step = self.trial.step();
            self.painter.paint(Sitting {
                network,
                view: self.view.clone(),
                epoch: step as f64 / self.trial.steps_per_epoch().max(1) as f64,
                step,
            });
            self.is_stale = false;
        }
    }

    /// Inspects the layers and tells pages.
    fn inspect(&mut self, before: Option<&Network>) -> Result<(), ExperimentError> {
        let began = Instant::now();
        let rows = self.trial.inspect(before)?;
        let epoch = rows.first().map_or(0.0, |row| row.epoch);
        let layers = Layers {
            scene: self.scene,
            epoch,
            layers: rows.iter().map(LayerState::from).collect(),
        };
        self.publish(Topic::Layers, ServerMessage::Layers(layers));
        // Inspecting takes at most a fiftieth of the time.
        self.layers_at = Instant::now() + LAYERS_EVERY.max(50 * began.elapsed());
        Ok(())
    }

    /// Looks for problems of the training and tells pages.
    fn diagnose(&mut self) -> Result<(), ExperimentError> {
        let began = Instant::now();
        let diagnosis = self.trial.diagnosis()?;
        let rate = self.experiment.config().optimizer.learning_rate;
        let findings = diagnosis.findings.iter();
        let findings = Findings {
            scene: self.scene,
            findings: findings.map(|finding| Found::of(finding, rate)).collect(),
        };
        self.publish(Topic::Findings, ServerMessage::Findings(findings));
        self.findings_at = Instant::now() + FINDINGS_EVERY.max(50 * began.elapsed());
        Ok(())
    }

    /// Takes a request, and answers if it cannot be met.
    fn take(&mut self, request: Request) {
        let Request { message, replies } = request;
        let answer = match self.meet(message) {
            Ok(None) => return,
            Ok(Some(answer)) => answer,
            Err(refusal) => ServerMessage::Problem(problem(&refusal)),
        };
        if let Ok(bytes) = Envelope::default().seal(&answer) {
            // A page that is gone, or that takes no answers, needs none.
            let _ = replies.try_send(bytes);
        }
    }

    /// Does what a page asks for.
    fn meet(&mut self, message: ClientMessage) -> Result<Option<ServerMessage>, Refusal> {
        match message {
            ClientMessage::Load { text } => {
                let experiment = self.experiment.load(&text, None)?;
                self.is_running = false;
                self.begin(experiment)?;
            }
            ClientMessage::Set { changes } => self.change(&changes)?,
            ClientMessage::Table { table, label } => {
                let path = self.tables.path(table);
                let path = path.ok_or_else(|| Refusal::Other("There is no such table.".into()))?;
                let format = FormatConfig::default();
                let starter = Starter::for_table(&path, &format, &label, None)?;
                let experiment = self.experiment.load(&starter.to_toml()?, Some(path))?;
                self.is_running = false;
                self.begin(experiment)?;
            }
            ClientMessage::Run => {
                self.train_on()?;
                self.start_training(None);
            }
            ClientMessage::Pause => {
                let ending = self.ending.clone();
                self.stop(ending);
            }
            ClientMessage::Step { count } => {
                self.train_on()?;
                self.start_training(Some(count.max(1)));
            }
            ClientMessage::Epoch => {
                self.train_on()?;
                let done = self.trial.position().step_in_epoch;
                let left = self.trial.steps_per_epoch().saturating_sub(done);
                self.start_training(Some(left.max(1) as u64));
            }
            ClientMessage::Reset => {
                let experiment = self.experiment.clone();
                self.is_running = false;
                self.begin(experiment)?;
            }
            ClientMessage::Pace { epochs_per_second } => {
                self.pace = epochs_per_second.filter(|pace| pace.is_finite() && *pace > 0.0);
                self.owed = 0.0;
                self.publish_status();
            }
            ClientMessage::View { columns } => {
                self.columns = columns.filter(|[a, b]| a != b);
                self.view = Arc::new(View::new(self.scene, &self.trial, self.columns));
                self.publish_scene()?;
                self.is_stale = true;
            }
            ClientMessage::Explain { point } => {
                let network = self.trial.network()?;
                let explanation = explain(&network, &self.view, point)?;
                return Ok(Some(ServerMessage::Explanation(explanation)));
            }
            ClientMessage::Seeds { count, experiments } => {
                let load = |text: &String| self.experiment.load(text, None);
                let experiments: Result<Vec<_>, _> = experiments.iter().map(load).collect();
                let (experiments, resources) = (experiments?, self.resources.clone());
                // Earlier trainings are told to stop when they are dropped.
                self.seeds = None;
                let job = SeedsJob::start(experiments, count, resources, self.board.clone());
                self.seeds = Some(job.map_err(Refusal::Other)?);
            }
            ClientMessage::StopSeeds => self.seeds = None,
            ClientMessage::Save { name } => {
                let saved =
                    self.trial
                        .save(&self.artifacts, name.as_deref(), self.alterations())?;
                return Ok(Some(ServerMessage::Saved(Saved {
                    run: saved.id(),
                    path: saved.path().display().to_string(),
                })));
            }
            // The connection itself handles it.
            ClientMessage::Shown { .. } => {}
        }
        Ok(None)
    }

    fn start_training(&mut self, steps: Option<u64>) {
        self.is_running = true;
        self.steps_left = steps;
        self.trained_at = Instant::now();
        self.owed = 1.0;
        self.speed = Speed::new(self.trained_at);
        self.publish_status();
    }

    /// Doubles the number of epochs of a training that has finished them.
    fn train_on(&mut self) -> Result<(), Refusal> {
        if self.ending.is_empty() {
            return Ok(());
        }
        let epochs = self.experiment.config().training.num_epochs;
        if self.trial.has_stopped_early() {
            return Err(Refusal::Other(
                "Early stopping has ended the training. Raise its patience, or begin anew.".into(),
            ));
        }
        if self.trial.position().epoch < epochs {
            // It failed.
            let experiment = self.experiment.clone();
            return self.begin(experiment);
        }
        self.change(&[Change {
            key: "training.num_epochs".to_string(),
            value: Value::from(2 * epochs.max(1)),
        }])
    }

    /// Changes keys. The training goes on if it can, else it begins anew.
    fn change(&mut self, changes: &[Change]) -> Result<(), Refusal> {
        let experiment = self.experiment.change(changes)?;
        if experiment.config() == self.experiment.config() {
            self.experiment = experiment;
            self.publish_setting();
            return Ok(());
        }
        let is_new = self.trial.step() == 0;
        let changed = match is_new {
            true => None,
            false => Some(self.trial.changed(experiment.config().clone())),
        };
        let changed = changed.transpose();
        let changed = changed.map_err(|error| experiment.placed(error))?;
        let Some(trial) = changed.flatten() else {
            return self.begin(experiment);
        };
        let events = differences(&self.experiment, &experiment);
        let epoch = self.trial.position().epoch;
        let added = events.into_iter().map(|text| Event { epoch, text });
        self.events.extend(added);
        if self.events.len() > MOST_EVENTS {
            self.events.drain(..self.events.len() - MOST_EVENTS);
        }
        self.is_altered |= !trains_the_same(&self.experiment, &experiment);
        self.ending.clear();
        self.trial = trial;
        self.experiment = experiment;
        self.present()?;
        Ok(())
    }

    /// Begins anew.
    fn begin(&mut self, experiment: Experiment) -> Result<(), Refusal> {
        let trial = StepwiseTrial::begin(experiment.config().clone(), &self.resources);
        let trial = trial.map_err(|error| experiment.placed(error))?;
        let has_other_data = experiment.config().dataset != self.experiment.config().dataset;
        if has_other_data {
            self.columns = None;
        }
        self.scene += 1;
        self.trial = trial;
        self.experiment = experiment;
        self.events.clear();
        self.is_altered = false;
        self.ending.clear();
        self.steps_left = None;
        self.owed = 0.0;
        self.present()?;
        Ok(())
    }

    /// Tells pages of the experiment, its data and its network.
    fn present(&mut self) -> Result<(), ExperimentError> {
        if self.trial.step() == 0 {
            self.board.history().restart(self.scene);
        }
        self.view = Arc::new(View::new(self.scene, &self.trial, self.columns));
        self.publish_scene()?;
        self.publish_setting();
        self.publish_status();
        let events = Events {
            scene: self.scene,
            events: self.events.clone(),
        };
        self.publish(Topic::Events, ServerMessage::Events(events));
        self.inspect(None)?;
        self.diagnose()?;
        self.is_stale = true;
        Ok(())
    }

    fn publish_scene(&mut self) -> Result<(), ExperimentError> {
        let network = self.trial.network()?;
        let (message, envelope) = self.view.message(&self.trial, &network, self.columns)?;
        if let Ok(bytes) = envelope.seal(&message) {
            self.board.publish(Topic::Scene, bytes);
        }
        Ok(())
    }

    fn publish_setting(&self) {
        let setting = Setting {
            toml: self.toml(),
            values: serde_json::to_value(self.experiment.config()).unwrap_or_default(),
        };
        self.publish(Topic::Setting, ServerMessage::Setting(setting));
    }

    /// The experiment that trains to the present weights.
    fn toml(&self) -> String {
        let epochs = self.trial.config_of_now().training.num_epochs;
        let as_now = self.experiment.change(&[Change {
            key: "training.num_epochs".to_string(),
            value: Value::from(epochs),
        }]);
        let text = match &as_now {
            Ok(experiment) if epochs != self.experiment.config().training.num_epochs => {
                experiment.text()
            }
            _ => self.experiment.text(),
        };
        if !self.is_altered {
            return text.to_string();
        }
        let mut remarks = String::from(
            "# Keys were changed during the training. `emberlab train` trains with their last values from the start,\n\
             # and so ends with other weights:\n",
        );
        for change in self.alterations() {
            remarks.push_str(&format!("#   {change}\n"));
        }
        remarks + text
    }

    /// The keys that were changed during the training, if that makes its weights differ from those of a training from
    /// the start.
    fn alterations(&self) -> Vec<String> {
        let events = self.events.iter().filter(|_| self.is_altered);
        let line = |Event { epoch, text }: &Event| {
            format!("after epoch {epoch}: {}", text.replace('\n', " "))
        };
        events.map(line).collect()
    }

    fn publish_status(&self) {
        let position = self.trial.position();
        let status = Status {
            is_running: self.is_running,
            epoch: position.epoch,
            step_in_epoch: position.step_in_epoch,
            step: self.trial.step(),
            num_epochs: self.experiment.config().training.num_epochs,
            steps_per_second: self.speed.newest,
            epochs_per_second: self.pace,
            ending: self.ending.clone(),
            is_altered: self.is_altered,
        };
        self.publish(Topic::Status, ServerMessage::Status(status));
    }

    fn publish(&self, topic: Topic, message: ServerMessage) {
        // Every message can be written as JSON: the tests write one of each.
        if let Ok(bytes) = Envelope::default().seal(&message) {
            self.board.publish(topic, bytes);
        }
    }
}

fn problem(refusal: &Refusal) -> Problem {
    let config = match refusal {
        Refusal::Config(error) | Refusal::Experiment(ExperimentError::Source(error)) => error,
        other => {
            return Problem {
                message: other.to_string(),
                key: String::new(),
            };
        }
    };
    let message = match &config.help {
        Some(help) => format!("{} ({help})", config.message),
        None => config.message.clone(),
    };
    let key = config.message.split('`').nth(1).unwrap_or_default();
    Problem {
        message,
        key: key.to_string(),
    }
}

/// Whether a training from the start by either experiment has the same weights after the same number of steps.
fn trains_the_same(before: &Experiment, after: &Experiment) -> bool {
    let mut config = before.config().clone();
    if !config.scheduler.depends_on_num_epochs() {
        config.training.num_epochs = after.config().training.num_epochs;
    }
    config == *after.config()
}

/// The keys that differ, with both values.
fn differences(before: &Experiment, after: &Experiment) -> Vec<String> {
    let flat = |experiment: &Experiment| {
        let values = serde_json::to_value(experiment.config()).unwrap_or_default();
        let mut flat = Vec::new();
        flatten("", &values, &mut flat);
        flat
    };
    let (before, after) = (flat(before), flat(after));
    let find = |all: &[(String, String)], key: &str| {
        let found = all.iter().find(|(known, _)| known == key);
        found.map_or_else(|| "not set".to_string(), |(_, value)| value.clone())
    };
    let gone = before
        .iter()
        .filter(|(key, _)| !after.iter().any(|(k, _)| k == key));
    let keys = after.iter().chain(gone).map(|(key, _)| key);
    let pairs = keys.map(|key| (key, find(&before, key), find(&after, key)));
    let changed = pairs.filter(|(_, old, new)| old != new);
    changed
        .map(|(key, old, new)| format!("{key}: {old} → {new}"))
        .collect()
}

/// The most characters of a value in an event.
const MOST_CHARACTERS: usize = 60;

fn flatten(key: &str, value: &Value, into: &mut Vec<(String, String)>) {
    match value {
        Value::Object(table) => {
            for (name, value) in table {
                let key = if key.is_empty() {
                    name.clone()
                } else {
                    format!("{key}.{name}")
                };
                flatten(&key, value, into);
            }
        }
        Value::Null => {}
        value => {
            let text = value.to_string();
            let text = match text.chars().count() > MOST_CHARACTERS {
                true => text.chars().take(MOST_CHARACTERS).chain(['…']).collect(),
                false => text,
            };
            into.push((key.to_string(), text));
        }
    }
}

impl From<&LayerRow> for LayerState {
    fn from(row: &LayerRow) -> Self {
        let finite = |value: f64| Some(value).filter(|v| v.is_finite());
        let bins = |histogram: &Histogram| Bins {
            low: finite(histogram.low),
            high: finite(histogram.high),
            counts: histogram.counts.clone(),
        };
        Self {
            layer: row.layer.clone(),
            activation_mean: finite(row.activation_mean),
            activation_std: finite(row.activation_std),
            dead: row.dead,
            saturated: row.saturated,
            weight_norm: finite(row.weight_norm),
            gradient_norm: finite(row.gradient_norm),
            update_ratio: finite(row.update_ratio()),
            activations: bins(&row.activations),
            weights: bins(&row.weights),
            gradients: bins(&row.gradients),
        }
    }
}
