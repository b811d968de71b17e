//! A training that is stopped at any step and resumed gives the same files, bit by bit, as one that was never stopped.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;

use emberlab_config_source::ConfigSource;
use emberlab_run_format::{Ending, RunResult};
use emberlab_storage::Checkpoint;
use emberlab_training::{StopFlag, device, load_network};

use crate::trial::{Execution, Resources, Resume, Trial};
use crate::{ExperimentConfig, Prepared, Run};

/// Has running statistics of batch normalisation, momentum buffers, and a short last batch.
const MLP: &str = r#"
    dataset = { name = "iris" }
    split = { method = "stratified", train = 70, valid = 80 }
    model = { name = "mlp", hidden = [8], activation = "relu", normalization = "batch" }
    loss = { name = "cross_entropy" }
    optimizer = { name = "sgd", learning_rate = 0.1, momentum = 0.9 }
    training = { num_epochs = 3, batch_size = 20, precision = "f32" }
    checkpoint = { every = { epochs = 1 } }
    inspect = { every = { steps = 3 } }
"#;

/// Has Adam's two moments and step count, and a learning rate that changes with every step.
const CONVNET: &str = r#"
    dataset = { name = "digits" }
    split = { method = "sequential", train = 96, valid = 32 }
    model = { name = "convnet", channels = [4, 4], d_hidden = 8 }
    loss = { name = "cross_entropy" }
    optimizer = { name = "adam", learning_rate = 0.01 }
    scheduler = { name = "cosine", interval = "step", num_steps = 9 }
    training = { num_epochs = 3, batch_size = 32 }
"#;

/// Has masks of dropout and noise of gradients, which differ from step to step, and a learning rate that rises and
/// falls.
const REGULARIZED: &str = r#"
    dataset = { name = "iris" }
    split = { method = "stratified", train = 70, valid = 80 }
    model = { name = "mlp", hidden = [8, 8], dropout = [0.2, 0.5], residual = true, normalization = ["layer", "batch"] }
    loss = { name = "cross_entropy" }
    optimizer = { name = "adamw", learning_rate = 0.01 }
    scheduler = { name = "one_cycle", interval = "step", num_steps = 12 }
    training = { num_epochs = 3, batch_size = 20, penalty = { l1 = 0.001, l2 = 0.01 }, max_norm = 2.0, average = { ema = 0.9 }, gradient_noise = { std = 0.1 } }
    checkpoint = { every = { epochs = 1 } }
"#;

/// Drops units behind the hidden dense layer, adds noise to gradients, changes its images from epoch to epoch, and
/// averages its weights.
const AUGMENTED_CONVNET: &str = r#"
    dataset = { name = "digits" }
    split = { method = "sequential", train = 96, valid = 32 }
    model = { name = "convnet", channels = [4], d_hidden = 8, dropout = 0.5 }
    loss = { name = "cross_entropy" }
    optimizer = { name = "adam", learning_rate = 0.01 }
    training = { num_epochs = 2, batch_size = 32, average = { swa = 0 }, gradient_noise = { std = 0.1 }, augmentation = { shift = 1, rotate = 10.0, flip = true, cutout = 2 } }
"#;

/// Trains on changed images by fused kernels.
const AUGMENTED_MLP: &str = r#"
    dataset = { name = "digits" }
    split = { method = "sequential", train = 96, valid = 32 }
    model = { name = "mlp", hidden = [8], dropout = 0.2 }
    loss = { name = "cross_entropy" }
    optimizer = { name = "adam", learning_rate = 0.01 }
    scheduler = { name = "one_cycle", interval = "step", num_steps = 9 }
    training = { num_epochs = 3, batch_size = 32, average = { ema = 0.5 }, augmentation = { shift = 1, rotate = 10.0 } }
"#;

/// Has the memory of L-BFGS, which each step reads and extends.
const SEARCHING: &str = r#"
    dataset = { name = "iris" }
    split = { method = "stratified", train = 70, valid = 80 }
    standardize = { method = "per_feature" }
    model = { name = "mlp", hidden = [5], activation = "tanh" }
    loss = { name = "cross_entropy" }
    optimizer = { name = "lbfgs", learning_rate = 1.0, max_iterations = 3, history_size = 4 }
    training = { num_epochs = 5, batch_size = "full", average = { ema = 0.5 } }
"#;

