//! Messages of the server.

use std::collections::BTreeMap;

use emberlab_report::number;
use emberlab_run_format::Finding;
use schemars::JsonSchema;
use serde::Serialize;

use super::Slice;

/// A message to the page.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The first message of a connection.
    Hello(Hello),
    /// The experiment, after every change.
    Setting(Setting),
    /// The data and the network, after every change of them.
    Scene(Box<Scene>),
    /// The progress of the training.
    Status(Status),
    /// The network at one moment.
    Frame(Frame),
    /// Learning curves.
    Epochs(Epochs),
    /// Changes of the experiment during the training.
    Events(Events),
    /// The layers at one moment.
    Layers(Layers),
    /// Problems of the training, all of them.
    Findings(Findings),
    /// How the network computes its outputs for a point.
    Explanation(Explanation),
    /// The results of several seeds so far.
    Seeds(SeedsState),
    /// The training is saved as a run.
    Saved(Saved),
    /// A request cannot be met. Nothing has changed.
    Problem(Problem),
}

/// The first message of a connection.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Hello {
    /// The version of the program.
    pub program: String,
    /// The folder in which runs are saved.
    pub artifacts: String,
    /// The devices of this machine that the program can train on.
    pub devices: Vec<String>,
}

/// The experiment.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Setting {
    /// As TOML, with comments. `emberlab train` trains it to the same numbers that the page shows, if nothing was
    /// changed during the training.
    pub toml: String,
    /// All keys with their values, defaults included.
    pub values: serde_json::Value,
}

/// A named range.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Axis {
    /// The name of a column, or of a direction through several columns.
    pub name: String,
    /// The lower end, in units of the column.
    pub from: f64,
    /// The upper end, in units of the column.
    pub to: f64,
}

/// The data and the network.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Scene {
    /// The number of the scene. The page drops frames, layers and epochs of another scene.
    pub scene: u64,
    /// The name of the data set.
    pub dataset: String,
    /// The columns of the data.
    pub columns: Vec<String>,
    /// The inputs of the network.
    pub inputs: Vec<String>,
    /// The names of the classes; empty for a regression.
    pub classes: Vec<String>,
    /// The range of the targets of a regression.
    pub targets: Option<[f64; 2]>,
    /// The numbers of training, validation and test rows.
    pub num_rows: [usize; 3],
    /// The horizontal axis of the plane.
    pub x: Axis,
    /// The vertical axis of the plane.
    pub y: Axis,
    /// How the plane was chosen; empty if there are two columns only.
    pub note: String,
    /// The columns of the plane; none for principal components.
    pub plane_columns: Option<[usize; 2]>,
    /// Positions of rows in the plane, at most 2000: `[num_points × 2]`, 32-bit floats.
    pub points: Slice,
    /// The class or the target of each of them: `[num_points]`, 32-bit floats.
    pub values: Slice,
    /// The split of each of them: `[num_points]` bytes, 0 training, 1 validation, 2 test.
    pub splits: Slice,
    /// The layers with weights, from the inputs to the outputs.
    pub layers: Vec<LayerShape>,
    /// Trainable parameters.
    pub num_parameters: usize,
    /// The engine that trains the network, such as `fused kernels`.
    pub trained_by: String,
    /// The number of steps of an epoch.
    pub steps_per_epoch: usize,
    /// Sentences about the data: what was found or left out when they were read, and what is often a mistake.
    pub notes: Vec<String>,
}

/// A layer with weights.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LayerShape {
    /// Its name, such as `layers.0`.
    pub layer: String,
    /// The number of its inputs; of channels for a convolution.
    pub inputs: usize,
    /// The number of its units; of channels for a convolution.
    pub units: usize,
    /// The activation function behind it.
    pub activation: String,
    /// The normalisation behind it; `none` without one.
    pub normalization: String,
    /// The share of its units that dropout leaves out.
    pub dropout: f64,
}

/// The progress of the training.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Status {
    /// Whether it trains now.
    pub is_running: bool,
    /// Epochs done.
    pub epoch: usize,
    /// Steps done in the epoch under way.
    pub step_in_epoch: usize,
    /// Steps done in all epochs.
    pub step: u64,
    /// Epochs planned.
    pub num_epochs: usize,
    /// Steps a second, of the last second.
    pub steps_per_second: f64,
    /// Epochs a second at most, if that is limited.
    pub epochs_per_second: Option<f64>,
    /// The reason why it does not go on, such as `completed`, `stopped early`, or an error; empty if it can.
    pub ending: String,
    /// Whether something was changed since the first step.
    pub is_altered: bool,
}

