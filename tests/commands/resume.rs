//! Runs that go on: in another place, with other settings, for longer, or not at all.

use std::path::Path;
use std::process::Stdio;

use crate::lab::{Lab, assert_same_files, copy, outcome, shipped, wait_until};
use crate::requirements::Part;
use crate::whole_and_stopped::{assert_same, whole_and_stopped};

#[test]
fn a_run_goes_on_from_another_working_directory_under_another_name() {
    let lab = whole_and_stopped(&[], "50");
    let elsewhere = lab.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let run = lab.path().join("artifacts/iris/stopped");
    let moved = elsewhere.join("moved");
    std::fs::rename(&run, &moved).unwrap();
    let mut command = lab.command(&["resume", "moved", "--dashboard", "quiet"]);
    let resumed = outcome(command.current_dir(&elsewhere).output().unwrap());
    assert_eq!(resumed.code, Some(0), "{resumed:#?}");
    std::fs::rename(&moved, &run).unwrap();
    assert_same(&lab);
}

#[test]
fn a_run_goes_on_with_other_numbers_of_threads() {
    let lab = Lab::new();
    let config = shipped("train/digits.toml");
    let few = ["--set", "training.num_epochs=3", "--dashboard", "quiet"];
    let words = |name, threads| {
        let train = [
            "train",
            config.to_str().unwrap(),
            "--run",
            name,
            "--threads",
            threads,
        ];
        [&train[..], &few[..]].concat()
    };
    lab.succeed(&words("whole", "1"));
    let stopped = lab.run(&[&words("stopped", "1")[..], &["--stop-at", "30"]].concat());
    assert_eq!(stopped.code, Some(130), "{stopped:#?}");
    let on = |threads, step| {
        lab.run(&[
            "resume",
            "stopped",
            "--dashboard",
            "quiet",
            "--threads",
            threads,
            "--stop-at",
            step,
        ])
    };
    assert_eq!(on("2", "70").code, Some(130));
    assert_eq!(on("4", "1000").code, Some(0));
    let run = |name| lab.path().join("artifacts/digits").join(name);
    let files = ["metrics.csv", "model/network.bpk"];
    assert_same_files(&run("whole"), &run("stopped"), &files);
}

#[test]
fn every_optimiser_with_a_buffer_goes_on_to_the_bit_under_a_schedule_with_a_warm_up() {
    for (optimizer, scheduler) in [
        ("adagrad", "name = 'one_cycle'"),
        ("nadam", "name = 'cosine_restarts', num_steps = 3"),
        ("lion", "name = 'polynomial', interval = 'step'"),
    ] {
        let optimizer = format!("optimizer={{ name = '{optimizer}', learning_rate = 0.01 }}");
        let warmup = "warmup = { num_steps = 40, interval = 'step' }";
        let scheduler = format!("scheduler={{ {scheduler}, {warmup} }}");
        for step in ["23", "70"] {
            let lab = whole_and_stopped(&[&optimizer, &scheduler], step);
            lab.succeed(&["resume", "stopped", "--dashboard", "quiet"]);
            assert_same(&lab);
        }
    }
}

#[test]
fn more_epochs_need_no_force_and_end_as_if_planned_from_the_start() {
    let lab = whole_and_stopped(&[], "50");
    lab.succeed(&["resume", "stopped", "--dashboard", "quiet"]);
    let longer = [
        "resume",
        "stopped",
        "--set",
        "training.num_epochs=20",
        "--dashboard",
        "plain",
    ];
    let longer = lab.succeed(&longer);
    assert!(
        longer.stdout.contains("training.num_epochs  12 -> 20"),
        "{}",
        longer.stdout
    );
    let config = shipped("train/iris.toml");
    let fresh = [
        "train",
        config.to_str().unwrap(),
        "--set",
        "training.num_epochs=20",
    ];
    std::fs::remove_dir_all(lab.path().join("artifacts/iris/whole")).unwrap();
    lab.succeed(&[&fresh[..], &["--run", "whole", "--dashboard", "quiet"]].concat());
    assert_same(&lab);
    // The run's own configuration alone repeats it, also after the change.
    let own = lab.path().join("artifacts/iris/stopped/config.toml");
    assert!(
        std::fs::read_to_string(own)
            .unwrap()
            .contains("num_epochs = 20")
    );
}

