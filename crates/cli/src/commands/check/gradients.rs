//! `emberlab check gradients`: autodiff against central differences and closed forms.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use emberlab_analysis::gradients::{self, Arithmetic};
use emberlab_config_source::ConfigSource;
use emberlab_experiments::{ExperimentConfig, check_gradients};
use emberlab_training::{Precision, device};
use serde::Serialize;
use serde_json::json;

use crate::arguments::Shared;
use crate::data_dirs;
use crate::failure::Failure;
use crate::tables;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// TOML file of an experiment: its network is checked, parameter by parameter. By default every function and
    /// layer is checked on its own.
    config: Option<PathBuf>,
    /// Override a key, such as `model.activation=gelu`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE", requires = "config")]
    overrides: Vec<String>,
    /// Device to check; see `emberlab devices`.
    #[arg(long, env = "EMBERLAB_DEVICE", default_value = device::DEFAULT, value_name = "NAME")]
    device: String,
    /// Largest relative error that passes; by default 1e-5 in 64-bit floats and 1e-3 in 32-bit floats.
    #[arg(long, value_name = "ERROR")]
    tolerance: Option<f64>,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// Checks the gradients of the network of an experiment, or those of every function and layer.
pub(super) fn run(args: &Args, shared: &Shared) -> Result<ExitCode, Failure> {
    let tolerance = match args.tolerance {
        Some(given) if given.is_finite() && given > 0.0 => given,
        Some(given) => {
            return Err(Failure::Usage(format!(
                "`--tolerance {given}` must be a positive number"
            )));
        }
        None if device::supports_f64(&args.device) => gradients::TOLERANCE_F64,
        None => gradients::TOLERANCE_F32,
    };
    let checked = match &args.config {
        Some(path) => network_gradients(path, &args.overrides, &args.device, shared)?,
        None => function_gradients(&args.device)?,
    };
    show_gradients(&checked, &args.device, tolerance, args.json)
}

/// The check of one function or parameter.
#[derive(Serialize)]
struct CheckedGradient {
    name: String,
    num_values: usize,
    num_kinks: usize,
    /// Size of the parameter, if not all of its numbers were checked.
    of: Option<usize>,
    numeric: gradients::Deviation,
    /// Against the closed form, or the explicit backward pass.
    exact: Option<gradients::Deviation>,
}

impl CheckedGradient {
    /// Whether the errors are within `tolerance`; NaN never is.
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
    gradients::functions()
        .iter()
        .map(|function| {
            let check = gradients::check(function, &arithmetic)?;
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
        exact: Some(check.explicit),
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
            "autodiff on {device_name} in {numbers}-bit floats; central differences in 64-bit floats{elsewhere}, with a step of \
             {:.1e} times the number, which makes truncation and rounding errors smallest; relative errors up to \
             {tolerance:.0e} pass",
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
