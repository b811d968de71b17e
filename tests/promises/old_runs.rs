//! Run folders that earlier versions wrote are read, evaluated, reported and resumed.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::lab::{Lab, copy, project};

/// The run folders of each earlier version.
fn versions() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(project().join("tests/golden/runs")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let versions: Vec<PathBuf> = paths.filter(|path| path.is_dir()).collect();
    assert!(!versions.is_empty());
    versions
}

/// A lab with a copy of them as its artifacts.
fn lab_with(version: &Path) -> Lab {
    let lab = Lab::new();
    copy(version, &lab.path().join("artifacts"));
    lab
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Asserts that metrics are the same up to the last digits of f32, in which processors differ.
#[track_caller]
fn assert_same_metrics(found: &Value, expected: &Value) {
    let expected = expected.as_object().unwrap();
    assert!(!expected.is_empty());
    for (name, value) in expected {
        let agree = match (found[name].as_f64(), value.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-4 * b.abs().max(1.0),
            _ => found[name] == *value,
        };
        assert!(agree, "{name} is {} instead of {value}", found[name]);
    }
}

#[test]
fn old_runs_are_listed_and_whole() {
    for version in versions() {
        let lab = lab_with(&version);
        let listed: Value = serde_json::from_str(&lab.succeed(&["runs", "--json"]).stdout).unwrap();
        let mut states: Vec<(&str, &str)> = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|run| (run["run"].as_str().unwrap(), run["state"].as_str().unwrap()))
            .collect();
        states.sort_unstable();
        assert_eq!(
            states,
            [
                ("activations_moons/linear-seed0", "finished"),
                ("activations_moons/linear-seed1", "finished"),
                ("activations_moons/relu-seed0", "finished"),
                ("activations_moons/relu-seed1", "finished"),
                ("gate_or/threshold", "finished"),
                ("hamming/failed", "failed"),
                ("iris/finished", "finished"),
                ("iris/interrupted", "interrupted"),
                ("regression/diverged", "finished"),
                ("regression/finished", "finished"),
            ]
        );
        let checked = lab.succeed(&["runs", "check"]).stdout;
        assert_eq!(checked.matches(": whole (").count(), 10, "{checked}");
    }
}

#[test]
fn old_runs_are_evaluated_with_the_metrics_of_their_result() {
    for version in versions() {
        let lab = lab_with(&version);
        for run in [
            "iris/finished",
            "regression/finished",
            "regression/diverged",
            "activations_moons/relu-seed1",
        ] {
            let told = lab.succeed(&["evaluate", run, "--json"]).stdout;
            let told: Value = serde_json::from_str(&told).unwrap();
            let result = json(&version.join(run).join("result.json"));
            let split = told["split"].as_str().unwrap();
            assert_same_metrics(&told["metrics"], &result["metrics"][split]);
        }
        let told = lab
            .succeed(&["evaluate", "gate_or/threshold", "--json"])
            .stdout;
        let told: Value = serde_json::from_str(&told).unwrap();
        let chosen = json(&version.join("gate_or/threshold/model/threshold.json"));
        assert_eq!(told["threshold"], chosen);
        // An old threshold is that of the last network, whose predictions it decides.
        let at = &chosen["best"]["at"];
        let counts = serde_json::json!([
            [at["true_negatives"], at["false_positives"]],
            [at["false_negatives"], at["true_positives"]]
        ]);
        assert_eq!(told["confusion_matrix"]["counts"], counts);
    }
}

#[test]
fn old_runs_and_comparisons_are_reported() {
    for version in versions() {
        let lab = lab_with(&version);
        let report = |run: &str| {
            lab.succeed(&["report", run]);
            for format in ["csv", "json"] {
                lab.succeed(&["report", run, "--format", format]);
            }
            lab.succeed(&["report", run, "--format", "markdown"]).stdout
        };
        for (run, expected) in [
            ("iris/finished", "after 4 epochs"),
            ("iris/interrupted", "1 epoch"),
            ("gate_or/threshold", "after 20 epochs"),
            (
                "gate_or/threshold",
                "was chosen by an earlier version, which kept no predictions with it; 0.5 is used",
            ),
            ("hamming/failed", "The training failed"),
            ("regression/finished", "after 3 epochs"),
            (
                "regression/diverged",
                "The train loss is NaN or infinite after 3 epochs",
            ),
            ("activations_moons", "4 of 4 trials"),
        ] {
            let text = report(run);
            assert!(text.contains(expected), "{run}: {text}");
        }
        let again = "artifacts/activations_moons/comparison.toml";
        let planned = lab.succeed(&["compare", again, "--dry-run"]).stdout;
        assert!(planned.contains("4 trials, 0 to train"), "{planned}");
        let before = json(&version.join("activations_moons/comparison.json"));
        lab.succeed(&["compare", again, "--collect"]);
        let after = json(
            &lab.path()
                .join("artifacts/activations_moons/comparison.json"),
        );
        for key in ["question", "variants", "differences", "trials"] {
            assert_eq!(after[key], before[key], "{key}");
        }
    }
}

#[test]
fn an_old_interrupted_run_is_resumed_to_the_end_of_one_that_was_not() {
    for version in versions() {
        let lab = lab_with(&version);
        lab.succeed(&["resume", "iris/interrupted", "--dashboard", "quiet"]);
        let resumed = json(&lab.path().join("artifacts/iris/interrupted/result.json"));
        let whole = json(&version.join("iris/finished/result.json"));
        for split in ["train", "valid"] {
            assert_same_metrics(&resumed["metrics"][split], &whole["metrics"][split]);
        }
        let environment = json(
            &lab.path()
                .join("artifacts/iris/interrupted/environment.json"),
        );
        assert_eq!(environment["resumed"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn an_old_run_is_diagnosed_again() {
    for version in versions() {
        let lab = lab_with(&version);
        lab.succeed(&["diagnose", "regression/diverged"]);
        let found = json(
            &lab.path()
                .join("artifacts/regression/diverged/diagnosis.json"),
        );
        assert_eq!(found["findings"][0]["kind"], "non_finite");
    }
}
