//! The fused engine equals the engine of Burn operations, and its bits depend on nothing but the training.

use burn::tensor::{Bytes, DType, Tensor, TensorData};
use emberlab_datasets::Standardizer;
use emberlab_menu::Menu as _;
use emberlab_metrics::Split;
use emberlab_models::{Activation, Normalization};
use serde_json::{Value, json};

use crate::engine::testing::Settings;
use crate::engine::{Beginning, Shared, Steps, TrainedBy, TrainingEngine, engine};
use crate::error::TrainingError;
use crate::loss::{Loss, OutputKind};
use crate::metric_accumulator::MetricAccumulator;
use crate::optimizer::{Optimizer, UpdateRule};
use crate::record::{load_network, network_bytes};
use crate::scheduler::{Cumulative, Interval, Scheduler};
use crate::supervised_model::SupervisedModel;
use crate::task::Task;

/// Steps in an epoch: 14 rows in batches of 5, the last of 4 rows.
pub(in crate::engine) const STEPS_PER_EPOCH: usize = 3;

/// Trainings in an engine.
pub(in crate::engine) struct Run {
    pub(super) engine: Box<dyn TrainingEngine>,
    pub(super) metrics: Vec<MetricAccumulator>,
    /// The optimiser as it was made, to read checkpoints into.
    optimizer: Optimizer,
    settings: Settings,
    steps_done: usize,
}

/// One training as its settings begin it.
fn beginning(settings: &Settings, seed: u64) -> (Beginning, Shared) {
    let trainer = settings.trainer(seed, 0.01);
    let supervised = SupervisedModel::new(trainer.network, trainer.loss.clone()).for_training();
    let beginning = Beginning {
        optimizer: Optimizer::of_training(
            &trainer.optimizer,
            &trainer.training,
            trainer.data.train.len(),
            &supervised,
        ),
        network: supervised.network,
        best: None,
        data: trainer.data,
        seed,
        // Another learning rate for each step.
        scheduler: Scheduler::new(
            &Cumulative {
                gamma: 0.9,
                interval: Interval::Step,
            }
            .into(),
            &trainer.optimizer,
            STEPS_PER_EPOCH,
            trainer.training.num_epochs,
        ),
    };
    let shared = Shared {
        loss: trainer.loss,
        task: trainer.task,
        asked: trainer.training.asked_metrics(&trainer.scheduler),
        training: trainer.training,
        device: trainer.device,
    };
    (beginning, shared)
}

impl Run {
    pub(in crate::engine) fn new(settings: &Settings, seeds: &[u64]) -> Self {
        let (first, shared) = beginning(settings, seeds[0]);
        let others = seeds.iter().skip(1);
        let others = others.map(|&seed| beginning(settings, seed).0);
        Self::of(
            settings,
            [first].into_iter().chain(others).collect(),
            shared,
        )
    }

    fn of(settings: &Settings, beginnings: Vec<Beginning>, shared: Shared) -> Self {
        let empty = MetricAccumulator::new(&shared.task, &shared.asked).expect("metrics");
        Self {
            metrics: vec![empty; beginnings.len()],
            optimizer: beginnings[0].optimizer.clone(),
            engine: engine(beginnings, shared).expect("an engine"),
            settings: settings.clone(),
            steps_done: 0,
        }
    }

    /// A training with weights of samples.
    fn weighted(settings: &Settings) -> Self {
        let (mut first, shared) = beginning(settings, 1);
        let train = &mut first.data.train;
        let weights: Vec<f64> = (0..train.len()).map(|row| 0.5 * (row % 4) as f64).collect();
        let data = TensorData::new(weights, [train.len(), 1]);
        let options = (&train.inputs.device(), settings.dtype);
        train.weights = Some(Tensor::from_data(data, options));
        Self::of(settings, vec![first], shared)
    }

    /// Trains until `end` steps are done, in one call for each epoch.
    pub(in crate::engine) fn train_to(&mut self, end: usize) {
        while self.steps_done < end {
            let epoch = self.steps_done / STEPS_PER_EPOCH;
            let start = self.steps_done % STEPS_PER_EPOCH;
            let count = (end - self.steps_done).min(STEPS_PER_EPOCH - start);
            let steps = Steps {
                epoch: epoch as u64,
                steps: start..start + count,
                done: self.steps_done as u64,
                whole_epochs: usize::MAX,
            };
            let mut metrics: Vec<_> = self.metrics.iter_mut().collect();
            self.engine.train(&steps, &mut metrics).expect("steps");
            self.engine.read_results(&mut metrics).expect("results");
            self.steps_done += count;
        }
    }

