//! One rule for exit codes: 2 where something named does not exist or cannot be used, the same in all commands.

use crate::lab::{Lab, Outcome, shipped};

/// Each command with something missing in it, and a word of its message.
const MISSING: &[(&[&str], &str)] = &[
    // A configuration that does not exist, is a folder, or is not text.
    (&["train", "none.toml"], "none.toml"),
    (&["train", "folder"], "folder"),
    (&["train", "binary.toml"], "binary.toml"),
    (&["compare", "none.toml"], "none.toml"),
    (&["compare", "none.toml", "--json"], "none.toml"),
    (&["compare", "none.toml", "--dry-run"], "none.toml"),
    (&["compare", "none.toml", "--collect"], "none.toml"),
    (&["find-lr", "none.toml"], "none.toml"),
    (&["find-lr", "none.toml", "--json"], "none.toml"),
    (&["summary", "none.toml"], "none.toml"),
    (&["summary", "none.toml", "--json"], "none.toml"),
    (&["config", "show", "none.toml"], "none.toml"),
    (&["config", "show", "folder"], "folder"),
    (&["check", "gradients", "none.toml"], "none.toml"),
    (&["check", "gradients", "none.toml", "--json"], "none.toml"),
    (&["devices", "--bench", "none.toml"], "none.toml"),
    (&["data", "show", "none.toml"], "none.toml"),
    // A configuration whose table does not exist.
    (&["train", "no_table.toml"], "none.csv"),
    (&["compare", "no_table.toml"], "none.csv"),
    (&["compare", "no_table.toml", "--json"], "none.csv"),
    (&["find-lr", "no_table.toml"], "none.csv"),
    (&["find-lr", "no_table.toml", "--json"], "none.csv"),
    (&["check", "gradients", "no_table.toml"], "none.csv"),
    (&["devices", "--bench", "no_table.toml"], "none.csv"),
    (&["data", "show", "no_table.toml"], "none.csv"),
    // A data set that was not fetched.
    (&["train", "not_fetched.toml"], "data fetch mnist"),
    (&["compare", "not_fetched.toml"], "data fetch mnist"),
    (&["find-lr", "not_fetched.toml"], "data fetch mnist"),
    (
        &["find-lr", "not_fetched.toml", "--json"],
        "data fetch mnist",
    ),
    (&["data", "show", "mnist"], "data fetch mnist"),
    (&["data", "show", "none"], "none"),
    (&["data", "fetch", "none"], "none"),
    // A run that does not exist.
    (&["resume", "none"], "there is no run `none`"),
    (&["evaluate", "none"], "there is no run `none`"),
    (&["evaluate", "none", "--json"], "there is no run `none`"),
    (&["predict", "none", "rows.csv"], "there is no run `none`"),
    (&["diagnose", "none"], "there is no run `none`"),
    (&["diagnose", "none", "--json"], "there is no run `none`"),
    (&["report", "none"], "there is no run `none`"),
    (
        &["report", "none", "--format", "json"],
        "there is no run `none`",
    ),
    (&["report", "planned"], "--collect"),
    (&["descend", "--run", "none"], "there is no run `none`"),
    (
        &["descend", "--run", "none", "--json"],
        "there is no run `none`",
    ),
    (&["runs", "check", "none"], "there is no run `none`"),
    (
        &["runs", "--json", "check", "none"],
        "there is no run `none`",
    ),
    (&["runs", "prune", "none"], "there is no run `none`"),
    (
        &["evaluate", "latest", "--artifacts", "nowhere"],
        "there is no run",
    ),
    // A run whose table does not exist any more.
    (&["evaluate", "moved"], "table.csv"),
    (&["evaluate", "moved", "--json"], "table.csv"),
    (&["diagnose", "moved"], "table.csv"),
    (&["descend", "--run", "moved"], "table.csv"),
    (
        &["resume", "moved", "--set", "training.num_epochs=9"],
        "table.csv",
    ),
    // Inputs, plans and traces that do not exist, or are not what they should be.
    (&["predict", "moved", "none.csv"], "none.csv"),
    (
        &["predict", "moved", "none.csv", "--format", "json"],
        "none.csv",
    ),
    (&["predict", "moved", "none.png"], "not images"),
    (
        &["trial", "--plan", "none.jsonl", "--index", "0"],
        "none.jsonl",
    ),
    (
        &["trial", "--plan", "broken.jsonl", "--index", "0"],
        "line 1",
    ),
    (&["check", "trace", "none.json"], "none.json"),
    (
        &["check", "trace", "broken.jsonl", "--json"],
        "broken.jsonl",
    ),
    // Options that ask for what does not exist.
    (
        &["train", "good.toml", "--device", "none"],
        "there is no device `none`",
    ),
    (&["train", "good.toml", "--set", "model.none=1"], "none"),
    (&["train", "good.toml", "--none"], "--none"),
    (&["none"], "none"),
];

