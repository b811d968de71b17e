//! `emberlab predict`, and the thresholds that `emberlab evaluate` stores for it.

use std::io::Write;
use std::process::Stdio;

use emberlab_run_format::ChosenThreshold;
use serde_json::Value;

use crate::lab::{Lab, assert_in, outcome};

/// Grey pixels, 0 to 255, as a PNG file.
fn png(width: usize, pixels: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let height = pixels.len() / width;
    let encoder = png::Encoder::new(&mut file, width as u32, height as u32);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(pixels).unwrap();
    writer.finish().unwrap();
    file
}

#[test]
fn rows_of_a_table_are_predicted_as_the_evaluation_says() {
    let lab = Lab::new();
    let run = lab.train("train/iris.toml", "iris", &["split.method=stratified"]);
    let evaluation = run.json("evaluation.json");
    let mistakes = &evaluation["mistakes"];
    let samples = mistakes["samples"].as_array().unwrap();
    assert!(!samples.is_empty(), "{mistakes}");
    let names: Vec<&str> = mistakes["feature_names"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n.as_str().unwrap())
        .collect();
    // The columns in another order, with one that is no feature between them.
    let mut table = format!("{},name,{}\n", names[3], names[..3].join(","));
    for sample in samples {
        let inputs = sample["inputs"]["features"].as_array().unwrap();
        let [a, b, c, d] = [0, 1, 2, 3].map(|i| inputs[i].to_string());
        table.push_str(&format!("{d},flower,{a},{b},{c}\n"));
    }
    let file = lab.write("flowers.csv", table);
    let file = file.to_str().unwrap();
    let told = lab
        .succeed(&["predict", "iris", file, "--format", "json"])
        .stdout;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told.as_array().unwrap().len(), samples.len());
    for (told, sample) in told.as_array().unwrap().iter().zip(samples) {
        let class = sample["prediction"].as_u64().unwrap() as usize;
        let name = evaluation["class_names"][class].as_str().unwrap();
        assert_eq!(told["class"], name);
        let p = told["probabilities"][name].as_f64().unwrap();
        let confidence = sample["confidence"].as_f64().unwrap();
        assert_in("probability", p - confidence, -1e-5..=1e-5);
    }
    // The same rows without a header, through a pipe.
    let bare = "5.1,3.5,1.4,0.2\n";
    let mut command = lab.command(&["predict", "iris", "-"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(bare.as_bytes())
        .unwrap();
    let told = outcome(child.wait_with_output().unwrap());
    assert!(told.stdout.contains("input:1,setosa,"), "{told:#?}");
}

#[test]
fn the_run_alone_is_enough_to_predict() {
    let lab = Lab::new();
    let table = "height,width,kind\n1,2,a\n2,1,b\n1,3,a\n3,1,b\n1,2.5,a\n2.5,1,b\n";
    lab.write("mine.csv", table);
    let config = r#"
dataset = { name = "csv", path = "mine.csv", label = "kind" }
split = { train = 6, valid = 0 }
model = { name = "perceptron" }
loss = { name = "bce_with_logits" }
optimizer = { name = "adam", learning_rate = 0.1 }
training = { num_epochs = 100, batch_size = "full", objective = { split = "train" } }
"#;
    lab.write("mine.toml", config);
    lab.succeed(&["train", "mine.toml", "--run", "a", "--dashboard", "quiet"]);
    std::fs::remove_file(lab.path().join("mine.csv")).unwrap();
    lab.write("new.csv", "width,height\n4,1\n1,4\n");
    let told = lab.succeed(&["predict", "mine", "new.csv"]).stdout;
    let classes: Vec<&str> = told
        .lines()
        .skip(1)
        .map(|l| l.split(',').nth(1).unwrap())
        .collect();
    assert_eq!(classes, ["a", "b"]);
}

#[test]
fn a_drawn_digit_is_recognised_in_any_size_and_colour() {
    let lab = Lab::new();
    let run = lab.train("train/digits.toml", "digits", &["training.num_epochs=30"]);
    // A one and a zero, dark on light, five times as large as the 8×8 pixels of the data.
    let draw = |is_ink: &dyn Fn(i32, i32) -> bool| -> Vec<u8> {
        let at = |i: i32| if is_ink(i % 40, i / 40) { 20 } else { 245 };
        (0..1600).map(at).collect()
    };
    let zero = draw(&|x, y| {
        let radius = (f64::from(x - 20) / 0.75).hypot(f64::from(y - 20));
        (11.0..=20.0).contains(&radius)
    });
    let light_on_dark: Vec<u8> = zero.iter().map(|p| 255 - p).collect();
    for (name, pixels) in [("zero.png", &zero), ("negative.png", &light_on_dark)] {
        let file = lab.write(name, png(40, pixels));
        let told = lab.succeed(&["predict", "digits", file.to_str().unwrap()]);
        let row = told.stdout.lines().nth(1).unwrap();
        assert_eq!(row.split(',').nth(1), Some("0"), "{told:#?}");
        assert!(told.stderr.contains("scaled to 8 × 8"), "{told:#?}");
        assert_eq!(told.stderr.contains("inverted"), name == "zero.png");
    }
    // The data's own pixels, in their own size, are predicted as they were.
    let evaluation = run.json("evaluation.json");
    let mistake = &evaluation["mistakes"]["samples"][0];
    let digits = mistake["inputs"]["pixels"].as_str().unwrap();
    let pixels: Vec<u8> = (0..64)
        .map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap())
        .collect();
    let file = lab.write("mistake.png", png(8, &pixels));
    let words = [
        "predict",
        "digits",
        file.to_str().unwrap(),
        "--invert",
        "no",
        "--format",
        "json",
    ];
    let told: Value = serde_json::from_str(&lab.succeed(&words).stdout).unwrap();
    assert_eq!(told[0]["class"], mistake["prediction"].to_string());
    let p = told[0]["probabilities"][mistake["prediction"].to_string()]
        .as_f64()
        .unwrap();
    assert_in(
        "probability",
        p - mistake["confidence"].as_f64().unwrap(),
        -1e-4..=1e-4,
    );
}