    /// A training that goes on from a checkpoint of this one, by the engine of these settings.
    pub(super) fn resumed(&mut self, settings: &Settings) -> Self {
        let (mut one, shared) = beginning(settings, 1);
        let network = network_bytes(&self.engine.network(0).expect("numbers")).expect("a record");
        one.network = load_network(one.network, &network).expect("its own record");
        let state = self.engine.optimizer_bytes(0).expect("a record");
        let state = Bytes::from_bytes_vec(state.to_vec());
        let loaded = one.optimizer.load_bytes(state, self.steps_done as u64);
        one.optimizer = loaded.expect("its own record");
        Self {
            metrics: self.metrics.clone(),
            steps_done: self.steps_done,
            ..Self::of(settings, vec![one], shared)
        }
    }

    /// Weights, running statistics, buffers of the optimiser, and the metrics of the steps and of the validation split.
    pub(in crate::engine) fn numbers(&mut self, index: usize) -> Vec<f64> {
        let tensors = self
            .engine
            .network(index)
            .expect("numbers")
            .named_tensors()
            .into_iter();
        let mut all: Vec<f64> = tensors
            .flat_map(|(_, data)| data.iter::<f64>().collect::<Vec<_>>())
            .collect();
        let state = self.engine.optimizer_bytes(index).expect("a record");
        let state = Bytes::from_bytes_vec(state.to_vec());
        let optimizer = self
            .optimizer
            .clone()
            .load_bytes(state, 0)
            .expect("a record");
        let buffers: Vec<f64> = match self.settings.dtype {
            DType::F64 => optimizer.numbers::<f64>().expect("f64").concat(),
            _ => {
                let buffers = optimizer.numbers::<f32>().expect("f32").concat();
                buffers.into_iter().map(f64::from).collect()
            }
        };
        all.extend(buffers);
        let (_, shared) = beginning(&self.settings, 1);
        let empty = MetricAccumulator::new(&shared.task, &shared.asked).expect("metrics");
        let mut valid = vec![empty; self.metrics.len()];
        let mut references: Vec<_> = valid.iter_mut().collect();
        (self.engine)
            .evaluate(Split::Valid, &mut references, &|| false)
            .map(|all| assert!(all.is_continue()))
            .expect("an evaluation");
        for accumulator in [&self.metrics[index], &valid[index]] {
            let metrics = accumulator
                .metrics(&shared.task, &shared.loss)
                .expect("metrics");
            all.extend(metrics.iter().map(|(_, value)| value));
        }
        all
    }
}

/// Trainings with metrics that need the outputs of all samples, counts of classes, or errors of numbers.
pub(super) fn with_metrics_on_request(settings: &Settings) -> [Settings; 2] {
    let asked = |names: &[&str]| {
        let mut settings = settings.clone();
        settings.training["metrics"] = json!(names);
        settings
    };
    let classes = asked(&[
        "balanced_accuracy",
        "mcc",
        "roc_auc",
        "average_precision",
        "log_loss",
        "brier",
        "top_3",
    ]);
    let numbers = Settings {
        loss: json!({ "name": "mse" }),
        task: Task::Regression {
            standardizer: Standardizer {
                mean: vec![0.5, 0.0, -1.0],
                std: vec![2.0, 1.0, 0.5],
            },
            on_logs: false,
        },
        ..asked(&["mape", "median_absolute_error"])
    };
    [classes, numbers]
}

#[test]
fn metrics_on_request_are_those_of_burn_operations_and_survive_a_stop_within_an_epoch() {
    for settings in with_metrics_on_request(&Settings::default()) {
        let mut whole = Run::new(&settings.by("fused"), &[1]);
        let mut burn = Run::new(&settings.by("burn"), &[1]);
        let mut cut = Run::new(&settings.by("fused"), &[1]);
        let end = STEPS_PER_EPOCH - 1;
        for run in [&mut whole, &mut burn] {
            run.train_to(end);
        }
        cut.train_to(1);
        let written: Vec<String> = (cut.metrics.iter())
            .map(|metrics| serde_json::to_string(metrics).expect("JSON"))
            .collect();
        let mut resumed = cut.resumed(&settings.by("fused"));
        for (metrics, written) in resumed.metrics.iter_mut().zip(&written) {
            *metrics = serde_json::from_str(written).expect("its own record");
        }
        resumed.train_to(end);
        let found = whole.numbers(0);
        assert!(difference(&found, &burn.numbers(0)) < 1e-11);
        assert_eq!(resumed.numbers(0), found);
    }
}

