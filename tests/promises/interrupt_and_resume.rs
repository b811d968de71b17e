//! Trainings that are stopped, and go on.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use crate::lab::{FIGURES, Lab, assert_same_files, outcome, send, shipped, wait_until};
use crate::requirements::Part;

/// Starts a training, waits until it has trained some epochs, sends a signal, and resumes.
fn interrupt_and_resume(signal: rustix::process::Signal) {
    let lab = Lab::new();
    let config = shipped("train/moons.toml");
    let config = config.to_str().unwrap();
    let train = ["train", config, "--dashboard", "plain"];
    let more = [
        "--set",
        "training.num_epochs=400",
        "--set",
        "training.batch_size=8",
    ];
    let whole = lab.command(&[&train[..], &["--run", "whole"], &more[..]].concat());
    let mut whole = whole;
    assert_eq!(outcome(whole.output().unwrap()).code, Some(0));

    let mut stopped = lab.command(&[&train[..], &["--run", "stopped"], &more[..]].concat());
    let child = stopped
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let metrics = lab.path().join("artifacts/moons/stopped/metrics.csv");
    wait_until(60, "the training has twenty rows", || {
        std::fs::read_to_string(&metrics).map_or(0, |text| text.lines().count()) >= 20
    });
    send(&child, signal);
    let ended = outcome(child.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(130), "{ended:#?}");
    assert!(
        ended.stderr.contains("emberlab resume moons/stopped"),
        "{}",
        ended.stderr
    );
    assert!(
        !lab.path()
            .join("artifacts/moons/stopped/result.json")
            .exists()
    );

    let early = lab.run(&["evaluate", "stopped"]);
    assert_eq!(early.code, Some(2), "{early:#?}");
    assert!(
        early.stderr.contains("moons/stopped has not finished"),
        "{}",
        early.stderr
    );

    let resumed = lab.succeed(&["resume", "stopped", "--dashboard", "plain"]);
    assert!(
        resumed.stdout.contains("moons/stopped continues after"),
        "{}",
        resumed.stdout
    );
    // The same rows and the same weights, to the bit, as a training that was never stopped.
    let run = |name| lab.path().join("artifacts/moons").join(name);
    assert_same_files(&run("whole"), &run("stopped"), &FIGURES);
}

#[test]
fn after_ctrl_c_a_training_goes_on_as_if_it_had_not_been_stopped() {
    interrupt_and_resume(rustix::process::Signal::INT);
}

#[test]
fn after_sigterm_a_training_goes_on_as_if_it_had_not_been_stopped() {
    interrupt_and_resume(rustix::process::Signal::TERM);
}

#[test]
fn resuming_a_finished_run_changes_nothing() {
    let lab = Lab::new();
    let few = ["training.num_epochs=3"];
    let run = lab.train("train/iris.toml", "done", &few);
    let (metrics, result) = (run.text("metrics.csv"), run.json("result.json"));
    lab.succeed(&["resume", "latest", "--dashboard", "quiet"]);
    assert_eq!(run.text("metrics.csv"), metrics);
    assert_eq!(run.json("result.json")["metrics"], result["metrics"]);
}

#[test]
fn a_run_repeats_from_its_own_config() {
    let lab = Lab::new();
    let few = ["training.num_epochs=5", "seed=3"];
    let first = lab.train("train/spirals.toml", "first", &few);
    let config = first.folder.join("config.toml");
    let words = [
        "train",
        config.to_str().unwrap(),
        "--run",
        "again",
        "--dashboard",
        "quiet",
    ];
    lab.succeed(&words);
    let again = lab.path().join("artifacts/spirals/again/metrics.csv");
    assert_eq!(
        std::fs::read_to_string(again).unwrap(),
        first.text("metrics.csv")
    );
}