/// Never improves by 10, so it stops early after epoch 3 of 6.
const EARLY_STOPPING: &str = r#"
    dataset = { name = "moons", num_samples = 60 }
    model = { name = "mlp", hidden = [4], activation = "tanh" }
    loss = { name = "bce_with_logits" }
    optimizer = { name = "rmsprop", learning_rate = 0.01, momentum = 0.5 }
    training = { num_epochs = 6, batch_size = 16, early_stopping = { patience = 2, min_delta = 10.0 } }
"#;

/// The learning rate grows a thousandfold with every epoch: the first epoch is the best, and the last losses are not
/// finite.
const BEST_BEFORE: &str = r#"
    dataset = { name = "regression", num_samples = 60 }
    model = { name = "mlp", hidden = [4], activation = "linear" }
    loss = { name = "mse" }
    optimizer = { name = "sgd", learning_rate = 0.01 }
    scheduler = { name = "exponential", gamma = 1000.0 }
    training = { num_epochs = 6, batch_size = 16 }
"#;

/// Gathers outputs within an epoch, and its learning rate follows from metrics after a warm-up.
const PLATEAU: &str = r#"
    dataset = { name = "iris" }
    split = { method = "stratified", train = 70, valid = 80 }
    model = { name = "mlp", hidden = [4], activation = "tanh" }
    loss = { name = "cross_entropy" }
    optimizer = { name = "sgd", learning_rate = 0.5 }
    [scheduler]
    name = "reduce_on_plateau"
    factor = 0.5
    patience = 0
    threshold = 0.05
    cooldown = 1
    metric = "average_precision"
    warmup = { num_steps = 3, interval = "step" }
    [training]
    num_epochs = 6
    batch_size = 20
    metrics = ["mcc", "log_loss"]
    objective = { metric = "roc_auc" }
    early_stopping = { patience = 4, min_delta = 0.01 }
"#;

/// Takes features that are derived from two of the columns.
const DERIVED_FEATURES: &str = r#"
    features = ["petal length", "petal length*petal width", "sin(petal width)"]
    dataset = { name = "iris" }
    split = { method = "stratified", train = 70, valid = 80 }
    standardize = { method = "per_feature" }
    model = { name = "mlp", hidden = [4] }
    loss = { name = "cross_entropy" }
    optimizer = { name = "adam", learning_rate = 0.01 }
    training = { num_epochs = 3, batch_size = 20 }
    checkpoint = { every = { epochs = 1 } }
"#;

fn execution(device: &str, stop_at: Option<u64>) -> Execution {
    let stop = StopFlag::default();
    if let Some(step) = stop_at {
        stop.request_at(step);
    }
    let resources = Resources {
        device: device.to_string(),
        num_threads: 1,
        data_dirs: Vec::new(),
    };
    Execution::quiet(resources, stop)
}

fn config(text: &str) -> ExperimentConfig {
    let source = ConfigSource::new("exact.toml", text);
    ExperimentConfig::from_source(&source)
        .unwrap()
        .with_inspection()
}

fn train(
    artifacts: &Path,
    name: &str,
    config: &ExperimentConfig,
    device: &str,
    stop_at: Option<u64>,
) -> (Run, RunResult) {
    let execution = execution(device, stop_at);
    let (trial, _) = Trial::begin(config.clone(), artifacts, Some(name), execution).unwrap();
    (trial.run.clone(), trial.train().unwrap())
}

fn resume(run: &Run, device: &str, stop_at: Option<u64>) -> RunResult {
    let execution = execution(device, stop_at);
    let resumed = Trial::resume(run.clone(), &[], false, execution).unwrap();
    let Resume::Continues(trial, resumed) = resumed else {
        panic!("there is nothing to do");
    };
    assert!(resumed.damaged.is_empty() && resumed.changes.is_empty());
    assert!(resumed.position.is_some());
    trial.train().unwrap()
}