#[test]
fn fewer_epochs_need_force() {
    let lab = whole_and_stopped(&[], "50");
    let fewer = [
        "resume",
        "stopped",
        "--dashboard",
        "quiet",
        "--set",
        "training.num_epochs=5",
    ];
    let refused = lab.run(&fewer);
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    assert!(
        refused.stderr.contains("training.num_epochs  12 -> 5"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    // The fourth epoch has begun.
    let begun = [
        "resume",
        "stopped",
        "--force",
        "--set",
        "training.num_epochs=3",
    ];
    let refused = lab.run(&begun);
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    lab.succeed(&[&fewer[..], &["--force"]].concat());
    let metrics = lab.path().join("artifacts/iris/stopped/metrics.csv");
    assert_eq!(std::fs::read_to_string(metrics).unwrap().lines().count(), 6);
}

#[test]
fn another_configuration_is_refused_with_what_differs() {
    let lab = whole_and_stopped(&[], "50");
    let folder = lab.path().join("artifacts/iris/stopped");
    let before = snapshot(&folder);
    for force in [&[][..], &["--force"]] {
        let changed = ["resume", "stopped", "--set", "optimizer.learning_rate=0.5"];
        let refused = lab.run(&[&changed[..], &["--set", "model.bias=true"], force].concat());
        assert_eq!(refused.code, Some(2), "{refused:#?}");
        for line in ["optimizer.learning_rate  0.01 -> 0.5", "false -> true"] {
            assert!(refused.stderr.contains(line), "{}", refused.stderr);
        }
        assert!(
            refused.stderr.contains("start a new run"),
            "{}",
            refused.stderr
        );
    }
    assert_eq!(snapshot(&folder), before);
    // The same where somebody has edited the run's own file.
    let own = folder.join("config.toml");
    let text = std::fs::read_to_string(&own).unwrap();
    std::fs::write(
        &own,
        text.replace("learning_rate = 0.01", "learning_rate = 0.02"),
    )
    .unwrap();
    let refused = lab.run(&["resume", "stopped"]);
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    assert!(
        refused.stderr.contains("0.01 -> 0.02"),
        "{}",
        refused.stderr
    );
    std::fs::write(&own, text).unwrap();
    lab.succeed(&["resume", "stopped", "--dashboard", "quiet"]);
    assert_same(&lab);
}

#[test]
fn a_finished_run_with_nothing_left_to_train_is_left_as_it_is() {
    let lab = Lab::new();
    let run = lab.train("train/moons.toml", "done", &["training.num_epochs=4"]);
    lab.succeed(&["evaluate", "done", "--threshold-by", "f1"]);
    let before = stamps(&run.folder);
    // Neither an option of how it is shown nor a key that trains nothing gives it something to do.
    for more in [&[][..], &["--set", "checkpoint.keep_last=1"]] {
        let done = lab.succeed(&[&["resume", "done"], more].concat());
        assert!(done.stderr.contains("nothing to do"), "{done:#?}");
        let next = "emberlab resume moons/done --set training.num_epochs=8";
        assert!(done.stderr.contains(next), "{done:#?}");
        assert_eq!(stamps(&run.folder), before);
        assert_eq!(done.stderr.contains("keep_last"), !more.is_empty());
    }
    lab.write("rows.csv", "x1,x2\n0.5,0.3\n");
    let told = lab.succeed(&["predict", "done", "rows.csv"]).stderr;
    let chosen = run.json("model/threshold.json")["best"]["at"]["threshold"].as_f64();
    let number = format!("above the probability {:.4}", chosen.unwrap());
    assert!(told.contains(&number), "{told}");
    // A file that is missing is something to do: it is written again, and the threshold is still that of the weights.
    std::fs::remove_file(run.folder.join("model/network.bpk")).unwrap();
    lab.succeed(&["resume", "done", "--dashboard", "quiet"]);
    lab.succeed(&["runs", "check"]);
    let told = lab.succeed(&["predict", "done", "rows.csv"]).stderr;
    assert!(told.contains(&number), "{told}");
}

/// Stops after seven epochs: no epoch improves the loss by as much as `min_delta`.
const STOPS_EARLY: [&str; 3] = [
    "training.num_epochs=40",
    "training.early_stopping.patience=6",
    "training.early_stopping.min_delta=1000",
];

#[test]
fn more_epochs_after_early_stopping_are_refused_with_the_patience_to_change() {
    let lab = Lab::new();
    let run = lab.train("train/moons.toml", "early", &STOPS_EARLY);
    assert_eq!(run.json("result.json")["epochs"], 7);
    let before = stamps(&run.folder);
    let more = ["resume", "early", "--set", "training.num_epochs=80"];
    let refused = lab.run(&more);
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    for part in [
        "stopped early after 7 epochs",
        "the valid loss had not improved for 6 epochs",
        "`training.early_stopping.patience` is 6",
        "--set training.early_stopping.patience=12 --force",
    ] {
        assert!(refused.stderr.contains(part), "{part}: {refused:#?}");
    }
    let done = lab.succeed(&["resume", "early"]);
    for part in [
        "nothing to do",
        "had not improved for 6 epochs",
        "resume moons/early --set training.early_stopping",
    ] {
        assert!(done.stderr.contains(part), "{part}: {done:#?}");
    }
    // A patience that is still used up trains nothing either.
    let as_patient = ["--set", "training.early_stopping.patience=5", "--force"];
    let done = lab.succeed(&[&["resume", "early"], &as_patient[..]].concat());
    assert!(done.stderr.contains("nothing to do"), "{done:#?}");
    assert_eq!(stamps(&run.folder), before);
    let patient = [
        "--set",
        "training.early_stopping.patience=12",
        "--force",
        "--dashboard",
        "quiet",
    ];
    lab.succeed(&[&more[..], &patient].concat());
    assert_eq!(run.json("result.json")["epochs"], 13);
}

#[test]
fn a_threshold_of_the_network_before_is_said_and_not_used() {
    let lab = Lab::new();
    let run = lab.train("train/moons.toml", "longer", &["training.num_epochs=4"]);
    lab.succeed(&["evaluate", "longer", "--threshold-by", "cost=1:3"]);
    let words = [
        "resume",
        "longer",
        "--dashboard",
        "quiet",
        "--set",
        "training.num_epochs=6",
    ];
    let resumed = lab.succeed(&words);
    let said = "emberlab evaluate moons/longer --threshold-by cost=1:3";
    assert!(resumed.stderr.contains(said), "{resumed:#?}");
    lab.write("rows.csv", "x1,x2\n0.5,0.3\n");
    let told = lab.succeed(&["predict", "longer", "rows.csv"]).stderr;
    for part in [
        "before the training went on; 0.5 is used",
        "above the probability 0.5000",
    ] {
        assert!(told.contains(part), "{told}");
    }
    // The same for a threshold of the first version, which did not say what it was chosen for.
    let chosen = run.json("model/threshold.json");
    let old = serde_json::json!({ "split": chosen["split"], "best": chosen["best"] });
    std::fs::write(run.folder.join("model/threshold.json"), old.to_string()).unwrap();
    let told = lab.succeed(&["evaluate", "longer"]).stdout;
    assert!(told.contains("the best by cost 1:3"), "{told}");
    let resumed = lab.succeed(&[&words[..5], &["training.num_epochs=8"]].concat());
    assert!(resumed.stderr.contains(said), "{resumed:#?}");
}

#[test]
fn without_validation_rows_the_best_epoch_is_said_to_be_of_the_training_split() {
    let lab = Lab::new();
    let config = shipped("train/moons.toml");
    let sets = ["split.valid=0", "training.num_epochs=2"];
    let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
    let told = lab.succeed(&[&["train", config.to_str().unwrap()], &sets[..]].concat());
    assert!(told.stdout.contains("best train loss"), "{told:#?}");
    assert!(!told.stdout.contains("best valid"), "{told:#?}");
}

/// The files below a folder with the times of their last change and their contents, the lock included.
fn stamps(folder: &Path) -> Vec<(std::path::PathBuf, std::time::SystemTime, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(stamps(&path));
        } else {
            let changed = path.metadata().unwrap().modified().unwrap();
            files.push((path.clone(), changed, std::fs::read(&path).unwrap()));
        }
    }
    files.sort();
    files
}

