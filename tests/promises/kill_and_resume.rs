//! Processes that are killed at every file operation, and runs that end as if nothing had happened.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;

use crate::lab::{Lab, copy, kill_until_done, shipped};
use crate::requirements::Part;

/// A training of a few milliseconds that saves after every epoch, keeps one checkpoint and has a best
/// network: every kind of file that a run writes.
const CONFIG: &str = r#"
name = "killed"
dataset = { name = "iris" }
split = { method = "stratified", train = 100, valid = 50 }
model = { name = "mlp", hidden = [6], activation = "relu", normalization = "batch" }
loss = { name = "cross_entropy" }
optimizer = { name = "sgd", learning_rate = 0.05, momentum = 0.9 }
training = { num_epochs = 3, batch_size = 25 }
checkpoint = { every = { epochs = 1 }, keep_last = 1 }
"#;

const TRAIN: [&str; 5] = ["train", "killed.toml", "--run", "run", "--dashboard"];
const RESUME: [&str; 3] = ["resume", "run", "--dashboard"];

/// The faults of a file operation.
const KILLS: [&str; 4] = ["kill_before", "kill_inside", "kill_after", "power_cut"];

fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("killed.toml", CONFIG);
    lab
}

fn folder(lab: &Lab) -> PathBuf {
    lab.path().join("artifacts/killed/run")
}

/// The file operations of a training that nothing disturbs, and the [files](left) that it leaves.
fn undisturbed() -> (Vec<String>, Vec<(&'static str, Vec<u8>)>) {
    let whole = lab();
    let names = operations(&whole, &TRAIN);
    (names, left(&folder(&whole)))
}

/// The files that must not depend on how often the training was killed.
fn left(run: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let files = [
        "config.toml",
        "metrics.csv",
        "model/network.bpk",
        "model/best.bpk",
        "evaluation.json",
        "diagnosis.json",
    ];
    let read = |name| (name, std::fs::read(run.join(name)).unwrap());
    files.into_iter().map(read).collect()
}

/// The file operations of a command, such as `sync network.bpk`, in order.
fn operations(lab: &Lab, words: &[&str]) -> Vec<String> {
    let log = lab.path().join("operations");
    let mut command = lab.command(&[words, &["quiet"]].concat());
    let status = command.env("EMBERLAB_FAULT_LOG", &log).status().unwrap();
    assert!(status.success());
    let text = std::fs::read_to_string(log).unwrap();
    let named = text.lines().map(|line| {
        let (_, operation) = line.split_once(' ').unwrap();
        let (action, path) = operation.split_once(' ').unwrap();
        let name = Path::new(path).file_name().unwrap().to_string_lossy();
        format!("{action} {}", anonymous(&name))
    });
    named.collect()
}

/// A file's name without the number of the process.
fn anonymous(name: &str) -> String {
    let prefixes = [".partial-", ".removing-"];
    for prefix in prefixes {
        if let Some((number, rest)) = name.strip_prefix(prefix).and_then(|n| n.split_once('-'))
            && number.parse::<u32>().is_ok()
        {
            return format!("{prefix}{rest}");
        }
    }
    name.to_string()
}

/// Runs a command with a fault at operation `number`; returns what it printed on stderr and the signal or
/// code it ended with.
fn with_fault(lab: &Lab, words: &[&str], fault: &str) -> (String, Result<i32, i32>) {
    let mut command = lab.command(&[words, &["quiet"]].concat());
    let output = command.env("EMBERLAB_FAULT", fault).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let ended = match output.status.signal() {
        Some(signal) => Err(signal),
        None => Ok(output.status.code().unwrap()),
    };
    (stderr, ended)
}

/// Goes on with a run whose process died, or begins it again if it never appeared; then it must be whole,
/// and the same as ever.
fn go_on(lab: &Lab, expected: &[(&str, Vec<u8>)], what: &str) {
    let words = if folder(lab).exists() {
        &RESUME[..]
    } else {
        &TRAIN[..]
    };
    let went_on = lab.run(&[words, &["quiet"]].concat());
    assert_eq!(went_on.code, Some(0), "after {what}: {went_on:#?}");
    for ((name, found), (_, wanted)) in left(&folder(lab)).iter().zip(expected) {
        assert!(found == wanted, "{name} differs after {what}");
    }
    let checked = lab.run(&["runs", "check"]);
    assert_eq!(checked.code, Some(0), "after {what}: {checked:#?}");
}

/// Does something for every number on all cores.
fn on_all_cores(numbers: impl Iterator<Item = usize> + Send, each: impl Fn(usize) + Sync) {
    let numbers = Mutex::new(numbers);
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = numbers.lock().unwrap().next();
                    let Some(number) = next else { break };
                    each(number);
                }
            });
        }
    });
}

