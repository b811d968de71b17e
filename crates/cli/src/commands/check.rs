//! `emberlab check`: the lab against references.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use emberlab_analysis::gradients::{self, Arithmetic};
use emberlab_analysis::{Deviation, Trace, TraceError, replay, tolerance};
use emberlab_config_source::ConfigSource;
use emberlab_experiments::{ExperimentConfig, check_gradients};
use emberlab_training::{Precision, device};
use serde::Serialize;
use serde_json::json;

use crate::arguments::{Check, CheckWhat, PrecisionChoice, Shared};
use crate::data_dirs;
use crate::failure::Failure;
use crate::tables;

/// Checks what is asked for.
///
/// # Errors
/// [`Failure::Check`] if something is not as it should be.
pub fn run(command: &Check, shared: &Shared) -> Result<ExitCode, Failure> {
    match &command.what {
        CheckWhat::Trace {
            files,
            device,
            precision,
            json,
        } => traces(files, device, *precision, *json),
        CheckWhat::Gradients {
            config,
            overrides,
            device,
            tolerance,
            json,
        } => {
            let tolerance = match *tolerance {
                Some(given) => given,
                None if device::supports_f64(device) => gradients::TOLERANCE_F64,
                None => gradients::TOLERANCE_F32,
            };
            let checked = match config {
                Some(path) => network_gradients(path, overrides, device, shared)?,
                None => function_gradients(device)?,
            };
            show_gradients(&checked, device, tolerance, *json)
        }
    }
}

struct Row {
    trace: String,
    device: String,
    precision: Precision,
    deviation: Deviation,
    tolerance: f64,
}

impl Row {
    fn passes(&self) -> bool {
        self.deviation.largest() < self.tolerance
    }
}

