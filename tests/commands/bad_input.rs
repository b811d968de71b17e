//! Bad input: one clear message with the place, the right exit code, and nothing half-written.

use crate::lab::{Lab, Outcome, shipped};

const GOOD: &str = r#"
[dataset]
name = "moons"
num_samples = 60

[model]
name = "mlp"
hidden = [4]

[loss]
name = "bce_with_logits"

[optimizer]
name = "sgd"
learning_rate = 0.1

[training]
num_epochs = 1
batch_size = 10
"#;

/// Trains `GOOD` with `from` replaced by `to`; nothing may be left on disk and nothing may panic.
#[track_caller]
fn refused(from: &str, to: &str, code: i32, words: &[&str]) -> Outcome {
    assert!(GOOD.contains(from), "{from}");
    let lab = Lab::new();
    lab.write("bad.toml", GOOD.replace(from, to));
    let outcome = lab.run(&["train", "bad.toml"]);
    assert_refused(&lab, &outcome, code, words);
    outcome
}

#[track_caller]
fn assert_refused(lab: &Lab, outcome: &Outcome, code: i32, words: &[&str]) {
    assert_eq!(outcome.code, Some(code), "{outcome:#?}");
    for word in words {
        assert!(
            outcome.stderr.contains(word),
            "no {word:?} in\n{}",
            outcome.stderr
        );
    }
    for word in ["panicked", "backtrace", "RUST_BACKTRACE", "unwrap"] {
        assert!(
            !outcome.stderr.contains(word),
            "{word:?} in\n{}",
            outcome.stderr
        );
    }
    assert!(
        !lab.path().join("artifacts").exists(),
        "something was written"
    );
}

#[test]
fn the_good_configuration_is_good() {
    let lab = Lab::new();
    lab.write("good.toml", GOOD);
    lab.succeed(&["train", "good.toml"]);
}

#[test]
fn an_unknown_key_is_named_with_the_nearest() {
    refused(
        "learning_rate",
        "lerning_rate",
        2,
        &["lerning_rate", "learning_rate", "bad.toml:15"],
    );
}

#[test]
fn a_bad_point_is_shown_at_its_place() {
    for (point, expected) in [
        (
            "[1, 2]",
            "`dataset.points[1]` is [1.0, 2.0], expected three numbers",
        ),
        (
            "[nan, 2, 0]",
            "`dataset.points[1][0]` is NaN, expected a finite number",
        ),
        (
            "[1, 2, 0.5]",
            "`dataset.points[1][2]` is 0.5, expected a class",
        ),
    ] {
        refused(
            "name = \"moons\"\nnum_samples = 60",
            &format!("name = \"points\"\npoints = [[0, 0, 1],\n  {point}]"),
            2,
            &[expected, "bad.toml:5"],
        );
    }
    refused(
        "name = \"moons\"\nnum_samples = 60",
        "name = \"points\"\npoints = [[0, 0, 1], [1, 2, 1]]\nsplit = 1",
        2,
        &["unknown key `split`"],
    );
}

#[test]
fn an_unknown_table_is_named() {
    refused(
        "[optimizer]",
        "[optimiser]",
        2,
        &["optimiser", "optimizer", "bad.toml"],
    );
}

#[test]
fn a_wrong_type_is_named_with_its_place() {
    refused(
        "hidden = [4]",
        "hidden = \"four\"",
        2,
        &["hidden", "four", "bad.toml:8"],
    );
}