/// libtest swallows what tests print; these counts are meant to be seen.
fn tell(text: &str) {
    let mut stderr = std::io::stderr();
    stderr.write_all(format!("{text}\n").as_bytes()).unwrap();
}

/// Whether this build can inject faults; if not, the test skips.
fn can_inject() -> bool {
    let can = cfg!(feature = "fault-injection");
    if !can {
        Part::FaultInjection.is_missing("build with `--features fault-injection`");
    }
    can
}

#[test]
fn a_training_killed_at_any_file_operation_resumes_to_the_bit() {
    if !can_inject() {
        return;
    }
    let (names, expected) = undisturbed();
    // Every file of a save, and each of its operations, is among those that are killed.
    let files = [
        "network.bpk",
        "optimizer.bpk",
        "progress.toml",
        "best.bpk",
        "metrics.csv",
    ];
    let saved = files
        .into_iter()
        .chain(["config.toml", "manifest.json", "manifest.sha256"]);
    for file in saved {
        for action in ["create", "write", "sync"] {
            let name = format!("{action} {file}");
            assert!(names.contains(&name), "{name} is not in {names:?}");
        }
    }
    for name in [
        "create .partial-epoch-000001-step-000000000",
        "sync .partial-epoch-000001-step-000000000",
        "rename .partial-epoch-000001-step-000000000",
        "sync checkpoints",
        "rename epoch-000001-step-000000000",
        "remove network.bpk",
        "remove .removing-epoch-000001-step-000000000",
        "rename .partial-result.json",
    ] {
        assert!(
            names.iter().any(|n| n == name),
            "{name} is not in {names:?}"
        );
    }
    let num_kills = names.len() * KILLS.len();
    assert!(num_kills >= 200, "{num_kills}");
    on_all_cores(0..num_kills, |i| {
        let (number, kill) = (i / KILLS.len(), KILLS[i % KILLS.len()]);
        let lab = lab();
        let fault = format!("{}:{kill}", number + 1);
        let (_, ended) = with_fault(&lab, &TRAIN, &fault);
        let what = format!("{kill} in operation {}, {}", number + 1, names[number]);
        assert_eq!(ended, Err(9), "{what}");
        go_on(&lab, &expected, &what);
    });
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in &names {
        *counts.entry(name).or_default() += KILLS.len();
    }
    let counts = counts.iter().map(|(name, n)| format!("{n:>4}  {name}"));
    let counts: Vec<String> = counts.collect();
    tell(&format!(
        "{num_kills} trainings killed before, inside and after a file operation, or by a power cut:\n{}",
        counts.join("\n")
    ));
}

#[test]
fn a_resumed_training_killed_at_any_file_operation_resumes_to_the_bit() {
    if !can_inject() {
        return;
    }
    let whole = lab();
    whole.succeed(&[&TRAIN[..], &["quiet"]].concat());
    let expected = left(&folder(&whole));
    let stopped = lab();
    let words = [&TRAIN[..], &["quiet", "--stop-at", "6"]].concat();
    assert_eq!(stopped.run(&words).code, Some(130));
    let begin = || {
        let lab = lab();
        copy(&folder(&stopped), &folder(&lab));
        lab
    };
    let names = operations(&begin(), &RESUME);
    let num_kills = names.len() * KILLS.len();
    on_all_cores(0..num_kills, |i| {
        let (number, kill) = (i / KILLS.len(), KILLS[i % KILLS.len()]);
        let lab = begin();
        let (_, ended) = with_fault(&lab, &RESUME, &format!("{}:{kill}", number + 1));
        let what = format!("{kill} in operation {}, {}", number + 1, names[number]);
        assert_eq!(ended, Err(9), "{what}");
        go_on(&lab, &expected, &what);
    });
    tell(&format!(
        "{num_kills} resumed trainings killed at their file operations"
    ));
}

