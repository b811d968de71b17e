//! Trainings on a GPU equal those in the host's memory, and their bits depend on nothing but the training.

use burn::tensor::DType;
use emberlab_datasets::{Batch, Standardizer};
use emberlab_models::Normalization;
use emberlab_run_format::Ending;
use serde_json::json;

use super::tests::{Run, STEPS_PER_EPOCH, difference, rules, with_metrics_on_request, with_rate};
use crate::checkpoint::{CheckpointConfig, Every};
use crate::engine::testing::{Settings, assert_same, has_gpu};
use crate::inspection::{InspectConfig, InspectEvery, Probe};
use crate::task::Task;
use crate::{TrainedBy, Trainer, TrainingResult};

fn on_gpu() -> Settings {
    Settings {
        training: json!({ "num_epochs": 4, "batch_size": 5, "engine": "fused" }),
        dtype: DType::F32,
        device: "wgpu",
        ..Settings::default()
    }
}

/// The same training in the host's memory.
fn on_host(settings: &Settings) -> Settings {
    Settings {
        device: "flex",
        ..settings.clone()
    }
}

/// Trainings of each normalisation, with a rule each; losses and measurements of outputs take turns.
fn each_normalization(mut test: impl FnMut(&str, Settings)) {
    let regression = Task::Regression {
        standardizer: Standardizer {
            mean: vec![0.5, 0.0, -1.0],
            std: vec![2.0, 1.0, 0.5],
        },
        on_logs: false,
    };
    for (turn, (normalization, rule)) in Normalization::NAMES
        .iter()
        .zip(rules().iter().cycle().skip(1))
        .enumerate()
    {
        let is_regression = turn % 2 == 1;
        let settings = Settings {
            model: json!({
                "name": "mlp", "hidden": [6, 8], "activation": "tanh",
                "normalization": normalization,
            }),
            optimizer: with_rate(rule),
            loss: json!({ "name": if is_regression { "mse" } else { "cross_entropy" } }),
            task: match is_regression {
                true => regression.clone(),
                false => Settings::default().task,
            },
            ..on_gpu()
        };
        test(&format!("{normalization}, {rule}"), settings);
    }
}

#[test]
fn a_training_on_a_gpu_equals_one_in_the_hosts_memory_and_goes_on_from_any_step() {
    if !has_gpu() {
        return;
    }
    let end = 2 * STEPS_PER_EPOCH + 2;
    each_normalization(|what, settings| {
        let mut whole = Run::new(&settings, &[1]);
        whole.train_to(end);
        let found = whole.numbers(0);
        let mut host = Run::new(&on_host(&settings), &[1]);
        host.train_to(end);
        let distance = difference(&found, &host.numbers(0));
        assert!(distance < 1e-3, "{what}: {distance:e}");
        // Step by step, and from a checkpoint at each step.
        let mut cut = Run::new(&settings, &[1]);
        for step in 1..=end {
            cut.train_to(step);
            let mut resumed = cut.resumed(&settings);
            resumed.train_to(end);
            assert_eq!(resumed.numbers(0), found, "{what}, resumed at {step}");
        }
        assert_eq!(cut.numbers(0), found, "{what}, step by step");
    });
}

#[test]
fn a_stack_on_a_gpu_gives_the_bits_of_single_trainings() {
    if !has_gpu() {
        return;
    }
    let settings = on_gpu();
    let mut together = Run::new(&settings, &[1, 2, 3, 7]);
    together.train_to(STEPS_PER_EPOCH + 1);
    together.engine.keep(&[0, 1, 3]);
    together.metrics.remove(2);
    together.train_to(3 * STEPS_PER_EPOCH);
    for (index, seed) in [1, 2, 7].into_iter().enumerate() {
        let mut alone = Run::new(&settings, &[seed]);
        alone.train_to(3 * STEPS_PER_EPOCH);
        assert_eq!(together.numbers(index), alone.numbers(0), "seed {seed}");
    }
}

/// The result of one training with checkpoints at these moments.
fn run(settings: &Settings, every: Every) -> TrainingResult {
    let trainer = Trainer {
        checkpoint: CheckpointConfig {
            every,
            ..CheckpointConfig::default()
        },
        ..settings.trainer(3, 0.1)
    };
    trainer.run(None).expect("a training")
}

