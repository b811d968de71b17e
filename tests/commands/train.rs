//! `emberlab train` without its dashboard.

use std::process::Stdio;
use std::time::Instant;

use serde_json::Value;

use crate::lab::{FIGURES, Lab, assert_same_files, send, shipped, wait_until};

#[test]
fn a_pipe_gets_one_line_per_epoch_and_json_one_object() {
    let lab = Lab::new();
    let config = shipped("train/iris.toml");
    let train = [
        "train",
        config.to_str().unwrap(),
        "--set",
        "training.num_epochs=4",
    ];
    let plain = lab.succeed(&train).stdout;
    let lines: Vec<&str> = plain
        .lines()
        .filter(|line| line.starts_with("epoch "))
        .collect();
    assert_eq!(lines.len(), 4, "{plain}");
    for word in ["train loss", "accuracy", "valid loss", "elapsed", "left"] {
        assert!(lines[3].contains(word), "no {word} in {}", lines[3]);
    }
    let json = lab
        .succeed(&[&train[..], &["--dashboard", "json"]].concat())
        .stdout;
    let epochs: Vec<Value> = json
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(epochs.len(), 4);
    assert!(epochs[3]["valid"]["accuracy"].is_f64());
}

#[test]
fn a_training_names_the_commands_that_can_follow_below_each_other() {
    let lab = Lab::new();
    let config = shipped("train/iris.toml");
    let few = ["--set", "training.num_epochs=2"];
    let train = ["train", config.to_str().unwrap(), "--run", "one"];
    let said = lab.succeed(&[&train[..], &few].concat()).stdout;
    let last: Vec<&str> = said.lines().rev().take(4).collect();
    let expected = [
        "one page:      emberlab report iris/one",
        "pictures:      emberlab evaluate iris/one --pictures",
        "play with it:  emberlab play iris/one",
        "saved in artifacts/iris/one",
    ];
    assert_eq!(last, expected);
}

#[test]
fn seconds_between_checkpoints_that_never_pass_are_no_panic() {
    let lab = Lab::new();
    for seconds in ["1e300", "1e-300"] {
        let every = format!("checkpoint.every.seconds={seconds}");
        let run = lab.train(
            "train/moons.toml",
            seconds,
            &[&every, "training.num_epochs=2"],
        );
        assert_eq!(run.json("result.json")["epochs"], 2);
    }
}

#[test]
fn a_pace_makes_epochs_wait_and_changes_neither_the_result_nor_its_time() {
    let lab = Lab::new();
    let config = shipped("train/iris.toml");
    let train = |run, more: &[&str]| {
        let words = ["train", config.to_str().unwrap(), "--run", run];
        let few = ["--set", "training.num_epochs=6", "--dashboard", "quiet"];
        let began = Instant::now();
        lab.succeed(&[&words[..], &few, more].concat());
        began.elapsed().as_secs_f64()
    };
    train("fast", &[]);
    let took = train("slow", &["--pace", "5"]);
    let run = |name| lab.path().join("artifacts/iris").join(name);
    assert_same_files(&run("fast"), &run("slow"), &FIGURES);
    let result = std::fs::read_to_string(run("slow").join("result.json")).unwrap();
    let result: Value = serde_json::from_str(&result).unwrap();
    let recorded = result["seconds"].as_f64().unwrap();
    // From the start of the first epoch of six to that of the last it is a second, whatever the epochs themselves take
    // of it. What they take is recorded.
    assert!(took >= 1.0, "{took} s");
    assert!(recorded <= took - 0.5, "{recorded} s of {took} s");
}

#[test]
fn a_training_that_waits_for_its_next_epoch_stops_at_once() {
    let lab = Lab::new();
    let config = shipped("train/iris.toml");
    let words = ["train", config.to_str().unwrap(), "--run", "slow"];
    // A thousand seconds for each epoch.
    let slow = ["--dashboard", "quiet", "--pace", "0.001"];
    let mut child = lab
        .command(&[&words[..], &slow].concat())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let metrics = lab.path().join("artifacts/iris/slow/metrics.csv");
    wait_until(60, "the first epoch is over", || {
        std::fs::read_to_string(&metrics).is_ok_and(|text| text.lines().count() == 2)
    });
    send(&child, rustix::process::Signal::TERM);
    let mut ended = None;
    wait_until(60, "the training stops", || {
        ended = child.try_wait().unwrap();
        ended.is_some()
    });
    assert_eq!(ended.unwrap().code(), Some(130));
}