/// The largest difference of two lists of numbers, relative to numbers above 1; infinite if there is NaN.
pub(in crate::engine) fn difference(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let pairs = found.iter().zip(expected);
    let each = pairs.map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
    each.fold(0.0, |largest, one| match one.is_nan() {
        true => f64::INFINITY,
        false => largest.max(one),
    })
}

/// The rules with hyperparameters that leave out nothing. A large epsilon keeps the rounding of gradients that should
/// be zero, such as those of a bias before a normalisation, from becoming a step of full length.
pub(super) fn rules() -> Vec<Value> {
    vec![
        json!({ "name": "sgd" }),
        json!({ "name": "sgd", "momentum": 0.9, "nesterov": true, "weight_decay": 0.01 }),
        json!({ "name": "adam", "weight_decay": 0.01, "epsilon": 0.1 }),
        json!({ "name": "adamw", "weight_decay": 0.1, "epsilon": 0.1 }),
        json!({ "name": "rmsprop", "momentum": 0.5, "epsilon": 0.1 }),
        json!({ "name": "adagrad", "weight_decay": 0.01, "epsilon": 0.1 }),
        json!({ "name": "nadam", "weight_decay": 0.01, "epsilon": 0.1 }),
    ]
}

#[test]
fn fused_steps_equal_burn_operations_for_every_activation_normalization_loss_and_optimizer() {
    let named = |rule: &Value, name: &str| rule["name"] == name;
    let has_kernels = |rule: &UpdateRule| rule.fused().is_some();
    for rule in UpdateRule::examples().into_iter().filter(has_kernels) {
        let name = rule.name();
        assert!(rules().iter().any(|rule| named(rule, name)), "no {name}");
    }
    let is_covered = |activation: &&Activation| activation.fused().is_some();
    let mut cases = 0;
    let mut differing = Vec::new();
    for activation in Activation::examples().iter().filter(is_covered) {
        for normalization in Normalization::NAMES {
            for loss in Loss::examples()
                .into_iter()
                .filter(|loss| loss.fused().is_some())
            {
                let output = match loss.outputs() {
                    OutputKind::Probabilities => "sigmoid",
                    OutputKind::Logit | OutputKind::ClassLogits | OutputKind::Numbers => "linear",
                };
                for (index, rule) in rules().into_iter().enumerate() {
                    // The other choices take turns, so that each of them meets every rule.
                    let turn = (cases / rules().len()) * 5 + index;
                    let mut training = json!({ "num_epochs": 2, "batch_size": 5 });
                    match turn % 3 {
                        0 => {}
                        1 => training["gradient_clipping"] = json!({ "norm": 0.5 }),
                        _ => training["gradient_clipping"] = json!({ "value": 0.02 }),
                    }
                    let mut model = json!({ "name": "mlp", "hidden": [6, 8] });
                    match (turn / 2) % 4 {
                        0 | 1 => {}
                        2 => {
                            model = json!({
                                "name": "mlp", "hidden": [8, 8], "residual": true,
                                "dropout": [0.2, 0.5],
                                // Sums of layers grow, and with larger weights some losses would overflow.
                                "initializer": { "name": "kaiming_normal", "gain": 0.5 },
                            });
                        }
                        _ => {
                            training["penalty"] = json!({ "l1": 0.01, "l2": 0.1 });
                            training["max_norm"] = json!(1.2);
                            training["gradient_noise"] = json!({ "std": 0.1 });
                            training["average"] = match turn % 2 {
                                0 => json!({ "ema": 0.9 }),
                                _ => json!({ "swa": 0 }),
                            };
                        }
                    }
                    let is_weighted = (turn / 3).is_multiple_of(2);
                    let has_bias = (turn / 6).is_multiple_of(2);
                    let reduction = if (turn / 12).is_multiple_of(2) {
                        "mean"
                    } else {
                        "sum"
                    };
                    // These divide by deviations that a few numbers can make small, which amplifies rounding.
                    let in_f32 = if ["batch", "group"].contains(normalization) {
                        1e-3
                    } else {
                        1e-4
                    };
                    for (dtype, tolerance) in [(DType::F64, 1e-10), (DType::F32, in_f32)] {
                        model["activation"] = json!(activation);
                        model["normalization"] = json!(normalization);
                        model["output_activation"] = json!(output);
                        model["bias"] = json!(has_bias);
                        let settings = Settings {
                            model: model.clone(),
                            loss: json!({ "name": loss.name(), "reduction": reduction }),
                            optimizer: with_rate(&rule),
                            training: training.clone(),
                            dtype,
                            ..Settings::default()
                        };
                        let what = format!(
                            "{model}, {} ({reduction}), {rule}, {training}, weights: {is_weighted}, \
                             {dtype:?}",
                            loss.name(),
                        );
                        let after_steps = |engine: &str| {
                            let settings = settings.by(engine);
                            let mut run = match is_weighted {
                                true => Run::weighted(&settings),
                                false => Run::new(&settings, &[1]),
                            };
                            run.train_to(STEPS_PER_EPOCH + 1);
                            run.numbers(0)
                        };
                        let found = difference(&after_steps("fused"), &after_steps("burn"));
                        if found > tolerance {
                            differing.push(format!("{found:.1e}: {what}"));
                        }
                    }
                    cases += 1;
                }
            }
        }
    }
    let count = differing.len();
    assert!(differing.is_empty(), "{count} of {cases}: {differing:#?}");
}

