//! `emberlab find-lr`: the suggestion is worth something, and nothing is left behind.

use serde_json::Value;

use crate::lab::{Lab, shipped};

#[test]
fn the_suggested_learning_rate_trains_better_than_ones_far_from_it() {
    let lab = Lab::new();
    let config = shipped("train/digits.toml");
    let found = lab.succeed(&[
        "find-lr",
        config.to_str().unwrap(),
        "--json",
        "--csv",
        "curve.csv",
    ]);
    let report: Value = serde_json::from_str(&found.stdout).unwrap();
    let suggested = report["suggestion"]["steepest"].as_f64().unwrap();
    let loss = |name: &str, rate: f64| {
        let rate = format!("optimizer.learning_rate={rate}");
        let trained = lab.train("train/digits.toml", name, &[&rate, "training.num_epochs=3"]);
        trained.metric("valid", "loss")
    };
    let good = loss("good", suggested);
    assert!(good < loss("low", suggested / 30.0), "{suggested}");
    assert!(good < loss("high", suggested * 30.0), "{suggested}");

    // Header and a row per step; the rate, then a column per seed.
    let csv = std::fs::read_to_string(lab.path().join("curve.csv")).unwrap();
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows.len(), 201);
    assert!(rows.iter().all(|row| row.split(',').count() == 6), "{csv}");
}

#[test]
fn finding_a_learning_rate_leaves_no_run_and_gives_the_same_answer_again() {
    let lab = Lab::new();
    let config = shipped("train/iris.toml");
    let words = ["find-lr", config.to_str().unwrap(), "--seeds", "2"];
    let first = lab.succeed(&words).stdout;
    assert!(first.contains("suggestion: "), "{first}");
    assert!(first.contains("--set optimizer.learning_rate="), "{first}");
    assert_eq!(lab.succeed(&words).stdout, first);
    assert_eq!(std::fs::read_dir(lab.path()).unwrap().count(), 0);
}

#[test]
fn a_network_that_cannot_learn_gets_no_suggestion() {
    let lab = Lab::new();
    let config = shipped("train/digits.toml");
    let mut words = vec!["find-lr", config.to_str().unwrap(), "--seeds", "1"];
    // All zeros without a bias: no gradient at all.
    words.extend([
        "--set",
        "model.initializer=zeros",
        "--set",
        "model.bias=false",
    ]);
    let failed = lab.run(&words);
    assert_eq!(failed.code, Some(1), "{failed:#?}");
    assert!(
        failed.stderr.contains("fell at no learning rate"),
        "{}",
        failed.stderr
    );
}

#[test]
fn learning_rates_that_cannot_grow_are_refused() {
    let lab = Lab::new();
    let config = shipped("train/iris.toml");
    for (from, to) in [("0", "1"), ("1", "0.1"), ("NaN", "1"), ("1e-3", "inf")] {
        let words = [
            "find-lr",
            config.to_str().unwrap(),
            "--from",
            from,
            "--to",
            to,
        ];
        let refused = lab.run(&words);
        assert_eq!(refused.code, Some(2), "{refused:#?}");
        assert!(
            refused.stderr.contains("must be positive"),
            "{}",
            refused.stderr
        );
    }
}
