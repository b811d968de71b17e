//! Trainings of small networks, for the tests of engines.

use burn::tensor::{DType, Device, Tensor, TensorData};
use emberlab_datasets::DeviceDataset;
use emberlab_models::{ModelConfig, Network};
use emberlab_rng::stream;
use emberlab_storage::Identity;
use serde_json::{Value, json};

use crate::device;
use crate::{
    CheckpointConfig, Dashboard, EpochRecord, Observer, OptimizerConfig, SchedulerConfig,
    SplitData, StopFlag, Task, TrainedBy, Trainer, TrainingConfig, TrainingError, TrainingResult,
};

/// Whether there is a GPU or a software device in its place; if not, the test skips.
#[cfg(feature = "wgpu")]
pub(crate) fn has_gpu() -> bool {
    if device::open("wgpu").is_ok() {
        return true;
    }
    let required = std::env::var("EMBERLAB_REQUIRE").unwrap_or_default();
    let mut required = required.split(',').map(str::trim);
    let is_required = required.any(|part| ["all", "wgpu"].contains(&part));
    assert!(
        !is_required,
        "EMBERLAB_REQUIRE asks for wgpu, and there is no adapter"
    );
    eprintln!("skipped: no wgpu adapter");
    false
}

struct Silent;

impl Observer for Silent {
    fn epoch_ended(&mut self, _: &EpochRecord) -> Result<(), TrainingError> {
        Ok(())
    }
}

pub(crate) fn from_json<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).expect("a configuration")
}

/// The settings that the trainings of a test share.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) model: Value,
    pub(crate) loss: Value,
    pub(crate) optimizer: Value,
    pub(crate) scheduler: Value,
    pub(crate) training: Value,
    pub(crate) dtype: DType,
    pub(crate) device: &'static str,
    pub(crate) task: Task,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: json!({ "name": "mlp", "hidden": [6, 4] }),
            loss: json!({ "name": "cross_entropy" }),
            optimizer: json!({ "name": "sgd", "learning_rate": 0.1 }),
            scheduler: json!({ "name": "constant" }),
            training: json!({ "num_epochs": 3, "batch_size": 4 }),
            dtype: DType::F64,
            device: "flex",
            task: Task::Multiclass { num_classes: 3 },
        }
    }
}

/// Rows of waves that depend on the seed; the class is where a wave of its own is largest.
pub(crate) fn split(rows: usize, phase: f64, device: &Device, dtype: DType) -> DeviceDataset {
    let inputs: Vec<f64> = (0..rows * 5)
        .map(|k| 1.5 * (1.3 * k as f64 + phase).sin())
        .collect();
    let mut targets = vec![0.0; rows * 3];
    for row in 0..rows {
        targets[row * 3 + (row * 7 + phase as usize) % 3] = 1.0;
    }
    let tensor = |data, shape| Tensor::from_data(TensorData::new(data, shape), (device, dtype));
    DeviceDataset::new(tensor(inputs, [rows, 5]), tensor(targets, [rows, 3]), None)
}

/// Both engines; where there are no fused kernels, `auto` takes Burn operations.
pub(crate) const ENGINES: [&str; 2] = ["burn", "auto"];

impl Settings {
    /// The same trainings by another engine.
    pub(crate) fn by(&self, engine: &str) -> Self {
        let mut settings = self.clone();
        settings.training["engine"] = json!(engine);
        settings
    }

    /// Whether fused kernels train.
    pub(crate) fn is_fused(&self) -> bool {
        let trainer = self.trainer(1, 0.1);
        let (loss, rule) = (&trainer.loss, &trainer.optimizer.rule);
        let (training, device) = (&trainer.training, &trainer.device);
        let chosen = TrainedBy::choose(&trainer.network, loss, rule, training, [14, 7], device);
        chosen == Ok(TrainedBy::FusedKernels)
    }