#[test]
fn a_damaged_checkpoint_is_named_and_the_one_before_it_used() {
    let lab = Lab::new();
    let few = ["training.num_epochs=6", "checkpoint.every.epochs=2"];
    let run = lab.train("train/iris.toml", "damaged", &few);
    let metrics = run.text("metrics.csv");
    let mut checkpoints: Vec<_> = std::fs::read_dir(run.folder.join("checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    checkpoints.sort();
    assert_eq!(checkpoints.len(), 2, "{checkpoints:?}");
    let newest = checkpoints[1].join("network.bpk");
    let mut bytes = std::fs::read(&newest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&newest, bytes).unwrap();
    let resumed = lab.succeed(&["resume", "damaged", "--dashboard", "quiet"]);
    assert!(
        resumed.stderr.contains("network.bpk does not match"),
        "{}",
        resumed.stderr
    );
    assert_eq!(run.text("metrics.csv"), metrics);
}

#[test]
fn optimised_and_unoptimised_builds_end_with_the_same_weights() {
    let debug = std::env::var_os("EMBERLAB_DEBUG_COMMAND").filter(|path| !path.is_empty());
    let Some(debug) = debug else {
        Part::UnoptimizedBuild.is_missing("EMBERLAB_DEBUG_COMMAND names no build");
        return;
    };
    // flex is in every build.
    let device = "flex";
    for config in ["train/digits.toml", "train/digits_convnet.toml"] {
        let lab = Lab::new();
        let few = ["training.num_epochs=1", "split.train=0.06"];
        let release = lab.train_on(device, config, "release", &few);
        let own = release.folder.join("config.toml");
        let status = std::process::Command::new(&debug)
            .args(["train", own.to_str().unwrap(), "--run", "debug"])
            .args(["--device", device, "--dashboard", "quiet"])
            .current_dir(lab.path())
            .status()
            .unwrap();
        assert!(status.success());
        let debug = release.folder.with_file_name("debug");
        let files = ["metrics.csv", "model/network.bpk"];
        assert_same_files(&release.folder, &debug, &files);
    }
}

#[test]
fn a_second_ctrl_c_ends_within_a_step_and_loses_only_what_followed_the_last_checkpoint() {
    let lab = Lab::new();
    let config = shipped("train/digits.toml");
    // A step takes a second: a matrix of four million numbers, all samples at once.
    let sets = [
        "model.hidden=[2000,2000]",
        "training.batch_size=full",
        "training.num_epochs=100",
        "checkpoint.every.steps=1",
        "optimizer.name=sgd",
    ];
    let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
    let words = [
        "train",
        config.to_str().unwrap(),
        "--run",
        "slow",
        "--dashboard",
        "plain",
    ];
    let mut command = lab.command(&[&words[..], &sets[..]].concat());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The first epoch's row is written, so that the second step has just begun.
    let metrics = lab.path().join("artifacts/digits/slow/metrics.csv");
    wait_until(120, "the first epoch is measured", || {
        std::fs::read_to_string(&metrics).map_or(0, |text| text.lines().count()) >= 2
    });
    // The second signal is sent after the first has been answered: two at once may reach the process as one.
    send(&child, rustix::process::Signal::INT);
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut answer = String::new();
    while !answer.contains("press Ctrl-C again") {
        assert!(stderr.read_line(&mut answer).unwrap() > 0, "{answer}");
    }
    send(&child, rustix::process::Signal::INT);
    stderr.read_to_string(&mut answer).unwrap();
    let mut ended = outcome(child.wait_with_output().unwrap());
    ended.stderr = answer;
    assert_eq!(ended.code, Some(130), "{ended:#?}");
    assert!(!ended.stderr.contains("is saved"), "{}", ended.stderr);
    lab.succeed(&["runs", "check"]);
    let resumed = lab.run(&["resume", "slow", "--dashboard", "plain", "--stop-at", "2"]);
    assert_eq!(resumed.code, Some(130), "{resumed:#?}");
    assert!(
        resumed.stdout.contains("continues after"),
        "{}",
        resumed.stdout
    );
}