#[test]
fn fused_steps_equal_burn_operations_for_normalizations_that_differ_from_layer_to_layer() {
    for normalization in [
        json!(["none", "batch"]),
        json!(["batch", "none"]),
        json!(["layer", { "name": "batch", "momentum": 0.5 }]),
        json!([{ "name": "group", "num_groups": 3 }, "instance"]),
    ] {
        for (dtype, tolerance) in [(DType::F64, 1e-10), (DType::F32, 1e-3)] {
            let settings = Settings {
                model: json!({
                    "name": "mlp", "hidden": [6, 8], "activation": "tanh", "normalization": normalization,
                }),
                optimizer: json!({ "name": "adam", "learning_rate": 0.05, "epsilon": 0.1 }),
                training: json!({
                    "num_epochs": 2, "batch_size": 5, "gradient_noise": { "std": 0.2, "decay": 1.0 },
                }),
                dtype,
                ..Settings::default()
            };
            let after_steps = |engine: &str| {
                let mut run = Run::new(&settings.by(engine), &[1]);
                run.train_to(STEPS_PER_EPOCH + 1);
                run.numbers(0)
            };
            let found = difference(&after_steps("fused"), &after_steps("burn"));
            assert!(found < tolerance, "{normalization}, {dtype:?}: {found}");
        }
    }
}

pub(super) fn with_rate(rule: &Value) -> Value {
    let mut optimizer = rule.clone();
    optimizer["learning_rate"] = json!(0.05);
    optimizer
}

/// Trainings of each normalisation and rule, in both precisions.
fn each_normalization_and_rule(mut test: impl FnMut(&str, Settings)) {
    for dtype in [DType::F64, DType::F32] {
        for normalization in Normalization::NAMES {
            for rule in rules() {
                let settings = Settings {
                    model: json!({
                        "name": "mlp", "hidden": [6, 8], "activation": "tanh",
                        "normalization": normalization,
                    }),
                    optimizer: with_rate(&rule),
                    training: json!({ "num_epochs": 4, "batch_size": 5 }),
                    dtype,
                    ..Settings::default()
                };
                test(
                    &format!("{normalization}, {rule}, {dtype:?}"),
                    settings.by("fused"),
                );
            }
        }
    }
}

#[test]
fn a_fused_training_resumed_at_any_step_gives_the_same_bits() {
    let end = 2 * STEPS_PER_EPOCH + 2;
    each_normalization_and_rule(|what, settings| {
        let mut whole = Run::new(&settings, &[1]);
        whole.train_to(end);
        let expected = whole.numbers(0);
        for stop in 0..end {
            let mut run = Run::new(&settings, &[1]);
            run.train_to(stop);
            let mut resumed = run.resumed(&settings);
            resumed.train_to(end);
            assert_eq!(resumed.numbers(0), expected, "{what}, resumed at {stop}");
        }
    });
}

#[test]
fn a_fused_training_gives_the_same_bits_however_it_is_cut_into_calls() {
    let end = 2 * STEPS_PER_EPOCH + 2;
    each_normalization_and_rule(|what, settings| {
        let mut whole = Run::new(&settings, &[1]);
        whole.train_to(end);
        let mut cut = Run::new(&settings, &[1]);
        (1..=end).for_each(|step| cut.train_to(step));
        assert_eq!(cut.numbers(0), whole.numbers(0), "{what}");
    });
}

