//! `emberlab train` without its dashboard.

use serde_json::Value;

use crate::lab::{Lab, shipped};

#[test]
fn a_pipe_gets_one_line_per_epoch_and_json_one_object() {
    let lab = Lab::new();
    let config = shipped("train/iris.toml");
    let train = [
        "train",
        config.to_str().unwrap(),
        "--set",
        "training.num_epochs=4",
    ];
    let plain = lab.succeed(&train).stdout;
    let lines: Vec<&str> = plain
        .lines()
        .filter(|line| line.starts_with("epoch "))
        .collect();
    assert_eq!(lines.len(), 4, "{plain}");
    for word in ["train loss", "accuracy", "valid loss", "elapsed", "left"] {
        assert!(lines[3].contains(word), "no {word} in {}", lines[3]);
    }
    let json = lab
        .succeed(&[&train[..], &["--dashboard", "json"]].concat())
        .stdout;
    let epochs: Vec<Value> = json
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(epochs.len(), 4);
    assert!(epochs[3]["valid"]["accuracy"].is_f64());
}

#[test]
fn early_stopping_ends_a_training_that_no_longer_improves() {
    let lab = Lab::new();
    let patience = [
        "training.num_epochs=2000",
        "training.early_stopping={ patience = 5 }",
        "optimizer.learning_rate=0.02",
    ];
    let run = lab.train("train/digits.toml", "early", &patience);
    let result = run.json("result.json");
    assert_eq!(result["ending"], "stopped_early");
    let (epochs, best) = (&result["epochs"], &result["best"]["epoch"]);
    assert_eq!(epochs.as_u64().unwrap(), best.as_u64().unwrap() + 5);
}
