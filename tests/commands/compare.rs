//! Comparisons: many trials as processes, killed and resumed, and the conclusions about them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;

use crate::lab::{Lab, Outcome, data_dir, kill_until_done, outcome, send, shipped, wait_until};

/// Two activations with four seeds: eight trials of some hundred milliseconds.
const CONFIG: &str = r#"
name = "small"
seeds = 4
at_epochs = [2]

[sweep]
"model.activation" = ["relu", "linear"]

[target]
metric = "accuracy"
value = 0.8

[dataset]
name = "moons"
num_samples = 300

[model]
name = "mlp"
hidden = [8]
activation = "relu"

[loss]
name = "bce_with_logits"

[optimizer]
name = "adam"
learning_rate = 0.01

[training]
num_epochs = 60
batch_size = 16
objective = { metric = "accuracy" }

[checkpoint]
every = { seconds = 0.02 }
"#;

fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("small.toml", CONFIG);
    lab
}

fn compare(lab: &Lab, more: &[&str]) -> Outcome {
    lab.run(&[&["compare", "small.toml"], more].concat())
}

/// The rows of `trials.csv` without the time they took.
fn trials(lab: &Lab) -> Vec<BTreeMap<String, String>> {
    let path = lab.path().join("artifacts/small/trials.csv");
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let row = |line: &str| {
        let cells = header.iter().zip(line.split(','));
        let named = cells.filter(|(name, _)| **name != "seconds");
        named.map(|(k, v)| (k.to_string(), v.to_string())).collect()
    };
    lines.map(row).collect()
}