    pub(crate) fn trainer(&self, seed: u64, learning_rate: f64) -> Trainer {
        let device = device::open(self.device).expect("a device");
        // Where fused kernels train, tensors stay in the host's memory.
        let tensors = match self.training["engine"] == "burn" {
            true => device.clone(),
            false => Device::flex(),
        };
        let mut rng = stream(seed, "init", &[]);
        let network = from_json::<ModelConfig>(&self.model)
            .init(&[5], 3, &mut rng, &tensors.clone().autodiff(), self.dtype)
            .expect("a network");
        let part = |rows, phase| split(rows, phase, &tensors, self.dtype);
        let optimizer: OptimizerConfig = from_json(&self.optimizer);
        let phase = seed as f64;
        Trainer {
            label: String::new(),
            network,
            device,
            loss: from_json(&self.loss),
            task: self.task.clone(),
            optimizer: optimizer.with_learning_rate(learning_rate),
            scheduler: from_json::<SchedulerConfig>(&self.scheduler),
            training: from_json::<TrainingConfig>(&self.training),
            checkpoint: CheckpointConfig::default(),
            probe: None,
            store: None,
            identity: Identity {
                config: String::new(),
                data_sha256: String::new(),
            },
            seed,
            data: SplitData {
                train: part(14, phase),
                valid: Some(part(7, phase + 0.5)),
                test: Some(part(5, phase + 0.7)),
            },
            dashboard: Dashboard::Quiet,
            least_epoch: std::time::Duration::ZERO,
            stop: StopFlag::default(),
            observer: Box::new(Silent),
        }
    }

    pub(crate) fn together(&self, trials: &[(u64, f64)]) -> Vec<TrainingResult> {
        let trainers = trials
            .iter()
            .map(|&(seed, rate)| (self.trainer(seed, rate), None));
        let (results, _) = Trainer::run_all(trainers.collect()).expect("trainings");
        results
    }

    pub(crate) fn alone(&self, trials: &[(u64, f64)]) -> Vec<TrainingResult> {
        let trainers = trials.iter().map(|&(seed, rate)| self.trainer(seed, rate));
        trainers
            .map(|trainer| trainer.run(None).expect("a training"))
            .collect()
    }
}

pub(crate) fn weights(network: &Network) -> Vec<f64> {
    let tensors = network.named_tensors().into_iter();
    tensors
        .flat_map(|(_, data)| data.iter::<f64>().collect::<Vec<_>>())
        .collect()
}

/// Asserts that two trainings have the same result up to rounding.
pub(crate) fn assert_same(
    what: &str,
    together: &TrainingResult,
    alone: &TrainingResult,
    tolerance: f64,
) {
    assert_eq!(together.ending, alone.ending, "{what}");
    assert_eq!(
        (together.epoch, together.step),
        (alone.epoch, alone.step),
        "{what}"
    );
    let near = |a: &[f64], b: &[f64]| {
        assert_eq!(a.len(), b.len(), "{what}");
        for (a, b) in a.iter().zip(b) {
            assert!(
                (a - b).abs() <= tolerance * b.abs().max(1.0),
                "{what}: {a}, {b}"
            );
        }
    };
    near(&weights(&together.network), &weights(&alone.network));
    let best = |finished: &TrainingResult| {
        let (best, network) = finished.best.as_ref().expect("a best epoch");
        (best.epoch, weights(network))
    };
    let (epoch, of_best) = best(together);
    assert_eq!(epoch, best(alone).0, "{what}");
    near(&of_best, &best(alone).1);
    assert_eq!(together.predicted.len(), 3);
    for ((split, a), (_, b)) in together.predicted.iter().zip(&alone.predicted) {
        near(&a.outputs, &b.outputs);
        let metrics = |p: &crate::Predicted| p.metrics.iter().map(|(_, x)| x).collect::<Vec<_>>();
        assert_eq!(metrics(a).len(), metrics(b).len(), "{split}");
        near(&metrics(a), &metrics(b));
    }
}

/// Asserts that trainings by Burn operations give the same together and alone up to rounding, and those by fused
/// kernels to the bit.
pub(crate) fn assert_equal(what: &str, settings: &Settings, trials: &[(u64, f64)], tolerance: f64) {
    for engine in ENGINES {
        let settings = settings.by(engine);
        let tolerance = if settings.is_fused() { 0.0 } else { tolerance };
        let together = settings.together(trials);
        let alone = settings.alone(trials);
        assert_eq!(together.len(), trials.len());
        for (a, b) in together.iter().zip(&alone) {
            assert_same(&format!("{what} by {engine}"), a, b, tolerance);
        }
    }
}
