//! `environment.json`: what a run ran on.

use serde::{Deserialize, Serialize};

/// What a run ran on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// When the run began, in UTC.
    pub started: String,
    /// Version of the lab.
    pub emberlab: String,
    /// Version of Burn.
    pub burn: String,
    /// The device, as named on the command line.
    pub device: String,
    /// The devices this build has.
    pub compiled_devices: Vec<String>,
    /// The processor's name.
    pub processor: String,
    /// Cores that the process may use.
    pub cores: usize,
    /// Threads that a tensor operation may use.
    pub num_threads: usize,
    /// Operating system and architecture.
    pub platform: String,
    /// SHA-256 of features and targets.
    pub data_sha256: String,
    /// What the run went on with, each time it was resumed.
    #[serde(default)]
    pub resumed: Vec<Resumption>,
}

/// What a run went on with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resumption {
    /// When, in UTC.
    pub at: String,
    /// Epochs that were done.
    pub epochs: usize,
    /// Version of the lab.
    pub emberlab: String,
    /// The device, as named on the command line.
    pub device: String,
    /// The processor's name.
    pub processor: String,
    /// Threads that a tensor operation may use.
    pub num_threads: usize,
}

impl Environment {
    /// The environment of this process.
    pub fn current(device: &str, num_threads: usize, data_sha256: String) -> Self {
        let mut system = sysinfo::System::new();
        system.refresh_cpu_all();
        let processor = system.cpus().first().map(|cpu| cpu.brand().trim());
        let devices = emberlab_training::device::compiled();
        Self {
            started: jiff::Timestamp::now().to_string(),
            emberlab: env!("CARGO_PKG_VERSION").to_string(),
            burn: BURN.to_string(),
            device: device.to_string(),
            compiled_devices: devices.into_iter().map(str::to_string).collect(),
            processor: processor.unwrap_or("unknown").to_string(),
            cores: std::thread::available_parallelism().map_or(1, |n| n.get()),
            num_threads,
            platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            data_sha256,
            resumed: Vec::new(),
        }
    }

    /// Notes that the run goes on in the environment `now`; says what is different from the last time.
    pub(crate) fn resume(&mut self, now: Environment, epochs: usize) -> Vec<String> {
        let now = Resumption {
            at: now.started,
            epochs,
            emberlab: now.emberlab,
            device: now.device,
            processor: now.processor,
            num_threads: now.num_threads,
        };
        let before = match self.resumed.last() {
            Some(last) => [&last.emberlab, &last.device, &last.processor],
            None => [&self.emberlab, &self.device, &self.processor],
        };
        let pairs = ["version", "device", "processor"]
            .into_iter()
            .zip(before)
            .zip([&now.emberlab, &now.device, &now.processor]);
        let differences = pairs
            .filter(|((_, before), now)| before != now)
            .map(|((what, before), now)| {
                format!(
                    "the {what} was {before} and is now {now}: \
                     results may differ in their last digits from those of an uninterrupted run"
                )
            })
            .collect();
        self.resumed.push(now);
        differences
    }
}

/// The version that the workspace pins.
const BURN: &str = "0.22.1";
