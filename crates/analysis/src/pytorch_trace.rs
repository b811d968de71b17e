//! Trainings recorded in PyTorch, replayed step for step.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::{DType, Device, Tensor, TensorData};
use emberlab_datasets::Batch;
use emberlab_models::{ModelConfig, ModelError, Network, StepSeeds};
use emberlab_rng::stream;
use emberlab_training::{
    GradientClipping, LossConfig, Optimizer, OptimizerConfig, Penalty, Precision, RecordedTraining,
    Scheduler, SchedulerConfig, StepRules, SupervisedModel, TrainingError, WeightAverage, host,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A trace that cannot be read or replayed.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file is not a trace.
    #[error("{} is not a trace: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The network cannot be built, or its weights do not fit.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The optimiser or the device failed.
    #[error(transparent)]
    Training(#[from] TrainingError),
}

#[derive(Debug, Deserialize)]
struct NetworkSpec {
    dims: Vec<usize>,
    activation: String,
    normalization: String,
    output: String,
    #[serde(default)]
    residual: bool,
}

#[derive(Debug, Deserialize)]
struct File {
    name: String,
    network: NetworkSpec,
    loss: LossConfig,
    optimizer: OptimizerConfig,
    scheduler: Option<Value>,
    penalty: Option<Penalty>,
    gradient_clipping: Option<GradientClipping>,
    max_norm: Option<f64>,
    average: Option<WeightAverage>,
    inputs: Vec<Vec<f64>>,
    targets: Value,
    batches: Vec<Vec<usize>>,
    start: BTreeMap<String, Value>,
    losses: Vec<f64>,
    end: BTreeMap<String, Value>,
    outputs_end: Vec<Vec<f64>>,
}

/// A recorded training: its initial weights, its batches, and the weights and losses that must result.
#[derive(Debug)]
pub struct Trace {
    /// Its name.
    pub name: String,
    /// Its normalisation, which determines the tolerance in 32-bit floats.
    pub normalization: String,
    model: ModelConfig,
    loss: LossConfig,
    optimizer: OptimizerConfig,
    scheduler: SchedulerConfig,
    rules: StepRules,
    average: Option<WeightAverage>,
    inputs: Vec<Vec<f64>>,
    targets: Vec<Vec<f64>>,
    batches: Vec<Vec<usize>>,
    start: BTreeMap<String, TensorData>,
    losses: Vec<f64>,
    end: BTreeMap<String, TensorData>,
    outputs_end: Vec<Vec<f64>>,
}

/// The deviation of a replay from its trace: the largest `max|a − b| / max(1e-3, max|b|)` over tensors.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Deviation {
    /// Of the losses of all steps.
    pub losses: f64,
    /// Of weights and running statistics at the end.
    pub weights: f64,
    /// Of the outputs for all inputs at the end, in evaluation mode.
    pub outputs: f64,
}

impl Deviation {
    /// The largest of the three; NaN if any is NaN.
    pub fn largest(&self) -> f64 {
        [self.losses, self.weights, self.outputs]
            .into_iter()
            .fold(0.0, |a: f64, b| {
                if a.is_nan() || b.is_nan() {
                    f64::NAN
                } else {
                    a.max(b)
                }
            })
    }
}

/// The largest deviation that passes.
///
/// 1e-9 in 64-bit floats and 1e-4 in 32-bit floats, but 1e-2 with group normalisation, which amplifies
/// rounding.
pub fn tolerance(trace: &Trace, precision: Precision) -> f64 {
    match (precision, trace.normalization.as_str()) {
        (Precision::F64, _) => 1e-9,
        (Precision::F32, "group") => 1e-2,
        (Precision::F32, _) => 1e-4,
    }
}

impl Trace {
    /// Reads a recorded training.
    ///
    /// # Errors
    /// [`TraceError::Io`] or [`TraceError::Malformed`].
    pub fn load(path: &Path) -> Result<Self, TraceError> {
        let text = std::fs::read(path).map_err(|source| TraceError::Io {
            path: path.to_path_buf(),
            source,
        })?;
        let file = serde_json::from_slice(&text).map_err(|e| e.to_string());
        file.and_then(Self::from_file)
            .map_err(|reason| TraceError::Malformed {
                path: path.to_path_buf(),
                reason,
            })
    }