/// The files below a folder with their contents, but for the lock.
fn snapshot(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(snapshot(&path));
        } else if !path.ends_with(".lock") {
            let content = std::fs::read(&path).unwrap();
            files.push((path, content));
        }
    }
    files.sort();
    files
}

#[test]
fn other_data_are_refused() {
    let lab = Lab::new();
    let rows: Vec<String> = (0..40)
        .map(|i| format!("{}.5,{},{}", i % 7, i, i % 2))
        .collect();
    let csv = |rows: &[String]| format!("a,b,label\n{}\n", rows.join("\n"));
    lab.write("mine.csv", csv(&rows));
    let config = shipped("train/iris.toml");
    let text = std::fs::read_to_string(config).unwrap();
    let dataset = "name = \"csv\"\npath = \"mine.csv\"\nlabel = \"label\"";
    let text = text.replace("name = \"iris\"", dataset);
    let text = text.replace("train = 120\nvalid = 30", "train = 30\nvalid = 10");
    lab.write("mine.toml", text);
    let train = [
        "train",
        "mine.toml",
        "--run",
        "r",
        "--dashboard",
        "quiet",
        "--stop-at",
        "5",
    ];
    let stopped = lab.run(&train);
    assert_eq!(stopped.code, Some(130), "{stopped:#?}");
    let mut other = rows.clone();
    other[3] = "9.5,3,1".to_string();
    lab.write("mine.csv", csv(&other));
    let refused = lab.run(&["resume", "r", "--dashboard", "quiet"]);
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    assert!(
        refused.stderr.contains("have changed since"),
        "{}",
        refused.stderr
    );
    lab.write("mine.csv", csv(&rows));
    lab.succeed(&["resume", "r", "--dashboard", "quiet"]);
}