#[test]
fn epochs_done_ahead_change_no_decision_at_the_end_of_an_epoch() {
    if !has_gpu() {
        return;
    }
    let settings = Settings {
        optimizer: json!({ "name": "adam", "learning_rate": 0.1 }),
        training: json!({
            "num_epochs": 40, "batch_size": 5, "engine": "fused",
            "early_stopping": { "patience": 3 }, "train_metrics": "evaluated",
        }),
        ..on_gpu()
    };
    // A checkpoint is due within each epoch, so the loop asks for parts of epochs, and none is done ahead.
    let apart = run(&settings, Every::Steps(STEPS_PER_EPOCH as u64 - 1));
    let ahead = run(&settings, Every::Epochs(1));
    assert_eq!(ahead.ending, Ending::StoppedEarly);
    assert!(ahead.epoch > 3 && ahead.epoch < 40, "{}", ahead.epoch);
    assert_same("ahead", &ahead, &apart, 0.0);
    // A checkpoint in the middle of some epochs brings the GPU back from the epochs that it has done ahead.
    let back = run(&settings, Every::Steps(4 * STEPS_PER_EPOCH as u64 + 1));
    assert_same("back", &back, &ahead, 0.0);
    // Before a record the GPU stops doing epochs ahead, so that it need not come back.
    let every = InspectEvery::Epochs(5);
    let trainer = settings.trainer(3, 0.1);
    let probe = Probe {
        config: InspectConfig { every },
        batch: Batch::all(&trainer.data.train),
        grid: None,
        image: None,
    };
    let trainer = Trainer {
        probe: Some(probe),
        ..trainer
    };
    let recorded = trainer.run(None).expect("a training");
    assert_same("recorded", &recorded, &ahead, 0.0);
}

#[test]
fn metrics_on_request_on_a_gpu_are_those_of_the_host() {
    if !has_gpu() {
        return;
    }
    for settings in with_metrics_on_request(&on_gpu()) {
        let mut gpu = Run::new(&settings, &[1, 2]);
        let mut host = Run::new(&on_host(&settings), &[1, 2]);
        for run in [&mut gpu, &mut host] {
            run.train_to(2 * STEPS_PER_EPOCH);
        }
        for index in 0..2 {
            let difference = difference(&gpu.numbers(index), &host.numbers(index));
            assert!(difference < 1e-3, "{difference}");
        }
    }
}

#[test]
fn rates_that_follow_from_results_are_those_of_the_host_and_of_parts_of_epochs() {
    if !has_gpu() {
        return;
    }
    let settings = Settings {
        scheduler: json!({ "name": "reduce_on_plateau", "factor": 0.5, "patience": 0, "threshold": 0.05 }),
        training: json!({ "num_epochs": 8, "batch_size": 5, "engine": "fused" }),
        ..on_gpu()
    };
    let whole = run(&settings, Every::Epochs(1));
    let parts = run(&settings, Every::Steps(STEPS_PER_EPOCH as u64 - 1));
    assert_same("parts", &parts, &whole, 0.0);
    assert_same(
        "host",
        &run(&on_host(&settings), Every::Epochs(1)),
        &whole,
        1e-3,
    );
}

#[test]
fn replicas_on_a_gpu_stop_early_one_by_one() {
    if !has_gpu() {
        return;
    }
    let settings = Settings {
        optimizer: json!({ "name": "adam", "learning_rate": 0.1 }),
        training: json!({
            "num_epochs": 30, "batch_size": 5, "engine": "fused",
            "early_stopping": { "patience": 2 },
        }),
        ..on_gpu()
    };
    let trials = [(1, 0.3), (2, 0.001), (3, f64::MAX), (4, 0.1)];
    let together = settings.together(&trials);
    let mut epochs: Vec<usize> = together.iter().map(|one| one.epoch).collect();
    epochs.dedup();
    assert!(epochs.len() > 2, "{epochs:?}");
    for (index, (a, b)) in together.iter().zip(settings.alone(&trials)).enumerate() {
        // A training with NaN has no best epoch.
        match index {
            2 => assert_eq!((a.ending, a.epoch), (b.ending, b.epoch)),
            _ => assert_same("early stopping", a, &b, 0.0),
        }
    }
}

#[test]
fn fused_kernels_train_on_a_gpu_unless_it_ends_long_kernels() {
    if !has_gpu() {
        return;
    }
    let chosen = |settings: &Settings, num_train| {
        let trainer = settings.trainer(1, 0.1);
        let (loss, rule) = (&trainer.loss, &trainer.optimizer.rule);
        let (training, device) = (&trainer.training, &trainer.device);
        TrainedBy::choose(
            &trainer.network,
            loss,
            rule,
            training,
            [num_train, 7],
            device,
        )
    };
    let settings = on_gpu();
    assert_eq!(chosen(&settings, 14), Ok(TrainedBy::FusedKernels));
    let auto = settings.by("auto");
    let naive = Settings {
        loss: json!({ "name": "cross_entropy_naive" }),
        ..auto.clone()
    };
    let noisy = Settings {
        training: json!({ "num_epochs": 4, "gradient_noise": { "std": 0.1 } }),
        ..auto.clone()
    };
    let mixed = Settings {
        model: json!({ "name": "mlp", "hidden": [6, 8], "normalization": ["batch", "none"] }),
        ..auto
    };
    for (settings, part) in [
        (naive, "naive cross-entropy"),
        (noisy, "noise of gradients"),
        (mixed, "normalisations that differ from layer to layer"),
    ] {
        let found = chosen(&settings, 14).expect("an engine").to_string();
        let because = format!("there are no fused kernels for {part} on a GPU");
        assert_eq!(found, format!("Burn operations, because {because}"));
    }
}
