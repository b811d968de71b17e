//! `environment.json`: the program and the machine that a run was trained with.

use serde::{Deserialize, Serialize};

/// The program and the machine that a run was trained with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// The time at which the run began, in UTC.
    pub started: String,
    /// Version of Emberlab.
    pub emberlab: String,
    /// Version of Burn.
    pub burn: String,
    /// The device, as named on the command line.
    pub device: String,
    /// The devices that the program was compiled with.
    pub compiled_devices: Vec<String>,
    /// The processor's name.
    pub processor: String,
    /// Cores that the process may use.
    pub cores: usize,
    /// Threads that a tensor operation may use.
    pub num_threads: usize,
    /// The engine that trains: `fused kernels`, `Burn operations` or `autotuned Burn operations`.
    #[serde(default = "burn_operations")]
    pub engine: String,
    /// The reason for the engine, if it is not the fused one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine_because: Option<String>,
    /// Operating system and architecture.
    pub platform: String,
    /// SHA-256 of features and targets.
    pub data_sha256: String,
    /// Keys that were changed during the training, such as `after epoch 5: optimizer.learning_rate: 0.1 → 0.01`; the
    /// newest 500 at most. If there are any, a training of the run's `config.toml` from the start ends with other
    /// weights.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// One entry for each time the run was resumed.
    #[serde(default)]
    pub resumed: Vec<Resumption>,
}

/// The program and the machine that resumed a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resumption {
    /// The time at which the run was resumed, in UTC.
    pub at: String,
    /// Epochs done before.
    pub epochs: usize,
    /// Version of Emberlab.
    pub emberlab: String,
    /// The device, as named on the command line.
    pub device: String,
    /// The processor's name.
    pub processor: String,
    /// Threads that a tensor operation may use.
    pub num_threads: usize,
    /// The engine that trains, as in [`Environment::engine`].
    #[serde(default = "burn_operations")]
    pub engine: String,
}

/// The engine of runs from before engines were recorded: Burn operations, the only one then.
fn burn_operations() -> String {
    "Burn operations".to_string()
}

impl Environment {
    /// Adds that the run was resumed in the environment `now`, after `epochs` epochs. Returns a sentence for
    /// each difference from the session before that may change results.
    pub fn resume(&mut self, now: Environment, epochs: usize) -> Vec<String> {
        let now = Resumption {
            at: now.started,
            epochs,
            emberlab: now.emberlab,
            device: now.device,
            processor: now.processor,
            num_threads: now.num_threads,
            engine: now.engine,
        };
        let before = match self.resumed.last() {
            Some(last) => [&last.emberlab, &last.device, &last.processor, &last.engine],
            None => [&self.emberlab, &self.device, &self.processor, &self.engine],
        };
        let pairs = ["version", "device", "processor", "engine"]
            .into_iter()
            .zip(before)
            .zip([&now.emberlab, &now.device, &now.processor, &now.engine]);
        let differences = pairs
            .filter(|((_, before), now)| before != now)
            .map(|((name, before), now)| {
                format!(
                    "the {name} was {before} and is now {now}: \
                     results may differ in their last digits from those of an uninterrupted run"
                )
            })
            .collect();
        self.resumed.push(now);
        differences
    }
}
