//! Trials that train as one program, and their files beside those of trials that train alone.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::lab::{Lab, Outcome, Trained, devices, kill_until_done};

/// Two learning rates with three seeds: six trials with batch normalisation, data of their own each.
const CONFIG: &str = r#"
name = "stacked"
seeds = 3

[sweep]
"optimizer.learning_rate" = [0.01, 0.03]

[dataset]
name = "moons"
num_samples = 200

[model]
name = "mlp"
hidden = [8, 6]
activation = "tanh"
normalization = "batch"
# Before batch normalisation a bias has no gradient but rounding, which Adam makes steps of.
bias = false

[loss]
name = "bce_with_logits"

[optimizer]
name = "adam"
learning_rate = 0.01

[training]
num_epochs = 8
batch_size = 16

[checkpoint]
every = { steps = 7 }
"#;

/// Rounding errors, which 40 epochs of Adam increase, stay far below the effect of a wrong step.
const PRECISE: [&str; 2] = ["--set", "training.precision=\"f64\""];

fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("stacked.toml", CONFIG);
    lab
}

fn compare(lab: &Lab, more: &[&str]) -> Outcome {
    let ended = lab.run(&[&["compare", "stacked.toml"], more].concat());
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    ended
}

/// The runs of a comparison, by name. Hidden folders are left over from a process that was killed while it made them.
fn runs(lab: &Lab) -> Vec<(String, Trained)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(lab.path().join("artifacts/stacked")).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if folder.is_dir() && !name.starts_with('.') {
            found.push((name, Trained { folder }));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// The names of all files below a folder, without checkpoints, which differ in a training that goes on, and without
/// files that a killed process left half-written.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true if path.ends_with("checkpoints") => {}
                true => folders.push(path),
                false => {
                    let name = path.strip_prefix(folder).unwrap().to_string_lossy();
                    // A run that is resumed alone computes its baselines; those of a comparison are computed together.
                    let explains = ["baselines.json", "importance.json"].contains(&&*name);
                    if !name.contains(".partial-") && !explains {
                        names.insert(name.into_owned());
                    }
                }
            }
        }
    }
    names
}

/// Fails unless two trainings had the same losses, but for rounding, and ended alike.
fn assert_same_training(what: &str, one: &Trained, other: &Trained, tolerance: f64) {
    for column in ["train_loss", "valid_loss", "learning_rate"] {
        let (found, expected) = (one.column(column), other.column(column));
        assert_eq!(found.len(), expected.len(), "{what}");
        for (epoch, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let deviation = (found - expected).abs() / expected.abs().max(1e-3);
            assert!(
                deviation < tolerance,
                "{what}, {column} of epoch {}: {found} is not {expected}",
                epoch + 1
            );
        }
    }
    let end = |run: &Trained| {
        let result = run.json("result.json");
        ["ending", "epochs", "steps", "num_parameters"].map(|key| result[key].clone())
    };
    assert_eq!(end(one), end(other), "{what}");
}

fn assert_same_comparison(what: &str, one: &Lab, other: &Lab, tolerance: f64) {
    let (found, expected) = (runs(one), runs(other));
    assert_eq!(expected.len(), 6, "{what}");
    assert_eq!(found.len(), expected.len(), "{what}");
    for ((name, found), (_, expected)) in found.iter().zip(&expected) {
        let what = format!("{what}, {name}");
        assert_same_training(&what, found, expected, tolerance);
        assert_eq!(files(&found.folder), files(&expected.folder), "{what}");
    }
}

#[test]
fn stacked_trials_leave_what_they_leave_alone_on_every_device() {
    let alone = lab();
    compare(&alone, &[]);
    for device in devices() {
        let together = lab();
        let one_program = ["--stack", "8", "--jobs", "1", "--device", &device];
        let done = compare(&together, &one_program);
        assert!(done.stderr.contains("[6/6]"), "{}", done.stderr);
        assert!(done.stderr.contains("and 5 more done"), "{}", done.stderr);
        // Eight epochs of Adam on f32, on devices that sum in their own order.
        assert_same_comparison(&device, &together, &alone, 2e-3);
        for (name, run) in runs(&together) {
            assert_eq!(run.json("environment.json")["device"], device.as_str());
            // The saved run is an ordinary run: every command takes it.
            let evaluated = together.succeed(&["evaluate", &format!("stacked/{name}"), "--json"]);
            let scores: Value = serde_json::from_str(&evaluated.stdout).unwrap();
            assert!(scores.is_object(), "{scores}");
        }
    }
}