#[test]
fn a_value_out_of_range_is_named_with_its_place() {
    refused(
        "learning_rate = 0.1",
        "learning_rate = -0.1",
        2,
        &["learning_rate", "-0.1", "bad.toml:15"],
    );
    refused(
        "num_samples = 60",
        "noise = -1.0",
        2,
        &["noise", "-1", "bad.toml:4"],
    );
    refused(
        "learning_rate = 0.1",
        "learning_rate = 0.1\n[scheduler]\nname = \"cosine\"\nwarmup = { num_steps = 0 }",
        2,
        &["scheduler.warmup.num_steps", "at least 1", "bad.toml:18"],
    );
    refused(
        "name = \"bce_with_logits\"",
        "name = \"bce_with_logits\"\npositive_weight = 0",
        2,
        &[
            "loss.positive_weight",
            "a finite number above zero",
            "bad.toml:12",
        ],
    );
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest() {
    refused(
        "hidden = [4]",
        "hidden = [4]\nactivation = \"gelo\"",
        2,
        &["gelo", "gelu", "bad.toml:9"],
    );
    refused("\"moons\"", "\"mons\"", 2, &["mons", "moons", "bad.toml:3"]);
    refused("\"sgd\"", "\"adamm\"", 2, &["adamm", "adam", "bad.toml:14"]);
}

#[test]
fn options_that_exclude_each_other_are_refused() {
    let both = "[checkpoint]\nevery = { seconds = 1.0, epochs = 2 }\n[training]";
    refused(
        "[training]",
        both,
        2,
        &["checkpoint.every", "exclude each other", "bad.toml"],
    );
    refused(
        "learning_rate = 0.1",
        "learning_rate = 0.1\nnesterov = true",
        2,
        &["nesterov", "momentum"],
    );
}

#[test]
fn broken_toml_is_shown_at_its_place() {
    refused("hidden = [4]", "hidden = [4", 2, &["bad.toml"]);
}

#[test]
fn zero_epochs_and_a_batch_larger_than_the_data_are_refused() {
    refused(
        "num_epochs = 1",
        "num_epochs = 0",
        2,
        &["num_epochs", "at least 1", "bad.toml:18"],
    );
    refused(
        "batch_size = 10",
        "batch_size = 1000",
        2,
        &["batch_size", "1000", "42", "bad.toml:19"],
    );
    refused(
        "batch_size = 10",
        "batch_size = 0",
        2,
        &["batch_size", "bad.toml:19"],
    );
}

#[test]
fn more_classes_than_outputs_are_refused() {
    let from = "[dataset]\nname = \"moons\"\nnum_samples = 60";
    let lab = Lab::new();
    let text = GOOD
        .replace(from, "[dataset]\nname = \"digits\"")
        .replace("bce_with_logits", "cross_entropy")
        .replace("hidden = [4]", "hidden = [4]\nd_output = 9");
    lab.write("bad.toml", text);
    let outcome = lab.run(&["train", "bad.toml"]);
    assert_refused(
        &lab,
        &outcome,
        2,
        &["10 classes", "9 outputs", "bad.toml:8"],
    );
}

#[test]
fn a_loss_that_does_not_fit_the_targets_is_refused() {
    let iris = "\"iris\"";
    let lab = Lab::new();
    lab.write(
        "bad.toml",
        GOOD.replace("\"moons\"\nnum_samples = 60", iris),
    );
    let outcome = lab.run(&["train", "bad.toml"]);
    assert_refused(
        &lab,
        &outcome,
        2,
        &["bce_with_logits", "cross_entropy", "3", "bad.toml"],
    );
}

#[test]
fn a_missing_configuration_is_one_message() {
    let lab = Lab::new();
    let outcome = lab.run(&["train", "nowhere.toml"]);
    assert_refused(&lab, &outcome, 2, &["nowhere.toml"]);
}

#[test]
fn an_override_that_cannot_be_understood_is_shown() {
    let lab = Lab::new();
    lab.write("good.toml", GOOD);
    for (bad, word) in [
        ("model.activation", "model.activation"),
        ("=3", "=3"),
        ("model.activation=gelo", "gelu"),
        ("optimizer.momentum=2", "momentum"),
    ] {
        let outcome = lab.run(&["train", "good.toml", "--set", bad]);
        assert_refused(&lab, &outcome, 2, &[word]);
    }
}

/// Trains on a CSV file with this text.
fn csv(text: &str) -> (Lab, Outcome) {
    let lab = Lab::new();
    lab.write("table.csv", text);
    let dataset = "\"csv\"\npath = \"table.csv\"\nlabel = \"kind\"\ntask = \"classification\"";
    lab.write(
        "bad.toml",
        GOOD.replace("\"moons\"\nnum_samples = 60", dataset),
    );
    let outcome = lab.run(&["train", "bad.toml"]);
    (lab, outcome)
}

#[test]
fn a_broken_csv_is_named_with_line_and_column() {
    let (lab, outcome) = csv("a,b,kind\n1,2,x\n1,two,y\n");
    assert_refused(&lab, &outcome, 2, &["table.csv", "line 3", "b", "two"]);
    let (lab, outcome) = csv("a,b,kind\n1,2,x\n1,y\n");
    assert_refused(&lab, &outcome, 2, &["table.csv", "line 3"]);
    let (lab, outcome) = csv("a,b,sort\n1,2,x\n");
    assert_refused(&lab, &outcome, 2, &["kind"]);
}

#[test]
fn a_missing_csv_is_one_message() {
    let lab = Lab::new();
    let dataset = "\"csv\"\npath = \"table.csv\"\nlabel = \"kind\"\ntask = \"classification\"";
    lab.write(
        "bad.toml",
        GOOD.replace("\"moons\"\nnum_samples = 60", dataset),
    );
    let outcome = lab.run(&["train", "bad.toml"]);
    assert_refused(&lab, &outcome, 2, &["table.csv"]);
}

/// Trains on MNIST files, the training images of which hold these bytes.
fn mnist(images: &[u8]) -> (Lab, Outcome) {
    let lab = Lab::new();
    lab.write("data/mnist/train-images-idx3-ubyte", images);
    let labels = [&[0, 0, 8, 1, 0, 0, 0, 2][..], &[3, 4]].concat();
    lab.write("data/mnist/train-labels-idx1-ubyte", &labels);
    let config = shipped("train/mnist_mlp.toml");
    let outcome = lab.run(&["train", config.to_str().unwrap(), "--data-dir", "data"]);
    (lab, outcome)
}

#[test]
fn idx_files_of_a_wrong_magic_or_length_are_named() {
    let (lab, outcome) = mnist(b"\x89PNG and more than sixteen bytes");
    assert_refused(&lab, &outcome, 2, &["train-images-idx3-ubyte", "magic"]);
    let header = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28];
    let (lab, outcome) = mnist(&[&header[..], &[0; 100]].concat());
    assert_refused(&lab, &outcome, 2, &["train-images-idx3-ubyte"]);
}

