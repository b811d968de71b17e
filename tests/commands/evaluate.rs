//! `emberlab evaluate`.

use emberlab_metrics::Split;
use emberlab_run_format::{Axis, RunEvaluation};
use serde_json::Value;

use crate::lab::{Lab, assert_in};

#[test]
fn evaluate_agrees_with_the_training_and_with_itself() {
    let lab = Lab::new();
    let run = lab.train("train/digits.toml", "digits", &["training.num_epochs=8"]);
    let outcome = lab.succeed(&["evaluate", "latest", "--split", "valid", "--json"]);
    let found: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(
        found["metrics"],
        run.json("result.json")["metrics"]["valid"]
    );
    let matrix = &found["confusion_matrix"]["counts"];
    let cell = |i: usize, j: usize| matrix[i][j].as_u64().unwrap();
    let all: u64 = (0..10)
        .flat_map(|i| (0..10).map(move |j| (i, j)))
        .map(|(i, j)| cell(i, j))
        .sum();
    let right: u64 = (0..10).map(|i| cell(i, i)).sum();
    assert_eq!(Some(all), found["num_samples"].as_u64());
    let accuracy = found["metrics"]["accuracy"].as_f64().unwrap();
    assert!((right as f64 / all as f64 - accuracy).abs() < 1e-12);
    // Without a split named, it is the test split.
    let outcome = lab.succeed(&["evaluate", "latest"]);
    for word in [
        "test samples",
        "precision",
        "recall",
        "macro avg",
        "weighted avg",
        "confusion matrix",
    ] {
        assert!(
            outcome.stdout.contains(word),
            "no {word} in\n{}",
            outcome.stdout
        );
    }
}

#[test]
fn a_training_leaves_an_evaluation_that_agrees_with_its_result() {
    let lab = Lab::new();
    let run = lab.train("train/moons.toml", "moons", &["training.num_epochs=30"]);
    let path = run.folder.join("evaluation.json");
    assert!(std::fs::metadata(path).unwrap().len() < 80_000);
    let evaluation: RunEvaluation = serde_json::from_str(&run.text("evaluation.json")).unwrap();
    for (split, name) in [(Split::Train, "train"), (Split::Valid, "valid")] {
        let found = evaluation.split(split).unwrap();
        let accuracy = found.confusion_matrix.as_ref().unwrap().accuracy();
        assert_eq!(accuracy, run.metric(name, "accuracy"));
        let curves = found.curves.as_ref().unwrap();
        let half = curves.thresholds[50];
        assert_eq!((half.threshold, half.accuracy()), (0.5, accuracy));
        assert!(curves.roc.thresholds.len() <= 200 && curves.roc.auc > 0.8);
    }
    assert!(evaluation.split(Split::Test).is_none());
    // Moons: the boundary predicts its own samples as well as the network does.
    let boundary = evaluation.boundary.unwrap();
    assert_eq!(
        (boundary.points.len(), boundary.columns, boundary.rows),
        (500, 60, 60)
    );
    let cells = boundary.cells.classes(0.5);
    let nearest = |x: f64, axis: &Axis, n: usize| {
        ((x - axis.from) / (axis.to - axis.from) * (n - 1) as f64).round() as usize
    };
    let right = boundary
        .points
        .iter()
        .zip(&boundary.classes)
        .filter(|([x, y], class)| {
            let (column, row) = (nearest(*x, &boundary.x, 60), nearest(*y, &boundary.y, 60));
            cells[row * 60 + column] == **class
        });
    let share = right.count() as f64 / 500.0;
    assert_in(
        "share",
        share - run.metric("train", "accuracy"),
        -0.05..=0.05,
    );
    let mistakes = evaluation.mistakes.unwrap();
    let matrix = evaluation.splits[1].confusion_matrix.as_ref().unwrap();
    let wrong = matrix.count(0, 1) + matrix.count(1, 0);
    assert_eq!(
        (mistakes.split, mistakes.num_mistakes),
        (Split::Valid, wrong)
    );
    assert!(
        mistakes
            .samples
            .is_sorted_by(|a, b| a.confidence >= b.confidence)
    );
    lab.succeed(&["runs", "check", "moons"]);
}