#[test]
fn a_finished_run_resumed_with_more_epochs_and_killed_at_any_file_operation_loses_nothing() {
    if !can_inject() {
        return;
    }
    let finished = lab();
    finished.succeed(&[&TRAIN[..], &["quiet"]].concat());
    let more = [
        "resume",
        "run",
        "--set",
        "training.num_epochs=4",
        "--dashboard",
    ];
    let begin = || {
        let lab = lab();
        copy(&folder(&finished), &folder(&lab));
        lab
    };
    let whole = begin();
    let names = operations(&whole, &more);
    let expected = left(&folder(&whole));
    let num_kills = names.len() * KILLS.len();
    on_all_cores(0..num_kills, |i| {
        let (number, kill) = (i / KILLS.len(), KILLS[i % KILLS.len()]);
        let lab = begin();
        let (_, ended) = with_fault(&lab, &more, &format!("{}:{kill}", number + 1));
        let what = format!("{kill} in operation {}, {}", number + 1, names[number]);
        assert_eq!(ended, Err(9), "{what}");
        // At any time it is a finished run, or one that can be resumed; never one with damaged files. A power cut may
        // take rows that the newest checkpoint has too.
        let checked = lab.run(&["runs", "check"]);
        let mut faults = checked.stdout.lines().filter(|line| line.starts_with("  "));
        let lost_rows = faults.all(|fault| fault.contains("lacks a part")) && kill == "power_cut";
        assert!(
            checked.code == Some(0) || lost_rows,
            "after {what}: {checked:#?}"
        );
        let went_on = lab.run(&[&more[..], &["quiet"]].concat());
        assert_eq!(went_on.code, Some(0), "after {what}: {went_on:#?}");
        for ((name, found), (_, wanted)) in left(&folder(&lab)).iter().zip(&expected) {
            assert!(found == wanted, "{name} differs after {what}");
        }
    });
    tell(&format!(
        "{num_kills} finished runs killed at the file operations of more epochs"
    ));
}

#[test]
fn a_finished_run_resumed_without_more_to_train_changes_no_file() {
    if !can_inject() {
        return;
    }
    let finished = lab();
    finished.succeed(&[&TRAIN[..], &["quiet"]].concat());
    let log = finished.path().join("operations");
    let mut command = finished.command(&[&RESUME[..], &["quiet"]].concat());
    let status = command.env("EMBERLAB_FAULT_LOG", &log).status().unwrap();
    assert!(status.success());
    assert!(!log.exists() || std::fs::read_to_string(log).unwrap().is_empty());
}

/// Four trials of one epoch that train as one batched model: enough that their files are synced together.
const STACK: [&str; 6] = [
    "trial",
    "--plan",
    "plan.jsonl",
    "--index",
    "0,1,2,3",
    "--dashboard",
];

#[test]
fn a_stack_killed_at_any_file_operation_loses_no_trial() {
    if !can_inject() {
        return;
    }
    let begin = || {
        let lab = lab();
        let epochs = ["--set", "training.num_epochs=1", "--set", "seeds=4"];
        let plan = ["compare", "killed.toml", "--plan", "plan.jsonl"];
        lab.succeed(&[&plan[..], &epochs].concat());
        lab
    };
    let names = operations(&begin(), &STACK);
    // The first file of the stack stands for all when the file system is synced, before folders or files appear: the
    // folders of the runs and of the checkpoints, then the last files.
    for (synced, times) in [("config.toml", 2), (".partial-network.bpk", 1)] {
        let places = (0..names.len()).filter(|i| names[*i] == format!("sync {synced}"));
        let next = places.map(|i| names[i + 1].as_str());
        let renames = next.filter(|name| name.starts_with("rename "));
        assert_eq!(renames.count(), times, "{synced} in {names:?}");
    }
    let kills = ["kill_inside", "power_cut"];
    let num_kills = names.len() * kills.len();
    on_all_cores(0..num_kills, |i| {
        let (number, kill) = (i / kills.len(), kills[i % kills.len()]);
        let lab = begin();
        let (_, ended) = with_fault(&lab, &STACK, &format!("{}:{kill}", number + 1));
        let what = format!("{kill} in operation {}, {}", number + 1, names[number]);
        assert_eq!(ended, Err(9), "{what}");
        let went_on = lab.run(&[&STACK[..], &["quiet"]].concat());
        assert_eq!(went_on.code, Some(0), "after {what}: {went_on:#?}");
        let checked = lab.run(&["runs", "check"]);
        assert_eq!(checked.code, Some(0), "after {what}: {checked:#?}");
        for seed in 0..4 {
            let run = lab
                .path()
                .join(format!("artifacts/killed/killed-seed{seed}"));
            for file in [
                "result.json",
                "evaluation.json",
                "diagnosis.json",
                "model/best.bpk",
            ] {
                assert!(
                    run.join(file).is_file(),
                    "seed {seed} has no {file} after {what}"
                );
            }
        }
    });
    tell(&format!(
        "{num_kills} stacks killed at their file operations"
    ));
}