    fn from_file(file: File) -> Result<Self, String> {
        let network = file.network;
        let [_, hidden @ .., d_output] = network.dims.as_slice() else {
            return Err("`network.dims` needs an input and an output size".to_string());
        };
        let normalization = match network.normalization.as_str() {
            "group" => json!({ "name": "group", "num_groups": 2 }),
            name => json!(name),
        };
        let model = json!({
            "name": "mlp",
            "hidden": hidden,
            "activation": network.activation,
            "normalization": normalization,
            "output_activation": network.output,
            "residual": network.residual,
            "d_output": d_output,
        });
        let scheduler = match file.scheduler {
            None => SchedulerConfig::default(),
            Some(mut scheduler) => {
                // A trace steps its scheduler after every optimiser step.
                if let Some(table) = scheduler.as_object_mut() {
                    table.insert("interval".to_string(), json!("step"));
                }
                serde_json::from_value(scheduler).map_err(|e| format!("`scheduler`: {e}"))?
            }
        };
        let rules = StepRules {
            penalty: file.penalty,
            clipping: file.gradient_clipping,
            noise: None,
            max_norm: file.max_norm,
        };
        rules.validate().map_err(|e| e.to_string())?;
        let n = file.inputs.len();
        if let Some(row) = file.batches.iter().flatten().find(|row| **row >= n) {
            return Err(format!("`batches` names row {row} of {n}"));
        }
        if file.batches.len() != file.losses.len() {
            return Err(format!(
                "{} batches, but {} losses",
                file.batches.len(),
                file.losses.len()
            ));
        }
        if file.losses.is_empty() {
            return Err("it has no step to repeat".to_string());
        }
        if !file.end.keys().eq(file.start.keys()) {
            return Err("`end` has other tensors than `start`".to_string());
        }
        if file.outputs_end.len() != n {
            return Err(format!(
                "{n} inputs, but {} rows in `outputs_end`",
                file.outputs_end.len()
            ));
        }
        let targets = targets(file.targets, *d_output)?;
        if targets.len() != n {
            return Err(format!("{n} inputs, but {} targets", targets.len()));
        }
        Ok(Self {
            name: file.name,
            normalization: network.normalization,
            model: serde_json::from_value(model).map_err(|e| format!("`network`: {e}"))?,
            loss: file.loss,
            optimizer: file.optimizer,
            scheduler,
            rules,
            average: file.average,
            inputs: file.inputs,
            targets,
            batches: file.batches,
            start: tensors(file.start)?,
            losses: file.losses,
            end: tensors(file.end)?,
            outputs_end: file.outputs_end,
        })
    }
}

/// Class indices become one-hot rows; rows of floats stay.
fn targets(value: Value, d_output: usize) -> Result<Vec<Vec<f64>>, String> {
    if let Ok(classes) = serde_json::from_value::<Vec<usize>>(value.clone()) {
        return classes
            .into_iter()
            .map(|class| {
                if class >= d_output {
                    return Err(format!("class {class} of {d_output}"));
                }
                let mut row = vec![0.0; d_output];
                row[class] = 1.0;
                Ok(row)
            })
            .collect();
    }
    serde_json::from_value(value).map_err(|e| format!("`targets`: {e}"))
}

fn tensors(named: BTreeMap<String, Value>) -> Result<BTreeMap<String, TensorData>, String> {
    named
        .into_iter()
        .map(|(name, value)| {
            let data = match serde_json::from_value::<Vec<f64>>(value.clone()) {
                Ok(vector) => {
                    let length = vector.len();
                    TensorData::new(vector, [length])
                }
                Err(_) => {
                    let rows: Vec<Vec<f64>> =
                        serde_json::from_value(value).map_err(|e| format!("`{name}`: {e}"))?;
                    matrix(&rows).map_err(|e| format!("`{name}`: {e}"))?
                }
            };
            Ok((name, data))
        })
        .collect()
}

