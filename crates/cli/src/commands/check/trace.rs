//! `emberlab check trace`: trainings recorded in PyTorch, repeated step for step.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use emberlab_analysis::{Deviation, Trace, TraceEngine, has_fused_kernels, replay, tolerance};
use emberlab_training::{Precision, device};
use serde_json::json;

use crate::failure::Failure;
use crate::tables;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Recorded trainings, as JSON files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Device to compute on; may be repeated; by default every CPU device of this build.
    #[arg(long, value_name = "NAME")]
    device: Vec<String>,
    /// Floats to compute with; by default all that the device has.
    #[arg(long, value_enum)]
    precision: Option<PrecisionChoice>,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PrecisionChoice {
    /// 32-bit floats.
    F32,
    /// 64-bit floats.
    F64,
}

/// One replay of a trace.
struct Row {
    trace: String,
    device: String,
    engine: TraceEngine,
    precision: Precision,
    deviation: Deviation,
    tolerance: f64,
}

impl Row {
    fn passes(&self) -> bool {
        self.deviation.largest() < self.tolerance
    }
}

/// Repeats every trace on every device and in every precision, and compares.
pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let devices: Vec<String> = if args.device.is_empty() {
        let processors = device::processors().into_iter();
        processors.map(str::to_string).collect()
    } else {
        args.device.clone()
    };
    let mut rows = Vec::new();
    for file in &args.files {
        let trace = Trace::load(file)?;
        for name in &devices {
            let opened = device::open(name)?;
            let fused = has_fused_kernels(&trace, &opened).then_some(TraceEngine::Fused);
            for engine in fused.into_iter().chain([TraceEngine::Burn]) {
                for precision in precisions(name, args.precision)? {
                    rows.push(Row {
                        trace: trace.name.clone(),
                        device: name.clone(),
                        engine,
                        precision,
                        deviation: replay(&trace, &opened, precision, engine)?,
                        tolerance: tolerance(&trace, precision),
                    });
                }
            }
        }
    }
    let mut out = std::io::stdout();
    if args.json {
        let list: Vec<_> = rows.iter().map(as_value).collect();
        writeln!(out, "{:#}", json!(list))?;
    } else {
        writeln!(out, "{}", render(&rows))?;
    }
    let failing: Vec<&Row> = rows.iter().filter(|row| !row.passes()).collect();
    if failing.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let names: Vec<String> = failing
        .iter()
        .map(|row| {
            let engine = name(row.engine);
            format!(
                "{} on {} in {} by {engine}",
                row.trace, row.device, row.precision
            )
        })
        .collect();
    Err(Failure::Check(format!(
        "{} of {} replays deviate too much: {}",
        failing.len(),
        rows.len(),
        names.join(", ")
    )))
}

/// The precisions to compute in on a device.
fn precisions(device: &str, choice: Option<PrecisionChoice>) -> Result<Vec<Precision>, Failure> {
    let has_f64 = device::supports_f64(device);
    match choice {
        Some(PrecisionChoice::F64) if !has_f64 => Err(Failure::Usage(format!(
            "`{device}` has no 64-bit floats; use `--precision f32`, or a CPU device"
        ))),
        Some(PrecisionChoice::F64) => Ok(vec![Precision::F64]),
        Some(PrecisionChoice::F32) => Ok(vec![Precision::F32]),
        None if has_f64 => Ok(vec![Precision::F64, Precision::F32]),
        None => Ok(vec![Precision::F32]),
    }
}

/// The name of an engine, as a person reads it.
fn name(engine: TraceEngine) -> &'static str {
    match engine {
        TraceEngine::Fused => "fused kernels",
        TraceEngine::Burn => "Burn operations",
    }
}

fn as_value(row: &Row) -> serde_json::Value {
    json!({
        "trace": row.trace,
        "device": row.device,
        "engine": row.engine,
        "precision": row.precision,
        "losses": row.deviation.losses,
        "weights": row.deviation.weights,
        "outputs": row.deviation.outputs,
        "tolerance": row.tolerance,
        "passes": row.passes(),
    })
}

fn render(rows: &[Row]) -> String {
    let header = [
        "trace",
        "device",
        "trained by",
        "floats",
        "losses",
        "weights",
        "outputs",
        "allowed",
        "",
    ];
    let mut table = tables::table(header, 4);
    for row in rows {
        table.add_row([
            row.trace.clone(),
            row.device.clone(),
            name(row.engine).to_string(),
            row.precision.to_string(),
            format!("{:.1e}", row.deviation.losses),
            format!("{:.1e}", row.deviation.weights),
            format!("{:.1e}", row.deviation.outputs),
            format!("{:.0e}", row.tolerance),
            if row.passes() { "ok" } else { "FAILS" }.to_string(),
        ]);
    }
    table.to_string()
}
