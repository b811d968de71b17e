//! Replicas trained together equal networks trained alone.

use burn::tensor::{DType, Device, Tensor, TensorData};
use emberlab_datasets::DeviceDataset;
use emberlab_menu::Menu as _;
use emberlab_models::{Activation, ModelConfig, Normalization};
use emberlab_rng::stream;
use emberlab_run_format::Ending;
use emberlab_storage::Identity;
use serde_json::{Value, json};

use super::*;
use crate::loss::{Loss, TargetKind};
use crate::{
    CheckpointConfig, Dashboard, EpochRecord, Observer, OptimizerConfig, SchedulerConfig,
    SplitData, StopFlag, Task, Trainer, TrainingConfig, TrainingError, TrainingResult,
};

struct Silent;

impl Observer for Silent {
    fn epoch_ended(&mut self, _: &EpochRecord) -> Result<(), TrainingError> {
        Ok(())
    }
}

fn from_json<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).expect("a configuration")
}

/// The settings that the trainings of a test share.
#[derive(Clone)]
struct Settings {
    model: Value,
    loss: Value,
    optimizer: Value,
    scheduler: Value,
    training: Value,
    dtype: DType,
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
        }
    }
}

/// Rows of waves that depend on the seed; the class is where a wave of its own is largest.
fn split(rows: usize, phase: f64, dtype: DType) -> DeviceDataset {
    let device = Device::flex();
    let inputs: Vec<f64> = (0..rows * 5)
        .map(|k| 1.5 * (1.3 * k as f64 + phase).sin())
        .collect();
    let mut targets = vec![0.0; rows * 3];
    for row in 0..rows {
        targets[row * 3 + (row * 7 + phase as usize) % 3] = 1.0;
    }
    let tensor = |data, shape| Tensor::from_data(TensorData::new(data, shape), (&device, dtype));
    DeviceDataset {
        inputs: tensor(inputs, [rows, 5]),
        targets: tensor(targets, [rows, 3]),
        weights: None,
    }
}

impl Settings {
    fn trainer(&self, seed: u64, learning_rate: f64) -> Trainer {
        let device = Device::flex().autodiff();
        let network = from_json::<ModelConfig>(&self.model)
            .init(&[5], 3, &mut stream(seed, "init", &[]), &device, self.dtype)
            .expect("a network");
        let optimizer: OptimizerConfig = from_json(&self.optimizer);
        let phase = seed as f64;
        Trainer {
            label: String::new(),
            network,
            loss: from_json(&self.loss),
            task: Task::Multiclass { num_classes: 3 },
            optimizer: optimizer.with_learning_rate(learning_rate),
            scheduler: from_json::<SchedulerConfig>(&self.scheduler),
            training: from_json::<TrainingConfig>(&self.training),
            checkpoint: CheckpointConfig::default(),
            store: None,
            identity: Identity {
                config: String::new(),
                data_sha256: String::new(),
            },
            seed,
            data: SplitData {
                train: split(14, phase, self.dtype),
                valid: Some(split(7, phase + 0.5, self.dtype)),
                test: Some(split(5, phase + 0.7, self.dtype)),
            },
            dashboard: Dashboard::Quiet,
            stop: StopFlag::default(),
            observer: Box::new(Silent),
        }
    }

    fn together(&self, trials: &[(u64, f64)]) -> Vec<TrainingResult> {
        let trainers = trials
            .iter()
            .map(|&(seed, rate)| (self.trainer(seed, rate), None));
        Trainer::run_all(trainers.collect()).expect("trainings")
    }

    fn alone(&self, trials: &[(u64, f64)]) -> Vec<TrainingResult> {
        let trainers = trials.iter().map(|&(seed, rate)| self.trainer(seed, rate));
        trainers
            .map(|trainer| trainer.run(None).expect("a training"))
            .collect()
    }
}

fn weights(network: &Network) -> Vec<f64> {
    let tensors = network.named_tensors().into_iter();
    tensors
        .flat_map(|(_, data)| data.iter::<f64>().collect::<Vec<_>>())
        .collect()
}