/// A folder `shapes` with a folder for each class: red squares and blue crosses, on white, as PNG and JPEG.
fn write_shapes(lab: &Lab) {
    for (class, color) in [("cross", [20, 30, 200]), ("square", [200, 30, 20])] {
        let folder = lab.path().join("shapes").join(class);
        std::fs::create_dir_all(&folder).unwrap();
        for i in 0..12_u32 {
            let extension = ["png", "jpg"][i as usize % 2];
            let file = folder.join(format!("{i:02}.{extension}"));
            draw_shape(class, color, i).save(file).unwrap();
        }
    }
}

fn draw_shape(class: &str, color: [u8; 3], shift: u32) -> image::RgbImage {
    let (left, top) = (4 + shift % 4, 4 + shift / 4);
    image::RgbImage::from_fn(24, 24, |x, y| {
        let (x, y) = (x.wrapping_sub(left), y.wrapping_sub(top));
        let is_inside = x < 12 && y < 12;
        let is_ink = match class {
            "square" => is_inside,
            _ => is_inside && (x.abs_diff(y) < 3 || (x + y).abs_diff(11) < 3),
        };
        image::Rgb(if is_ink { color } else { [250, 250, 250] })
    })
}

#[test]
fn a_network_learns_and_predicts_images_of_your_own_in_grey_and_in_colour() {
    let lab = Lab::new();
    write_shapes(&lab);
    let square = draw_shape("square", [190, 40, 30], 5);
    square.save(lab.path().join("new.jpeg")).unwrap();
    let cross = draw_shape("cross", [30, 20, 190], 6);
    let large = image::imageops::resize(&cross, 72, 72, image::imageops::FilterType::Nearest);
    large.save(lab.path().join("large.png")).unwrap();
    for (color, model) in [
        ("grey", r#"{ name = "mlp", hidden = [16] }"#),
        (
            "rgb",
            r#"{ name = "convnet", channels = [4], d_hidden = 8 }"#,
        ),
    ] {
        let config = format!(
            r#"
dataset = {{ name = "image_folder", path = "shapes", width = 12, height = 12, color = "{color}" }}
split = {{ method = "stratified", train = 0.75, valid = 0.25 }}
standardize = {{ method = "global" }}
model = {model}
loss = {{ name = "bce_with_logits" }}
optimizer = {{ name = "adam", learning_rate = 0.01 }}
training = {{ num_epochs = 30, batch_size = 6 }}
"#
        );
        lab.write(&format!("{color}.toml"), config);
        let file = format!("{color}.toml");
        lab.succeed(&["train", &file, "--run", "a", "--dashboard", "quiet"]);
        let told = lab.succeed(&["predict", color, "new.jpeg", "large.png"]);
        let classes: Vec<&str> = told
            .stdout
            .lines()
            .skip(1)
            .map(|line| line.split(',').nth(1).unwrap())
            .collect();
        assert_eq!(classes, ["square", "cross"], "{told:#?}");
        // White paper is what these networks were trained on: nothing is inverted.
        assert!(!told.stderr.contains("inverted"), "{told:#?}");
        assert!(
            told.stderr
                .contains("large.png: 72 × 72 pixels, scaled to 12 × 12"),
            "{told:#?}"
        );
        // Pictures of the weights, of the feature maps and of mistakes take both colours.
        lab.succeed(&["evaluate", color, "--pictures"]);
        let shown = lab.succeed(&["data", "show", &file]).stdout;
        let channels = if color == "rgb" {
            "3 channels"
        } else {
            "1 channel"
        };
        assert!(
            shown.contains(channels) && shown.contains("24 samples"),
            "{shown}"
        );
    }
    std::fs::write(lab.path().join("shapes/cross/notes.txt"), "notes").unwrap();
    let refused = lab.run(&["train", "rgb.toml", "--run", "b", "--dashboard", "quiet"]);
    assert_ne!(refused.code, Some(0));
    let expected = "cross/notes.txt: it is neither a PNG nor a JPEG file";
    assert!(refused.stderr.contains(expected), "{refused:#?}");
}

#[test]
fn a_threshold_is_chosen_on_validation_stored_and_used() {
    let lab = Lab::new();
    let few = [
        "training.num_epochs=30",
        "dataset.noise=0.35",
        "split.valid=0.2",
        "split.test=0.1",
    ];
    let run = lab.train("train/moons.toml", "moons", &few);
    let threshold =
        || -> ChosenThreshold { serde_json::from_str(&run.text("model/threshold.json")).unwrap() };
    lab.succeed(&["evaluate", "moons", "--threshold-by", "f1"]);
    let by_f1 = threshold();
    // No threshold of the table on the validation split is better.
    let evaluation: emberlab_run_format::RunEvaluation =
        serde_json::from_str(&run.text("evaluation.json")).unwrap();
    let valid = evaluation.split(emberlab_metrics::Split::Valid).unwrap();
    let table = &valid.curves.as_ref().unwrap().thresholds;
    assert!(table.iter().all(|counts| counts.f1() <= by_f1.best.value));
    assert_eq!(by_f1.split, emberlab_metrics::Split::Valid);
    // A miss that costs fifty false alarms lowers it, and predictions follow.
    lab.succeed(&["evaluate", "moons", "--threshold-by", "cost=1:50"]);
    let careful = threshold();
    assert!(careful.threshold() < by_f1.threshold());
    lab.write("rows.csv", "x1,x2\n0.5,0.3\n1.5,0.2\n-0.5,0.6\n0.9,0.1\n");
    let told = lab.succeed(&["predict", "moons", "rows.csv", "--format", "json"]);
    let rows: Value = serde_json::from_str(&told.stdout).unwrap();
    for row in rows.as_array().unwrap() {
        let p = row["probabilities"]["lower"].as_f64().unwrap();
        assert_eq!(row["class"] == "lower", p > careful.threshold(), "{row}");
    }
    let number = format!("{:.4}", careful.threshold());
    assert!(told.stderr.contains(&number), "{told:#?}");
    let shown = lab.succeed(&["evaluate", "moons"]).stdout;
    assert!(
        shown.contains(&format!("in use: {number}, the best by cost 1:50")),
        "{shown}"
    );
    lab.succeed(&["runs", "check"]);
}

#[test]
fn a_threshold_is_used_everywhere_for_the_network_it_was_chosen_for_and_nowhere_else() {
    let lab = Lab::new();
    // The last epochs overfit, so that the best epoch is another one than the last.
    let overfitting = [
        "training.num_epochs=60",
        "dataset.noise=0.4",
        "split.train=0.3",
        "split.valid=0.7",
        "optimizer.name=adam",
        "optimizer.learning_rate=0.02",
    ];
    let run = lab.train("train/moons.toml", "moons", &overfitting);
    let best = run.json("result.json")["best"]["epoch"].as_u64().unwrap();
    assert!(best < 60, "{best}");
    let choose = [
        "evaluate",
        "moons",
        "--weights",
        "best",
        "--threshold-by",
        "cost=1:5",
    ];
    let told = lab.succeed(&choose).stdout;
    let chosen: ChosenThreshold = serde_json::from_str(&run.text("model/threshold.json")).unwrap();
    let at = chosen.best.counts;
    assert_eq!(chosen.weights(), emberlab_run_format::Weights::Best);
    let number = format!("{:.4}", chosen.threshold());
    assert!(
        told.contains(&format!("threshold in use: {number}")),
        "{told}"
    );
    let evaluate = |weights: &str| -> Value {
        let words = [
            "evaluate",
            "moons",
            "--weights",
            weights,
            "--split",
            "valid",
            "--json",
        ];
        serde_json::from_str(&lab.succeed(&words).stdout).unwrap()
    };
    // Counts and metrics of the network are those at its threshold.
    let found = evaluate("best");
    assert_eq!(found["threshold_in_use"].as_f64(), Some(chosen.threshold()));
    let counts = serde_json::json!([
        [at.true_negatives, at.false_positives],
        [at.false_negatives, at.true_positives]
    ]);
    assert_eq!(found["confusion_matrix"]["counts"], counts);
    assert_eq!(found["metrics"]["accuracy"].as_f64(), Some(at.accuracy()));
    let wrong = at.false_positives + at.false_negatives;
    assert_eq!(found["mistakes"]["num_mistakes"].as_u64(), Some(wrong));
    // The other network keeps 0.5, and says so.
    let found = evaluate("last");
    assert_eq!(found["threshold_in_use"], 0.5);
    assert_eq!(
        found["metrics"],
        run.json("result.json")["metrics"]["valid"]
    );
    let note = "was chosen for the best network; 0.5 is used";
    assert!(
        found["threshold_note"].as_str().unwrap().contains(note),
        "{found}"
    );
    lab.write("rows.csv", "x1,x2\n0.5,0.3\n1.5,0.2\n-0.5,0.6\n0.9,0.1\n");
    let predict = |weights: &str| {
        lab.succeed(&["predict", "moons", "rows.csv", "--weights", weights])
            .stderr
    };
    let best = predict("best");
    assert!(
        best.contains(&format!("above the probability {number}")),
        "{best}"
    );
    assert!(!best.contains("note:"), "{best}");
    let last = predict("last");
    assert!(
        last.contains("above the probability 0.5000") && last.contains(note),
        "{last}"
    );
    let page = |lab: &Lab| {
        lab.succeed(&["report", "moons", "--format", "markdown"])
            .stdout
    };
    assert!(page(&lab).contains(note), "{}", page(&lab));
    // Chosen for the last network, it decides the report of that network, too.
    lab.succeed(&["evaluate", "moons", "--threshold-by", "cost=1:5"]);
    let chosen: ChosenThreshold = serde_json::from_str(&run.text("model/threshold.json")).unwrap();
    let above = format!(
        "is predicted above the probability {:.4}",
        chosen.threshold()
    );
    assert!(page(&lab).contains(&above), "{}", page(&lab));
    let report = lab.succeed(&["report", "moons", "--format", "json"]).stdout;
    let report: Value = serde_json::from_str(&report).unwrap();
    let at = chosen.best.counts;
    let valid = &report["result"]["metrics"]["valid"];
    assert_eq!(valid["accuracy"].as_f64(), Some(at.accuracy()));
    let pictures = lab.succeed(&["evaluate", "moons", "--pictures=drawn"]);
    assert!(
        pictures
            .stdout
            .contains(&format!("in use: {:.4}", chosen.threshold()))
    );
    let matrix = std::fs::read_to_string(lab.path().join("drawn/confusion_matrix.svg")).unwrap();
    assert!(matrix.contains(&format!("threshold {:.4}", chosen.threshold())));
    lab.succeed(&["runs", "check"]);
}

#[test]
fn what_cannot_be_predicted_is_said_with_its_place() {
    let lab = Lab::new();
    lab.train("train/iris.toml", "iris", &["training.num_epochs=1"]);
    lab.train("train/regression.toml", "sine", &["training.num_epochs=1"]);
    lab.write("wrong.csv", "a,b\n1,2\n");
    lab.write("broken.csv", "1,2,3,4\n1,2,x,4\n");
    lab.write("short.csv", "1,2,3,4\n1,2\n");
    lab.write("no.png", "GIF89a");
    let refused = |words: &[&str], expected: &str| {
        let outcome = lab.run(words);
        assert_ne!(outcome.code, Some(0), "{words:?}");
        assert!(outcome.stderr.contains(expected), "{words:?}: {outcome:#?}");
        assert!(!outcome.stderr.contains("panicked"), "{outcome:#?}");
    };
    refused(
        &["predict", "iris", "wrong.csv"],
        "a header with these names: sepal length",
    );
    refused(
        &["predict", "iris", "broken.csv"],
        "line 2, column \"petal length\" holds \"x\", expected a number",
    );
    refused(&["predict", "iris", "short.csv"], "short.csv");
    refused(&["predict", "iris", "none.csv"], "none.csv");
    refused(
        &["predict", "iris", "no.png"],
        "takes rows of 4 numbers, not images",
    );
    refused(&["evaluate", "sine", "--threshold-by", "f1"], "two classes");
    refused(
        &["evaluate", "iris", "--threshold-by", "best"],
        "cost=FP:FN",
    );
    refused(
        &["evaluate", "iris", "--axes", "7,1"],
        "there is no feature `7`",
    );
}

#[test]
fn an_image_of_another_format_is_refused_with_those_that_are_read() {
    let lab = Lab::new();
    lab.train("train/digits.toml", "d", &["training.num_epochs=1"]);
    lab.write("two.gif", b"GIF89a");
    let outcome = lab.run(&["predict", "d", "two.gif"]);
    assert_eq!(outcome.code, Some(2), "{outcome:#?}");
    assert!(
        outcome.stderr.contains("neither a PNG nor a JPEG"),
        "{outcome:#?}"
    );
}

#[test]
fn pictures_are_drawn_into_a_folder_and_say_what_they_show() {
    let lab = Lab::new();
    let run = lab.train("train/moons.toml", "moons", &["training.num_epochs=20"]);
    lab.succeed(&["evaluate", "moons", "--pictures"]);
    let read = |name: &str| {
        let path = run.folder.join("pictures").join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    };
    for (name, words) in [
        ("boundary.svg", "Decision boundary"),
        ("boundary_over_epochs.svg", "after epoch 20"),
        ("confusion_matrix.svg", "Confusion matrix, valid"),
        ("roc.svg", "area"),
        ("precision_recall.svg", "average precision"),
        ("calibration.svg", "Brier score"),
        ("thresholds.svg", "threshold"),
    ] {
        let svg = read(name);
        assert!(svg.contains(words) && svg.contains("<title>"), "{name}");
    }
    lab.train(
        "train/digits_convnet.toml",
        "convnet",
        &["training.num_epochs=1"],
    );
    let told = lab.succeed(&["evaluate", "convnet", "--pictures=drawn", "--png"]);
    let names = "boundary.svg, boundary.png";
    assert!(told.stderr.contains(names), "{}", told.stderr);
    assert!(lab.path().join("drawn/features.png").exists());
    let read = |name: &str| std::fs::read_to_string(lab.path().join("drawn").join(name)).unwrap();
    assert!(read("boundary.svg").contains("first principal component ("));
    // A strip's axes have no room for the share of the variance.
    let strip = read("boundary_over_epochs.svg");
    assert!(strip.contains("first principal component"));
    assert!(!strip.contains("of the variance"));
    // Ten classes, ten colours: one marker of each in the legend.
    let boundary = read("boundary.svg");
    let colours = (0..10).map(|class| emberlab_pictures::Tone::Series(class).rgb());
    for [r, g, b] in colours {
        assert!(boundary.contains(&format!("#{r:02x}{g:02x}{b:02x}")));
    }
    assert!(read("mistakes.svg").contains("wrong predictions, valid"));
    assert!(read("weights.svg").contains("unit 1"));
    assert!(read("features.svg").contains("convolution 2"));
}

#[test]
fn outputs_that_are_nan_are_an_error_and_no_predictions() {
    let lab = Lab::new();
    let sets = ["training.num_epochs=2", "optimizer.learning_rate=1e30"];
    lab.train("train/moons.toml", "n", &sets);
    lab.write("rows.csv", "x1,x2\n0.5,0.3\n1,2\n");
    for format in ["csv", "json"] {
        let refused = lab.run(&["predict", "n", "rows.csv", "--format", format]);
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""));
        for part in [
            "NaN or infinite for 2 of 2 inputs",
            "emberlab diagnose moons/n",
        ] {
            assert!(refused.stderr.contains(part), "{refused:#?}");
        }
    }
}
