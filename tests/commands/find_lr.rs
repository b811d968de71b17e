//! `emberlab find-lr`: the suggestion is useful, and no files are left behind.

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
fn the_printed_command_has_everything_that_the_user_gave() {
    let lab = Lab::new();
    let config = std::fs::read_to_string(shipped("train/iris.toml")).unwrap();
    lab.write("my data/it's iris.toml", config);
    let given = [
        "my data/it's iris.toml",
        "--set",
        "training.num_epochs=2",
        "--set",
        "name=iris",
        "--set",
        "model.hidden=[4, 4]",
        "--artifacts",
        "my runs",
    ];
    let words = [&["find-lr", "--seeds", "2"], &given[..]].concat();
    let found = lab.succeed(&words).stdout;
    let (_, command) = found.split_once("to try it:  emberlab ").unwrap();
    let command = shlex::split(command).unwrap();
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    for word in given {
        assert!(command.contains(&word), "no {word} in {command:?}");
    }
    lab.succeed(&command);
    let run = std::fs::read_dir(lab.path().join("my runs/iris")).unwrap();
    assert_eq!(run.count(), 1);
}

#[test]
fn labels_without_a_pattern_get_no_suggestion_and_one_exit_code() {
    let lab = Lab::new();
    // Numbers of a linear congruential generator: the labels have nothing to do with the features.
    let mut state = 24_u64;
    let mut random = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let rows: String = (0..400)
        .map(|_| format!("{},{},{}\n", random() % 1000, random() % 1000, random() % 2))
        .collect();
    lab.write("random.csv", format!("x,z,y\n{rows}"));
    let config = r#"
        dataset = { name = "csv", path = "random.csv", label = "y" }
        split = { train = 0.7, valid = 0.3 }
        standardize = { method = "per_feature" }
        model = { name = "mlp", hidden = [8] }
        loss = { name = "bce_with_logits" }
        optimizer = { name = "adam", learning_rate = 0.01 }
        training = { num_epochs = 5, batch_size = 8 }
    "#;
    lab.write("random.toml", config);
    let shown = lab.run(&["find-lr", "random.toml"]);
    let listed = lab.run(&["find-lr", "random.toml", "--json"]);
    assert_eq!((shown.code, listed.code), (Some(1), Some(1)), "{shown:#?}");
    assert!(shown.stderr.contains("no suggestion: "), "{}", shown.stderr);
    assert!(!shown.stdout.contains("to try it"), "{}", shown.stdout);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert!(
        listed["suggestion"].is_null() && listed["reason"].is_string(),
        "{listed}"
    );
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
        failed.stderr.contains("at no learning rate"),
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

#[test]
fn an_optimiser_that_searches_for_the_length_of_its_steps_is_refused() {
    let lab = Lab::new();
    let config = shipped("train/moons.toml");
    let optimizer = "optimizer={ name = \"lbfgs\", learning_rate = 1.0 }";
    let words = ["find-lr", config.to_str().unwrap(), "--set", optimizer];
    let outcome = lab.run(&words);
    assert_eq!(outcome.code, Some(2), "{outcome:#?}");
    let text = outcome.stderr;
    assert!(text.contains("`optimizer.name` is lbfgs"), "{text}");
}
