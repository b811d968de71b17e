//! One training twice: in full, and stopped at a step.

use crate::lab::{FIGURES, Lab, assert_same_files, shipped};

/// Trains iris for 12 epochs of 15 steps in full, and another time up to a step.
pub fn whole_and_stopped(more: &[&str], step: &str) -> Lab {
    let lab = Lab::new();
    let config = shipped("train/iris.toml");
    let sets = ["training.num_epochs=12"].iter().chain(more);
    let sets: Vec<&str> = sets.flat_map(|set| ["--set", set]).collect();
    let train = |name| {
        let words = [
            "train",
            config.to_str().unwrap(),
            "--dashboard",
            "quiet",
            "--run",
            name,
        ];
        [&words[..], &sets[..]].concat()
    };
    lab.succeed(&train("whole"));
    let stopped = lab.run(&[&train("stopped")[..], &["--stop-at", step]].concat());
    assert_eq!(stopped.code, Some(130), "{stopped:#?}");
    lab
}

/// Asserts that the stopped run, resumed, has the metrics and weights of the whole one.
#[track_caller]
pub fn assert_same(lab: &Lab) {
    let run = |name| lab.path().join("artifacts/iris").join(name);
    assert_same_files(&run("whole"), &run("stopped"), &FIGURES);
}
