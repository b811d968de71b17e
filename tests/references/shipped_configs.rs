//! Every shipped configuration, run as its header says.

use std::path::PathBuf;

use crate::lab::{Lab, Trained, assert_in, data_dir, project, shipped};

fn all() -> Vec<PathBuf> {
    let folder = shipped("train");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

#[test]
fn every_shipped_config_trains_briefly_and_its_header_says_how() {
    let has_mnist = data_dir().is_some();
    let files = all();
    assert!(files.len() >= 15, "only {} configurations", files.len());
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap().to_string();
        let text = std::fs::read_to_string(&file).unwrap();
        let command = format!("cargo run --release -- train configs/train/{name}.toml");
        assert!(text.contains(&command), "{name} does not say its command");
        assert!(
            text.contains("# Expect:"),
            "{name} does not say what to expect"
        );
        assert!(
            text.contains("# Takes:"),
            "{name} does not say how long it takes"
        );
        if text.contains("mnist\"") && !has_mnist {
            continue;
        }
        let lab = Lab::new();
        std::os::unix::fs::symlink(project().join("configs"), lab.path().join("configs")).unwrap();
        let mut few = vec!["training.num_epochs=1"];
        if text.contains("\"convnet\"") && text.contains("mnist\"") {
            few.extend(["split.train=2000", "split.valid=500", "split.test=500"]);
        }
        let run = lab.train(&format!("train/{name}.toml"), "brief", &few);
        assert_eq!(run.column("train_loss").len(), 1, "{name}");
    }
}

/// The figure that the header of each quick configuration promises: metric, split, bound.
const PROMISES: [(&str, &str, &str, f64); 12] = [
    ("moons", "valid", "accuracy", 0.97),
    ("circles", "valid", "accuracy", 0.98),
    ("circles_features", "valid", "accuracy", 0.97),
    ("spirals", "valid", "accuracy", 0.95),
    ("digits", "valid", "accuracy", 0.97),
    ("digits_convnet", "valid", "accuracy", 0.98),
    ("gate_or", "train", "accuracy", 1.0),
    ("gate_xor", "train", "accuracy", 1.0),
    ("regression", "valid", "r2", 0.9),
    ("csv", "valid", "accuracy", 0.9),
    ("passengers", "test", "accuracy", 0.8),
    ("penguins", "test", "accuracy", 0.97),
];

fn train_in_project(lab: &Lab, device: &str, name: &str, overrides: &[&str]) -> Trained {
    let configs = lab.path().join("configs");
    if !configs.exists() {
        std::os::unix::fs::symlink(project().join("configs"), configs).unwrap();
    }
    let config = format!("train/{name}.toml");
    lab.train_on(device, &config, &format!("{name}-{device}"), overrides)
}

#[test]
fn shipped_configs_reach_what_their_headers_say_on_both_cpu_devices() {
    let lab = Lab::new();
    for device in ["flex", "ndarray"] {
        for (name, split, metric, bound) in PROMISES {
            let run = train_in_project(&lab, device, name, &[]);
            let value = run.metric(split, metric);
            assert!(
                value >= bound,
                "{name} on {device}: {split} {metric} is {value}, not {bound}"
            );
        }
    }
}

// D: PyTorch, float64, ten data sets, [min, max].
#[test]
fn squashed_outputs_meet_pytorchs_range() {
    let lab = Lab::new();
    for (output, range) in [
        ("sigmoid", 0.448..=0.523),
        ("tanh", 0.313..=0.462),
        ("linear", 0.341..=0.473),
    ] {
        let mut losses = Vec::new();
        let mut accuracies = Vec::new();
        for seed in 0..10 {
            let overrides = [
                format!("model.output_activation={output}"),
                format!("seed={seed}"),
            ];
            let overrides: Vec<&str> = overrides.iter().map(String::as_str).collect();
            let name = format!("{output}-{seed}");
            let run = lab.train("train/classification.toml", &name, &overrides);
            losses.push(run.metric("train", "loss"));
            accuracies.push(run.metric("train", "accuracy"));
        }
        assert_in(
            &format!("loss of {output}"),
            crate::lab::median(losses),
            range,
        );
        let accuracy = crate::lab::median(accuracies);
        assert_in(&format!("accuracy of {output}"), accuracy, 0.80..=0.90);
    }
}

#[test]
fn moons_iris_and_digits_train_on_wgpu() {
    if !crate::lab::has_wgpu() {
        return;
    }
    let lab = Lab::new();
    // A software Vulkan device pays dearly for every shape and step: the same configurations in fewer,
    // larger batches of one size.
    for (name, overrides, bound) in [
        (
            "moons",
            &[
                "training.batch_size=full",
                "training.num_epochs=150",
                "optimizer={ name = \"adam\", learning_rate = 0.02 }",
            ][..],
            0.95,
        ),
        (
            "iris",
            &["training.num_epochs=60", "optimizer.learning_rate=0.05"][..],
            0.85,
        ),
        (
            "digits",
            &[
                "training.num_epochs=5",
                "training.batch_size=128",
                "training.drop_last=true",
                "optimizer.learning_rate=0.005",
            ][..],
            0.93,
        ),
    ] {
        let run = train_in_project(&lab, "wgpu", name, overrides);
        assert_in(
            &format!("accuracy of {name} on wgpu"),
            run.metric("valid", "accuracy"),
            bound..=1.0,
        );
    }
}