#[test]
fn an_artifacts_folder_that_cannot_be_written_is_named() {
    let lab = Lab::new();
    lab.write("good.toml", GOOD);
    lab.write("blocked", "a file where the folder should be");
    let outcome = lab.run(&["train", "good.toml", "--artifacts", "blocked"]);
    assert_refused(&lab, &outcome, 1, &["blocked"]);
}

#[test]
fn a_name_of_a_run_that_leaves_its_folder_or_cannot_be_addressed_is_refused() {
    let lab = Lab::new();
    lab.write("good.toml", GOOD);
    for (name, word) in [
        ("../../x", "names a folder"),
        ("a/b", "names a folder"),
        ("..", "names a folder"),
        (".hidden", "names a folder"),
        ("a b", "names a folder"),
        ("", "names a folder"),
        ("latest", "newest run"),
        ("comparison.json", "beside its runs"),
        ("report.html", "beside its runs"),
    ] {
        let outcome = lab.run(&["train", "good.toml", &format!("--run={name}")]);
        assert_refused(
            &lab,
            &outcome,
            2,
            &[&format!("the name `{name}` for a run"), word],
        );
        assert!(!lab.path().join("../../x").exists(), "{name}");
    }
}

#[test]
fn an_empty_environment_variable_counts_as_one_that_is_not_set() {
    let lab = Lab::new();
    lab.write("good.toml", GOOD);
    let words = ["train", "good.toml", "--run", "r", "--dashboard", "quiet"];
    let mut command = lab.command(&words);
    for name in ["ARTIFACTS_DIR", "DATA_DIR", "DEVICE"] {
        command.env(format!("EMBERLAB_{name}"), "");
    }
    let outcome = crate::lab::outcome(command.output().unwrap());
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert!(lab.path().join("artifacts/good/r/result.json").exists());
}

#[test]
fn devices_that_cannot_be_used_are_one_message() {
    let lab = Lab::new();
    lab.write("good.toml", GOOD);
    let outcome = lab.run(&["train", "good.toml", "--device", "gpu"]);
    assert_refused(&lab, &outcome, 2, &["there is no device `gpu`", "flex"]);
    let outcome = lab.run(&["train", "good.toml", "--device", "cuda"]);
    assert_refused(&lab, &outcome, 2, &["--features cuda"]);
}

#[test]
fn a_gpu_without_an_adapter_is_an_error_and_no_panic() {
    let lab = Lab::new();
    lab.write("good.toml", GOOD);
    // Neither a Vulkan nor an OpenGL driver.
    let mut command = lab.command(&["train", "good.toml", "--device", "wgpu"]);
    command
        .env("VK_DRIVER_FILES", "/nonexistent.json")
        .env("VK_ICD_FILENAMES", "/nonexistent.json")
        .env("__EGL_VENDOR_LIBRARY_FILENAMES", "/nonexistent.json")
        .env("LIBGL_DRIVERS_PATH", "/nonexistent");
    let outcome = crate::lab::outcome(command.output().unwrap());
    if outcome.stderr.contains("--features wgpu") {
        assert_refused(&lab, &outcome, 2, &["--features wgpu"]);
    } else {
        assert_refused(
            &lab,
            &outcome,
            1,
            &["`wgpu` cannot be used on this machine"],
        );
    }
}

#[test]
fn sixty_four_bits_on_a_device_without_them_are_refused() {
    if !crate::lab::has_wgpu() {
        return;
    }
    let lab = Lab::new();
    lab.write("good.toml", GOOD);
    let words = [
        "train",
        "good.toml",
        "--device",
        "wgpu",
        "--set",
        "training.precision=f64",
    ];
    let outcome = lab.run(&words);
    assert_refused(&lab, &outcome, 2, &["64-bit", "f32"]);
}

