//! `emberlab find-lr`: a learning-rate range test with several seeds, and the learning rate that it suggests.

use std::ffi::OsStr;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use emberlab_config_source::ConfigSource;
use emberlab_experiments::{ExperimentConfig, range_curve};
use emberlab_report::learning_rate::{RangeCurve, RangeFinding, smoothed};
use emberlab_report::statistics::median;
use serde::Serialize;

use crate::arguments::{Running, Shared};
use crate::command_line::CommandLine;
use crate::commands::train::tell_ignored;
use crate::failure::Failure;
use crate::{data_dirs, output_files, signals, tables, terminal_chart};

/// The result of a range test.
#[derive(Serialize)]
struct RangeReport {
    learning_rates: Vec<f64>,
    curves: Vec<RangeCurve>,
    /// One per curve.
    findings: Vec<Option<RangeFinding>>,
    /// The median of the findings, if most seeds agree on it.
    suggestion: Option<RangeFinding>,
    /// The reason why there is no suggestion.
    reason: Option<String>,
    /// The learning rate in the configuration.
    configured: f64,
}

/// Find a learning rate: train briefly while it grows, over several seeds.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The experiment's TOML file.
    config: PathBuf,
    /// Override a key, such as `optimizer.name=sgd`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Learning rate of the first step, the lowest.
    #[arg(long, default_value_t = 1e-6, value_name = "RATE")]
    from: f64,
    /// Learning rate of the last step, the highest.
    #[arg(long, default_value_t = 10.0, value_name = "RATE")]
    to: f64,
    /// Number of steps. From each to the next, the learning rate grows by the same factor.
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u32).range(20..=100_000))]
    steps: u32,
    /// Number of seeds to try, from 0 on.
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    seeds: u16,
    /// Write every loss to a CSV file; `-` prints it instead of the table and the curve.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Print JSON instead of a table and a curve.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    running: Running,
}

/// Finds a learning rate.
///
/// # Errors
/// [`Failure`] with the place in the file if the configuration is wrong, or with the reason; [`Failure::Check`] if
/// there is no learning rate to suggest.
pub fn run(args: &Args, shared: &Shared) -> Result<ExitCode, Failure> {
    if args.json && args.csv.as_deref().is_some_and(output_files::is_stdout) {
        return Err(Failure::Usage(
            "`--json` and `--csv -` both write to the standard output: name a file for one of them"
                .to_string(),
        ));
    }
    let source = ConfigSource::load(&args.config)?.with_overrides(&args.overrides)?;
    let config = ExperimentConfig::from_source(&source)?;
    tell_ignored(&config, &args.config, &args.overrides, shared);
    let learning_rates = learning_rates(args)?;
    // Before the test, not after it.
    args.csv.as_deref().map_or(Ok(()), output_files::prepare)?;
    args.running.set_threads()?;
    let stop = signals::stop_on_request(false)?;
    let data_dirs = data_dirs::all(shared);
    let device = &args.running.device;
    let mut curves = Vec::new();
    for seed in 0..u64::from(args.seeds) {
        let losses = range_curve(&config, seed, &learning_rates, device, &data_dirs, &stop)
            .map_err(|error| error.with_place(&source))?;
        if stop.is_requested() {
            say!("interrupted; a range test saves nothing");
            return Ok(ExitCode::from(signals::INTERRUPTED));
        }
        curves.push(RangeCurve { seed, losses });
    }
    let findings: Vec<Option<RangeFinding>> = curves
        .iter()
        .map(|curve| RangeFinding::of(&learning_rates, curve))
        .collect();
    let suggested = RangeFinding::suggested(&findings);
    let report = RangeReport {
        suggestion: suggested.ok(),
        reason: suggested.err().map(|reason| reason.to_string()),
        configured: config.optimizer.learning_rate,
        learning_rates,
        curves,
        findings,
    };
    if let Some(path) = &args.csv {
        output_files::write(path, csv(&report).as_bytes())?;
    }
    let mut out = std::io::stdout();
    if args.json {
        let json = serde_json::to_string_pretty(&report);
        writeln!(out, "{}", json.map_err(|e| Failure::Failed(e.to_string()))?)?;
    } else if !args.csv.as_deref().is_some_and(output_files::is_stdout) {
        writeln!(out, "{}", render(&report, args, shared))?;
    }
    match report.reason {
        None => Ok(ExitCode::SUCCESS),
        Some(reason) => Err(Failure::Check(format!(
            "no suggestion: {reason}; a larger `training.batch_size` or more `--steps` make the curves smoother; if \
             the loss still does not fall, check the data, the loss and the initialiser"
        ))),
    }
}

