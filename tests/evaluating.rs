//! `emberlab evaluate`, and the other commands that look at what there is.

use emberlab_metrics::Split;
use emberlab_run_format::{Axis, RunEvaluation};
use serde_json::Value;

use crate::lab::{Lab, assert_in, shipped};

#[test]
fn evaluate_agrees_with_the_training_and_with_itself() {
    let lab = Lab::new();
    let run = lab.train("train/digits.toml", "digits", &["training.num_epochs=8"]);
    let outcome = lab.succeed(&["evaluate", "latest", "--split", "valid", "--json"]);
    let found: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(
        found["metrics"],
        run.json("result.json")["metrics"]["valid"]
    );
    let matrix = &found["confusion_matrix"]["counts"];
    let cell = |i: usize, j: usize| matrix[i][j].as_u64().unwrap();
    let all: u64 = (0..10)
        .flat_map(|i| (0..10).map(move |j| (i, j)))
        .map(|(i, j)| cell(i, j))
        .sum();
    let right: u64 = (0..10).map(|i| cell(i, i)).sum();
    assert_eq!(Some(all), found["num_samples"].as_u64());
    let accuracy = found["metrics"]["accuracy"].as_f64().unwrap();
    assert!((right as f64 / all as f64 - accuracy).abs() < 1e-12);
    // Without a split named, it is the test split.
    let outcome = lab.succeed(&["evaluate", "latest"]);
    for word in [
        "test samples",
        "precision",
        "recall",
        "macro avg",
        "weighted avg",
        "confusion matrix",
    ] {
        assert!(
            outcome.stdout.contains(word),
            "no {word} in\n{}",
            outcome.stdout
        );
    }
}

#[test]
fn a_training_leaves_an_evaluation_that_agrees_with_its_result() {
    let lab = Lab::new();
    let run = lab.train("train/moons.toml", "moons", &["training.num_epochs=30"]);
    let path = run.folder.join("evaluation.json");
    assert!(std::fs::metadata(path).unwrap().len() < 80_000);
    let evaluation: RunEvaluation = serde_json::from_str(&run.text("evaluation.json")).unwrap();
    for (split, name) in [(Split::Train, "train"), (Split::Valid, "valid")] {
        let found = evaluation.split(split).unwrap();
        let accuracy = found.confusion_matrix.as_ref().unwrap().accuracy();
        assert_eq!(accuracy, run.metric(name, "accuracy"));
        let curves = found.curves.as_ref().unwrap();
        let half = curves.thresholds[50];
        assert_eq!((half.threshold, half.accuracy()), (0.5, accuracy));
        assert!(curves.roc.thresholds.len() <= 200 && curves.roc.auc > 0.8);
    }
    assert!(evaluation.split(Split::Test).is_none());
    // Moons: the boundary predicts its own samples as well as the network does.
    let boundary = evaluation.boundary.unwrap();
    assert_eq!(
        (boundary.points.len(), boundary.columns, boundary.rows),
        (500, 60, 60)
    );
    let cells = boundary.cells.classes(0.5);
    let nearest = |x: f32, axis: &Axis, n: usize| {
        ((x - axis.from) / (axis.to - axis.from) * (n - 1) as f32).round() as usize
    };
    let right = boundary
        .points
        .iter()
        .zip(&boundary.classes)
        .filter(|([x, y], class)| {
            let (column, row) = (nearest(*x, &boundary.x, 60), nearest(*y, &boundary.y, 60));
            cells[row * 60 + column] == **class
        });
    let share = right.count() as f64 / 500.0;
    assert_in(
        "share",
        share - run.metric("train", "accuracy"),
        -0.05..=0.05,
    );
    let mistakes = evaluation.mistakes.unwrap();
    let matrix = evaluation.splits[1].confusion_matrix.as_ref().unwrap();
    let wrong = matrix.counts[0][1] + matrix.counts[1][0];
    assert_eq!(
        (mistakes.split, mistakes.num_mistakes),
        (Split::Valid, wrong)
    );
    assert!(
        mistakes
            .samples
            .is_sorted_by(|a, b| a.confidence >= b.confidence)
    );
    lab.succeed(&["runs", "check", "moons"]);
}

#[test]
fn evaluate_of_the_best_network_meets_the_best_epoch() {
    let lab = Lab::new();
    let many = ["training.num_epochs=60", "optimizer.learning_rate=0.02"];
    let run = lab.train("train/digits.toml", "digits", &many);
    let words = [
        "evaluate",
        "digits",
        "--weights",
        "best",
        "--split",
        "valid",
        "--json",
    ];
    let found: Value = serde_json::from_str(&lab.succeed(&words).stdout).unwrap();
    let best = run.json("result.json")["best"]["value"].as_f64().unwrap();
    assert_eq!(found["metrics"]["accuracy"].as_f64(), Some(best));
}

#[test]
fn evaluate_of_a_regression_prints_its_errors() {
    let lab = Lab::new();
    lab.train("train/regression.toml", "sine", &[]);
    let found: Value =
        serde_json::from_str(&lab.succeed(&["evaluate", "sine", "--json"]).stdout).unwrap();
    assert_in("R²", found["regression"]["r2"].as_f64().unwrap(), 0.9..=1.0);
    let table = lab.succeed(&["evaluate", "sine"]).stdout;
    assert!(table.contains("root mean squared error"), "{table}");
}

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