/// The files of a run, without the time it took.
fn files_without_time(run: &Run) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for name in [
        "config.toml",
        "metrics.csv",
        "layers.csv",
        "frames.jsonl",
        "model/model.json",
        "model/network.bpk",
    ] {
        files.insert(name.to_string(), run.read(name).unwrap());
    }
    if let Ok(best) = run.read("model/best.bpk") {
        files.insert("model/best.bpk".to_string(), best);
    }
    let result: RunResult = run.read_json("result.json").unwrap();
    let timeless = RunResult {
        seconds: 0.0,
        ..result
    };
    let text = serde_json::to_vec(&timeless).unwrap();
    files.insert("result.json".to_string(), text);
    let newest = checkpoint(run);
    for name in [
        "config.toml",
        "metrics.csv",
        "layers.csv",
        "frames.jsonl",
        "network.bpk",
        "optimizer.bpk",
        "best.bpk",
    ] {
        if let Some(content) = newest.optional(name) {
            files.insert(format!("checkpoint/{name}"), content.to_vec());
        }
    }
    let progress = String::from_utf8(newest.file("progress.toml").unwrap().to_vec()).unwrap();
    let timeless = progress
        .lines()
        .filter(|line| !line.starts_with("elapsed = "));
    let timeless: Vec<&str> = timeless.collect();
    assert_eq!(timeless.len() + 1, progress.lines().count());
    let text = timeless.join("\n").into_bytes();
    files.insert(
        format!("checkpoint/{} {}", newest.position, "progress.toml"),
        text,
    );
    files
}

/// The newest checkpoint, by the order of names.
fn checkpoint(run: &Run) -> Checkpoint {
    let folders = std::fs::read_dir(run.checkpoints()).unwrap();
    let newest = folders.map(|entry| entry.unwrap().path()).max().unwrap();
    Checkpoint::read(&newest).unwrap()
}

/// Stops at every step, resumes, and compares bit for bit.
fn every_step(text: &str) {
    for device in cpu_devices() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(text);
        let (run, whole) = train(folder.path(), "whole", &config, device, None);
        assert_ne!(whole.ending, Ending::Interrupted);
        let expected = files_without_time(&run);
        for step in 1..whole.steps {
            let name = format!("stopped-at-{step}");
            let (run, stopped) = train(folder.path(), &name, &config, device, Some(step));
            assert_eq!((stopped.ending, stopped.steps), (Ending::Interrupted, step));
            let resumed = resume(&run, device, None);
            assert_eq!((resumed.ending, resumed.steps), (whole.ending, whole.steps));
            for (file, content) in files_without_time(&run) {
                assert!(
                    content == expected[&file],
                    "{file} differs on {device} after a stop at step {step}"
                );
            }
        }
    }
}

fn cpu_devices() -> Vec<&'static str> {
    let compiled = device::compiled();
    let cpu = compiled
        .into_iter()
        .filter(|name| device::supports_f64(name));
    cpu.collect()
}

#[test]
fn an_mlp_with_batch_norm_and_momentum_resumes_to_the_bit_from_every_step() {
    every_step(MLP);
}

#[test]
fn a_conv_net_with_adam_and_a_cosine_resumes_to_the_bit_from_every_step() {
    every_step(CONVNET);
}

#[test]
fn networks_with_dropout_resume_to_the_bit_from_every_step() {
    every_step(REGULARIZED);
}

#[test]
fn a_network_whose_steps_search_along_lines_resumes_to_the_bit_from_every_step() {
    every_step(SEARCHING);
}

#[test]
fn networks_with_augmented_images_resume_to_the_bit_from_every_step() {
    every_step(AUGMENTED_CONVNET);
    every_step(AUGMENTED_MLP);
}

#[test]
fn a_network_with_derived_features_resumes_to_the_bit_from_every_step() {
    every_step(DERIVED_FEATURES);
}

#[test]
fn early_stopping_happens_at_the_same_epoch_after_a_resume_from_every_step() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(EARLY_STOPPING);
    let (_, whole) = train(folder.path(), "whole", &config, "flex", None);
    assert_eq!((whole.ending, whole.epochs), (Ending::StoppedEarly, 3));
    every_step(EARLY_STOPPING);
}

#[test]
fn gathered_outputs_and_a_rate_that_follows_from_results_resume_to_the_bit_from_every_step() {
    let folder = tempfile::tempdir().unwrap();
    let (run, _) = train(folder.path(), "whole", &config(PLATEAU), "flex", None);
    let rates = run.learning_rates().unwrap();
    assert!(rates.windows(2).any(|pair| pair[1] < pair[0]), "{rates:?}");
    every_step(PLATEAU);
}

