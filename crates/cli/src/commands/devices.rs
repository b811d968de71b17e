//! `emberlab devices`: the devices of this build, those that a feature adds, and which is fastest.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use emberlab_config_source::ConfigSource;
use emberlab_experiments::{ExperimentConfig, Prepared, step_seconds};
use emberlab_training::{EngineConfig, Precision, device};
use serde_json::json;

use crate::arguments::Shared;
use crate::failure::Failure;
use crate::{data_dirs, signals, tables, threads};

/// List the devices to compute on, or time an experiment on each.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Time a training step of this experiment by each engine on every device of this build.
    #[arg(long, value_name = "CONFIG")]
    bench: Option<PathBuf>,
    /// Override a key of the experiment, such as `training.batch_size=256`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE", requires = "bench")]
    overrides: Vec<String>,
    /// Seconds to train on each device.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), requires = "bench")]
    seconds: u16,
    /// Threads for each tensor operation.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), requires = "bench")]
    threads: u16,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// Lists the devices, or times an experiment on them.
///
/// # Errors
/// [`Failure`] if the output cannot be written, or with what is wrong with the experiment.
pub fn run(args: &Args, shared: &Shared) -> Result<ExitCode, Failure> {
    match &args.bench {
        Some(config) => bench(config, args, shared),
        None => list(args),
    }
}

/// The time of a training step by an engine on a device.
struct Timed {
    device: &'static str,
    engine: EngineConfig,
    /// Seconds, or the reason why it cannot be timed.
    step: Result<f64, String>,
}

impl Timed {
    fn seconds(&self) -> f64 {
        self.step.as_ref().copied().unwrap_or(f64::INFINITY)
    }
}

fn bench(config: &Path, args: &Args, shared: &Shared) -> Result<ExitCode, Failure> {
    let source = ConfigSource::load(config)?.with_overrides(&args.overrides)?;
    let config = ExperimentConfig::from_source(&source)?.without_comparison();
    threads::set(args.threads)?;
    let stop = signals::stop_on_request(false)?;
    let duration = Duration::from_secs(args.seconds.into());
    let prepared = Prepared::load(config, &data_dirs::all(shared));
    let prepared = prepared.map_err(|error| error.with_place(&source))?;
    let is_f64 = prepared.config.training.precision == Precision::F64;
    let mut timed = Vec::new();
    let devices = device::DEVICES.iter().filter(|info| info.is_compiled());
    let engines = devices.flat_map(|info| {
        let engines = [EngineConfig::Fused, EngineConfig::Burn];
        engines.map(|engine| (info.name, engine))
    });
    for (name, engine) in engines {
        let step = match is_f64 && !device::supports_f64(name) {
            true => Err("has no 64-bit floats".to_string()),
            false => step_seconds(&prepared, name, engine, duration, &stop)
                .map_err(|error| error.to_string()),
        };
        timed.push(Timed {
            device: name,
            engine,
            step,
        });
        if stop.is_requested() {
            say!("interrupted; no file was written");
            return Ok(ExitCode::from(signals::INTERRUPTED));
        }
    }
    timed.sort_by(|a, b| a.seconds().total_cmp(&b.seconds()));
    print_timed(&timed, args.json)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the devices, the fastest first.
fn print_timed(timed: &[Timed], is_json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    if is_json {
        let list: Vec<_> = timed
            .iter()
            .map(|t| {
                json!({
                    "name": t.device,
                    "engine": t.engine,
                    "step_seconds": t.step.as_ref().ok(),
                    "error": t.step.as_ref().err(),
                })
            })
            .collect();
        writeln!(out, "{:#}", json!(list))?;
        return Ok(());
    }
    let mut table = tables::table(["device", "trained by", "time per step", "relative"], 2);
    for t in timed {
        let cells = match &t.step {
            Ok(step) => [
                format!("{:.1} µs", step * 1e6),
                format!("{:.2} ×", step / timed[0].seconds()),
            ],
            Err(error) => [error.clone(), String::new()],
        };
        let names = [t.device.to_string(), t.engine.to_string()];
        table.add_row(names.into_iter().chain(cells));
    }
    writeln!(out, "{table}")?;
    if let Some(Timed {
        device,
        engine,
        step: Ok(_),
    }) = timed.first()
    {
        // Without this key, fused kernels are used wherever there are some.
        let has_slower_kernels =
            |t: &Timed| t.device == *device && t.engine != *engine && t.step.is_ok();
        match *engine == EngineConfig::Burn && timed.iter().any(has_slower_kernels) {
            true => writeln!(out, "use --device {device} --set training.engine=burn")?,
            false => writeln!(out, "use --device {device}")?,
        }
    }
    Ok(())
}

fn list(args: &Args) -> Result<ExitCode, Failure> {
    let devices = &device::DEVICES;
    let mut out = std::io::stdout();
    if args.json {
        let list: Vec<_> = devices
            .iter()
            .map(|d| {
                json!({
                    "name": d.name,
                    "is_compiled": d.is_compiled(),
                    "is_default": d.name == device::DEFAULT,
                    "hardware": d.hardware().into_iter().collect::<Vec<_>>(),
                    "purpose": d.help,
                })
            })
            .collect();
        writeln!(out, "{:#}", json!(list))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = tables::table(["device", "in this build", "hardware", "purpose"], 4);
    for info in devices {
        let state = match (info.is_compiled(), info.feature) {
            (true, _) if info.name == device::DEFAULT => "yes, the default".to_string(),
            (false, Some(feature)) => format!("--features {feature}"),
            (_, _) => "yes".to_string(),
        };
        table.add_row([
            info.name,
            &state,
            &info.hardware().unwrap_or_default(),
            info.help,
        ]);
    }
    writeln!(out, "{table}")?;
    Ok(ExitCode::SUCCESS)
}