#[test]
fn evaluate_of_the_best_network_meets_the_best_epoch() {
    let lab = Lab::new();
    let many = ["training.num_epochs=60", "optimizer.learning_rate=0.02"];
    let run = lab.train("train/digits.toml", "digits", &many);
    let words = [
        "evaluate",
        "digits",
        "--weights",
        "best",
        "--split",
        "valid",
        "--json",
    ];
    let found: Value = serde_json::from_str(&lab.succeed(&words).stdout).unwrap();
    let best = run.json("result.json")["best"]["value"].as_f64().unwrap();
    assert_eq!(found["metrics"]["accuracy"].as_f64(), Some(best));
}

#[test]
fn evaluate_of_a_regression_prints_its_errors() {
    let lab = Lab::new();
    lab.train("train/regression.toml", "sine", &[]);
    let found: Value =
        serde_json::from_str(&lab.succeed(&["evaluate", "sine", "--json"]).stdout).unwrap();
    assert_in("R²", found["regression"]["r2"].as_f64().unwrap(), 0.9..=1.0);
    let table = lab.succeed(&["evaluate", "sine"]).stdout;
    assert!(table.contains("root mean squared error"), "{table}");
}

/// A table whose label is one of 2000 words, each twice.
fn many_classes(lab: &Lab) {
    let rows = (0..4000).map(|i: u32| format!("{},{},word_{}\n", i % 61, i % 67, i % 2000));
    lab.write(
        "words.csv",
        "a,b,word\n".to_string() + &rows.collect::<String>(),
    );
    let config = r#"
        dataset = { name = "csv", path = "words.csv", label = "word" }
        model = { name = "mlp", hidden = [4] }
        loss = { name = "cross_entropy" }
        optimizer = { name = "adam", learning_rate = 0.01 }
        training = { num_epochs = 1, batch_size = 256 }
    "#;
    lab.write("words.toml", config);
}

#[test]
fn two_thousand_classes_give_small_outputs_that_count_what_they_leave_out() {
    let lab = Lab::new();
    many_classes(&lab);
    lab.succeed(&[
        "train",
        "words.toml",
        "--run",
        "one",
        "--dashboard",
        "quiet",
    ]);
    let folder = lab.path().join("artifacts/words/one");
    let size = |name: &str| std::fs::metadata(folder.join(name)).unwrap().len();
    // The names of the classes alone are 20 kB.
    assert!(
        size("evaluation.json") < 100_000,
        "{}",
        size("evaluation.json")
    );
    let shown = lab.succeed(&["evaluate", "one", "--split", "train", "--pictures"]);
    assert!(shown.stdout.lines().count() < 70, "{}", shown.stdout);
    for words in ["the 20 most frequent of ", "the 20 most confused of "] {
        assert!(
            shown.stdout.contains(words),
            "no {words:?} in\n{}",
            shown.stdout
        );
    }
    assert!(!folder.join("pictures/boundary.svg").exists());
    assert!(!folder.join("pictures/confusion_matrix.svg").exists());
    lab.succeed(&["report", "one"]);
    assert!(size("report.html") < 300_000, "{}", size("report.html"));
    let page = std::fs::read_to_string(folder.join("report.html")).unwrap();
    for words in [
        "The 50 most confused of ",
        "Scores of the 50 most frequent of ",
    ] {
        assert!(page.contains(words), "no {words:?}");
    }
    let listed = lab
        .succeed(&["evaluate", "one", "--split", "train", "--json"])
        .stdout;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let count = |list: &Value| list.as_array().unwrap().len();
    assert_eq!(count(&listed["confused_pairs"]["pairs"]), 50);
    assert_eq!(count(&listed["classification_report"]["classes"]), 50);
    assert!(listed["confusion_matrix"].is_null());
}