#[test]
fn a_training_says_which_engine_trains_and_why() {
    let lab = Lab::new();
    let convnet = "there are no fused kernels for convolutional networks";
    for (config, engine, name, because) in [
        ("train/iris.toml", "auto", "fused kernels", None),
        ("train/iris.toml", "fused", "fused kernels", None),
        (
            "train/iris.toml",
            "burn",
            "Burn operations",
            Some("`training.engine` is `burn`"),
        ),
        (
            "train/digits_convnet.toml",
            "auto",
            "Burn operations",
            Some(convnet),
        ),
    ] {
        let path = shipped(config);
        let experiment = path.file_stem().unwrap().to_str().unwrap();
        let run = format!("{experiment}-{engine}");
        let engine = format!("training.engine={engine}");
        let mut train = vec!["train", path.to_str().unwrap(), "--run", &run];
        for one in [&engine, "training.num_epochs=1"] {
            train.extend(["--set", one]);
        }
        let stdout = lab.succeed(&train).stdout;
        let expected = match because {
            Some(because) => format!("trained by: {name}, because {because}\n"),
            None => format!("trained by: {name}\n"),
        };
        assert!(stdout.contains(&expected), "{stdout}");
        let environment = lab.path().join("artifacts").join(experiment).join(&run);
        let environment = std::fs::read_to_string(environment.join("environment.json")).unwrap();
        let environment: Value = serde_json::from_str(&environment).unwrap();
        assert_eq!(environment["engine"], name);
        assert_eq!(environment["engine_because"].as_str(), because);
    }
    let path = shipped("train/digits_convnet.toml");
    let refused = lab.run(&[
        "train",
        path.to_str().unwrap(),
        "--set",
        "training.engine=fused",
    ]);
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    let message =
        format!("`training.engine` is fused, expected `auto` or `burn`, because {convnet}");
    assert!(refused.stderr.contains(&message), "{}", refused.stderr);
}

#[test]
fn early_stopping_ends_a_training_that_no_longer_improves() {
    let lab = Lab::new();
    let patience = [
        "training.num_epochs=2000",
        "training.early_stopping={ patience = 5 }",
        "optimizer.learning_rate=0.02",
    ];
    let run = lab.train("train/digits.toml", "early", &patience);
    let result = run.json("result.json");
    assert_eq!(result["ending"], "stopped_early");
    let (epochs, best) = (&result["epochs"], &result["best"]["epoch"]);
    assert_eq!(epochs.as_u64().unwrap(), best.as_u64().unwrap() + 5);
}

#[test]
fn balanced_class_weights_find_more_samples_of_a_rare_class() {
    let lab = Lab::new();
    // One sample in twelve is of class 1, and the classes overlap.
    let data = [
        "dataset.num_samples=2000",
        "dataset.weights=[0.92, 0.08]",
        "dataset.class_sep=0.02",
        "dataset.flip_y=0.0",
        "dataset.num_clusters_per_class=1",
        "split={ train = 0.7, valid = 0.3 }",
        "loss.name=bce_with_logits",
        "model={ name = \"mlp\", hidden = [8] }",
        "optimizer={ name = \"adam\", learning_rate = 0.01 }",
        "training={ num_epochs = 40, batch_size = 32 }",
    ];
    let train = |name: &str, weights: Option<&str>| {
        let weights = weights.map(|weights| format!("training.class_weights={weights}"));
        let overrides: Vec<&str> = data.into_iter().chain(weights.as_deref()).collect();
        lab.train("train/classification.toml", name, &overrides)
    };
    let plain = train("plain", None);
    // The mean of both classes' recall: the majority class alone has 0.5.
    let recall = |run: &crate::lab::Trained| run.metric("valid", "recall");
    let balanced = train("balanced", Some("balanced"));
    assert!(
        recall(&balanced) > recall(&plain) + 0.05,
        "{} and {}",
        recall(&balanced),
        recall(&plain)
    );
    // Equal weights change no bit.
    let equal = train("equal", Some("[2.0, 2.0]"));
    let losses = |run: &crate::lab::Trained| run.column("train_loss");
    assert_eq!(losses(&equal), losses(&plain));
}

