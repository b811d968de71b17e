//! `emberlab devices`: what this build can compute on, what would add the rest, and which is fastest.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use emberlab_config_source::ConfigSource;
use emberlab_experiments::{ExperimentConfig, Prepared, step_seconds};
use emberlab_training::{Precision, device};
use serde_json::json;

use crate::arguments::{Devices, Shared};
use crate::commands::train::set_num_threads;
use crate::failure::Failure;
use crate::{data_dirs, signals, tables};

/// Lists the devices, or times an experiment on them.
///
/// # Errors
/// [`Failure`] if the output cannot be written, or with what is wrong with the experiment.
pub fn run(command: &Devices, shared: &Shared) -> Result<ExitCode, Failure> {
    match &command.bench {
        Some(config) => bench(config, command, shared),
        None => list(command),
    }
}

/// What a device took for a training step.
struct Timed {
    device: &'static str,
    /// Seconds, or why there are none.
    step: Result<f64, String>,
}

fn bench(config: &Path, command: &Devices, shared: &Shared) -> Result<ExitCode, Failure> {
    let source = ConfigSource::load(config)?.with_overrides(&command.overrides)?;
    let config = ExperimentConfig::from_source(&source)?.alone();
    set_num_threads(command.threads)?;
    let stop = signals::stop_on_request()?;
    let duration = Duration::from_secs(command.seconds.into());
    let prepared = Prepared::load(config, &data_dirs::all(shared));
    let prepared = prepared.map_err(|error| error.with_place(&source))?;
    let is_f64 = prepared.config.training.precision == Precision::F64;
    let mut timed = Vec::new();
    for info in device::list().iter().filter(|info| info.is_compiled) {
        let step = match is_f64 && !device::supports_f64(info.name) {
            true => Err("has no 64-bit floats".to_string()),
            false => step_seconds(&prepared, info.name, duration, &stop)
                .map_err(|error| error.to_string()),
        };
        timed.push(Timed {
            device: info.name,
            step,
        });
        if stop.is_requested() {
            eprintln!("interrupted; nothing was left");
            return Ok(ExitCode::from(signals::INTERRUPTED));
        }
    }
    let seconds = |timed: &Timed| timed.step.as_ref().copied().unwrap_or(f64::INFINITY);
    timed.sort_by(|a, b| seconds(a).total_cmp(&seconds(b)));
    let mut out = std::io::stdout();
    if command.json {
        let list: Vec<_> = timed
            .iter()
            .map(|t| {
                json!({
                    "name": t.device,
                    "step_seconds": t.step.as_ref().ok(),
                    "error": t.step.as_ref().err(),
                })
            })
            .collect();
        writeln!(out, "{:#}", json!(list))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = tables::table(["device", "a training step", "of the fastest"], 1);
    for t in &timed {
        let cells = match &t.step {
            Ok(step) => [
                format!("{:.1} µs", step * 1e6),
                format!("{:.2} ×", step / seconds(&timed[0])),
            ],
            Err(error) => [error.clone(), String::new()],
        };
        table.add_row([t.device.to_string()].into_iter().chain(cells));
    }
    writeln!(out, "{table}")?;
    if let Some(Timed {
        device,
        step: Ok(_),
    }) = timed.first()
    {
        writeln!(out, "use --device {device}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn list(command: &Devices) -> Result<ExitCode, Failure> {
    let devices = device::list();
    let mut out = std::io::stdout();
    if command.json {
        let list: Vec<_> = devices
            .iter()
            .map(|d| {
                json!({
                    "name": d.name,
                    "is_compiled": d.is_compiled,
                    "is_default": d.name == device::DEFAULT,
                    "hardware": d.adapters,
                    "purpose": d.purpose,
                })
            })
            .collect();
        writeln!(out, "{:#}", json!(list))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = tables::table(["device", "in this build", "hardware", "what it is for"], 4);
    for info in &devices {
        let state = match (info.is_compiled, info.name == device::DEFAULT) {
            (true, true) => "yes, the default".to_string(),
            (true, false) => "yes".to_string(),
            (false, _) => format!("--features {}", info.name),
        };
        table.add_row([info.name, &state, &info.adapters.join("\n"), info.purpose]);
    }
    writeln!(out, "{table}")?;
    Ok(ExitCode::SUCCESS)
}
