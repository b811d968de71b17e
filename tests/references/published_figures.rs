//! The figures that the lab must reproduce.

use crate::lab::{Lab, assert_in, data_dir, median};

/// The medians of one metric of `result.json` over seeds.
fn medians(config: &str, overrides: &[&str], seeds: u64, wanted: &[(&str, &str)]) -> Vec<f64> {
    let lab = Lab::new();
    let runs: Vec<_> = (0..seeds)
        .map(|seed| {
            let seed = format!("seed={seed}");
            let mut all = vec![seed.as_str()];
            all.extend(overrides);
            lab.train(config, &seed, &all)
        })
        .collect();
    wanted
        .iter()
        .map(|(split, metric)| median(runs.iter().map(|run| run.metric(split, metric)).collect()))
        .collect()
}

const VALID: [(&str, &str); 2] = [("valid", "accuracy"), ("valid", "loss")];

// B4: validation accuracy and loss over ten seeds of the same network in PyTorch, float64, seeds 0 to 9,
// [min, max]; here over five seeds.
#[test]
fn binary_digits_of_a_hidden_layer_meet_pytorchs_range() {
    let figures = medians("train/digits_binary.toml", &[], 5, &VALID);
    assert_in("accuracy", figures[0], 0.968..=0.989);
    assert_in("loss", figures[1], 0.037..=0.126);
}

#[test]
fn binary_digits_without_a_hidden_layer_meet_pytorchs_range() {
    let figures = medians("train/digits_binary.toml", &["model.hidden=[]"], 5, &VALID);
    assert_in("accuracy", figures[0], 0.878..=0.903);
    assert_in("loss", figures[1], 0.265..=0.345);
}

#[test]
fn binary_digits_of_a_linear_hidden_layer_meet_pytorchs_range() {
    let overrides = ["model.activation=linear", "optimizer.learning_rate=0.2"];
    let figures = medians("train/digits_binary.toml", &overrides, 5, &VALID);
    assert_in("accuracy", figures[0], 0.868..=0.902);
    assert_in("loss", figures[1], 0.261..=0.362);
}

#[test]
fn binary_digits_of_three_hidden_layers_meet_pytorchs_range() {
    let overrides = [
        "model.hidden=[32,16,8]",
        "optimizer.learning_rate=0.1",
        "training.num_epochs=100",
    ];
    let figures = medians("train/digits_binary.toml", &overrides, 5, &VALID);
    assert_in("accuracy", figures[0], 0.959..=0.980);
    assert_in("loss", figures[1], 0.071..=0.243);
}

// C3: NumPy, float64, zero weights; the loss before the update of epochs 100, 200 … 1000.
#[test]
fn or_from_zero_weights_has_the_exact_losses() {
    let lab = Lab::new();
    let run = lab.train("train/gate_or.toml", "or", &[]);
    let expected = [
        0.343235, 0.267489, 0.217805, 0.182836, 0.157021, 0.137249, 0.121661, 0.109086, 0.098746,
        0.090110,
    ];
    let losses = run.column("train_loss");
    for (hundred, expected) in expected.into_iter().enumerate() {
        let found = losses[100 * (hundred + 1) - 1];
        assert!(
            (found - expected).abs() < 1e-6,
            "epoch {}: {found} is not {expected}",
            100 * (hundred + 1)
        );
    }
    assert_eq!(run.metric("train", "accuracy"), 1.0);
}

#[test]
fn a_perceptron_learns_every_gate_but_xor() {
    let lab = Lab::new();
    for (gate, learns) in [("and", true), ("nand", true), ("xor", false)] {
        let gate_is = format!("dataset.gate={gate}");
        let run = lab.train("train/gate_or.toml", gate, &[&gate_is]);
        assert_eq!(run.metric("train", "accuracy") == 1.0, learns, "{gate}");
    }
}

// E1: NumPy, float64, seeds 0 to 9, [min, max]; statistics of the training rows.
#[test]
fn iris_of_the_first_120_rows_meets_numpys_range() {
    let wanted = [
        ("train", "accuracy"),
        ("valid", "accuracy"),
        ("train", "loss"),
        ("valid", "loss"),
    ];
    let figures = medians("train/iris.toml", &[], 10, &wanted);
    assert_in("train accuracy", figures[0], 0.975..=0.992);
    assert_in("validation accuracy", figures[1], 0.90..=0.933);
    assert_in("train loss", figures[2], 0.094..=0.115);
    assert_in("validation loss", figures[3], 0.335..=0.420);
}

#[test]
fn iris_with_the_statistics_of_all_rows_meets_numpys_range_and_warns() {
    let wanted = [("train", "loss"), ("valid", "loss")];
    let all = ["standardize.statistics=all"];
    let figures = medians("train/iris.toml", &all, 10, &wanted);
    assert_in("train loss", figures[0], 0.071..=0.098);
    assert_in("validation loss", figures[1], 0.278..=0.359);
    let lab = Lab::new();
    let path = crate::lab::shipped("train/iris.toml");
    let words = ["train", path.to_str().unwrap(), "--set", all[0]];
    let stderr = lab.succeed(&words).stderr;
    assert!(
        stderr.contains("`standardize.statistics` is \"all\""),
        "{stderr}"
    );
}

#[test]
fn stratified_iris_meets_numpys_range() {
    let wanted = [("valid", "accuracy"), ("train", "loss")];
    let stratified = ["split.method=stratified"];
    let figures = medians("train/iris.toml", &stratified, 10, &wanted);
    assert_in("validation accuracy", figures[0], 0.867..=1.0);
    assert_in("train loss", figures[1], 0.095..=0.125);
}

// E3: NumPy, float64, [min, max] over ten seeds after the first epoch; here of three seeds.
#[test]
fn mnist_with_batch_normalisation_meets_numpys_range_after_one_epoch() {
    if data_dir().is_none() {
        return;
    }
    let one = ["training.num_epochs=1"];
    let wanted = [("valid", "accuracy")];
    let figures = medians("train/mnist_batchnorm.toml", &one, 3, &wanted);
    assert_in("validation accuracy", figures[0], 0.942..=0.947);
}
