//! Recorded PyTorch trainings, replayed.

use std::path::PathBuf;

use serde_json::Value;

use crate::lab::{Lab, has_wgpu, project};

fn traces() -> Vec<PathBuf> {
    let folder = project().join("tests/golden/traces");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

/// Replays traces on devices; all must be met. Returns the number of replays.
fn assert_met(files: &[PathBuf], devices: &[&str]) -> usize {
    let lab = Lab::new();
    let mut words = vec!["check", "trace", "--json"];
    for device in devices {
        words.extend(["--device", device]);
    }
    words.extend(files.iter().map(|file| file.to_str().unwrap()));
    let outcome = lab.run(&words);
    let rows: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let rows = rows.as_array().unwrap();
    let failing: Vec<&Value> = rows.iter().filter(|row| row["passes"] != true).collect();
    assert!(failing.is_empty(), "{failing:#?}");
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    rows.len()
}

/// Traces of what has no fused kernels: Burn operations alone replay them.
const WITHOUT_FUSED_KERNELS: [&str; 2] = ["optimizer-lbfgs", "optimizer-lion"];

#[test]
fn every_trace_is_met_by_both_engines_on_both_cpu_devices_in_both_precisions() {
    let files = traces();
    assert!(files.len() >= 28, "only {} traces", files.len());
    let expected = 8 * files.len() - 4 * WITHOUT_FUSED_KERNELS.len();
    assert_eq!(assert_met(&files, &["flex", "ndarray"]), expected);
}

/// One trace of each kind: a software Vulkan device takes ten seconds for each, so that all of them are
/// left to `emberlab check trace --device wgpu tests/golden/traces/*.json`.
#[test]
fn traces_of_each_kind_are_met_on_wgpu() {
    if !has_wgpu() {
        return;
    }
    let kinds = [
        "activation-gelu",
        "loss-bce_with_logits",
        "norm-batch",
        "optimizer-adam",
    ];
    let files: Vec<PathBuf> = traces()
        .into_iter()
        .filter(|file| {
            kinds
                .iter()
                .any(|kind| file.ends_with(format!("{kind}.json")))
        })
        .collect();
    // By both engines.
    assert_eq!(assert_met(&files, &["wgpu"]), 2 * kinds.len());
}

#[test]
fn a_trace_that_is_not_met_fails_loudly() {
    let lab = Lab::new();
    let original =
        std::fs::read_to_string(project().join("tests/golden/traces/loss-mse.json")).unwrap();
    let mut trace: Value = serde_json::from_str(&original).unwrap();
    let last = trace["losses"].as_array().unwrap().len() - 1;
    let loss = trace["losses"][last].as_f64().unwrap();
    trace["losses"][last] = (loss + 1e-6).into();
    let file = lab.write("changed.json", trace.to_string());
    let words = [
        "check",
        "trace",
        file.to_str().unwrap(),
        "--precision",
        "f64",
    ];
    let outcome = lab.run(&words);
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    assert!(outcome.stdout.contains("FAILS"), "{}", outcome.stdout);
    assert!(
        outcome
            .stderr
            .contains("deviate too much: loss-mse on flex in f64 by fused kernels"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_file_that_is_no_trace_is_named() {
    let lab = Lab::new();
    let file = lab.write("broken.json", "{\"name\": 3}");
    let outcome = lab.run(&["check", "trace", file.to_str().unwrap()]);
    assert_eq!(outcome.code, Some(2), "{outcome:#?}");
    assert!(
        outcome.stderr.contains("broken.json is not a trace"),
        "{}",
        outcome.stderr
    );
}