#[test]
fn a_fused_stack_gives_the_bits_of_single_trainings() {
    let end = STEPS_PER_EPOCH + 3;
    each_normalization_and_rule(|what, settings| {
        let seeds = [1, 2, 3, 7];
        let mut together = Run::new(&settings, &seeds);
        together.train_to(2);
        together.engine.keep(&[0, 1, 3]);
        together.metrics.remove(2);
        together.train_to(end);
        for (index, seed) in [1, 2, 7].into_iter().enumerate() {
            let mut alone = Run::new(&settings, &[seed]);
            alone.train_to(end);
            assert_eq!(
                together.numbers(index),
                alone.numbers(0),
                "{what}, seed {seed}"
            );
        }
    });
}

#[test]
fn a_checkpoint_of_either_engine_is_resumed_by_the_other() {
    let (half, end) = (STEPS_PER_EPOCH + 1, 2 * STEPS_PER_EPOCH + 1);
    each_normalization_and_rule(|what, settings| {
        let tolerance = if settings.dtype == DType::F64 {
            1e-10
        } else {
            1e-4
        };
        let [fused, burn] = ["fused", "burn"].map(|engine| settings.by(engine));
        for (first, second) in [(&fused, &burn), (&burn, &fused)] {
            let mut whole = Run::new(second, &[1]);
            whole.train_to(end);
            let mut run = Run::new(first, &[1]);
            run.train_to(half);
            let mut resumed = run.resumed(second);
            resumed.train_to(end);
            let found = difference(&resumed.numbers(0), &whole.numbers(0));
            assert!(found <= tolerance, "{what}: {found:.1e}");
        }
    });
}

#[test]
fn the_best_network_is_the_one_that_was_remembered() {
    let settings = Settings {
        training: json!({ "num_epochs": 1, "batch_size": 5 }),
        ..Settings::default()
    };
    for settings in ["fused", "burn"].map(|engine| settings.by(engine)) {
        let mut run = Run::new(&settings, &[1]);
        assert!(run.engine.best(0).expect("numbers").is_none());
        run.train_to(2);
        let expected = run.engine.network(0).expect("numbers").named_tensors();
        run.engine.remember_best(0).expect("numbers");
        run.train_to(3);
        assert_ne!(
            run.engine.network(0).expect("numbers").named_tensors(),
            expected
        );
        let best = run
            .engine
            .best(0)
            .expect("numbers")
            .expect("it was remembered");
        assert_eq!(best.named_tensors(), expected);
    }
}

#[test]
fn a_training_without_fused_kernels_says_why() {
    let softmax = json!({ "name": "mlp", "hidden": [6], "activation": "softmax" });
    for (model, loss, reason) in [
        (softmax, "mse", "the activation `softmax`"),
        (json!({ "name": "mlp" }), "hamming", "the loss `hamming`"),
    ] {
        let settings = Settings {
            model,
            loss: json!({ "name": loss }),
            ..Settings::default()
        };
        let chosen = |engine| {
            let trainer = settings.by(engine).trainer(1, 0.1);
            let (loss, rule) = (&trainer.loss, &trainer.optimizer.rule);
            TrainedBy::choose(
                &trainer.network,
                loss,
                rule,
                &trainer.training,
                [14, 7],
                &trainer.device,
            )
        };
        let found = chosen("auto").expect("Burn operations").to_string();
        let because = format!("there are no fused kernels for {reason}");
        assert_eq!(found, format!("Burn operations, because {because}"));
        let refused = chosen("fused")
            .expect_err("there are no kernels")
            .to_string();
        assert_eq!(
            refused,
            format!("`training.engine` is fused, expected `auto` or `burn`, because {because}")
        );
        let (one, shared) = beginning(&settings.by("fused"), 1);
        let refused = engine(vec![one], shared).err();
        assert!(matches!(refused, Some(TrainingError::Value(_))));
    }
    let settings = Settings::default().by("burn");
    let trainer = settings.trainer(1, 0.1);
    let (loss, rule) = (&trainer.loss, &trainer.optimizer.rule);
    let found = TrainedBy::choose(
        &trainer.network,
        loss,
        rule,
        &trainer.training,
        [14, 7],
        &trainer.device,
    );
    let found = found.expect("Burn operations").to_string();
    assert_eq!(
        found,
        "Burn operations, because `training.engine` is `burn`"
    );
}