#[test]
fn another_device_is_allowed_and_said() {
    let lab = whole_and_stopped(&[], "50");
    let devices = crate::lab::devices();
    let Some(other) = devices.iter().find(|name| *name == "ndarray") else {
        Part::Ndarray.is_missing("ndarray is not compiled in");
        return;
    };
    let words = [
        "resume",
        "stopped",
        "--dashboard",
        "quiet",
        "--device",
        other,
    ];
    let resumed = lab.succeed(&words);
    let note = "the device was flex and is now ndarray";
    assert!(resumed.stderr.contains(note), "{}", resumed.stderr);
    let environment = lab.path().join("artifacts/iris/stopped/environment.json");
    let text = std::fs::read_to_string(environment).unwrap();
    let environment: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(environment["device"], "flex");
    assert_eq!(environment["resumed"][0]["device"], "ndarray");
}

#[test]
fn another_engine_is_allowed_and_said() {
    for (before, after) in [("fused", "burn"), ("burn", "fused")] {
        let first = format!("training.engine={before}");
        let lab = whole_and_stopped(&[&first], "50");
        let other = format!("training.engine={after}");
        let words = ["resume", "stopped", "--dashboard", "quiet", "--set", &other];
        let resumed = lab.succeed(&words);
        let name = |engine: &str| match engine {
            "fused" => "fused kernels",
            _ => "Burn operations",
        };
        let (before, after) = (name(before), name(after));
        let note = format!("the engine was {before} and is now {after}");
        assert!(resumed.stderr.contains(&note), "{}", resumed.stderr);
        let loss = |run: &str| {
            let result = lab
                .path()
                .join("artifacts/iris")
                .join(run)
                .join("result.json");
            let text = std::fs::read_to_string(result).unwrap();
            let result: serde_json::Value = serde_json::from_str(&text).unwrap();
            result["metrics"]["train"]["loss"].as_f64().unwrap()
        };
        // Engines round differently.
        let (found, expected) = (loss("stopped"), loss("whole"));
        assert!(
            (found - expected).abs() < 1e-4 * expected,
            "{found}, {expected}"
        );
    }
}

#[test]
fn a_second_process_on_a_run_is_refused_until_the_first_one_dies() {
    let lab = Lab::new();
    let config = shipped("train/moons.toml");
    let long = [
        "train",
        config.to_str().unwrap(),
        "--run",
        "held",
        "--dashboard",
        "plain",
    ];
    let more = [
        "--set",
        "training.num_epochs=100000",
        "--set",
        "checkpoint.every.seconds=0.2",
    ];
    let mut first = lab.command(&[&long[..], &more[..]].concat());
    let mut child = first.stdout(Stdio::null()).spawn().unwrap();
    let checkpoints = lab.path().join("artifacts/moons/held/checkpoints");
    wait_until(60, "something is saved", || {
        std::fs::read_dir(&checkpoints).is_ok_and(|entries| entries.count() > 0)
    });
    let second = lab.run(&["resume", "held", "--dashboard", "quiet"]);
    assert_eq!(second.code, Some(1), "{second:#?}");
    let holder = format!("in use by process {}", child.id());
    assert!(second.stderr.contains(&holder), "{}", second.stderr);
    let runs = lab.succeed(&["runs"]);
    assert!(runs.stdout.contains("running"), "{}", runs.stdout);
    child.kill().unwrap();
    child.wait().unwrap();
    let runs = lab.succeed(&["runs"]);
    assert!(runs.stdout.contains("interrupted"), "{}", runs.stdout);
    let third = [
        "resume",
        "held",
        "--dashboard",
        "quiet",
        "--set",
        "training.num_epochs=100001",
    ];
    let third = lab.run(&[&third[..], &["--stop-at", "1"]].concat());
    assert_eq!(third.code, Some(130), "{third:#?}");
}

