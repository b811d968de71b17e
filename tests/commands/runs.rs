//! `emberlab runs`, `runs check` and `runs prune`.

use std::path::Path;

use crate::lab::Lab;
use crate::whole_and_stopped::{assert_same, whole_and_stopped};

#[test]
fn pruning_asks_and_deletes_what_the_policy_would() {
    let lab = whole_and_stopped(
        &["checkpoint.every.epochs=1", "checkpoint.keep_last=5"],
        "70",
    );
    let folder = lab.path().join("artifacts/iris/stopped");
    let checkpoints = || {
        std::fs::read_dir(folder.join("checkpoints"))
            .unwrap()
            .count()
    };
    assert_eq!(checkpoints(), 5);
    let own = folder.join("config.toml");
    let text = std::fs::read_to_string(&own).unwrap();
    std::fs::write(&own, text.replace("keep_last = 5", "keep_last = 2")).unwrap();
    std::fs::write(folder.join("model/.partial-1-best.bpk"), "half").unwrap();
    let asked = lab.run(&["runs", "prune", "stopped"]);
    assert_eq!(asked.code, Some(2), "{asked:#?}");
    assert_eq!(checkpoints(), 5);
    let pruned = lab.succeed(&["runs", "prune", "stopped", "--yes"]);
    assert!(pruned.stdout.contains("epoch-000001"), "{}", pruned.stdout);
    assert!(pruned.stdout.contains("deleted 4"), "{}", pruned.stdout);
    assert_eq!(checkpoints(), 2);
    lab.succeed(&["resume", "stopped", "--dashboard", "quiet"]);
    assert_same(&lab);
}