const GOOD: &str = r#"
dataset = { name = "csv", path = "table.csv", label = "kind" }
split = { train = 6, valid = 2 }
model = { name = "perceptron" }
loss = { name = "bce_with_logits" }
optimizer = { name = "adam", learning_rate = 0.1 }
training = { num_epochs = 2, batch_size = "full" }
"#;

/// Runs a command where no data were ever fetched.
fn run(lab: &Lab, words: &[&str]) -> Outcome {
    let mut command = lab.command(words);
    command
        .env_remove("EMBERLAB_DATA_DIR")
        .env("XDG_CACHE_HOME", lab.path());
    crate::lab::outcome(command.output().unwrap())
}

#[test]
fn something_missing_ends_every_command_with_2_and_is_named() {
    let lab = Lab::new();
    let rows = (0..8).map(|i| format!("{i},{},{}\n", i % 3, ["a", "b"][i % 2]));
    let table = format!("x,y,kind\n{}", rows.collect::<String>());
    let table = lab.write("table.csv", table);
    lab.write("good.toml", GOOD);
    lab.write("no_table.toml", GOOD.replace("table.csv", "none.csv"));
    let mnist = std::fs::read_to_string(shipped("train/mnist_mlp.toml")).unwrap();
    lab.write("not_fetched.toml", mnist);
    lab.write("binary.toml", [0xff, 0xfe, 0x00]);
    lab.write("broken.jsonl", "{\"index\": 0}\n");
    lab.write("artifacts/planned/plan.jsonl", "");
    lab.write("folder/file", "");
    lab.write("rows.csv", "x,y\n1,2\n");
    lab.succeed(&[
        "train",
        "good.toml",
        "--run",
        "moved",
        "--dashboard",
        "quiet",
    ]);
    std::fs::remove_file(table).unwrap();
    for (words, named) in MISSING {
        let outcome = run(&lab, words);
        assert_eq!(outcome.code, Some(2), "{words:?}: {outcome:#?}");
        assert!(outcome.stderr.contains(named), "{words:?}: {outcome:#?}");
        assert!(
            !outcome.stderr.contains("panicked"),
            "{words:?}: {outcome:#?}"
        );
    }
}

#[test]
fn a_machine_that_fails_ends_a_command_with_1() {
    let lab = Lab::new();
    let config = shipped("train/iris.toml");
    let config = config.to_str().unwrap();
    lab.write("blocked", "a file where the folder should be");
    let few = ["--set", "training.num_epochs=1", "--dashboard", "quiet"];
    let blocked = [&["train", config, "--artifacts", "blocked"], &few[..]].concat();
    let run = lab.train("train/iris.toml", "damaged", &["training.num_epochs=1"]);
    std::fs::write(run.folder.join("model/network.bpk"), "nothing").unwrap();
    for (words, named) in [
        (&blocked[..], "blocked"),
        (&["evaluate", "damaged"], "network.bpk"),
        (&["evaluate", "damaged", "--json"], "network.bpk"),
        (&["runs", "check", "damaged"], "1 of 1 runs are damaged"),
        (
            &["runs", "--json", "check", "damaged"],
            "1 of 1 runs are damaged",
        ),
    ] {
        let outcome = lab.run(words);
        assert_eq!(outcome.code, Some(1), "{words:?}: {outcome:#?}");
        assert!(outcome.stderr.contains(named), "{words:?}: {outcome:#?}");
    }
}