fn report(lab: &Lab) -> Value {
    let path = lab.path().join("artifacts/small/comparison.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_comparison_trains_every_trial_and_says_what_differs() {
    let lab = lab();
    let done = compare(&lab, &["--jobs", "2"]);
    assert_eq!(done.code, Some(0), "{done:#?}");
    for part in [
        "relu",
        "linear",
        "median",
        "95 %",
        "epochs to target",
        "reached",
        "4/4",
    ] {
        assert!(done.stdout.contains(part), "no {part} in\n{}", done.stdout);
    }
    assert!(
        done.stdout.contains("no difference can be shown"),
        "{}",
        done.stdout
    );
    assert!(done.stdout.contains("at least 6"), "{}", done.stdout);
    assert!(done.stderr.contains("[8/8]"), "{}", done.stderr);
    let rows = trials(&lab);
    assert_eq!(rows.len(), 8);
    for row in &rows {
        assert_eq!(
            (row["outcome"].as_str(), row["epochs"].as_str()),
            ("completed", "60")
        );
        assert!(row.contains_key("valid_accuracy@2"), "{row:?}");
    }
    // The figures of a trial are those of its run.
    let run = lab.path().join("artifacts/small/relu-seed3/result.json");
    let result: Value = serde_json::from_str(&std::fs::read_to_string(run).unwrap()).unwrap();
    let accuracy: f64 = rows[3]["valid_accuracy"].parse().unwrap();
    assert_eq!(result["metrics"]["valid"]["accuracy"], accuracy);
    assert_eq!(report(&lab)["variants"][0]["num_done"], 4);
}

#[test]
fn comparing_again_trains_nothing_and_more_seeds_train_only_the_new_ones() {
    let lab = lab();
    assert_eq!(compare(&lab, &["--set", "seeds=2"]).code, Some(0));
    let first = trials(&lab);
    let again = compare(&lab, &["--set", "seeds=2"]);
    assert_eq!(
        (again.code, again.stderr.as_str()),
        (Some(0), ""),
        "{again:#?}"
    );
    assert_eq!(trials(&lab), first);
    let more = compare(&lab, &["--set", "seeds=3"]);
    assert_eq!(more.code, Some(0), "{more:#?}");
    assert!(more.stderr.contains("[2/2]"), "{}", more.stderr);
    let rows = trials(&lab);
    assert_eq!((rows.len(), &rows[..2]), (6, &first[..2]));
    let listed = compare(&lab, &["--dry-run"]);
    assert!(
        listed
            .stdout
            .contains("2 variants, 8 trials, 2 to train\nabout "),
        "{listed:#?}"
    );
    // No more jobs than there are trials.
    let one = ["--dry-run", "--jobs", "16", "--set", "seeds=[7]"];
    let one = compare(
        &lab,
        &[
            &one[..],
            &["--set", "sweep.\"model.activation\"=[\"tanh\"]"],
        ]
        .concat(),
    );
    assert!(
        one.stdout
            .contains("1 variant, 1 trial, 1 to train\nabout "),
        "{one:#?}"
    );
    assert!(
        one.stdout.contains(" with 1 job at the same time"),
        "{one:#?}"
    );
    // The estimate takes time, so it is announced before it begins.
    let said = "to estimate the time, one trial of 2 of 2 variants is trained for up to 0.5 s";
    assert!(listed.stderr.starts_with(said), "{}", listed.stderr);
}

#[test]
fn variants_that_differ_only_in_a_sign_or_a_blank_have_runs_of_their_own() {
    let lab = Lab::new();
    let rows: String = (0..40).map(|i| format!("{i},{}\n", i % 2)).collect();
    for name in ["a b.csv", "a-b.csv"] {
        lab.write(name, format!("x,y\n{rows}"));
    }
    let config = r#"
        dataset = { name = "csv", path = "a b.csv", label = "y" }
        model = { name = "mlp", hidden = [4] }
        loss = { name = "bce_with_logits" }
        optimizer = { name = "adam", learning_rate = 0.01 }
        training = { num_epochs = 1, batch_size = 10 }
        [sweep]
        "dataset.path" = ["a b.csv", "a-b.csv"]
        "model.initializer" = [{ name = "constant", value = 0.5 }, { name = "constant", value = -0.5 }]
    "#;
    lab.write("both.toml", config);
    let done = lab.succeed(&["compare", "both.toml", "--json"]).stdout;
    let done: Value = serde_json::from_str(&done).unwrap();
    let runs = done["trials"].as_array().unwrap().iter();
    let mut runs: Vec<&str> = runs.map(|trial| trial["run"].as_str().unwrap()).collect();
    runs.sort_unstable();
    runs.dedup();
    assert_eq!(runs.len(), 4, "{runs:?}");
    let minus = runs.iter().filter(|run| run.contains("minus-0.5"));
    assert_eq!(minus.count(), 2, "{runs:?}");
    for run in runs {
        assert!(
            lab.path().join("artifacts/both").join(run).is_dir(),
            "{run}"
        );
    }
}

#[test]
fn a_changed_configuration_is_refused_and_never_mixed_in() {
    let lab = lab();
    assert_eq!(compare(&lab, &["--set", "seeds=1"]).code, Some(0));
    let changed = compare(&lab, &["--set", "optimizer.learning_rate=0.02"]);
    assert_eq!(changed.code, Some(2), "{changed:#?}");
    assert!(
        changed
            .stderr
            .contains("optimizer.learning_rate  0.01 -> 0.02"),
        "{}",
        changed.stderr
    );
    assert!(changed.stderr.contains("--set name="), "{}", changed.stderr);
    let named = [
        "--set",
        "optimizer.learning_rate=0.02",
        "--set",
        "seeds=1",
        "--set",
        "name=other",
    ];
    assert_eq!(compare(&lab, &named).code, Some(0));
}

#[test]
fn a_trial_that_fails_is_reported_and_the_others_go_on() {
    let lab = lab();
    // A folder that is not a run stands in the way of one trial.
    lab.write("artifacts/small/linear-seed1/something.txt", "mine");
    let done = compare(&lab, &["--set", "seeds=2", "--retries", "1"]);
    assert_eq!(done.code, Some(1), "{done:#?}");
    assert!(
        done.stderr.contains("1 of 4 trials failed"),
        "{}",
        done.stderr
    );
    assert!(
        done.stderr.contains("linear-seed1 exit code 2"),
        "{}",
        done.stderr
    );
    assert!(
        done.stderr.contains("already holds a run"),
        "{}",
        done.stderr
    );
    assert!(done.stderr.contains("trying again"), "{}", done.stderr);
    let line = done
        .stderr
        .lines()
        .find(|line| line.contains("linear-seed1 failed in"));
    assert!(
        line.unwrap().contains("already holds a run"),
        "{}",
        done.stderr
    );
    assert!(
        done.stdout.contains("Without a result yet: 1 trial"),
        "{}",
        done.stdout
    );
    let outcomes: Vec<String> = trials(&lab)
        .iter()
        .map(|row| row["outcome"].clone())
        .collect();
    assert_eq!(outcomes, ["completed", "completed", "completed", "missing"]);
    std::fs::remove_dir_all(lab.path().join("artifacts/small/linear-seed1")).unwrap();
    assert_eq!(compare(&lab, &["--set", "seeds=2"]).code, Some(0));
}

#[test]
fn trials_that_end_in_nan_are_counted() {
    let lab = lab();
    let text = CONFIG.replace(
        "[\"relu\", \"linear\"]",
        "[\"relu\"]\n\"optimizer.learning_rate\" = [0.01, 1e30]",
    );
    lab.write("small.toml", text);
    let done = compare(
        &lab,
        &[
            "--set",
            "seeds=2",
            "--set",
            "training.objective.metric=loss",
        ],
    );
    assert_eq!(done.code, Some(0), "{done:#?}");
    let said = "trials ended in NaN or infinity";
    assert!(done.stdout.contains(said), "{}", done.stdout);
    assert_eq!(report(&lab)["variants"][1]["num_not_finite"], 2);
}

#[test]
fn a_stopped_comparison_goes_on_where_it_was() {
    let whole = lab();
    assert_eq!(compare(&whole, &[]).code, Some(0));
    let lab = lab();
    let mut command = lab.command(&["compare", "small.toml", "--jobs", "2"]);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let checkpoints = lab.path().join("artifacts/small/relu-seed0/checkpoints");
    wait_until(60, "a trial has saved", || checkpoints.exists());
    send(&child, rustix::process::Signal::INT);
    let stopped = outcome(child.wait_with_output().unwrap());
    assert_eq!(stopped.code, Some(130), "{stopped:#?}");
    assert!(
        stopped.stderr.contains("every trial is saved"),
        "{}",
        stopped.stderr
    );
    assert!(!lab.path().join("artifacts/small/linear-seed3").exists());
    assert_eq!(compare(&lab, &[]).code, Some(0));
    assert_eq!(trials(&lab), trials(&whole));
}

#[test]
fn a_comparison_killed_again_and_again_gives_the_same_results() {
    let whole = lab();
    assert_eq!(compare(&whole, &[]).code, Some(0));
    let lab = lab();
    let num_kills = kill_until_done(lab.path(), || {
        let mut command = lab.command(&["compare", "small.toml", "--jobs", "2"]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command
    });
    assert!(num_kills > 2, "{num_kills}");
    assert_eq!(trials(&lab), trials(&whole));
}

#[test]
fn a_cluster_runs_the_trials_of_a_plan_by_their_index() {
    let whole = lab();
    assert_eq!(compare(&whole, &["--set", "seeds=2"]).code, Some(0));
    let lab = lab();
    let planned = compare(&lab, &["--set", "seeds=2", "--plan", "plan.jsonl"]);
    assert_eq!(planned.stdout, "4 trials in plan.jsonl\n", "{planned:#?}");
    for index in 0..3 {
        let mut command = lab.command(&["trial", "--plan", "plan.jsonl", "--dashboard", "quiet"]);
        let variable = ["SLURM_ARRAY_TASK_ID", "HQ_TASK_ID", "JOB_COMPLETION_INDEX"][index];
        let ended = outcome(command.env(variable, index.to_string()).output().unwrap());
        assert_eq!(ended.code, Some(0), "{ended:#?}");
    }
    let part = compare(&lab, &["--set", "seeds=2", "--collect"]);
    assert!(
        part.stdout.contains("Without a result yet: 1 trial"),
        "{}",
        part.stdout
    );
    let last = [
        "trial",
        "--plan",
        "plan.jsonl",
        "--index",
        "3",
        "--dashboard",
        "plain",
    ];
    lab.succeed(&last);
    let again = lab.succeed(&last);
    assert_eq!(again.stdout, "small/linear-seed1 is done\n");
    lab.succeed(&["compare", "small.toml", "--set", "seeds=2", "--collect"]);
    assert_eq!(trials(&lab), trials(&whole));
    for (words, code, said) in [
        (
            &["--index", "9"][..],
            2,
            "there is no trial 9 in plan.jsonl, which holds 4",
        ),
        (&[], 2, "SLURM_ARRAY_TASK_ID"),
    ] {
        let refused = lab.run(&[&["trial", "--plan", "plan.jsonl"], words].concat());
        assert_eq!(refused.code, Some(code), "{refused:#?}");
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
    }
}

#[test]
fn folds_are_trials_of_their_own() {
    let lab = lab();
    let folds = [
        "--set",
        "seeds=1",
        "--set",
        "num_folds=3",
        "--set",
        "training.num_epochs=2",
    ];
    let done = compare(&lab, &folds);
    assert_eq!(done.code, Some(0), "{done:#?}");
    let folds: Vec<String> = trials(&lab).iter().map(|row| row["fold"].clone()).collect();
    assert_eq!(folds, ["0", "1", "2", "0", "1", "2"]);
}

#[test]
fn without_validation_rows_trials_are_compared_by_the_training_split() {
    let lab = lab();
    let short = [
        "--set",
        "seeds=1",
        "--set",
        "training.num_epochs=2",
        "--set",
    ];
    let done = compare(
        &lab,
        &[&short[..], &["split={ valid = 0, test = 0.3 }"]].concat(),
    );
    assert_eq!(done.code, Some(0), "{done:#?}");
    for said in [
        "train accuracy of the last network",
        "There are no validation rows",
    ] {
        assert!(done.stdout.contains(said), "no {said} in\n{}", done.stdout);
    }
    assert!(!done.stdout.contains("NaN"), "{}", done.stdout);
    assert_eq!(report(&lab)["question"]["split"], "train");
    // Baselines have no scores of the training rows.
    assert!(report(&lab).get("baselines").is_none());
    assert!(
        !done.stdout.contains("simple predictors"),
        "{}",
        done.stdout
    );
}

#[test]
fn only_one_process_trains_a_comparison() {
    let lab = lab();
    let long = ["--jobs", "1", "--set", "training.num_epochs=1000"];
    let mut command = lab.command(&[&["compare", "small.toml"], &long[..]].concat());
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let first = lab.path().join("artifacts/small/relu-seed0");
    wait_until(60, "a trial has begun", || first.exists());
    let refused = compare(&lab, &[]);
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    let reason = format!("small is in use by process {}", child.id());
    assert!(refused.stderr.contains(&reason), "{}", refused.stderr);
    let done = outcome(child.wait_with_output().unwrap());
    assert_eq!(done.code, Some(0), "{done:#?}");
    assert_eq!(trials(&lab).len(), 8);
}

#[test]
fn a_lost_configuration_comes_back_from_a_checkpoint() {
    let lab = lab();
    assert_eq!(compare(&lab, &["--set", "seeds=1"]).code, Some(0));
    let config = lab.path().join("artifacts/small/linear-seed0/config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::remove_file(&config).unwrap();
    let checked = lab.run(&["runs", "check", "small/linear-seed0"]);
    assert_eq!(checked.code, Some(1), "{checked:#?}");
    let message = "config.toml is missing; `emberlab resume small/linear-seed0`";
    let said = [checked.stdout.as_str(), checked.stderr.as_str()].concat();
    assert!(said.contains(message), "{checked:#?}");
    assert_eq!(compare(&lab, &["--set", "seeds=1"]).code, Some(0));
    lab.succeed(&["resume", "small/linear-seed0"]);
    assert_eq!(std::fs::read_to_string(&config).unwrap(), text);
}

#[test]
fn a_variant_with_a_long_name_has_a_folder() {
    let lab = lab();
    let name = "long ".repeat(80);
    let variants = format!("variants=[{{ name = \"{name}\", set = {{}} }}]");
    let done = compare(&lab, &["--set", "seeds=1", "--set", &variants]);
    assert_eq!(done.code, Some(0), "{done:#?}");
    assert_eq!(trials(&lab).len(), 2);
}

#[test]
fn a_mistake_in_a_sweep_is_one_message_before_anything_trains() {
    let lab = lab();
    for (key, value, parts) in [
        (
            "sweep.\"model.activation\"",
            "[\"relu\", \"geluu\"]",
            &["geluu", "gelu"][..],
        ),
        ("sweep.mode", "\"gird\"", &["gird", "grid"]),
        ("seeds", "[1, 1]", &["each seed only once"]),
        ("target.metric", "\"acuracy\"", &["acuracy", "accuracy"]),
        (
            "target.metric",
            "\"mae\"",
            &["`target.metric` is mae, expected"],
        ),
        (
            "target.metric",
            "\"mape\"",
            &["`target.metric` is mape, expected"],
        ),
        ("target.split", "\"test\"", &["must decide nothing"]),
        ("num_folds", "0", &["`num_folds` is 0, expected at least 2"]),
        ("sweep.seed", "[1, 2]", &["`seeds = [0, 1, 2]` trains"]),
        ("sweep.name", "[\"a\", \"b\"]", &["the comparison's name"]),
        (
            "variants",
            "[{ name = \"a\", set = { at_epochs = [1] } }]",
            &["one of the whole comparison"],
        ),
        (
            "sweep",
            "{ \"split.valid\" = [0.0, 0.3] }",
            &["on the train split", "has no validation rows"],
        ),
        (
            "sweep",
            "{ \"loss.name\" = [\"bce_with_logits\", \"hinge\"], \"training.objective.metric\" = [\"loss\"] }",
            &["differ in `loss`", "name a metric to compare them by"],
        ),
        // What every trial gets from the comparison cannot be set for all.
        (
            "model.activation",
            "gelu",
            &["`model.activation` is gelu", "each variant sets this key"],
        ),
        ("seed", "7", &["`seed` is 7", "`seeds` sets this key"]),
    ] {
        let refused = compare(&lab, &["--set", &format!("{key}={value}")]);
        assert_eq!(refused.code, Some(2), "{key}: {refused:#?}");
        for part in parts {
            assert!(
                refused.stderr.contains(part),
                "no {part} in {}",
                refused.stderr
            );
        }
        assert!(!lab.path().join("artifacts").exists());
    }
}

#[test]
fn every_shipped_comparison_runs_briefly() {
    let folders = [shipped("compare"), shipped("lessons/compare")];
    let mut files: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 24, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.file_stem().unwrap().to_str().unwrap();
        let path = file.strip_prefix(crate::lab::project()).unwrap().display();
        let command = format!("#   cargo run --release -- compare {path}");
        assert!(text.contains(&command), "{name} does not say its command");
        assert!(
            text.contains("# Expect: ") && text.contains("# Takes: "),
            "{name}"
        );
        let lab = Lab::new();
        let mut words = vec!["compare", file.to_str().unwrap()];
        words.extend(["--set", "seeds=2"]);
        if !text.contains("\n\"training.num_epochs\" = [") {
            words.extend(["--set", "training.num_epochs=2"]);
        }
        if text.contains("mnist\"") {
            if data_dir().is_none() {
                continue;
            }
            words.extend(["--set", "split.train=320", "--set", "split.valid=100"]);
        }
        if text.contains("\nat_epochs = ") {
            words.extend(["--set", "at_epochs=[2]"]);
        }
        let done = lab.run(&words);
        assert_eq!(done.code, Some(0), "{name}: {done:#?}");
        let report = lab
            .path()
            .join("artifacts")
            .join(name)
            .join("comparison.json");
        let report: Value =
            serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap();
        for variant in report["variants"].as_array().unwrap() {
            assert_eq!(variant["num_done"], 2, "{name}: {variant}");
        }
    }
}

/// A straight line with noise, for which a small network with few epochs is no match for linear regression.
const LINE: &str = r#"
name = "line"
seeds = 6

[sweep]
"model.hidden" = [[4], [8]]

[dataset]
name = "regression"
function = "linear"
num_samples = 200
noise = 0.3

[standardize]
method = "per_feature"

[model]
name = "mlp"
hidden = [8]
activation = "relu"

[loss]
name = "mse"

[optimizer]
name = "sgd"
learning_rate = 0.003

[training]
num_epochs = 5
batch_size = 32
"#;

fn baselines(lab: &Lab, experiment: &str) -> Value {
    let path = lab.path().join("artifacts").join(experiment);
    serde_json::from_str(&std::fs::read_to_string(path.join("baselines.json")).unwrap()).unwrap()
}

#[test]
fn a_linear_model_that_wins_is_said_to_win() {
    let lab = Lab::new();
    lab.write("line.toml", LINE);
    let done = lab.succeed(&["compare", "line.toml"]);
    // A baseline has no loss, so R² is compared. Six differences of one sign: p = 2 / 2^6.
    for part in [
        "is worse than linear regression, the best baseline, by",
        "in valid r2, p = 0.0312: the simple model predicts better here.",
        "random forest",
        "simple predictors that learnt from the same rows",
    ] {
        assert!(done.stdout.contains(part), "no {part} in\n{}", done.stdout);
    }
    let json: Value =
        serde_json::from_str(&lab.succeed(&["compare", "line.toml", "--json"]).stdout).unwrap();
    let compared = &json["baselines"];
    assert_eq!(compared["figure"], "valid_r2");
    assert_eq!(compared["difference"]["verdict"], "better");
    assert_eq!(compared["difference"]["num_pairs"], 6);
    let names: Vec<&str> = compared["baselines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|b| b["variant"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "mean",
            "linear regression",
            "5 nearest neighbours",
            "random forest"
        ]
    );
    let csv = lab.succeed(&["report", "line", "--format", "csv"]).stdout;
    assert!(csv.contains("\nlinear regression,valid_r2,6,"), "{csv}");
    let markdown = lab
        .succeed(&["report", "line", "--format", "markdown"])
        .stdout;
    assert!(
        markdown.contains("is worse than linear regression"),
        "{markdown}"
    );
}

#[test]
fn baselines_are_computed_once_for_each_data_and_equal_those_of_a_single_run() {
    let lab = lab();
    let quick = ["--set", "seeds=2", "--set", "training.num_epochs=2"];
    assert_eq!(compare(&lab, &quick).code, Some(0));
    let first = baselines(&lab, "small");
    // Two variants with two seeds are four trials with two different data.
    assert_eq!(first["data"].as_array().unwrap().len(), 2);
    let result = report(&lab);
    let of_seeds: Vec<f64> = (first["data"].as_array().unwrap().iter())
        .map(|data| {
            let results = data["baselines"]["results"].as_array().unwrap();
            let logistic = results.iter().find(|r| r["name"] == "logistic_regression");
            logistic.unwrap()["metrics"]["valid"]["accuracy"]
                .as_f64()
                .unwrap()
        })
        .collect();
    let summary = result["baselines"]["baselines"].as_array().unwrap();
    let logistic = summary
        .iter()
        .find(|b| b["variant"] == "logistic regression");
    assert_eq!(
        logistic.unwrap()["figures"]["valid_accuracy"]["mean"]
            .as_f64()
            .unwrap(),
        (of_seeds[0] + of_seeds[1]) / 2.0
    );
    // A training by itself has the same baselines.
    let alone = lab.write(
        "alone.toml",
        CONFIG.replace("name = \"small\"", "name = \"alone\""),
    );
    let alone = alone.to_str().unwrap().to_owned();
    let words = ["train", &alone, "--run", "one", "--dashboard", "quiet"];
    lab.succeed(
        &[
            &words[..],
            &["--set", "seed=1", "--set", "training.num_epochs=2"],
        ]
        .concat(),
    );
    let path = lab.path().join("artifacts/alone/one/baselines.json");
    let single: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(first["data"][1]["baselines"], single);
    // Again, and with one more seed: existing results are kept.
    let more = ["--set", "seeds=3", "--set", "training.num_epochs=2"];
    assert_eq!(compare(&lab, &more).code, Some(0));
    let second = baselines(&lab, "small");
    assert_eq!(second["data"].as_array().unwrap().len(), 3);
    assert_eq!(
        second["data"][0]["baselines"],
        first["data"][0]["baselines"]
    );
    let without = compare(
        &lab,
        &[&quick[..], &["--baselines", "none", "--json"]].concat(),
    );
    let without: Value = serde_json::from_str(&without.stdout).unwrap();
    assert_eq!(without["baselines"], Value::Null);
}

#[test]
fn objective_and_target_may_be_metrics_on_request_and_stacks_compute_them_too() {
    let text = CONFIG
        .replace(
            "metric = \"accuracy\"\nvalue = 0.8",
            "metric = \"mcc\"\nvalue = 0.5",
        )
        .replace(
            "objective = { metric = \"accuracy\" }",
            "objective = { metric = \"roc_auc\" }",
        );
    let lab = Lab::new();
    lab.write("small.toml", &text);
    let done = compare(&lab, &["--set", "seeds=2"]);
    assert_eq!(done.code, Some(0), "{done:#?}");
    let found = report(&lab);
    for variant in found["variants"].as_array().unwrap() {
        for figure in ["valid_roc_auc", "valid_mcc", "valid_roc_auc@2"] {
            let median = variant["figures"][figure]["median"].as_f64();
            assert!(
                median.is_some_and(|median| median > 0.5),
                "{figure}: {median:?}"
            );
        }
        assert_eq!(variant["epochs_to_target"]["n"], 2, "{variant}");
    }
    assert_eq!(found["baselines"]["figure"], "valid_roc_auc");
    assert!(found["baselines"]["difference"]["median"].is_f64());
    let stacked = Lab::new();
    stacked.write("small.toml", &text);
    let done = compare(&stacked, &["--set", "seeds=2", "--stack", "4"]);
    assert_eq!(done.code, Some(0), "{done:#?}");
    assert_eq!(trials(&stacked), trials(&lab));
}

#[test]
fn a_plan_that_cannot_run_replaces_no_other() {
    let lab = lab();
    let seeds = ["--set", "seeds=1"];
    assert_eq!(compare(&lab, &seeds).code, Some(0));
    let plan = lab.path().join("artifacts/small/plan.jsonl");
    let before = std::fs::read(&plan).unwrap();
    let slurm = ["--launcher", "slurm"];
    // The trials on the disk were trained with another configuration.
    let other = [&seeds[..], &["--set", "training.num_epochs=7"]].concat();
    for more in [&slurm[..], &["--plan", "plan.jsonl"]] {
        let refused = compare(&lab, &[&other[..], more].concat());
        assert_eq!(refused.code, Some(2), "{refused:#?}");
        assert!(
            refused.stderr.contains("training.num_epochs"),
            "{refused:#?}"
        );
    }
    assert_eq!(std::fs::read(&plan).unwrap(), before);
    assert!(!lab.path().join("plan.jsonl").exists());
    // A plan whose trials are done may be replaced; one that jobs still train may not.
    let more_seeds = |seeds: &'static str| [&["--set", seeds][..], &slurm].concat();
    assert_eq!(compare(&lab, &more_seeds("seeds=2")).code, Some(0));
    assert_eq!(compare(&lab, &more_seeds("seeds=2")).code, Some(0));
    let refused = compare(&lab, &more_seeds("seeds=3"));
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    assert!(
        refused.stderr.contains("2 of 4 trials not done"),
        "{refused:#?}"
    );
}

#[test]
fn a_trial_with_a_damaged_result_or_config_is_finished_again() {
    let lab = lab();
    let seeds = ["--set", "seeds=1"];
    assert_eq!(compare(&lab, &seeds).code, Some(0));
    let all = trials(&lab);
    let run = lab.path().join("artifacts/small/linear-seed0");
    for file in ["result.json", "config.toml"] {
        let whole = std::fs::read(run.join(file)).unwrap();
        std::fs::write(run.join(file), "").unwrap();
        let collected = compare(&lab, &[&seeds[..], &["--collect"]].concat());
        assert_eq!(collected.code, Some(0), "{collected:#?}");
        assert_eq!(compare(&lab, &seeds).code, Some(0));
        assert_eq!(trials(&lab), all, "{file}");
        lab.succeed(&["resume", "small/linear-seed0", "--dashboard", "quiet"]);
        if file == "config.toml" {
            assert_eq!(std::fs::read(run.join(file)).unwrap(), whole);
        }
    }
    let folder = lab.path().join("artifacts/small");
    for file in ["baselines.json", "comparison.json"] {
        std::fs::write(folder.join(file), "").unwrap();
    }
    let refused = lab.run(&["report", "small"]);
    assert!(
        refused.stderr.contains("--collect` writes it again"),
        "{refused:#?}"
    );
    assert_eq!(compare(&lab, &seeds).code, Some(0));
    lab.succeed(&["report", "small"]);
}

#[test]
fn a_comparison_goes_on_when_nobody_reads_its_messages() {
    let lab = lab();
    let mut command = lab.command(&["compare", "small.toml", "--set", "seeds=1"]);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(trials(&lab).len(), 2);
}