/// The learning rate of each step, from `--from` to `--to` in geometric progression.
fn learning_rates(args: &Args) -> Result<Vec<f64>, Failure> {
    let (from, to) = (args.from, args.to);
    if !(from.is_finite() && to.is_finite() && 0.0 < from && from < to) {
        return Err(Failure::Usage(format!(
            "`--from {from}` and `--to {to}` must be positive, and `--to` must be larger than `--from`"
        )));
    }
    let last = f64::from(args.steps - 1);
    let rate = |step: u32| from * (to / from).powf(f64::from(step) / last);
    Ok((0..args.steps).map(rate).collect())
}

fn render(report: &RangeReport, args: &Args, shared: &Shared) -> String {
    let rate = |rate: f64| format!("{rate:.1e}");
    let mut table = tables::table(["seed", "steepest fall", "lowest loss", "diverges from"], 1);
    for (curve, finding) in report.curves.iter().zip(&report.findings) {
        let cells = match finding {
            Some(found) => [
                rate(found.steepest),
                rate(found.lowest),
                found.diverged.map_or_else(|| "never".to_string(), rate),
            ],
            None => ["no clear fall".to_string(), String::new(), String::new()],
        };
        table.add_row(std::iter::once(curve.seed.to_string()).chain(cells));
    }
    let points = middle_curve(report);
    let num_seeds = report.curves.len();
    let smoothing = match num_seeds {
        1 => "smoothed".to_string(),
        several => format!("smoothed, median of {several} seeds"),
    };
    let mut text = format!(
        "{table}\n\nloss over the learning rate ({smoothing})\n{}\n",
        terminal_chart::render(&points, 76, 16)
    );
    if let Some(found) = report.suggestion {
        let steepest = report.findings.iter().flatten().map(|f| f.steepest);
        let low = steepest.clone().fold(f64::INFINITY, f64::min);
        let high = steepest.fold(0.0, f64::max);
        let over_seeds = match num_seeds {
            1 => String::new(),
            _ => format!(" (from {} to {} over the seeds)", rate(low), rate(high)),
        };
        text += &format!(
            "\nsuggestion: {}{over_seeds}; in the configuration: {}\n",
            rate(found.steepest),
            rate(report.configured),
        );
        // The rates of both bounds need not be those of one seed.
        let diverge_before = |rate: f64| {
            let diverged = report.findings.iter().flatten().filter_map(|f| f.diverged);
            diverged.filter(|diverged| *diverged <= rate).count()
        };
        text += &match found.diverged {
            Some(diverged) if diverged <= found.lowest => format!(
                "from {} it diverges with {} of {num_seeds} seeds; above {} the loss of the others no longer improves\n",
                rate(diverged),
                diverge_before(found.lowest),
                rate(found.lowest)
            ),
            Some(diverged) => format!(
                "above {} the loss no longer improves; from {} it diverges\n",
                rate(found.lowest),
                rate(diverged)
            ),
            None => format!(
                "above {} the loss no longer improves; up to {} it never diverges\n",
                rate(found.lowest),
                rate(args.to)
            ),
        };
        text += &format!(
            "to try it:  {}",
            CommandLine::new([OsStr::new("train"), args.config.as_os_str()])
                .overrides(&args.overrides)
                .overrides(&[format!("optimizer.learning_rate={}", rate(found.steepest))])
                .shared(shared)
                .running(&args.running)
        );
    }
    text
}

/// The median of the smoothed curves, up to the step that most of them reach.
fn middle_curve(report: &RangeReport) -> Vec<(f64, f64)> {
    let num_steps = report.learning_rates.len();
    let curves = report.curves.iter();
    let curves: Vec<Vec<f64>> = curves.map(|c| smoothed(&c.losses, num_steps)).collect();
    let at = |(step, &rate): (usize, &f64)| {
        let losses: Vec<f64> = curves.iter().filter_map(|c| c.get(step)).copied().collect();
        (2 * losses.len() > curves.len()).then(|| (rate, median(&losses)))
    };
    let points = report.learning_rates.iter().enumerate();
    points.map_while(at).collect()
}

/// The curves as CSV: a row for each step, with the learning rate and the loss of each seed. The loss is empty after
/// the training of that seed diverged.
fn csv(report: &RangeReport) -> String {
    let names = report.curves.iter().map(|c| format!(",seed_{}", c.seed));
    let mut text = format!("learning_rate{}\n", names.collect::<String>());
    for (step, rate) in report.learning_rates.iter().enumerate() {
        text += &rate.to_string();
        for curve in &report.curves {
            text.push(',');
            if let Some(loss) = curve.losses.get(step) {
                text += &loss.to_string();
            }
        }
        text.push('\n');
    }
    text
}
