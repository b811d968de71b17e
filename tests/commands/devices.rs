//! The same training on every device of this build.

use burn::tensor::{Tensor, TensorData};
use emberlab_config_source::ConfigSource;
use emberlab_datasets::Batches;
use emberlab_experiments::{ExperimentConfig, Prepared};
use emberlab_training::{Split, device};
use serde_json::Value;

use crate::lab::{Lab, devices, shipped};

fn bits(tensor: Tensor<2>) -> Vec<u32> {
    let values: Vec<f32> = tensor.into_data().try_into_vec().unwrap();
    values.into_iter().map(f32::to_bits).collect()
}

/// The start weights, and the inputs of the first batches of two epochs.
fn beginnings(name: &str, config: &str) -> (Vec<(String, TensorData)>, Vec<Vec<u32>>) {
    let source = ConfigSource::load(shipped(config)).unwrap();
    let config = ExperimentConfig::from_source(&source).unwrap();
    let prepared = Prepared::load(config, &[]).unwrap();
    let device = device::open(name).unwrap();
    let weights = prepared.init_network(&device).unwrap().named_tensors();
    let data = prepared.upload(Split::Train, &device).unwrap().unwrap();
    let cut = prepared.config.training.batches();
    let mut batches = Vec::new();
    for epoch in 0..2 {
        for batch in Batches::new(&data, &cut, 0, epoch).take(3) {
            batches.push(bits(batch.inputs));
            batches.push(bits(batch.targets));
        }
    }
    (weights, batches)
}

#[test]
fn same_seed_gives_same_weights_and_batches_on_every_device() {
    for config in [
        "train/digits.toml",
        "train/digits_convnet.toml",
        "train/spirals.toml",
    ] {
        let (weights, batches) = beginnings("flex", config);
        assert!(batches[0] != batches[6], "two epochs have the same order");
        for name in devices().iter().filter(|d| *d != "flex") {
            let (found, found_batches) = beginnings(name, config);
            assert_eq!(weights, found, "weights of {config} on {name}");
            assert_eq!(batches, found_batches, "batches of {config} on {name}");
        }
    }
}

/// Trains three steps' worth of epochs of a configuration on each device, and compares with flex.
fn assert_devices_agree(config: &str, overrides: &[&str], tolerance: f64) {
    let lab = Lab::new();
    let reference = lab.train_on("flex", config, "on-flex", overrides);
    let expected = reference.column("train_loss");
    for device in devices().iter().filter(|d| *d != "flex") {
        let run = lab.train_on(device, config, &format!("on-{device}"), overrides);
        assert_eq!(run.json("environment.json")["device"], device.as_str());
        for (epoch, (found, expected)) in run.column("train_loss").iter().zip(&expected).enumerate()
        {
            let deviation = (found - expected).abs() / expected.abs().max(1e-3);
            assert!(
                deviation < tolerance,
                "{device}, epoch {}: {found} is not {expected}",
                epoch + 1
            );
        }
    }
}

#[test]
fn an_mlp_has_the_same_losses_on_every_device() {
    let few = ["training.num_epochs=3", "training.batch_size=70"];
    assert_devices_agree("train/moons.toml", &few, 1e-4);
}

#[test]
fn a_batch_norm_mlp_has_the_same_losses_on_every_device() {
    let few = [
        "training.num_epochs=2",
        "training.batch_size=128",
        "split.train=512",
        "split.valid=128",
        "split.test=0",
        "model.normalization=batch",
    ];
    assert_devices_agree("train/digits.toml", &few, 1e-3);
}

#[test]
fn a_conv_net_has_the_same_losses_on_every_device() {
    let few = [
        "training.num_epochs=2",
        "training.batch_size=32",
        "split.train=64",
        "split.valid=32",
    ];
    assert_devices_agree("train/digits_convnet.toml", &few, 1e-3);
}

#[test]
fn devices_and_engines_are_timed_on_an_experiment_and_the_fastest_comes_first() {
    let lab = Lab::new();
    let config = shipped("train/iris.toml");
    let config = config.to_str().unwrap();
    let bench = ["devices", "--bench", config, "--json"];
    let timed: Value = serde_json::from_str(&lab.succeed(&bench).stdout).unwrap();
    let seconds: Vec<f64> = timed
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|device| device["step_seconds"].as_f64())
        .collect();
    assert!(
        seconds.len() >= 4,
        "both engines train on flex and ndarray, which are always there: {timed}"
    );
    assert!(seconds.is_sorted() && seconds[0] > 0.0, "{timed}");
    for engine in ["fused", "burn"] {
        let rows = timed.as_array().unwrap().iter();
        assert!(rows.clone().any(|row| row["engine"] == engine), "{timed}");
    }
    let table = lab.succeed(&["devices", "--bench", config]).stdout;
    let fastest = timed[0]["name"].as_str().unwrap();
    assert!(table.contains("use --device "), "{table}");
    assert!(table.contains(fastest), "{table}");
    assert!(
        !lab.path().join("artifacts").exists(),
        "a measurement leaves nothing"
    );
}

#[test]
fn devices_says_what_this_build_has_and_what_would_add_the_rest() {
    let lab = Lab::new();
    let listed = lab.succeed(&["devices", "--json"]);
    let list: Value = serde_json::from_str(&listed.stdout).unwrap();
    let names: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["name"].as_str().unwrap())
        .collect();
    for name in [
        "flex", "ndarray", "wgpu", "cuda", "rocm", "metal", "vulkan", "cpu", "remote",
    ] {
        assert!(names.contains(&name), "{name} is missing");
    }
    let table = lab.succeed(&["devices"]).stdout;
    assert!(table.contains("--features cuda"), "{table}");
    assert!(table.contains("yes, the default"), "{table}");
}
