//! `emberlab config` and `emberlab completions`.

use serde_json::Value;

use crate::lab::{Lab, shipped};

#[test]
fn config_show_writes_out_every_default_and_trains_the_same() {
    let lab = Lab::new();
    let config = shipped("train/iris.toml");
    let words = [
        "config",
        "show",
        config.to_str().unwrap(),
        "--set",
        "training.num_epochs=3",
    ];
    let shown = lab.succeed(&words).stdout;
    for key in [
        "momentum = 0.0",
        "nesterov = false",
        "keep_last = 2",
        "precision = \"f32\"",
    ] {
        assert!(shown.contains(key), "no {key} in\n{shown}");
    }
    let file = lab.write("iris.toml", &shown);
    let train = [
        "train",
        file.to_str().unwrap(),
        "--run",
        "a",
        "--dashboard",
        "quiet",
    ];
    lab.succeed(&train);
    let run = lab.path().join("artifacts/iris/a/config.toml");
    assert_eq!(std::fs::read_to_string(run).unwrap(), shown);
}

#[test]
fn config_schema_knows_every_table_and_name() {
    let lab = Lab::new();
    let schema: Value = serde_json::from_str(&lab.succeed(&["config", "schema"]).stdout).unwrap();
    for table in [
        "dataset",
        "model",
        "loss",
        "optimizer",
        "scheduler",
        "training",
        "checkpoint",
        "inspect",
    ] {
        assert!(schema["properties"][table].is_object(), "no {table}");
    }
    let text = schema.to_string();
    for name in [
        "leaky_relu",
        "fashion_mnist",
        "kaiming_normal",
        "bce_with_logits",
        "linear_warmup",
    ] {
        assert!(text.contains(name), "no {name}");
    }
}

#[test]
fn completions_are_printed_for_a_shell() {
    let script = Lab::new().succeed(&["completions", "bash"]).stdout;
    assert!(script.contains("_emberlab"), "{script}");
}
