//! `emberlab evaluate`.

use emberlab_metrics::Split;
use emberlab_run_format::{Axis, RunEvaluation};
use serde_json::Value;

use crate::lab::{Lab, assert_in};

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