#[test]
fn checking_names_every_damaged_file_of_a_run() {
    let lab = whole_and_stopped(&["checkpoint.every.epochs=6"], "100");
    lab.succeed(&["runs", "check"]);
    let run = lab.path().join("artifacts/iris/whole");
    let newest = "checkpoints/epoch-000012-step-000000000";
    let files = [
        "metrics.csv",
        "model/network.bpk",
        "model/best.bpk",
        "model/model.json",
    ];
    let saved = [
        "network.bpk",
        "optimizer.bpk",
        "progress.toml",
        "manifest.json",
    ];
    let saved: Vec<String> = saved
        .iter()
        .map(|name| format!("{newest}/{name}"))
        .collect();
    for file in files.into_iter().chain(saved.iter().map(String::as_str)) {
        let path = run.join(file);
        let whole = std::fs::read(&path).unwrap();
        let mut bytes = whole.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        std::fs::write(&path, bytes).unwrap();
        let checked = lab.run(&["runs", "check", "whole"]);
        assert_eq!(checked.code, Some(1), "{file}: {checked:#?}");
        let name = Path::new(file).file_name().unwrap().to_str().unwrap();
        assert!(checked.stdout.contains(name), "{file}: {}", checked.stdout);
        std::fs::write(&path, whole).unwrap();
    }
    lab.succeed(&["runs", "check"]);
    // Files without a checksum, of a finished run and of one under way.
    let of_whole = [
        "diagnosis.json",
        "model/threshold.json",
        "baselines.json",
        "importance.json",
        "failure.json",
    ];
    let of_stopped = ["metrics.csv", "layers.csv", "frames.jsonl", "failure.json"];
    let of_whole = of_whole.map(|file| ("whole", file));
    let of_stopped = of_stopped.map(|file| ("stopped", file));
    for (name, file) in of_whole.into_iter().chain(of_stopped) {
        let path = lab.path().join("artifacts/iris").join(name).join(file);
        let whole = std::fs::read(&path).ok();
        std::fs::write(&path, "epoch,{\n1,not a number\n").unwrap();
        let checked = lab.run(&["runs", "check", name]);
        assert_eq!(checked.code, Some(1), "{file}: {checked:#?}");
        let file = Path::new(file).file_name().unwrap().to_str().unwrap();
        assert!(checked.stdout.contains(file), "{file}: {}", checked.stdout);
        match whole {
            Some(whole) => std::fs::write(&path, whole).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
    }
    lab.succeed(&["runs", "check"]);
}

/// Exchanges a bit in the middle of a file.
fn damage(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_file_of_a_finished_run_is_refused_by_name_and_no_result_comes_from_it() {
    let lab = Lab::new();
    let run = lab.train("train/iris.toml", "a", &["training.num_epochs=4"]);
    let rows = lab.write("rows.csv", "5.1,3.5,1.4,0.2\n");
    let predict = ["predict", "a", rows.to_str().unwrap()];
    let best = [&predict[..], &["--weights", "best"]].concat();
    let cases: [(&str, &[&[&str]]); 5] = [
        (
            "model/network.bpk",
            &[&predict, &["evaluate", "a"], &["diagnose", "a"]],
        ),
        ("model/best.bpk", &[&best]),
        ("model/model.json", &[&predict]),
        (
            "config.toml",
            &[&predict, &["evaluate", "a"], &["diagnose", "a"]],
        ),
        ("metrics.csv", &[&["diagnose", "a"]]),
    ];
    for (file, commands) in cases {
        let path = run.folder.join(file);
        let whole = std::fs::read(&path).unwrap();
        damage(&path);
        for command in commands {
            let outcome = lab.run(command);
            assert_eq!(outcome.code, Some(1), "{file} {command:?}: {outcome:#?}");
            assert_eq!(outcome.stdout, "", "{file} {command:?}");
            let expected = format!("{file}: it is damaged or was changed");
            assert!(outcome.stderr.contains(&expected), "{outcome:#?}");
        }
        std::fs::write(&path, whole).unwrap();
    }
    for command in [&predict[..], &["evaluate", "a", "--importance"]] {
        lab.succeed(command);
    }
    // Half of the epochs would be another story, so the report says that its file is not whole.
    let path = run.folder.join("metrics.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    let half: String = text.split_inclusive('\n').take(3).collect();
    std::fs::write(&path, half).unwrap();
    let told = lab.succeed(&["report", "a", "--format", "markdown"]);
    let expected = "metrics.csv is damaged or was changed";
    assert!(told.stderr.contains(expected), "{}", told.stderr);
    assert!(told.stdout.contains(expected), "{}", told.stdout);
}

#[test]
fn runs_are_listed_with_state_epoch_and_best() {
    let lab = whole_and_stopped(&[], "50");
    let listed = lab.succeed(&["runs", "--json"]);
    let runs: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    let states = |i: usize| (runs[i]["run"].clone(), runs[i]["state"].clone());
    assert_eq!(states(0), ("iris/whole".into(), "finished".into()));
    assert_eq!(states(1), ("iris/stopped".into(), "interrupted".into()));
    assert_eq!(runs[1]["epochs"], 3);
    assert_eq!(runs[1]["num_epochs"], 12);
    assert_eq!(runs[1]["best"]["metric"], "loss");
    let result = lab.path().join("artifacts/iris/whole/result.json");
    let result = std::fs::read_to_string(result).unwrap();
    let result: serde_json::Value = serde_json::from_str(&result).unwrap();
    assert_eq!(runs[0]["best"], result["best"]);
    let table = lab.succeed(&["runs"]).stdout;
    assert!(table.contains("12/12") && table.contains("3/12"), "{table}");
    assert_eq!(
        lab.succeed(&["runs", "check"])
            .stdout
            .matches("whole (")
            .count(),
        2
    );
}

#[test]
fn a_log_of_a_stopped_run_that_lacks_what_its_checkpoint_has_is_named_and_comes_back() {
    let lab = whole_and_stopped(&[], "50");
    let run = lab.path().join("artifacts/iris/stopped");
    for (i, name) in ["metrics.csv", "layers.csv", "frames.jsonl"]
        .iter()
        .enumerate()
    {
        let path = run.join(name);
        let whole = std::fs::read_to_string(&path).unwrap();
        let half: String = whole.split_inclusive('\n').take(2).collect();
        for damaged in [
            Some("\0".repeat(whole.len())),
            Some(half),
            Some(String::new()),
            None,
        ] {
            match damaged {
                Some(text) => std::fs::write(&path, text).unwrap(),
                None => std::fs::remove_file(&path).unwrap(),
            }
            let checked = lab.run(&["runs", "check", "stopped"]);
            assert_eq!(checked.code, Some(1), "{name}: {checked:#?}");
            assert!(checked.stdout.contains(name), "{name}: {checked:#?}");
        }
        assert_eq!(lab.resume_to("stopped", 51 + i).code, Some(130));
        lab.succeed(&["runs", "check"]);
    }
}

#[test]
fn a_damaged_extra_file_stops_no_reader_and_the_command_that_is_named_writes_it_again() {
    let lab = Lab::new();
    let run = lab.train("train/moons.toml", "a", &["training.num_epochs=8"]);
    lab.succeed(&[
        "evaluate",
        "a",
        "--threshold-by",
        "f1",
        "--baselines",
        "--importance",
    ]);
    lab.write("rows.csv", "x1,x2\n0.5,0.3\n");
    let cases: [(&str, &[&str]); 5] = [
        ("diagnosis.json", &["diagnose", "moons/a"]),
        ("baselines.json", &["evaluate", "moons/a", "--baselines"]),
        ("importance.json", &["evaluate", "moons/a", "--importance"]),
        (
            "model/threshold.json",
            &["evaluate", "moons/a", "--threshold-by", "f1"],
        ),
        ("evaluation.json", &["resume", "moons/a"]),
    ];
    for (file, command) in cases {
        std::fs::write(run.folder.join(file), "").unwrap();
        let told = lab.succeed(&["report", "a"]).stderr;
        let advice = format!("`emberlab {}` writes it again", command.join(" "));
        assert!(told.contains(&advice), "{file}: {told}");
        for words in [&["evaluate", "a"][..], &["predict", "a", "rows.csv"]] {
            lab.succeed(words);
        }
        lab.succeed(command);
        lab.succeed(&["runs", "check"]);
        assert_eq!(lab.succeed(&["report", "a"]).stderr, "", "{file}");
    }
    for file in ["result.json", "model/model.json"] {
        std::fs::write(run.folder.join(file), "").unwrap();
        lab.succeed(&["resume", "a", "--dashboard", "quiet"]);
        lab.succeed(&["runs", "check"]);
    }
    // A threshold that cannot be read is none that a training could keep.
    std::fs::write(run.folder.join("model/threshold.json"), "").unwrap();
    let more = ["resume", "a", "--set", "training.num_epochs=9"];
    lab.succeed(&more);
}

#[test]
fn a_checkpoint_is_not_taken_for_a_run() {
    let lab = whole_and_stopped(&[], "50");
    let folder = lab.path().join("artifacts/iris/stopped/checkpoints");
    let checkpoint = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap();
    let name = checkpoint.path();
    for command in ["report", "resume", "evaluate"] {
        let refused = lab.run(&[command, name.to_str().unwrap()]);
        assert_eq!(refused.code, Some(2), "{refused:#?}");
        let advice = "as in `emberlab resume iris/stopped`";
        assert!(refused.stderr.contains(advice), "{refused:#?}");
    }
    lab.succeed(&["runs", "check"]);
}

#[test]
fn commands_without_any_run_say_so() {
    let lab = Lab::new();
    for words in [&["runs"][..], &["runs", "check"]] {
        assert_eq!(lab.succeed(words).stdout, "no runs in artifacts\n");
    }
    for command in ["report", "evaluate", "diagnose", "resume"] {
        let refused = lab.run(&[command]);
        assert_eq!(refused.code, Some(2), "{refused:#?}");
        let said = "error: there is no run in artifacts\n";
        assert_eq!(refused.stderr, said, "{command}");
    }
}
