//! `emberlab check gradients`; `check trace` is in `references/traces.rs`.

use serde_json::Value;

use crate::lab::{Lab, shipped};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn every_gradient_of_the_lab_passes_on_every_device() {
    let lab = Lab::new();
    for device in crate::lab::devices() {
        let outcome = lab.succeed(&["check", "gradients", "--json", "--device", &device]);
        let rows = json(&outcome.stdout);
        let rows = rows.as_array().unwrap();
        assert!(rows.len() >= 30, "{device}: {}", rows.len());
        assert!(rows.iter().all(|row| row["passes"] == true), "{device}");
        assert!(
            rows.iter().any(|row| row["num_kinks"] == 1),
            "relu has a kink"
        );
    }
}

#[test]
fn every_parameter_of_shipped_networks_passes_with_the_backward_pass_written_out_beside_it() {
    let lab = Lab::new();
    for (config, set) in [
        ("train/iris.toml", "seed=0"),
        ("train/moons.toml", "training.class_weights=[1, 3]"),
        // The biases before a batch norm have a gradient of zero.
        ("train/digits_convnet.toml", "model.normalization=batch"),
    ] {
        let path = shipped(config);
        let words = ["check", "gradients", path.to_str().unwrap(), "--json"];
        let rows = json(&lab.succeed(&[&words[..], &["--set", set]].concat()).stdout);
        let rows = rows.as_array().unwrap();
        assert!(!rows.is_empty());
        for row in rows {
            assert_eq!(row["passes"], true, "{row}");
            assert!(row["exact"].is_object(), "{config}: {row}");
        }
    }
}

#[test]
fn a_tolerance_that_accepts_or_refuses_everything_is_refused() {
    let lab = Lab::new();
    for tolerance in ["nan", "inf", "0"] {
        let outcome = lab.run(&["check", "gradients", "--tolerance", tolerance]);
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        assert!(
            outcome.stderr.contains("must be a positive number"),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_check_of_gradients_that_fails_names_the_worst_and_ends_with_1() {
    let lab = Lab::new();
    // No gradient is right to twenty digits.
    let outcome = lab.run(&["check", "gradients", "--tolerance", "1e-20"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stdout.contains("FAILS"));
    assert!(
        outcome.stderr.contains("gradients are wrong"),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("activation sigmoid, worst at x["),
        "{}",
        outcome.stderr
    );
}