#[test]
fn a_training_killed_again_and_again_ends_to_the_bit_as_one_never_killed() {
    let lab = Lab::new();
    let config = shipped("train/moons.toml");
    let config = config.to_str().unwrap();
    let more = [
        "training.num_epochs=400",
        "training.batch_size=8",
        "checkpoint.every.seconds=0.01",
    ];
    let sets: Vec<&str> = more.iter().flat_map(|set| ["--set", set]).collect();
    let train = |name| {
        [
            &["train", config, "--dashboard", "quiet", "--run", name],
            &sets[..],
        ]
        .concat()
    };
    lab.succeed(&train("whole"));
    let run = lab.path().join("artifacts/moons/killed");
    let num_kills = kill_until_done(lab.path(), || {
        let words = if run.exists() {
            vec!["resume", "killed", "--dashboard", "quiet"]
        } else {
            train("killed")
        };
        let mut command = lab.command(&words);
        command.stderr(Stdio::piped());
        command
    });
    assert!(num_kills > 2, "{num_kills}");
    let whole = lab.path().join("artifacts/moons/whole");
    for ((name, found), (_, wanted)) in left(&run).iter().zip(left(&whole)) {
        if *name != "config.toml" {
            assert!(*found == wanted, "{name} differs after {num_kills} kills");
        }
    }
    tell(&format!("{num_kills} kills at any time"));
}

#[test]
fn a_disk_that_fails_at_any_file_operation_stops_the_training_and_loses_nothing() {
    if !can_inject() {
        return;
    }
    let (names, expected) = undisturbed();
    let faults = [
        ("no_space", "No space left on device"),
        ("read_only", "Read-only file system"),
        ("broken", "Input/output error"),
    ];
    on_all_cores(0..names.len() * faults.len(), |i| {
        let (number, (fault, message)) = (i / faults.len(), faults[i % faults.len()]);
        let lab = lab();
        let what = format!("{fault} from operation {}, {}", number + 1, names[number]);
        // From here on, as a disk that is full stays full.
        let (stderr, ended) = with_fault(&lab, &TRAIN, &format!("{}-999:{fault}", number + 1));
        match ended {
            // A full disk lets files be renamed and removed: then nothing failed.
            Ok(0) => assert_eq!(fault, "no_space", "{what}"),
            Ok(1) => {
                assert!(stderr.contains(message), "{what}: {stderr}");
                assert!(!stderr.contains("panicked"), "{what}: {stderr}");
            }
            other => panic!("{what}: {other:?}: {stderr}"),
        }
        go_on(&lab, &expected, &what);
    });
}

#[test]
fn a_training_told_to_go_on_waits_at_its_end_for_room_and_saves_everything() {
    if !can_inject() {
        return;
    }
    let (names, expected) = undisturbed();
    let is_checkpoint = |name: &String| name.starts_with("create .partial-epoch-");
    let first = names.iter().rposition(is_checkpoint).unwrap() + 1;
    // Some tries fail.
    let last = first + 2;
    let lab = lab();
    let told = ["--set", "checkpoint.on_error=continue", "--dashboard"];
    let words = [&TRAIN[..4], &told].concat();
    let (stderr, ended) = with_fault(&lab, &words, &format!("{first}-{last}:no_space"));
    assert_eq!(ended, Ok(0), "{stderr}");
    assert_eq!(stderr.matches("waits for room").count(), 1, "{stderr}");
    assert_eq!(stderr.matches("No space left").count(), 1, "{stderr}");
    for ((name, found), (_, wanted)) in left(&folder(&lab)).iter().zip(&expected) {
        if *name != "config.toml" {
            assert!(found == wanted, "{name} differs");
        }
    }
    lab.succeed(&["runs", "check"]);
}

#[test]
fn a_training_told_to_goes_on_while_nothing_can_be_saved() {
    if !can_inject() {
        return;
    }
    let (names, expected) = undisturbed();
    let is_first = |name: &String| name == "create .partial-epoch-000001-step-000000000";
    let first = names.iter().position(is_first).unwrap() + 1;
    // The first two checkpoints and the row between them.
    let last = first + 2;
    let lab = lab();
    let told = ["--set", "checkpoint.on_error=continue", "--dashboard"];
    let words = [&TRAIN[..4], &told].concat();
    let (stderr, ended) = with_fault(&lab, &words, &format!("{first}-{last}:no_space"));
    assert_eq!(ended, Ok(0), "{stderr}");
    assert!(stderr.contains("No space left on device"), "{stderr}");
    assert!(
        stderr.contains("the training continues without"),
        "{stderr}"
    );
    for ((name, found), (_, wanted)) in left(&folder(&lab)).iter().zip(&expected) {
        if *name != "config.toml" {
            assert!(found == wanted, "{name} differs");
        }
    }
    lab.succeed(&["runs", "check"]);
}