#[test]
fn networks_of_other_shapes_train_in_other_programs() {
    let lab = lab();
    let sweep =
        "sweep={\"model.hidden\" = [[4], [8, 6]], \"optimizer.learning_rate\" = [0.01, 0.03]}";
    let done = compare(
        &lab,
        &[
            "--set", sweep, "--set", "seeds=2", "--stack", "3", "--jobs", "1",
        ],
    );
    // Four trials of each shape, three together at most.
    assert_eq!(
        done.stderr.matches("and 2 more done").count(),
        2,
        "{}",
        done.stderr
    );
    assert!(done.stderr.contains("[8/8]"), "{}", done.stderr);
}

#[test]
fn seeds_whose_training_rows_have_other_categories_train_one_after_the_other() {
    let lab = Lab::new();
    let row = |i: usize| {
        let town = match i {
            5 | 17 | 33 => format!("rare{i}"),
            _ => ["x", "z"][i % 2].to_string(),
        };
        let value = (i * 37 % 101) as f64 / 50.0 - 1.0;
        let label = if value > 0.0 { "yes" } else { "no" };
        format!("{value},{town},{label}\n")
    };
    let rows: String = (0..60).map(row).collect();
    lab.write("towns.csv", format!("a,town,y\n{rows}"));
    lab.write(
        "towns.toml",
        "seeds = 6\n[dataset]\nname = \"csv\"\npath = \"towns.csv\"\nlabel = \"y\"\n\
         categories = { unseen = \"ignore\" }\n[model]\nname = \"mlp\"\nhidden = [4]\n\
         [loss]\nname = \"bce_with_logits\"\n[optimizer]\nname = \"adam\"\nlearning_rate = 0.01\n\
         [training]\nnum_epochs = 2\nbatch_size = 8\n[sweep]\n\"optimizer.learning_rate\" = [0.01]\n",
    );
    lab.succeed(&["compare", "towns.toml", "--stack", "6", "--jobs", "1"]);
    let runs = std::fs::read_dir(lab.path().join("artifacts/towns")).unwrap();
    let results = runs.filter_map(|entry| {
        let text = std::fs::read_to_string(entry.unwrap().path().join("result.json")).ok()?;
        let result: serde_json::Value = serde_json::from_str(&text).unwrap();
        result["num_parameters"].as_u64()
    });
    let sizes: Vec<u64> = results.collect();
    assert_eq!(sizes.len(), 6);
    let different: BTreeSet<u64> = sizes.into_iter().collect();
    assert!(
        different.len() > 1,
        "all networks have {different:?} weights"
    );
}

#[test]
fn a_stack_killed_again_and_again_ends_as_one_never_killed() {
    let whole = lab();
    let long = [
        "--stack",
        "6",
        "--jobs",
        "1",
        "--set",
        "training.num_epochs=40",
    ];
    let long = [&long[..], &PRECISE].concat();
    compare(&whole, &long);
    let lab = lab();
    let num_kills = kill_until_done(lab.path(), || {
        let mut command = lab.command(&[&["compare", "stacked.toml"], &long[..]].concat());
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command
    });
    assert!(num_kills > 2, "{num_kills}");
    // A kill between the checkpoints of two trials puts them at different steps: then they go on in programs of their
    // own.
    assert_same_comparison("killed", &lab, &whole, 1e-7);
}

#[test]
fn a_stack_that_is_stopped_goes_on_together_or_each_run_alone() {
    let whole = lab();
    compare(
        &whole,
        &[&["--stack", "6", "--jobs", "1"], &PRECISE[..]].concat(),
    );
    let lab = lab();
    let plan = ["compare", "stacked.toml", "--plan", "plan.jsonl"];
    let planned = lab.succeed(&[&plan[..], &PRECISE].concat());
    assert_eq!(planned.stdout, "6 trials in plan.jsonl\n");
    let trial = ["trial", "--plan", "plan.jsonl", "--index", "0,1,2,3,4,5"];
    let quiet = ["--dashboard", "quiet"];
    let stopped = lab.run(&[&trial[..], &quiet, &["--stop-at", "30"]].concat());
    assert_eq!(stopped.code, Some(130), "{stopped:#?}");
    let again = lab.run(&[&trial[..], &quiet, &["--stop-at", "41"]].concat());
    assert_eq!(again.code, Some(130), "{again:#?}");
    for (name, _) in &runs(&lab)[..2] {
        lab.succeed(&[&["resume", &format!("stacked/{name}")], &quiet[..]].concat());
    }
    lab.succeed(&[&trial[..], &quiet].concat());
    assert_same_comparison("stopped", &lab, &whole, 1e-7);
}