fn matrix(rows: &[Vec<f64>]) -> Result<TensorData, String> {
    let width = rows.first().map_or(0, Vec::len);
    if rows.iter().any(|row| row.len() != width) {
        return Err("rows of different lengths".to_string());
    }
    Ok(TensorData::new(rows.concat(), [rows.len(), width]))
}

/// An engine that can repeat the training of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TraceEngine {
    /// Fused kernels.
    Fused,
    /// Burn operations.
    Burn,
}

/// Repeats the training of a trace by an engine, and measures the deviation.
///
/// # Errors
/// [`TraceError`] if the network cannot be built, the device fails, or there are no fused kernels for the trace.
pub fn replay(
    trace: &Trace,
    device: &Device,
    precision: Precision,
    engine: TraceEngine,
) -> Result<Deviation, TraceError> {
    let dtype = precision.dtype();
    let d_input = trace.inputs.first().map_or(0, Vec::len);
    let d_output = trace.targets.first().map_or(0, Vec::len);
    let network = trace.model.init(
        &[d_input],
        d_output,
        &mut stream(0, "init", &[]),
        &device.clone().autodiff(),
        dtype,
    )?;
    let start = trace.start.iter().map(|(n, t)| (n.clone(), t.clone()));
    let network = network.load_named_tensors(start.collect())?;
    let (network, losses) = match engine {
        TraceEngine::Burn => replay_operations(trace, network, device, precision)?,
        TraceEngine::Fused => recorded(trace).train(&network.valid(), device)?,
    };
    let inputs = matrix(&trace.inputs).map_err(TrainingError::Read)?;
    let outputs = host(network.forward(Tensor::from_data(inputs, (device, dtype))))?;
    let mut weights: f64 = 0.0;
    let found: BTreeMap<String, TensorData> = network.named_tensors().into_iter().collect();
    for (name, expected) in &trace.end {
        let found = found
            .get(name)
            .ok_or_else(|| TrainingError::Read(format!("the network has no `{name}`")))?;
        let one = deviation(&numbers(found)?, &numbers(expected)?);
        weights = if one.is_nan() { one } else { weights.max(one) };
    }
    Ok(Deviation {
        losses: deviation(&losses, &trace.losses),
        weights,
        outputs: deviation(&outputs, &trace.outputs_end.concat()),
    })
}

/// The schedule of a trace.
fn scheduler(trace: &Trace) -> Scheduler {
    Scheduler::new(&trace.scheduler, &trace.optimizer, 1, trace.batches.len())
}

/// The network after a training by Burn operations, and the loss of each step.
fn replay_operations(
    trace: &Trace,
    network: Network,
    device: &Device,
    precision: Precision,
) -> Result<(Network, Vec<f64>), TraceError> {
    let rows = |rows: &[Vec<f64>]| -> Result<Tensor<2>, TraceError> {
        let data = matrix(rows).map_err(TrainingError::Read)?;
        Ok(Tensor::from_data(data, (device, precision.dtype())))
    };
    let mut supervised = SupervisedModel::new(network, trace.loss.clone()).for_training();
    let mut optimizer =
        Optimizer::new(&trace.optimizer, &supervised).with_average(trace.average, 1, &supervised);
    let scheduler = scheduler(trace);
    let mut losses = Vec::with_capacity(trace.batches.len());
    for (step, batch) in trace.batches.iter().enumerate() {
        let pick = |all: &[Vec<f64>]| batch.iter().map(|&i| all[i].clone()).collect::<Vec<_>>();
        let batch = Batch {
            inputs: rows(&pick(&trace.inputs))?,
            targets: rows(&pick(&trace.targets))?,
            weights: None,
        };
        let learning_rate = scheduler.learning_rate(step as u64);
        let step_seeds = StepSeeds {
            seeds: &[0],
            step: step as u64,
        };
        let (after, output) = supervised.after_step(
            batch,
            step_seeds,
            &trace.rules,
            &mut optimizer,
            learning_rate,
        );
        for loss in output.losses {
            losses.extend(host(loss)?);
        }
        supervised = after;
    }
    Ok((optimizer.averaged(supervised).network.valid(), losses))
}

