//! Messages of the page.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A request of the page to the playground. A viewer of runs takes none of them but `shown`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMessage {
    /// Begin anew with the experiment in this TOML text.
    Load {
        /// The text.
        text: String,
    },
    /// Change keys of the experiment, all of them or none. The training goes on with the new values where it can; it
    /// begins anew where they change the network or its data.
    Set {
        /// The changes.
        changes: Vec<Change>,
    },
    /// Begin anew with a first experiment for a table that was sent to `/tables`.
    Table {
        /// The number of the table, as `/tables` has answered.
        table: usize,
        /// The column to learn.
        label: String,
    },
    /// Train.
    Run,
    /// Stop after the step under way.
    Pause,
    /// Train this number of steps, then stop; at most the rest of the epoch under way.
    Step {
        /// The number of steps, at least 1.
        count: u64,
    },
    /// Train to the end of the epoch under way, then stop.
    Epoch,
    /// Begin anew with the weights of the seed.
    Reset,
    /// Train at most this number of epochs a second.
    Pace {
        /// Epochs a second; positive. Without a number: as fast as possible.
        epochs_per_second: Option<f64>,
    },
    /// Show the plane of two columns, all others at their mean; without columns, the plane of the two principal
    /// components.
    View {
        /// The numbers of two columns.
        columns: Option<[usize; 2]>,
    },
    /// Explain how the network computes its outputs for a point of the plane.
    Explain {
        /// The point, in units of the axes.
        point: [f64; 2],
    },
    /// The page no longer needs a frame, because it has drawn it or has a newer one. It has two at most.
    Shown {
        /// The number of the frame.
        frame: u64,
    },
    /// Train an experiment with several seeds in the background, or two to compare them.
    Seeds {
        /// The number of seeds, at least 2.
        count: usize,
        /// The experiments as TOML: the present one, and another one to compare it with.
        experiments: Vec<String>,
    },
    /// Stop the trainings in the background.
    StopSeeds,
    /// Save the training as a run, which `emberlab` can evaluate, report and resume.
    Save {
        /// The name of the run; without one, the time and the seed.
        name: Option<String>,
    },
}

/// A key of the experiment and its new value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The key with its tables, such as `optimizer.learning_rate`.
    pub key: String,
    /// The value; `null` removes the key, so that it has its default.
    pub value: serde_json::Value,
}
