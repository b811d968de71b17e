//! Features that an experiment derives from the columns of its data.

use serde_json::Value;

use crate::lab::{Lab, Trained, shipped};

const FEATURES: &str = r#"features=["x1", "x2", "x1^2", "x2^2", "x1*x2", "sin(x1)", "cos(x2)"]"#;

/// Trains a perceptron, for long enough to settle.
fn perceptron(lab: &Lab, dataset: &str, name: &str, features: &str) -> Trained {
    let dataset = format!("dataset={dataset}");
    lab.train(
        "train/circles_features.toml",
        name,
        &[&dataset, &format!("features={features}")],
    )
}

#[test]
fn a_perceptron_learns_from_derived_features_what_it_cannot_learn_from_the_columns() {
    let lab = Lab::new();
    for (name, dataset, features) in [
        ("circles", r#"{ name = "circles" }"#, r#"["x1^2", "x2^2"]"#),
        ("xor", r#"{ name = "xor", noise = 0.0 }"#, r#"["x1*x2"]"#),
    ] {
        let of_columns = format!("{name}-columns");
        let columns = perceptron(&lab, dataset, &of_columns, r#"["x1", "x2"]"#);
        let derived = perceptron(&lab, dataset, name, features);
        let accuracy = |run: &Trained| run.metric("valid", "accuracy");
        assert!(accuracy(&columns) <= 0.7, "{}", accuracy(&columns));
        assert!(accuracy(&derived) >= 0.95, "{}", accuracy(&derived));
    }
}

#[test]
fn all_columns_as_features_train_to_the_same_bits_as_no_list_of_features() {
    let lab = Lab::new();
    let without = lab.train("train/circles.toml", "without", &["training.num_epochs=3"]);
    let listed = ["training.num_epochs=3", r#"features=["x1", "x2"]"#];
    let with = lab.train("train/circles.toml", "with", &listed);
    assert_eq!(without.text("metrics.csv"), with.text("metrics.csv"));
    assert!(!without.text("config.toml").contains("features ="));
    assert!(
        !without
            .text("model/model.json")
            .contains("derived_features")
    );
}

#[test]
fn rows_of_a_table_are_predicted_as_the_evaluation_says() {
    let lab = Lab::new();
    let rows: Vec<[f64; 2]> = (0..40)
        .map(|i| [f64::from(i % 8) - 3.5, f64::from(i / 8) - 2.0])
        .collect();
    let mut table = String::from("unused,up (m),across,kind\n");
    for [x, y] in &rows {
        let kind = if x * x + y * y < 6.0 { "near" } else { "far" };
        table += &format!("7,{y},{x},{kind}\n");
    }
    lab.write("table.csv", &table);
    lab.write(
        "table.toml",
        r#"
features = ["up (m)^2", "across^2", "up (m)"]
dataset = { name = "csv", path = "table.csv", label = "kind" }
split = { train = 40, valid = 0 }
standardize = { method = "per_feature" }
model = { name = "perceptron" }
loss = { name = "bce_with_logits" }
optimizer = { name = "adam", learning_rate = 0.1 }
training = { num_epochs = 300, batch_size = "full", objective = { split = "train" } }
"#,
    );
    lab.succeed(&["train", "table.toml", "--run", "a", "--dashboard", "quiet"]);
    let evaluated = lab.succeed(&["evaluate", "a", "--json"]).stdout;
    let evaluated: Value = serde_json::from_str(&evaluated).unwrap();
    let told = lab.succeed(&["predict", "a", "table.csv"]).stdout;
    let classes: Vec<&str> = told
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(1).unwrap())
        .collect();
    let kinds = table
        .lines()
        .skip(1)
        .map(|row| row.rsplit(',').next().unwrap());
    let right = classes.iter().zip(kinds).filter(|(a, b)| *a == b).count();
    assert!(right >= 38, "{right} of 40");
    let accuracy = evaluated["metrics"]["accuracy"].as_f64();
    assert_eq!(accuracy, Some(right as f64 / 40.0), "{evaluated}");
    // Columns of the data are permuted, and not features; one that no feature uses is left out.
    let run = lab.path().join("artifacts/table/a");
    let importance = std::fs::read_to_string(run.join("importance.json")).unwrap();
    let importance: Value = serde_json::from_str(&importance).unwrap();
    let mut columns: Vec<&str> = importance["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| column["column"].as_str().unwrap())
        .collect();
    columns.sort_unstable();
    assert_eq!(columns, ["across", "up (m)"]);
    // The run alone is enough.
    std::fs::remove_file(lab.path().join("table.csv")).unwrap();
    lab.write("new.csv", "across,up (m),unused\n0,0.5,7\n3.5,-2,7\n");
    let told = lab.succeed(&["predict", "a", "new.csv"]).stdout;
    assert!(
        told.contains(":2,near,") && told.contains(":3,far,"),
        "{told}"
    );
}

#[test]
fn boundaries_and_maps_lie_over_the_two_columns_of_the_data() {
    let lab = Lab::new();
    let run = lab.train("train/circles_features.toml", "a", &[FEATURES]);
    let boundary = &run.json("evaluation.json")["boundary"];
    assert_eq!(
        (&boundary["x"]["name"], &boundary["y"]["name"]),
        (&"x1".into(), &"x2".into())
    );
    let frames = run.text("frames.jsonl");
    let header: Value = serde_json::from_str(frames.lines().next().unwrap()).unwrap();
    assert_eq!(header["region"]["x"], boundary["x"]);
    for command in [
        &["report", "a"][..],
        &["diagnose", "a"],
        &["evaluate", "a", "--pictures", "--axes", "x1,x2"],
    ] {
        lab.succeed(command);
    }
    let mistakes = &run.json("evaluation.json")["mistakes"];
    assert_eq!(mistakes["feature_names"], serde_json::json!(["x1", "x2"]));
}

#[test]
fn a_wrong_feature_is_shown_at_its_place_with_the_nearest_column() {
    let lab = Lab::new();
    let text = std::fs::read_to_string(shipped("train/iris.toml")).unwrap();
    let refused = |features: &str, words: &[&str]| {
        lab.write(
            "wrong.toml",
            format!("features = [\n  {features}\n]\n{text}"),
        );
        let outcome = lab.run(&["train", "wrong.toml"]);
        assert_eq!(outcome.code, Some(2), "{outcome:#?}");
        for word in words {
            assert!(
                outcome.stderr.contains(word),
                "no {word:?} in\n{}",
                outcome.stderr
            );
        }
    };
    refused(
        "\"sepal lenth\"",
        &["wrong.toml:2", "did you mean \"sepal length\"?"],
    );
    refused(
        "\"sepal length\", \"sepl width^2\"",
        &["wrong.toml:2", "did you mean \"sepal width\"?"],
    );
    refused(
        "\"log(sepal length - 20)\"",
        &["`features[0]`", "a finite number in each row"],
    );
    let images = lab.run(&[
        "train",
        shipped("train/digits.toml").to_str().unwrap(),
        "--set",
        "features=[\"x1\"]",
    ]);
    assert_eq!(images.code, Some(2));
    assert!(
        images
            .stderr
            .contains("no features, because these samples are images"),
        "{images:#?}"
    );
}

#[test]
fn a_comparison_may_vary_the_features() {
    let lab = Lab::new();
    let text = std::fs::read_to_string(shipped("train/circles_features.toml")).unwrap();
    let sweep = "\n[sweep]\nfeatures = [[\"x1\", \"x2\"], [\"x1^2\", \"x2^2\"]]\n";
    lab.write("compared.toml", format!("seeds = 2\n{text}{sweep}"));
    let told = lab
        .succeed(&["compare", "compared.toml", "--jobs", "1"])
        .stdout;
    for word in ["features x1-x2", "features x1^2-x2^2"] {
        assert!(told.contains(word), "no {word} in\n{told}");
    }
}