#[test]
fn classes_are_called_by_their_names_in_every_output() {
    let lab = Lab::new();
    // Labels 1 and 2, so that the class of the label 1 is the first and not the second.
    let rows =
        (0..200).map(|i: u32| format!("{},{},{}\n", i % 10, i % 7, 1 + u32::from(i % 10 > 5)));
    lab.write(
        "one_two.csv",
        "a,b,y\n".to_string() + &rows.collect::<String>(),
    );
    let config = r#"
        dataset = { name = "csv", path = "one_two.csv", label = "y" }
        split = { train = 0.5, valid = 0.5 }
        model = { name = "mlp", hidden = [4] }
        loss = { name = "bce_with_logits" }
        optimizer = { name = "adam", learning_rate = 0.01 }
        training = { num_epochs = 2, batch_size = 20, thresholds = [0.3] }
        seeds = 1
        sweep = { "model.activation" = ["relu", "tanh"] }
    "#;
    lab.write("one_two.toml", config);
    let compared = lab.succeed(&["compare", "one_two.toml"]).stdout;
    lab.succeed(&["report", "one_two", "--out", "comparison.html"]);
    let run = "one_two/relu-seed0";
    lab.succeed(&["report", run, "--out", "run.html"]);
    let evaluated = lab.succeed(&["evaluate", run, "--pictures=drawn"]).stdout;
    assert!(
        evaluated.contains("class 2 above a threshold"),
        "{evaluated}"
    );
    let json = lab.succeed(&["evaluate", run, "--json"]).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["positive_class"], "2");
    let read = |name: &str| std::fs::read_to_string(lab.path().join(name)).unwrap();
    for (name, words) in [
        ("comparison.html", "f1 of class 2 over the threshold"),
        ("run.html", "above them, class 2 is predicted"),
        ("run.html", "ROC of class 2"),
        ("drawn/roc.svg", "ROC of class 2"),
        ("drawn/calibration.svg", "Calibration of class 2"),
        (
            "drawn/precision_recall.svg",
            "Precision and recall of class 2",
        ),
        ("drawn/thresholds.svg", "threshold of class 2"),
    ] {
        let text = read(name);
        assert!(text.contains(words), "no {words:?} in {name}");
        assert!(!text.contains("class 1"), "class 1 in {name}");
    }
    assert!(!compared.contains("class 1") && !evaluated.contains("class 1"));
}

#[test]
fn a_training_on_small_data_leaves_baselines_and_importance_that_evaluate_and_report_show() {
    let lab = Lab::new();
    let run = lab.train("train/iris.toml", "one", &["split.method=stratified"]);
    let baselines = run.json("baselines.json");
    assert_eq!(baselines["num_train"], 120);
    let names: Vec<&str> = (baselines["results"].as_array().unwrap().iter())
        .map(|result| result["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "majority",
            "logistic_regression",
            "nearest_neighbors",
            "random_forest"
        ]
    );
    // Stratified: a third of the rows is of each class.
    let majority = &baselines["results"][0]["metrics"]["valid"];
    assert_in(
        "majority",
        majority["accuracy"].as_f64().unwrap(),
        0.333..=0.334,
    );
    let importance = run.json("importance.json");
    let columns: Vec<&str> = (importance["columns"].as_array().unwrap().iter())
        .map(|column| column["column"].as_str().unwrap())
        .collect();
    assert_eq!(columns.len(), 4);
    assert!(
        columns[..2].iter().all(|name| name.contains("petal")),
        "{columns:?}"
    );
    assert_eq!(importance["dependence"].as_array().unwrap().len(), 3);

    let shown = lab.succeed(&["evaluate", "latest"]).stdout;
    for part in [
        "The network and simple predictors on the valid split",
        "5 nearest neighbours",
        "the best baseline",
        "when a column is permuted among 30 rows",
    ] {
        assert!(shown.contains(part), "no {part} in\n{shown}");
    }
    let json = lab.succeed(&["evaluate", "latest", "--json"]).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["baselines"], &json["importance"]),
        (&baselines, &importance)
    );
    let page = lab
        .succeed(&["report", "latest", "--format", "markdown"])
        .stdout;
    for part in [
        "## Baselines",
        "| logistic regression |",
        "## Important columns",
        "Importance of the columns: drop of the accuracy.",
        "Partial dependence: the mean probability over 30 rows",
    ] {
        assert!(page.contains(part), "no {part} in\n{page}");
    }
}

