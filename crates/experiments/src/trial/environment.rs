//! The environment of this process, for `environment.json`.

use std::sync::LazyLock;

use emberlab_run_format::Environment;
use emberlab_training::TrainedBy;

/// The version of Burn that the workspace pins.
const BURN: &str = "0.22.1";

/// The name of the processor.
static PROCESSOR: LazyLock<String> = LazyLock::new(|| {
    let mut system = sysinfo::System::new();
    system.refresh_cpu_all();
    let processor = system.cpus().first().map(|cpu| cpu.brand().trim());
    processor.unwrap_or("unknown").to_string()
});

/// The environment of this process. Without an engine, it is one that is not known.
pub(crate) fn current_environment(
    device: &str,
    num_threads: usize,
    data_sha256: String,
    trained_by: Option<&TrainedBy>,
) -> Environment {
    let devices = emberlab_training::device::compiled();
    Environment {
        started: jiff::Timestamp::now().to_string(),
        emberlab: env!("CARGO_PKG_VERSION").to_string(),
        burn: BURN.to_string(),
        device: device.to_string(),
        compiled_devices: devices.into_iter().map(str::to_string).collect(),
        processor: PROCESSOR.clone(),
        cores: std::thread::available_parallelism().map_or(1, |n| n.get()),
        num_threads,
        engine: trained_by.map_or("unknown", TrainedBy::name).to_string(),
        engine_because: trained_by.and_then(TrainedBy::because).map(str::to_string),
        platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        data_sha256,
        changed: Vec::new(),
        resumed: Vec::new(),
    }
}
