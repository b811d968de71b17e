//! `emberlab summary`: the operations of a network with their shapes, parameters and multiply-adds, and the memory that
//! a training takes.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use emberlab_config_source::ConfigSource;
use emberlab_experiments::{ExperimentConfig, Prepared};
use emberlab_models::OperationSummary;
use emberlab_training::{Precision, TrainedBy, device};
use serde::Serialize;

use crate::arguments::Shared;
use crate::commands::train::tell_ignored;
use crate::failure::Failure;
use crate::{data_dirs, tables};

/// Show the layers of a network: shapes, parameters, multiply-adds, and the memory of a training.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The experiment's TOML file.
    config: PathBuf,
    /// Override a key, such as `model.hidden=[64]`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Device of the network; see `emberlab devices`.
    #[arg(long, env = "EMBERLAB_DEVICE", default_value = device::DEFAULT, value_name = "NAME")]
    device: String,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// A network and the memory of its training.
#[derive(Serialize)]
struct Summary {
    network: &'static str,
    device: String,
    precision: String,
    /// The engine, and the reason if it is not the fused one.
    trained_by: String,
    /// Rows of the largest batch.
    batch_size: usize,
    operations: Vec<OperationSummary>,
    /// Numbers that are trained.
    num_parameters: usize,
    /// Running statistics, which are not trained.
    num_running: usize,
    /// Multiply-adds of a forward pass for one sample.
    multiply_adds: usize,
    /// In bytes.
    memory: Memory,
}

/// The memory of a training in bytes. Buffers that a device needs to compute are not in it.
#[derive(Serialize)]
struct Memory {
    /// Parameters and running statistics.
    parameters: usize,
    /// One number for each parameter.
    gradients: usize,
    /// The buffers of the optimiser, each as long as the parameters.
    optimizer: usize,
    /// The average of the weights, if there is one: as long as the parameters.
    average: usize,
    /// The outputs of all operations for one batch.
    activations: usize,
    total: usize,
}

impl Memory {
    /// The memory of a training with this many numbers of each kind.
    fn of(
        summary: &[OperationSummary],
        num_buffers: usize,
        has_average: bool,
        rows: usize,
        bytes: usize,
    ) -> Self {
        let sum = |of: fn(&OperationSummary) -> usize| summary.iter().map(of).sum::<usize>();
        let trained = bytes * sum(|one| one.num_parameters);
        let parameters = trained + bytes * sum(|one| one.num_running);
        let optimizer = trained * num_buffers;
        let average = trained * usize::from(has_average);
        let activations = bytes * rows * sum(OperationSummary::num_outputs);
        Self {
            parameters,
            gradients: trained,
            optimizer,
            average,
            activations,
            total: parameters + trained + optimizer + average + activations,
        }
    }
}

/// Prints the operations of a network.
///
/// # Errors
/// [`Failure`] with the place in the file if the configuration is wrong, or if the data or the device are missing.
pub fn run(args: &Args, shared: &Shared) -> Result<ExitCode, Failure> {
    let source = ConfigSource::load(&args.config)?.with_overrides(&args.overrides)?;
    let config = ExperimentConfig::from_source(&source)?;
    tell_ignored(&config, &args.config, &args.overrides, shared);
    let device = device::open(&args.device)?;
    let prepared = Prepared::load(config.without_comparison(), &data_dirs::all(shared));
    let prepared = prepared.map_err(|error| error.with_place(&source))?;
    let network = prepared.network_to_train(&prepared.config.training, &device);
    let (network, trained_by) = network.map_err(|error| error.with_place(&source))?;
    let summary = summary(&prepared, network.summary(), &trained_by, &args.device);
    let mut out = std::io::stdout();
    if args.json {
        let json = serde_json::to_string_pretty(&summary);
        writeln!(out, "{}", json.map_err(|e| Failure::Failed(e.to_string()))?)?;
    } else {
        show(&summary, &mut out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn summary(
    prepared: &Prepared,
    operations: Vec<OperationSummary>,
    trained_by: &TrainedBy,
    device: &str,
) -> Summary {
    let config = &prepared.config;
    let num_train = prepared.splits.train.len();
    let batch_size = config
        .training
        .batches()
        .rows_per_batch(num_train)
        .min(num_train);
    let bytes = match config.training.precision {
        Precision::F32 => size_of::<f32>(),
        Precision::F64 => size_of::<f64>(),
    };
    let num_buffers = config.optimizer.rule.num_buffers();
    let has_average = config.training.average.is_some();
    let sum = |of: fn(&OperationSummary) -> usize| operations.iter().map(of).sum();
    Summary {
        network: config.model.name(),
        device: device.to_string(),
        precision: config.training.precision.to_string(),
        trained_by: trained_by.to_string(),
        batch_size,
        num_parameters: sum(|one| one.num_parameters),
        num_running: sum(|one| one.num_running),
        multiply_adds: sum(|one| one.multiply_adds),
        memory: Memory::of(&operations, num_buffers, has_average, batch_size, bytes),
        operations,
    }
}

/// Writes the table of the operations and the lines about the training.
fn show(summary: &Summary, out: &mut impl Write) -> Result<(), Failure> {
    let header = [
        "part",
        "kind",
        "output shape",
        "parameters",
        "multiply-adds",
    ];
    let mut table = tables::table(header, 3);
    for one in &summary.operations {
        let shape: Vec<String> = one.output_shape.iter().map(usize::to_string).collect();
        table.add_row([
            one.part.clone(),
            one.kind.clone(),
            shape.join(" × "),
            one.num_parameters.to_string(),
            one.multiply_adds.to_string(),
        ]);
    }
    let (parameters, products) = (summary.num_parameters, summary.multiply_adds);
    table.add_row([
        "total",
        "",
        "",
        &parameters.to_string(),
        &products.to_string(),
    ]);
    let Summary {
        network,
        device,
        precision,
        trained_by,
        batch_size,
        num_running,
        memory,
        ..
    } = summary;
    writeln!(out, "{network} on {device}, {precision}")?;
    writeln!(out, "trained by: {trained_by}")?;
    writeln!(out, "{table}")?;
    if *num_running > 0 {
        writeln!(
            out,
            "and {num_running} running statistics, which are not trained"
        )?;
    }
    writeln!(
        out,
        "multiply-adds are those of a forward pass for one sample\n"
    )?;
    let mut table = tables::table(["memory of a training", "bytes", ""], 1);
    for (what, bytes) in [
        ("parameters", memory.parameters),
        ("gradients", memory.gradients),
        ("state of the optimiser", memory.optimizer),
        ("average of the weights", memory.average),
        (
            "outputs of all operations for one batch",
            memory.activations,
        ),
        ("total", memory.total),
    ] {
        table.add_row([what.to_string(), bytes.to_string(), readable(bytes)]);
    }
    writeln!(out, "{table}")?;
    writeln!(
        out,
        "a batch has {batch_size} samples; buffers that the device needs to compute are not counted"
    )?;
    Ok(())
}

/// A number of bytes in the largest unit that it fills.
fn readable(bytes: usize) -> String {
    let units = ["B", "KiB", "MiB", "GiB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < units.len() {
        size /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{bytes} B"),
        _ => format!("{size:.1} {}", units[unit]),
    }
}