/// Maps of the plane by one layer: outputs of its units after the activation function.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct UnitMaps {
    /// The layer.
    pub layer: String,
    /// The number of units that have a map, the first ones.
    pub units: usize,
    /// Points in a row, and rows, of each map; the lowest row first.
    pub side: usize,
    /// The largest size of a number in each map.
    pub scales: Vec<f64>,
    /// `[units × side × side]` bytes: 1 is minus the scale, 128 zero, 255 the scale.
    pub values: Slice,
}

/// The weights of one dense layer.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Weights {
    /// The layer.
    pub layer: String,
    /// The number of its inputs that are included, the first ones.
    pub inputs: usize,
    /// The number of its units that are included, the first ones.
    pub units: usize,
    /// `[inputs × units]`, 32-bit floats, input by input.
    pub weights: Slice,
    /// `[units]`, 32-bit floats; empty without biases.
    pub biases: Slice,
}

/// The prediction over the plane.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Field {
    /// Two classes.
    Binary {
        /// Points in a row, and rows; the lowest row first.
        side: usize,
        /// The probability of class 1, in steps of 1/255: `[side × side]` bytes.
        probabilities: Slice,
    },
    /// More classes.
    Multiclass {
        /// Points in a row, and rows; the lowest row first.
        side: usize,
        /// The predicted class: `[side × side]` bytes.
        classes: Slice,
        /// Its probability, in steps of 1/255: `[side × side]` bytes.
        probabilities: Slice,
    },
    /// A regression.
    Values {
        /// Points in a row, and rows; the lowest row first.
        side: usize,
        /// The predicted value: `[side × side]`, 32-bit floats.
        values: Slice,
    },
}

/// The network at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Frame {
    /// Its number. The page reports that it has drawn it, and gets the next one.
    pub frame: u64,
    /// The scene that it belongs to.
    pub scene: u64,
    /// Epochs done, as a fraction.
    pub epoch: f64,
    /// Steps done.
    pub step: u64,
    /// The prediction over the plane; none if a number is NaN, or with too many classes.
    pub field: Option<Field>,
    /// The inputs over the plane, then the layers.
    pub maps: Vec<UnitMaps>,
    /// The weights of dense layers.
    pub weights: Vec<Weights>,
}

/// Learning curves.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Epochs {
    /// The scene that they belong to.
    pub scene: u64,
    /// Whether these are all rows; otherwise they follow those that were sent before.
    pub is_whole: bool,
    /// The rows. In a long training some are left out, evenly.
    pub rows: Vec<EpochRow>,
}

/// The metrics of one epoch.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct EpochRow {
    /// Epochs done, counted from 1.
    pub epoch: usize,
    /// The learning rate of its last step.
    pub learning_rate: f64,
    /// Metrics of the training rows by their names; `null` for NaN and infinity.
    pub train: BTreeMap<String, Option<f64>>,
    /// Metrics of the validation rows; empty if there are none.
    pub valid: BTreeMap<String, Option<f64>>,
}

/// Changes of the experiment during the training.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Events {
    /// The scene that they belong to.
    pub scene: u64,
    /// All of them.
    pub events: Vec<Event>,
}

/// One change of the experiment during the training.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Event {
    /// Epochs done before it.
    pub epoch: usize,
    /// The change, such as `optimizer.learning_rate: 0.1 → 0.01`.
    pub text: String,
}

/// The layers at one moment, on rows that stay the same.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Layers {
    /// The scene that they belong to.
    pub scene: u64,
    /// Epochs done, as a fraction.
    pub epoch: f64,
    /// A row for each layer with weights.
    pub layers: Vec<LayerState>,
}

/// One layer at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LayerState {
    /// Its name.
    pub layer: String,
    /// Mean of its outputs after the activation function; `null` for NaN, as below.
    pub activation_mean: Option<f64>,
    /// Their standard deviation.
    pub activation_std: Option<f64>,
    /// Share of units that are zero for every row, where that makes them dead.
    pub dead: f64,
    /// Share of saturated outputs.
    pub saturated: f64,
    /// Norm of the weights.
    pub weight_norm: Option<f64>,
    /// Norm of their gradient.
    pub gradient_norm: Option<f64>,
    /// Norm of the last step's change of the weights over the norm of the weights.
    pub update_ratio: Option<f64>,
    /// Outputs in bins.
    pub activations: Bins,
    /// Weights in bins.
    pub weights: Bins,
    /// Gradients of the weights in bins.
    pub gradients: Bins,
}