#[test]
fn a_run_that_never_came_to_a_checkpoint_begins_again_from_its_seed() {
    let lab = whole_and_stopped(&[], "1");
    let checkpoints = lab.path().join("artifacts/iris/stopped/checkpoints");
    std::fs::remove_dir_all(checkpoints).unwrap();
    let resumed = lab.succeed(&["resume", "stopped", "--dashboard", "plain"]);
    let said = "stopped has no checkpoint: it starts again from the beginning, with the same seed";
    assert!(resumed.stdout.contains(said), "{}", resumed.stdout);
    assert_same(&lab);
}

#[test]
fn a_run_whose_checkpoints_are_all_damaged_says_so_and_begins_again() {
    let lab = whole_and_stopped(&["checkpoint.every.epochs=1"], "50");
    let checkpoints = lab.path().join("artifacts/iris/stopped/checkpoints");
    for entry in std::fs::read_dir(&checkpoints).unwrap() {
        std::fs::write(entry.unwrap().path().join("optimizer.bpk"), "nothing").unwrap();
    }
    let runs = lab.succeed(&["runs"]);
    assert!(runs.stdout.contains("damaged"), "{}", runs.stdout);
    let resumed = lab.succeed(&["resume", "stopped", "--dashboard", "plain"]);
    let damages = resumed
        .stderr
        .matches("optimizer.bpk has 7 bytes instead of");
    assert_eq!(damages.count(), 2, "{}", resumed.stderr);
    assert_same(&lab);
    // They are kept for inspection until somebody prunes.
    let listed = lab.succeed(&["runs", "prune", "--yes"]);
    assert!(listed.stdout.contains("deleted 2"), "{}", listed.stdout);
    assert_same(&lab);
}

#[test]
fn checkpoints_of_every_version_still_load() {
    let golden = crate::lab::project().join("tests/golden/checkpoints");
    let folders = |path: &Path| -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(path).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.is_dir()).collect()
    };
    let runs: Vec<_> = folders(&golden).iter().flat_map(|v| folders(v)).collect();
    assert!(runs.len() >= 5, "{runs:?}");
    for folder in runs {
        let lab = Lab::new();
        let name = folder.file_name().unwrap();
        let run = lab.path().join("artifacts").join(name).join("run");
        copy(&folder.join("run"), &run);
        let resumed = lab.run(&["resume", "run", "--dashboard", "quiet"]);
        assert_eq!(resumed.code, Some(0), "{folder:?}: {resumed:#?}");
        let rows = |path: &Path| -> Vec<Vec<f64>> {
            let text = std::fs::read_to_string(path).unwrap();
            let row = |line: &str| line.split(',').map(|cell| cell.parse().unwrap()).collect();
            text.lines().skip(1).map(row).collect()
        };
        let (found, expected) = (
            rows(&run.join("metrics.csv")),
            rows(&folder.join("expected.csv")),
        );
        assert_eq!(found.len(), expected.len(), "{folder:?}");
        for (a, b) in found.iter().flatten().zip(expected.iter().flatten()) {
            // Processors differ in the last digits.
            let agree =
                a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-4 * b.abs().max(1.0);
            assert!(agree, "{folder:?}: {a} instead of {b}");
        }
    }
}

#[test]
fn a_damaged_config_is_restored_from_the_newest_checkpoint() {
    let lab = whole_and_stopped(&[], "50");
    let config = lab.path().join("artifacts/iris/stopped/config.toml");
    let whole = std::fs::read_to_string(&config).unwrap();
    let lines: String = whole.split_inclusive('\n').take(9).collect();
    let half = whole.as_bytes()[..whole.len() / 2].to_vec();
    let zeros = vec![0; whole.len()];
    let mut damages = vec![Vec::new(), half, zeros, b"\xff\xfegarbage".to_vec()];
    damages.extend([lines.into_bytes(), b"seed = \"none\"\n".to_vec()]);
    for (i, damaged) in damages.into_iter().enumerate() {
        std::fs::write(&config, damaged).unwrap();
        let checked = lab.run(&["runs", "check", "stopped"]);
        assert_eq!(checked.code, Some(1), "{i}: {checked:#?}");
        let advice = "`emberlab resume iris/stopped` writes it again from a checkpoint";
        assert!(checked.stdout.contains(advice), "{i}: {checked:#?}");
        let resumed = lab.resume_to("stopped", 55 + i);
        assert_eq!(resumed.code, Some(130), "{i}: {resumed:#?}");
        let said = "it is written again from the newest checkpoint";
        assert!(resumed.stderr.contains(said), "{i}: {resumed:#?}");
        assert_eq!(std::fs::read_to_string(&config).unwrap(), whole, "{i}");
    }
    lab.succeed(&["resume", "stopped", "--dashboard", "quiet"]);
    assert_same(&lab);
}