/// The training of a trace, for fused kernels.
fn recorded(trace: &Trace) -> RecordedTraining<'_> {
    let scheduler = scheduler(trace);
    let rows = |batch: &Vec<usize>| batch.iter().map(|&row| row as u32).collect();
    let steps = 0..trace.batches.len() as u64;
    RecordedTraining {
        loss: &trace.loss,
        optimizer: &trace.optimizer,
        rules: trace.rules,
        average: trace.average,
        inputs: trace.inputs.concat(),
        targets: trace.targets.concat(),
        batches: trace.batches.iter().map(rows).collect(),
        learning_rates: steps.map(|step| scheduler.learning_rate(step)).collect(),
    }
}

/// Whether there are fused kernels for a trace on a device.
pub fn has_fused_kernels(trace: &Trace, device: &Device) -> bool {
    let d_input = trace.inputs.first().map_or(0, Vec::len);
    let d_output = trace.targets.first().map_or(0, Vec::len);
    let mut rng = stream(0, "init", &[]);
    let network = (trace.model).init(&[d_input], d_output, &mut rng, device, DType::F32);
    network.is_ok_and(|network| recorded(trace).has_fused_kernels(&network, device))
}

fn numbers(data: &TensorData) -> Result<Vec<f64>, TraceError> {
    let converted = data.clone().convert::<f64>().try_into_vec::<f64>();
    Ok(converted.map_err(|e| TrainingError::Read(format!("{e:?}")))?)
}

/// `max|a − b| / max(1e-3, max|b|)`; NaN if there is one in `found`, infinite if lengths differ.
fn deviation(found: &[f64], expected: &[f64]) -> f64 {
    if found.len() != expected.len() {
        return f64::INFINITY;
    }
    let scale = expected.iter().fold(1e-3, |m: f64, b| m.max(b.abs()));
    let mut largest: f64 = 0.0;
    for (a, b) in found.iter().zip(expected) {
        let one = (a - b).abs() / scale;
        if one.is_nan() {
            return f64::NAN;
        }
        largest = largest.max(one);
    }
    largest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviations_are_relative_to_the_largest_number() {
        assert_eq!(deviation(&[1.0, 4.5], &[1.0, 4.0]), 0.125);
        assert_eq!(deviation(&[1e-4], &[0.0]), 0.1);
        assert!(deviation(&[f64::NAN], &[0.0]).is_nan());
        assert!(deviation(&[], &[0.0]).is_infinite());
    }

    #[test]
    fn a_trace_that_holds_nothing_to_compare_is_refused() {
        let refusal = |change: &dyn Fn(&mut Value)| {
            let mut file = json!({
                "name": "t",
                "network": {
                    "dims": [1, 1], "activation": "tanh", "normalization": "none", "output": "linear"
                },
                "loss": { "name": "mse" },
                "optimizer": { "name": "sgd", "learning_rate": 0.1 },
                "inputs": [[1.0]],
                "targets": [[1.0]],
                "batches": [[0]],
                "start": { "layers.0.weight": [[0.5]] },
                "losses": [0.25],
                "end": { "layers.0.weight": [[0.6]] },
                "outputs_end": [[0.6]],
            });
            change(&mut file);
            let file = serde_json::from_value(file).expect("a trace");
            Trace::from_file(file).err().unwrap_or_default()
        };
        assert_eq!(refusal(&|_| ()), "");
        let found = refusal(&|file| file["end"] = json!({}));
        assert!(found.contains("`end` has other tensors"), "{found}");
        let found = refusal(&|file| file["outputs_end"] = json!([]));
        assert!(found.contains("0 rows in `outputs_end`"), "{found}");
        let found = refusal(&|file| {
            (file["batches"], file["losses"]) = (json!([]), json!([]));
        });
        assert!(found.contains("no step"), "{found}");
    }

    #[test]
    fn one_nan_makes_the_whole_deviation_nan() {
        let deviation = Deviation {
            losses: 1.0,
            weights: f64::NAN,
            outputs: 0.0,
        };
        assert!(deviation.largest().is_nan());
    }
}