/// A histogram with bins of equal width.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Bins {
    /// The lower edge of the first bin; `null` if no value is finite.
    pub low: Option<f64>,
    /// The upper edge of the last bin.
    pub high: Option<f64>,
    /// The number of values in each bin.
    pub counts: Vec<u64>,
}

/// Problems of the training.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Findings {
    /// The scene that they belong to.
    pub scene: u64,
    /// All of them, the most severe first.
    pub findings: Vec<Found>,
}

/// One problem of the training.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Found {
    /// Its kind in words, such as `dead ReLUs`.
    pub title: String,
    /// `error` or `warning`.
    pub severity: String,
    /// One sentence about it.
    pub summary: String,
    /// The measured numbers that show it, a sentence each.
    pub evidence: Vec<String>,
    /// Remedies to try, the best first.
    pub remedies: Vec<Remedy>,
}

/// A remedy.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Remedy {
    /// In words.
    pub text: String,
    /// The changes that it consists of; empty if the page cannot do it.
    pub changes: Vec<super::Change>,
}

/// How the network computes its outputs for a point.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Explanation {
    /// The scene that it belongs to.
    pub scene: u64,
    /// The point, in units of the axes.
    pub point: [f64; 2],
    /// The inputs of the network with their names, as they are in the data and standardised.
    pub inputs: Vec<InputValue>,
    /// The layers with weights, from the inputs to the outputs.
    pub layers: Vec<LayerValues>,
    /// The prediction in words.
    pub prediction: String,
}

/// One input of the network.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct InputValue {
    /// Its name.
    pub name: String,
    /// Its value in the data.
    pub raw: f64,
    /// The value that the network gets.
    pub standardized: f64,
}

/// The outputs of one layer for one point, the first 64 units.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LayerValues {
    /// Its name.
    pub layer: String,
    /// Sums of weighted inputs and bias.
    pub sums: Vec<Option<f64>>,
    /// After normalisation and activation function.
    pub outputs: Vec<Option<f64>>,
}

/// The results of several seeds so far.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SeedsState {
    /// Trainings done.
    pub done: usize,
    /// Trainings in all; 0 if none was asked for.
    pub total: usize,
    /// The metric that is compared, such as `valid loss`.
    pub metric: String,
    /// The final values of each experiment, seed by seed; `null` for NaN.
    pub values: Vec<Vec<Option<f64>>>,
    /// The answer in plain sentences, when all are done.
    pub answer: Vec<String>,
    /// An error that has ended it; empty if there is none.
    pub error: String,
}

/// The training is saved as a run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Saved {
    /// Its name, `experiment/run`.
    pub run: String,
    /// Its folder.
    pub path: String,
}

/// A request cannot be met.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Problem {
    /// The reason, and what would be valid.
    pub message: String,
    /// The key of the experiment that it is about; empty if it is about none.
    pub key: String,
}

impl Found {
    /// The finding of a training with this learning rate.
    pub(crate) fn of(finding: &Finding, learning_rate: f64) -> Self {
        Self {
            title: finding.kind.title().to_string(),
            severity: match finding.severity {
                emberlab_run_format::Severity::Error => "error",
                emberlab_run_format::Severity::Warning => "warning",
            }
            .to_string(),
            summary: finding.summary.clone(),
            evidence: (finding.evidence.iter())
                .map(|evidence| format!("{}: {}", evidence.name, number(evidence.value)))
                .collect(),
            remedies: (finding.remedies.iter())
                .map(|text| Remedy::of(text, learning_rate))
                .collect(),
        }
    }
}

impl Remedy {
    /// A remedy in words. Every `key = value` between backticks is a change, and so is another learning rate.
    fn of(text: &str, learning_rate: f64) -> Self {
        let quoted = text.split('`').skip(1).step_by(2);
        let mut changes: Vec<super::Change> = quoted.filter_map(super::Change::parse).collect();
        let factors = [
            ("a smaller `optimizer.learning_rate`", 0.1),
            ("a third or a tenth of `optimizer.learning_rate`", 0.1),
            ("ten times `optimizer.learning_rate`", 10.0),
            ("a hundred times `optimizer.learning_rate`", 100.0),
        ];
        let factor = factors.iter().find(|(words, _)| text.starts_with(words));
        changes.extend(factor.map(|(_, factor)| {
            super::Change {
                key: "optimizer.learning_rate".to_string(),
                // Without the last digits of the product.
                value: format!("{:.6e}", learning_rate * factor)
                    .parse::<f64>()
                    .map_or(serde_json::Value::Null, Into::into),
            }
        }));
        Self {
            text: text.to_string(),
            changes,
        }
    }
}