#[test]
fn baselines_and_importance_are_computed_when_asked_for() {
    let lab = Lab::new();
    let run = lab.train("train/digits.toml", "one", &["training.num_epochs=2"]);
    // Above 50 000 values the baselines are left out, and pixels have no names.
    assert!(!run.folder.join("baselines.json").exists());
    assert!(!run.folder.join("importance.json").exists());
    let asked = lab.succeed(&["evaluate", "latest", "--baselines", "--importance"]);
    assert!(asked.stdout.contains("random forest"), "{}", asked.stdout);
    assert!(
        asked
            .stderr
            .contains("without importance, because the features have no names"),
        "{}",
        asked.stderr
    );
    assert!(run.folder.join("baselines.json").exists());
    let refused = lab.run(&["evaluate", "latest", "--importance", "--weights", "best"]);
    assert_eq!(refused.code, Some(2), "{refused:#?}");
}

#[test]
fn an_animation_shows_the_boundary_at_every_recorded_moment() {
    let lab = Lab::new();
    let few = ["training.num_epochs=5", "model.hidden=[4]"];
    let run = lab.train("train/moons.toml", "one", &few);
    let said = lab.succeed(&["evaluate", "one", "--animate"]).stderr;
    assert!(said.contains("animation in artifacts/moons/one/pictures/learning.png"));
    let file = std::fs::File::open(run.folder.join("pictures/learning.png")).unwrap();
    let decoder = png::Decoder::new(std::io::BufReader::new(file));
    let mut reader = decoder.read_info().unwrap();
    let control = reader.info().animation_control.unwrap();
    // The first line of the file is its header. After the last picture the first one follows again, for ever.
    let num_frames = run.text("frames.jsonl").lines().count() - 1;
    assert!(num_frames >= 6);
    assert_eq!(control.num_frames as usize, num_frames);
    assert_eq!(control.num_plays, 0);
    let mut frames = Vec::new();
    for _ in 0..num_frames {
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((frame.width, frame.height), (840, 690));
        frames.push(pixels);
    }
    // The boundary moves, and so does the epoch in the title.
    assert!(frames.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn an_animation_without_recorded_boundaries_says_what_is_missing() {
    let lab = Lab::new();
    let few = ["training.num_epochs=2"];
    lab.train(
        "train/moons.toml",
        "unseen",
        &[few[0], "inspect.every=never"],
    );
    lab.train("train/iris.toml", "flowers", &few);
    for (run, said) in [
        ("unseen", "moons/unseen has no recorded frames to animate"),
        (
            "flowers",
            "a network with two inputs, and iris/flowers has recorded none",
        ),
    ] {
        let refused = lab.run(&["evaluate", run, "--animate=drawn.png"]);
        assert_eq!(refused.code, Some(2), "{refused:#?}");
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
        assert!(!lab.path().join("drawn.png").exists());
    }
}

#[test]
fn what_was_computed_is_shown_even_if_it_cannot_be_saved() {
    let lab = Lab::new();
    let run = lab.train("train/iris.toml", "a", &["training.num_epochs=2"]);
    for (file, word) in [
        ("baselines", "random forest"),
        ("importance", "is permuted"),
    ] {
        let path = run.folder.join(format!("{file}.json"));
        std::fs::remove_file(&path).unwrap();
        // A file cannot take the place of a folder.
        std::fs::create_dir_all(path.join("inside")).unwrap();
        let outcome = lab.run(&["evaluate", "a", &format!("--{file}")]);
        assert_eq!(outcome.code, Some(1), "{outcome:#?}");
        assert!(outcome.stdout.contains(word), "{outcome:#?}");
        assert!(
            outcome.stderr.contains(&format!("{file}.json")),
            "{outcome:#?}"
        );
        std::fs::remove_dir_all(&path).unwrap();
    }
}
