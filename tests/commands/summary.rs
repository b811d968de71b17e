//! `emberlab summary`: counts of every shipped network, and the memory of its training.

use serde_json::Value;

use crate::lab::{Lab, data_dir, shipped};
use crate::requirements::Part;

/// Parameters and multiply-adds of a shipped experiment's network.
struct Counted {
    config: &'static str,
    num_parameters: usize,
    multiply_adds: usize,
}

fn counted(config: &'static str, num_parameters: usize, multiply_adds: usize) -> Counted {
    Counted {
        config,
        num_parameters,
        multiply_adds,
    }
}

/// A network of dense layers with biases: every parameter is used once for each sample.
fn dense(config: &'static str, sizes: &[usize]) -> Counted {
    let num_parameters = sizes.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum();
    counted(config, num_parameters, num_parameters)
}

/// A network of convolutions of 3 × 3 to 16 and 32 channels on one channel of `side` × `side` pixels, halved twice,
/// then 128 hidden units and 10 outputs.
fn convnet(config: &'static str, side: usize) -> Counted {
    let first = 16 * (9 + 1);
    let second = 32 * (16 * 9 + 1);
    let flat = 32 * (side / 4) * (side / 4);
    let rest = (flat + 1) * 128 + (128 + 1) * 10;
    let multiply_adds = first * side * side + second * (side / 2) * (side / 2) + rest;
    counted(config, first + second + rest, multiply_adds)
}

fn summary(lab: &Lab, config: &str, more: &[&str]) -> Value {
    let path = shipped(&format!("train/{config}.toml"));
    let words = [&["summary", path.to_str().unwrap(), "--json"], more].concat();
    serde_json::from_str(&lab.succeed(&words).stdout).unwrap()
}

#[test]
fn every_shipped_network_is_counted_as_by_hand() {
    let lab = Lab::new();
    let all = [
        dense("circles", &[2, 16, 16, 1]),
        // Two columns and their squares.
        dense("circles_features", &[4, 1]),
        dense("classification", &[2, 2]),
        dense("csv", &[3, 16, 3]),
        dense("diabetes", &[10, 32, 1]),
        dense("digits", &[64, 128, 64, 10]),
        dense("digits_binary", &[64, 32, 1]),
        convnet("digits_convnet", 8),
        convnet("fashion_mnist_convnet", 28),
        dense("gate_or", &[2, 1]),
        dense("gate_xor", &[2, 8, 1]),
        // No biases.
        counted("iris", 4 * 10 + 10 * 3, 4 * 10 + 10 * 3),
        // No biases; a scale and a shift for each of three times 100 units.
        counted(
            "mnist_batchnorm",
            784 * 100 + 2 * 100 * 100 + 100 * 10 + 3 * 2 * 100,
            784 * 100 + 2 * 100 * 100 + 100 * 10 + 3 * 2 * 100,
        ),
        convnet("mnist_convnet", 28),
        dense("mnist_mlp", &[784, 256, 128, 10]),
        dense("moons", &[2, 64, 64, 1]),
        // Five numbers, three ports and no port, two sexes, and whether there is an age and a cabin.
        dense("passengers", &[13, 32, 1]),
        dense("penguins", &[4, 32, 3]),
        dense("regression", &[1, 32, 32, 1]),
        dense("spirals", &[2, 64, 64, 3]),
        dense("winequality", &[11, 32, 1]),
    ];
    let mut names: Vec<&str> = all.iter().map(|one| one.config).collect();
    names.sort_unstable();
    let folder = std::fs::read_dir(shipped("train")).unwrap();
    let mut files: Vec<String> = folder
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_string())
        .collect();
    files.sort_unstable();
    assert_eq!(names, files);
    for one in all {
        if one.config.contains("mnist") && data_dir().is_none() {
            Part::Mnist.is_missing("the networks for MNIST are not counted");
            continue;
        }
        // The shipped tables have paths that begin at the project's folder.
        let table = match one.config {
            "csv" => Some("fruit.csv"),
            "passengers" => Some("passengers.csv"),
            _ => None,
        };
        let table =
            table.map(|name| format!("dataset.path={}", shipped("data").join(name).display()));
        let more: Vec<&str> = table.iter().flat_map(|path| ["--set", path]).collect();
        let found = summary(&lab, one.config, &more);
        let numbers = [&found["num_parameters"], &found["multiply_adds"]];
        let expected = [one.num_parameters, one.multiply_adds].map(Value::from);
        assert_eq!(numbers, [&expected[0], &expected[1]], "{}", one.config);
    }
}

#[test]
fn the_memory_of_a_training_is_counted_as_by_hand() {
    let lab = Lab::new();
    // 64 → 128 → 64 → 10 with relu: 17226 parameters, and 2 · (128 + 64) + 10 outputs; Adam has two buffers.
    let of = |more: &[&str]| summary(&lab, "digits", more)["memory"].clone();
    let batch = ["--set", "training.batch_size=50"];
    let found = of(&batch);
    let parameters = 4 * 17226;
    assert_eq!(found["parameters"], parameters);
    assert_eq!(found["gradients"], parameters);
    assert_eq!(found["activations"], 4 * 50 * 394);
    let with = |optimizer: &str, precision: &str| {
        let optimizer = format!("optimizer={{ name = \"{optimizer}\", learning_rate = 0.1 }}");
        let precision = format!("training.precision={precision}");
        of(&[&batch[..], &["--set", &optimizer, "--set", &precision]].concat())
    };
    assert_eq!(with("adam", "f32")["optimizer"], 2 * parameters);
    assert_eq!(with("sgd", "f32")["optimizer"], 0);
    assert_eq!(found["average"], 0);
    let averaged = of(&[&batch[..], &["--set", "training.average={ ema = 0.99 }"]].concat());
    assert_eq!(averaged["average"], parameters);
    let double = with("adam", "f64");
    assert_eq!(double["total"], 2 * (4 * parameters + 4 * 50 * 394));
}

#[test]
fn the_table_names_every_layer_with_its_shape() {
    let lab = Lab::new();
    let path = shipped("train/digits_convnet.toml");
    let stdout = lab.succeed(&["summary", path.to_str().unwrap()]).stdout;
    let because = "there are no fused kernels for convolutional networks";
    let head = format!("convnet on flex, f32\ntrained by: Burn operations, because {because}\n");
    assert!(stdout.starts_with(&head), "{stdout}");
    for word in [
        "convolutions.1",
        "32 × 4 × 4",
        "pools.1",
        "layers.1",
        "total",
        "activations.2",
    ] {
        assert!(stdout.contains(word), "no {word} in {stdout}");
    }
}