/// Asserts that two trainings have the same result up to rounding.
fn assert_same(what: &str, together: &TrainingResult, alone: &TrainingResult, tolerance: f64) {
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

fn assert_equal(what: &str, settings: &Settings, trials: &[(u64, f64)], tolerance: f64) {
    let together = settings.together(trials);
    let alone = settings.alone(trials);
    assert_eq!(together.len(), trials.len());
    for (a, b) in together.iter().zip(&alone) {
        assert_same(what, a, b, tolerance);
    }
}

const SEEDS: [(u64, f64); 3] = [(1, 0.1), (2, 0.1), (5, 0.1)];
const RATES: [(u64, f64); 3] = [(1, 0.1), (1, 0.03), (2, 0.2)];

#[test]
fn replicas_equal_single_runs_for_every_normalization_activation_and_loss() {
    for normalization in Normalization::NAMES {
        for activation in Activation::NAMES {
            let settings = Settings {
                model: json!({
                    "name": "mlp", "hidden": [6, 4], "activation": activation,
                    "normalization": normalization,
                }),
                ..Settings::default()
            };
            let what = format!("{normalization}, {activation}");
            assert_equal(&what, &settings, &SEEDS, 1e-11);
            let single = Settings {
                dtype: DType::F32,
                ..settings
            };
            assert_equal(&what, &single, &SEEDS, 1e-4);
        }
    }
    let can_learn_classes =
        |loss: &Loss| !loss.is_flat() && loss.targets() != TargetKind::TwoClasses;
    for loss in Loss::examples().into_iter().filter(can_learn_classes) {
        let loss = loss.name();
        for reduction in ["mean", "sum"] {
            let settings = Settings {
                loss: json!({ "name": loss, "reduction": reduction }),
                ..Settings::default()
            };
            let what = format!("{loss}, {reduction}");
            assert_equal(&what, &settings, &[(1, 0.01), (2, 0.01)], 1e-11);
        }
    }
}

#[test]
fn replicas_equal_single_runs_for_every_optimizer_schedule_and_clipping() {
    for optimizer in [
        json!({ "name": "sgd", "weight_decay": 0.01 }),
        json!({ "name": "sgd", "momentum": 0.9, "nesterov": true }),
        json!({ "name": "adam", "weight_decay": 0.01 }),
        json!({ "name": "adamw", "weight_decay": 0.1 }),
        json!({ "name": "rmsprop", "momentum": 0.5 }),
    ] {
        for clipping in [
            json!(null),
            json!({ "norm": 0.1 }),
            json!({ "value": 0.02 }),
        ] {
            let mut optimizer = optimizer.clone();
            optimizer["learning_rate"] = json!(0.1);
            let mut training = json!({ "num_epochs": 2, "batch_size": 4 });
            if !clipping.is_null() {
                training["gradient_clipping"] = clipping.clone();
            }
            let settings = Settings {
                optimizer,
                training,
                scheduler: json!({ "name": "cosine" }),
                ..Settings::default()
            };
            let what = format!("{}, {clipping}", settings.optimizer);
            assert_equal(&what, &settings, &SEEDS, 1e-11);
            assert_equal(&what, &settings, &RATES, 1e-11);
        }
    }
}

#[test]
fn replicas_equal_single_runs_for_every_kind_of_batches_and_metrics() {
    for training in [
        json!({ "num_epochs": 3, "batch_size": "full" }),
        json!({ "num_epochs": 3, "batch_size": 5, "drop_last": true }),
        json!({ "num_epochs": 3, "batch_size": 4, "shuffle": false }),
        json!({ "num_epochs": 3, "batch_size": 4, "train_metrics": "evaluated" }),
    ] {
        let settings = Settings {
            training: training.clone(),
            ..Settings::default()
        };
        assert_equal(&training.to_string(), &settings, &SEEDS, 1e-11);
    }
}

#[test]
fn a_replica_can_stop_early_while_the_others_go_on() {
    let settings = Settings {
        optimizer: json!({ "name": "adam", "learning_rate": 0.1 }),
        training: json!({
            "num_epochs": 30, "batch_size": 4, "early_stopping": { "patience": 2 },
        }),
        ..Settings::default()
    };
    let trials = [(1, 0.3), (2, 0.001), (3, 0.1), (4, 0.001)];
    let together = settings.together(&trials);
    let epochs: Vec<usize> = together.iter().map(|one| one.epoch).collect();
    let early = together
        .iter()
        .filter(|one| one.ending == Ending::StoppedEarly);
    assert!(
        early.count() >= 2 && epochs.iter().any(|e| *e != epochs[0]),
        "{epochs:?}"
    );
    for (a, b) in together.iter().zip(settings.alone(&trials)) {
        assert_same("early stopping", a, &b, 1e-10);
    }
}

#[test]
fn a_replica_with_nan_leaves_the_others_unchanged() {
    let settings = Settings {
        model: json!({ "name": "mlp", "hidden": [6], "normalization": "batch" }),
        optimizer: json!({ "name": "sgd", "learning_rate": 0.1 }),
        ..Settings::default()
    };
    let trials = [(1, 0.1), (2, f64::MAX), (3, 0.1)];
    let together = settings.together(&trials);
    let alone = settings.alone(&trials);
    assert!(weights(&together[1].network).iter().any(|w| !w.is_finite()));
    assert_eq!(together[1].ending, alone[1].ending);
    for index in [0, 2] {
        assert_same(
            "beside a replica with NaN",
            &together[index],
            &alone[index],
            1e-11,
        );
    }
}

#[test]
fn trainings_with_different_settings_are_refused() {
    let settings = Settings::default();
    let others = [
        Settings {
            loss: json!({ "name": "mse" }),
            ..settings.clone()
        },
        Settings {
            model: json!({ "name": "mlp", "hidden": [7] }),
            ..settings.clone()
        },
        Settings {
            optimizer: json!({ "name": "adam", "learning_rate": 0.1 }),
            ..settings.clone()
        },
    ];
    for other in others {
        let trainers = vec![
            (settings.trainer(1, 0.1), None),
            (other.trainer(2, 0.1), None),
        ];
        let refused = Trainer::run_all(trainers);
        assert!(matches!(refused, Err(TrainingError::NotAlike(_))));
    }
}