#[test]
fn a_run_that_is_not_there_is_answered_with_those_that_are() {
    let lab = Lab::new();
    lab.train("train/iris.toml", "there", &["training.num_epochs=1"]);
    for command in ["resume", "evaluate"] {
        let outcome = lab.run(&[command, "elsewhere"]);
        assert_eq!(outcome.code, Some(2), "{outcome:#?}");
        assert!(outcome.stderr.contains("iris/there"), "{}", outcome.stderr);
    }
}

#[test]
fn a_dashboard_without_a_terminal_is_refused() {
    let lab = Lab::new();
    lab.write("good.toml", GOOD);
    let outcome = lab.run(&["train", "good.toml", "--dashboard", "tui"]);
    assert_refused(&lab, &outcome, 2, &["needs a terminal"]);
}

#[test]
fn a_wrong_value_of_an_override_is_shown_in_the_override_and_not_in_the_file() {
    for (set, shown, message) in [
        (
            "model.hidden=[8,-2]",
            "--set:1:17",
            "`model.hidden[1]` must be",
        ),
        (
            "optimizer.learning_rate=-1",
            "--set:1:25",
            "optimizer.learning_rate",
        ),
        ("trainin.num_epochs=3", "--set:1:1", "unknown key `trainin`"),
    ] {
        let lab = Lab::new();
        lab.write("good.toml", GOOD);
        let outcome = lab.run(&["train", "good.toml", "--set", set]);
        assert_refused(&lab, &outcome, 2, &[set, shown, message]);
        assert!(!outcome.stderr.contains("good.toml"), "{}", outcome.stderr);
    }
}

#[test]
fn the_keys_of_a_comparison_that_a_training_ignores_are_named() {
    let lab = Lab::new();
    let text = format!("seeds = 3\n{GOOD}\n[sweep]\n\"model.activation\" = [\"relu\", \"tanh\"]\n");
    lab.write("my sweep.toml", text);
    let outcome = lab.succeed(&[
        "train",
        "my sweep.toml",
        "--set",
        "name=sweep",
        "--dashboard",
        "quiet",
    ]);
    for words in [
        "note: `seeds`, `sweep` are ignored here",
        "emberlab compare 'my sweep.toml' --set name=sweep",
    ] {
        assert!(
            outcome.stderr.contains(words),
            "no {words:?} in\n{}",
            outcome.stderr
        );
    }
}

#[test]
fn class_weights_that_fit_no_classes_are_refused_with_the_classes() {
    let with = |weights: &str| format!("num_epochs = 1\nclass_weights = {weights}");
    refused(
        "num_epochs = 1",
        &with("[1.0, 2.0, 3.0]"),
        2,
        &["training.class_weights", "2 weights", "bad.toml:19"],
    );
    refused(
        "num_epochs = 1",
        &with("\"balance\""),
        2,
        &["class_weights", "balanced", "bad.toml:19"],
    );
    refused(
        "num_epochs = 1",
        &with("[1.0, -2.0]"),
        2,
        &["training.class_weights", "zero or positive"],
    );
}

#[test]
fn a_run_is_not_read_as_images() {
    let lab = Lab::new();
    lab.write("good.toml", GOOD);
    lab.succeed(&["train", "good.toml", "--run", "a", "--dashboard", "quiet"]);
    for (path, word) in [
        ("artifacts/good/a", "emberlab resume artifacts/good/a"),
        ("artifacts/good", "name one of its runs"),
    ] {
        let refused = lab.run(&["train", path]);
        assert_eq!(refused.code, Some(2), "{refused:#?}");
        assert!(refused.stderr.contains(word), "{refused:#?}");
    }
}

#[test]
fn a_key_in_the_wrong_section_is_answered_with_the_right_one() {
    let lab = Lab::new();
    lab.write("good.toml", GOOD);
    for (set, word) in [
        ("num_epochs=3", "did you mean `training.num_epochs`?"),
        (
            "epochs=3",
            "did you mean `training.num_epochs` or `at_epochs`?",
        ),
        ("training.dropout=0.5", "did you mean `model.dropout`?"),
        (
            "training.learning_rate=0.1",
            "did you mean `optimizer.learning_rate`?",
        ),
        ("optimizer=sgd", "write `optimizer.name=sgd`"),
        (
            "training.average=ema",
            "write `training.average.ema = VALUE`",
        ),
    ] {
        let outcome = lab.run(&["train", "good.toml", "--set", set]);
        assert_refused(&lab, &outcome, 2, &[word]);
    }
}