fn traces(
    files: &[PathBuf],
    devices: &[String],
    precision: Option<PrecisionChoice>,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let failed = |error: TraceError| Failure::Failed(error.to_string());
    let devices: Vec<String> = if devices.is_empty() {
        let cpu = ["flex", "ndarray"].into_iter();
        let compiled = device::compiled();
        cpu.filter(|name| compiled.contains(name))
            .map(str::to_string)
            .collect()
    } else {
        devices.to_vec()
    };
    let mut rows = Vec::new();
    for file in files {
        let trace = Trace::load(file).map_err(failed)?;
        for name in &devices {
            let opened = device::open(name)?;
            for precision in precisions(name, precision)? {
                rows.push(Row {
                    trace: trace.name.clone(),
                    device: name.clone(),
                    precision,
                    deviation: replay(&trace, &opened, precision).map_err(failed)?,
                    tolerance: tolerance(&trace, precision),
                });
            }
        }
    }
    let mut out = std::io::stdout();
    if as_json {
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
        .map(|row| format!("{} on {} in {}", row.trace, row.device, row.precision))
        .collect();
    Err(Failure::Check(format!(
        "{} of {} replays deviate too far: {}",
        failing.len(),
        rows.len(),
        names.join(", ")
    )))
}

/// The precisions to replay on a device.
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

fn as_value(row: &Row) -> serde_json::Value {
    json!({
        "trace": row.trace,
        "device": row.device,
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
        "trace", "device", "floats", "losses", "weights", "outputs", "allowed", "",
    ];
    let mut table = tables::table(header, 3);
    for row in rows {
        table.add_row([
            row.trace.clone(),
            row.device.clone(),
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

/// One line of a check of gradients.
#[derive(Serialize)]
struct CheckedGradient {
    name: String,
    num_values: usize,
    num_kinks: usize,
    /// Numbers of the parameter, if not all of them were tried.
    of: Option<usize>,
    numeric: gradients::Deviation,
    /// Against the closed form, or the backward pass written out.
    exact: Option<gradients::Deviation>,
}

impl CheckedGradient {
    /// NaN never passes.
    fn passes(&self, tolerance: f64) -> bool {
        let exact = self
            .exact
            .as_ref()
            .map_or(0.0, |deviation| deviation.relative);
        self.numeric.relative <= tolerance && exact <= tolerance
    }
}

/// Every function and layer on its own.
fn function_gradients(device_name: &str) -> Result<Vec<CheckedGradient>, Failure> {
    let device = device::open(device_name)?;
    let (precision, reference) = match device::supports_f64(device_name) {
        true => (Precision::F64, device.clone()),
        false => (Precision::F32, device::open(device::DEFAULT)?),
    };
    let arithmetic = Arithmetic {
        device,
        dtype: precision.dtype(),
        reference,
    };
    gradients::subjects()
        .iter()
        .map(|subject| {
            let check = gradients::check(subject, &arithmetic)?;
            Ok(CheckedGradient {
                name: check.name,
                num_values: check.num_values,
                num_kinks: check.num_kinks,
                of: None,
                numeric: check.numeric,
                exact: check.closed_form,
            })
        })
        .collect()
}

/// Every parameter of a configuration's network.
fn network_gradients(
    path: &Path,
    overrides: &[String],
    device_name: &str,
    shared: &Shared,
) -> Result<Vec<CheckedGradient>, Failure> {
    let source = ConfigSource::load(path)?.with_overrides(overrides)?;
    let config = ExperimentConfig::from_source(&source)?;
    let checks = check_gradients(&config, device_name, &data_dirs::all(shared))
        .map_err(|error| error.with_place(&source))?;
    let row = |check: gradients::ParameterCheck| CheckedGradient {
        of: (check.num_values + check.num_kinks < check.size).then_some(check.size),
        name: check.name,
        num_values: check.num_values,
        num_kinks: check.num_kinks,
        numeric: check.numeric,
        exact: check.explicit,
    };
    Ok(checks.into_iter().map(row).collect())
}

fn show_gradients(
    checked: &[CheckedGradient],
    device_name: &str,
    tolerance: f64,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let mut out = std::io::stdout();
    if as_json {
        let list: Vec<_> = checked
            .iter()
            .map(|row| {
                let mut value = json!(row);
                value["passes"] = json!(row.passes(tolerance));
                value
            })
            .collect();
        writeln!(out, "{:#}", json!(list))?;
    } else {
        writeln!(out, "{}", gradient_table(checked, tolerance))?;
        // A device without 64-bit floats is checked by one that has them.
        let (numbers, elsewhere) = match device::supports_f64(device_name) {
            true => ("64", String::new()),
            false => ("32", format!(" on {}", device::DEFAULT)),
        };
        writeln!(
            out,
            "autodiff on {device_name} in {numbers}-bit floats; central differences in 64-bit floats{elsewhere}, their step {:.1e} \
             times the number, where truncation and rounding together are smallest; up to {tolerance:.0e} passes",
            gradients::STEP
        )?;
    }
    let failing: Vec<String> = checked
        .iter()
        .filter(|row| !row.passes(tolerance))
        .map(|row| {
            let worst = match &row.exact {
                Some(exact) if exact.relative.is_nan() || exact.relative > row.numeric.relative => {
                    exact
                }
                _ => &row.numeric,
            };
            format!("{}, worst at {}", row.name, worst.worst)
        })
        .collect();
    if failing.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(Failure::Check(format!(
        "{} of {} gradients are wrong: {}",
        failing.len(),
        checked.len(),
        failing.join("; ")
    )))
}

fn gradient_table(checked: &[CheckedGradient], tolerance: f64) -> comfy_table::Table {
    let header = [
        "gradient of",
        "compared",
        "kinks",
        "absolute error",
        "relative error",
        "worst at",
        "exact form",
        "",
    ];
    let mut table = tables::table(header, 1);
    for row in checked {
        let compared = match row.of {
            Some(size) => format!("{} of {size}", row.num_values),
            None => row.num_values.to_string(),
        };
        table.add_row([
            row.name.clone(),
            compared,
            if row.num_kinks == 0 {
                String::new()
            } else {
                row.num_kinks.to_string()
            },
            format!("{:.1e}", row.numeric.absolute),
            format!("{:.1e}", row.numeric.relative),
            row.numeric
                .worst
                .trim_start_matches(row.name.as_str())
                .to_string(),
            row.exact.as_ref().map_or_else(
                || "—".to_string(),
                |exact| format!("{:.1e}", exact.relative),
            ),
            if row.passes(tolerance) { "ok" } else { "FAILS" }.to_string(),
        ]);
    }
    table
}