#[test]
fn a_damaged_config_without_a_checkpoint_is_a_failure_of_the_machine() {
    let lab = whole_and_stopped(&[], "50");
    let run = lab.path().join("artifacts/iris/stopped");
    std::fs::remove_dir_all(run.join("checkpoints")).unwrap();
    std::fs::write(run.join("config.toml"), "").unwrap();
    let refused = lab.run(&["resume", "stopped"]);
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    assert!(refused.stderr.contains("config.toml"), "{refused:#?}");
}

#[test]
fn a_lost_or_damaged_environment_stops_no_command_and_is_written_again() {
    let lab = whole_and_stopped(&[], "50");
    let file = |run: &str| {
        lab.path()
            .join("artifacts/iris")
            .join(run)
            .join("environment.json")
    };
    std::fs::remove_file(file("stopped")).unwrap();
    std::fs::write(file("whole"), "").unwrap();
    for words in [["evaluate", "whole"], ["diagnose", "iris/stopped"]] {
        lab.succeed(&words);
    }
    for run in ["iris/stopped", "iris/whole"] {
        let resumed = lab.succeed(&["resume", run, "--dashboard", "quiet"]);
        assert!(
            resumed.stderr.contains("was lost or damaged"),
            "{resumed:#?}"
        );
    }
    lab.succeed(&["runs", "check"]);
    assert_same(&lab);
}

#[test]
fn a_finished_run_gets_its_small_files_back_and_keeps_its_other_results() {
    let lab = Lab::new();
    let run = lab.train("train/moons.toml", "done", &["training.num_epochs=4"]);
    lab.succeed(&["evaluate", "done", "--baselines"]);
    let config = run.folder.join("config.toml");
    let whole = std::fs::read_to_string(&config).unwrap();
    let flipped = whole.replace("num_epochs = 4", "num_epochs = 5");
    assert_ne!(flipped, whole);
    for damaged in [String::new(), flipped] {
        std::fs::write(&config, damaged).unwrap();
        std::fs::remove_file(run.folder.join("environment.json")).unwrap();
        let done = lab.succeed(&["resume", "done"]);
        for part in [
            "it is written again from the newest checkpoint",
            "was lost or damaged",
            "nothing to do: no other file is changed",
        ] {
            assert!(done.stderr.contains(part), "{part}: {done:#?}");
        }
        assert_eq!(std::fs::read_to_string(&config).unwrap(), whole);
        assert!(run.folder.join("baselines.json").exists());
        lab.succeed(&["runs", "check"]);
    }
}

#[test]
fn what_was_forced_once_needs_no_force_again() {
    let lab = whole_and_stopped(&[], "50");
    // As a process leaves it that was killed after its configuration was written and before its first checkpoint.
    let config = lab.path().join("artifacts/iris/stopped/config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("num_epochs = 12", "num_epochs = 5")).unwrap();
    let resume = ["resume", "stopped", "--dashboard", "quiet"];
    lab.succeed(&resume);
    let again = lab.succeed(&resume);
    assert!(again.stderr.contains("nothing to do"), "{again:#?}");
    let fewer = lab.run(&[&resume[..], &["--set", "training.num_epochs=2", "--force"]].concat());
    assert_eq!(fewer.code, Some(2), "{fewer:#?}");
    assert!(
        fewer.stderr.contains("more epochs are done already"),
        "{fewer:#?}"
    );
}

#[test]
fn a_run_has_its_name_also_from_inside_its_folder() {
    let lab = whole_and_stopped(&[], "50");
    let inside = lab.path().join("artifacts/iris/whole");
    let ended = lab.command(&["resume", "."]).current_dir(inside).output();
    let ended = crate::lab::outcome(ended.unwrap());
    assert!(
        ended.stderr.contains("iris/whole has finished"),
        "{ended:#?}"
    );
}
