//! Replicas trained together equal networks trained alone, by either engine.

use burn::tensor::DType;
use emberlab_menu::Menu as _;
use emberlab_models::{Activation, Normalization};
use emberlab_run_format::Ending;
use serde_json::json;

use super::testing::{ENGINES, Settings, assert_equal, assert_same, weights};
use crate::loss::{Loss, TargetKind};
use crate::{Trainer, TrainingError, TrainingResult};

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
        json!({ "name": "adagrad", "weight_decay": 0.01 }),
        json!({ "name": "nadam", "weight_decay": 0.01 }),
        json!({ "name": "lion", "weight_decay": 0.1 }),
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
fn replicas_equal_single_runs_with_dropout_residual_connections_penalties_noise_and_bounds() {
    let names = Normalization::NAMES.iter().map(|name| json!(name));
    let lists = [["none", "batch"], ["layer", "batch"]].map(|list| json!(list));
    for normalization in names.chain(lists) {
        for clipping in [json!({ "norm": 0.1 }), json!({ "value": 0.02 })] {
            let settings = Settings {
                model: json!({
                    "name": "mlp", "hidden": [6, 6], "normalization": normalization,
                    "dropout": [0.2, 0.5], "residual": true,
                }),
                training: json!({
                    "num_epochs": 3, "batch_size": 4, "penalty": { "l1": 0.01, "l2": 0.1 },
                    "max_norm": 1.0, "gradient_clipping": clipping, "average": { "ema": 0.8 },
                    "gradient_noise": { "std": 0.1 },
                }),
                ..Settings::default()
            };
            assert_equal(&normalization.to_string(), &settings, &SEEDS, 1e-11);
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
        json!({
            "num_epochs": 3, "batch_size": 4,
            "metrics": ["mcc", "balanced_accuracy", "roc_auc", "average_precision", "log_loss", "brier", "top_3"],
        }),
    ] {
        let settings = Settings {
            training: training.clone(),
            ..Settings::default()
        };
        assert_equal(&training.to_string(), &settings, &SEEDS, 1e-11);
    }
}

#[test]
fn each_replica_has_its_own_rate_where_rates_follow_from_results() {
    let settings = Settings {
        scheduler: json!({
            "name": "reduce_on_plateau", "factor": 0.5, "patience": 1, "threshold": 0.02, "metric": "roc_auc",
        }),
        training: json!({ "num_epochs": 8, "batch_size": 4 }),
        ..Settings::default()
    };
    assert_equal("plateau", &settings, &SEEDS, 1e-11);
    assert_equal("plateau", &settings, &RATES, 1e-11);
    let constant = Settings {
        scheduler: json!({ "name": "constant" }),
        ..settings.clone()
    };
    let [with, without] = [settings, constant].map(|settings| settings.alone(&SEEDS));
    let differs =
        |(a, b): (&TrainingResult, &TrainingResult)| weights(&a.network) != weights(&b.network);
    assert!(with.iter().zip(&without).any(differs));
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
    for settings in ENGINES.map(|engine| settings.by(engine)) {
        let together = settings.together(&trials);
        let epochs: Vec<usize> = together.iter().map(|one| one.epoch).collect();
        let early = together
            .iter()
            .filter(|one| one.ending == Ending::StoppedEarly);
        assert!(
            early.count() >= 2 && epochs.iter().any(|e| *e != epochs[0]),
            "{epochs:?}"
        );
        let tolerance = if settings.is_fused() { 0.0 } else { 1e-10 };
        for (a, b) in together.iter().zip(settings.alone(&trials)) {
            assert_same("early stopping", a, &b, tolerance);
        }
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
    for settings in ENGINES.map(|engine| settings.by(engine)) {
        let together = settings.together(&trials);
        let alone = settings.alone(&trials);
        assert!(weights(&together[1].network).iter().any(|w| !w.is_finite()));
        assert_eq!(together[1].ending, alone[1].ending);
        let tolerance = if settings.is_fused() { 0.0 } else { 1e-11 };
        for index in [0, 2] {
            assert_same(
                "beside a replica with NaN",
                &together[index],
                &alone[index],
                tolerance,
            );
        }
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
    for (engine, other) in ENGINES
        .into_iter()
        .flat_map(|e| others.clone().map(|o| (e, o)))
    {
        let (settings, other) = (settings.by(engine), other.by(engine));
        let trainers = vec![
            (settings.trainer(1, 0.1), None),
            (other.trainer(2, 0.1), None),
        ];
        let refused = Trainer::run_all(trainers);
        assert!(matches!(refused, Err(TrainingError::NotAlike(_))));
    }
}