#[test]
fn a_best_network_found_before_the_stop_is_kept_even_if_the_loss_becomes_nan() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(BEST_BEFORE);
    let (run, whole) = train(folder.path(), "whole", &config, "flex", None);
    assert!(whole.best.is_some_and(|best| best.epoch <= 2));
    let rows = String::from_utf8(run.read("metrics.csv").unwrap()).unwrap();
    assert!(rows.lines().last().unwrap().contains("NaN"), "{rows}");
    every_step(BEST_BEFORE);
}

#[test]
fn a_stop_takes_effect_while_the_network_is_measured_after_an_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let (run, stopped) = train(folder.path(), "stopped", &config(MLP), "flex", Some(4));
    assert_eq!((stopped.ending, stopped.epochs), (Ending::Interrupted, 0));
    let position = checkpoint(&run).position;
    assert_eq!((position.epoch, position.step_in_epoch), (0, 4));
    // The metrics of the epoch are measured and written when the training is resumed.
    assert!(run.read("metrics.csv").unwrap().is_empty());
    resume(&run, "flex", Some(5));
    let rows = String::from_utf8(run.read("metrics.csv").unwrap()).unwrap();
    assert_eq!(rows.lines().count(), 2, "{rows}");
}

#[test]
fn a_run_resumed_three_times_ends_to_the_bit_as_one_never_stopped() {
    for device in cpu_devices() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(MLP);
        let (run, whole) = train(folder.path(), "whole", &config, device, None);
        let expected = files_without_time(&run);
        let (run, _) = train(folder.path(), "stopped", &config, device, Some(2));
        for step in [5, 6] {
            let result = resume(&run, device, Some(step));
            assert_eq!((result.ending, result.steps), (Ending::Interrupted, step));
        }
        assert_eq!(resume(&run, device, None).steps, whole.steps);
        assert!(files_without_time(&run) == expected, "on {device}");
    }
}

#[test]
fn on_a_gpu_a_resumed_training_agrees_within_rounding() {
    let Some(device) = gpu() else {
        let required = std::env::var("EMBERLAB_REQUIRE").unwrap_or_default();
        let is_required = required
            .split(',')
            .any(|part| ["all", "wgpu"].contains(&part.trim()));
        assert!(
            !is_required,
            "EMBERLAB_REQUIRE asks for wgpu, and there is no adapter"
        );
        eprintln!("on_a_gpu_a_resumed_training_agrees_within_rounding skips: no wgpu adapter");
        return;
    };
    for text in [MLP, CONVNET, EARLY_STOPPING, BEST_BEFORE] {
        let folder = tempfile::tempdir().unwrap();
        let config = config(text);
        let (run, whole) = train(folder.path(), "whole", &config, device, None);
        let expected = weights(&run);
        for step in 1..whole.steps {
            let name = format!("stopped-at-{step}");
            let (run, _) = train(folder.path(), &name, &config, device, Some(step));
            let resumed = resume(&run, device, None);
            assert_eq!((resumed.ending, resumed.steps), (whole.ending, whole.steps));
            let epoch = |result: &RunResult| result.best.as_ref().map(|best| best.epoch);
            assert_eq!(epoch(&resumed), epoch(&whole));
            let found = weights(&run);
            assert_eq!(found.len(), expected.len());
            for (name, values) in found {
                for (a, b) in values.iter().zip(&expected[&name]) {
                    let is_near = (a - b).abs() <= 1e-5 * (1.0 + b.abs());
                    let is_same = a == b || a.is_nan() && b.is_nan();
                    assert!(
                        is_near || is_same,
                        "{name}: {a} and {b} after a stop at step {step}"
                    );
                }
            }
        }
    }
}

fn gpu() -> Option<&'static str> {
    let compiled = device::compiled();
    let gpu = compiled.into_iter().find(|name| *name == "wgpu")?;
    device::open(gpu).is_ok().then_some(gpu)
}

/// The weights of the last and of the best network, tensor by tensor.
fn weights(run: &Run) -> BTreeMap<String, Vec<f32>> {
    let device = device::open("flex").unwrap();
    let prepared = Prepared::load(run.config().unwrap(), &[]).unwrap();
    let network = prepared.init_network(&device).unwrap();
    let mut all = BTreeMap::new();
    for file in ["model/network.bpk", "model/best.bpk"] {
        let network = load_network(network.clone(), &run.read(file).unwrap()).unwrap();
        for (name, data) in network.named_tensors() {
            all.insert(format!("{file} {name}"), data.try_to_vec::<f32>().unwrap());
        }
    }
    all
}