#[test]
fn a_training_stops_early_by_a_metric_on_request_and_computes_those_that_are_listed() {
    let lab = Lab::new();
    let overrides = [
        "training.num_epochs=60",
        "training.objective.metric=roc_auc",
        "training.metrics=[\"mcc\", \"top_3\"]",
        "training.early_stopping={ patience = 3 }",
    ];
    let trained = lab.train("train/digits.toml", "asked", &overrides);
    let result = trained.json("result.json");
    assert_eq!(result["ending"], "stopped_early", "{result}");
    assert_eq!(result["best"]["metric"], "roc_auc");
    for metric in ["roc_auc", "mcc", "top_3"] {
        let values = trained.column(&format!("valid_{metric}"));
        assert!(
            values.iter().all(|value| (0.5..=1.0).contains(value)),
            "{metric}: {values:?}"
        );
        assert!(result["metrics"]["valid"][metric].is_f64(), "{metric}");
    }
    let values = trained.column("valid_roc_auc");
    let best = values.iter().copied().fold(0.0, f64::max);
    assert_eq!(result["best"]["value"].as_f64(), Some(best));
    assert_eq!(result["epochs"].as_u64(), Some(values.len() as u64));
    let header = trained.text("metrics.csv");
    assert!(
        !header.contains("log_loss"),
        "{}",
        header.lines().next().unwrap()
    );
    let report = lab
        .succeed(&["report", "digits/asked", "--format", "markdown"])
        .stdout;
    assert!(report.contains("roc_auc"), "{report}");
}

#[test]
fn a_metric_of_numbers_is_refused_for_classes() {
    let lab = Lab::new();
    let config = shipped("train/iris.toml");
    let outcome = lab.run(&[
        "train",
        config.to_str().unwrap(),
        "--set",
        "training.metrics=[\"mape\"]",
    ]);
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("training.metrics"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.contains("roc_auc"), "{}", outcome.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn a_training_goes_on_when_its_lines_cannot_be_printed() {
    let lab = Lab::new();
    let config = shipped("train/moons.toml");
    let words = ["train", config.to_str().unwrap(), "--run", "r"];
    let sets = ["--set", "training.num_epochs=3"];
    let mut command = lab.command(&[&words[..], &sets].concat());
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let ended = crate::lab::outcome(command.stdout(full).output().unwrap());
    let said = "cannot write to the standard output: No space left on device";
    assert!(ended.stderr.contains(said), "{ended:#?}");
    assert!(
        lab.path().join("artifacts/moons/r/result.json").is_file(),
        "{ended:#?}"
    );
}

#[test]
fn a_config_with_any_file_name_and_in_utf_16_trains() {
    let lab = Lab::new();
    let text = std::fs::read_to_string(shipped("train/moons.toml")).unwrap();
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    let bytes: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    lab.write("my exp (2).toml", bytes);
    let words = [
        "train",
        "my exp (2).toml",
        "--run",
        "r",
        "--dashboard",
        "quiet",
    ];
    lab.succeed(&[&words[..], &["--set", "training.num_epochs=2"]].concat());
    assert!(
        lab.path()
            .join("artifacts/my_exp__2_/r/result.json")
            .is_file()
    );
}

#[test]
fn nothing_is_written_among_the_images_that_are_learnt() {
    let lab = Lab::new();
    for class in ["cat", "dog"] {
        for image in 0..8 {
            lab.write(&format!("pets/{class}/{image}.png"), png(image));
        }
    }
    let inside = |words: &[&str]| {
        let mut command = lab.command(words);
        crate::lab::outcome(
            command
                .current_dir(lab.path().join("pets"))
                .output()
                .unwrap(),
        )
    };
    for (words, option) in [
        (&["train", "."][..], "--artifacts"),
        (&["new", ".", "-o", "x.toml"], "-o"),
    ] {
        let refused = inside(words);
        assert_eq!(refused.code, Some(2), "{refused:#?}");
        assert!(refused.stderr.contains(option), "{refused:#?}");
    }
    assert_eq!(
        std::fs::read_dir(lab.path().join("pets")).unwrap().count(),
        2
    );
}

/// A grey picture of 4 × 4 pixels.
fn png(grey: usize) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = png::Encoder::new(&mut file, 4, 4).write_header().unwrap();
    writer.write_image_data(&[10 * grey as u8; 16]).unwrap();
    writer.finish().unwrap();
    file
}
