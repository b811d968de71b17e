//! `emberlab new`, and `emberlab train` of a table: files as people have them train without being edited.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::lab::{Lab, Outcome, assert_in, project, shipped};

/// A file of a shape that people have, with what is expected of its experiment.
struct Shape {
    file: &'static str,
    text: String,
    label: &'static str,
    /// Lines of the written experiment.
    expected: &'static [&'static str],
    metric: &'static str,
    /// The least value of the metric on the test split, with the network of the best epoch.
    at_least: f64,
}

/// Numbers that look random, the same ones each time, in [0, 1).
fn noise(row: usize, column: usize) -> f64 {
    let mixed = (row as u64 * 0x9e37_79b9 + column as u64 * 0x85eb_ca6b + 1)
        .wrapping_mul(0xd6e8_feb8_6659_fd93);
    (mixed >> 40) as f64 / (1_u64 << 24) as f64
}

fn lines(header: &str, rows: usize, row: impl Fn(usize) -> String) -> String {
    let mut text = header.to_owned();
    for place in 0..rows {
        let _ = writeln!(text, "{}", row(place));
    }
    text
}

/// Whether the class of a row is the second one: it follows from the first two numbers.
fn is_second(row: usize) -> bool {
    noise(row, 0) + noise(row, 1) > 1.0
}

fn shapes() -> Vec<Shape> {
    let class = |row, names: [&'static str; 2]| names[usize::from(is_second(row))];
    vec![
        Shape {
            file: "words and blanks.csv",
            text: lines("id,survived,x,y,sex,name,cabin\n", 300, |row| {
                let age = if row % 6 == 0 {
                    String::new()
                } else {
                    format!("{:.1}", 80.0 * noise(row, 0))
                };
                let sex = if noise(row, 1) > 0.5 {
                    "female"
                } else {
                    "male"
                };
                let cabin = if row % 4 == 0 {
                    format!("C{row}")
                } else {
                    String::new()
                };
                let survived = u8::from(noise(row, 1) > 0.5);
                format!(
                    "{},{survived},{age},{:.3},{sex},\"Abel, Mr. {row}\",{cabin}",
                    row + 1,
                    noise(row, 3)
                )
            }),
            label: "survived",
            expected: &[
                "    \"id\", # row numbers",
                "number = \"median\"",
                "positive = \"1\"",
            ],
            metric: "accuracy",
            at_least: 0.95,
        },
        Shape {
            file: "adult.test",
            text: lines("", 400, |row| {
                let work = ["Private", "?", "State-gov"][row % 3];
                format!(
                    "{}, {work}, {:.2}, {}",
                    (90.0 * noise(row, 0)) as u32,
                    90.0 * noise(row, 1),
                    class(row, ["<=50K.", ">50K."])
                )
            }),
            label: "column_4",
            expected: &["header = false", "category = \"own\"", "positive = "],
            metric: "accuracy",
            at_least: 0.85,
        },
        Shape {
            file: "auto.data",
            text: lines("mpg power weight\tname\n", 300, |row| {
                let power = if row == 32 {
                    "?".to_owned()
                } else {
                    format!("{:.1}", 200.0 * noise(row, 0))
                };
                let mpg = 10.0 + 30.0 * noise(row, 0) + 5.0 * noise(row, 1);
                format!(
                    "{mpg:.2}   {power}      {:.0}\t\"car number {row}\"",
                    4000.0 * noise(row, 1)
                )
            }),
            label: "mpg",
            expected: &[
                "delimiter = \"whitespace\"",
                "    \"name\", # free text",
                "task = \"regression\"",
                "targets = true",
            ],
            metric: "r2",
            at_least: 0.85,
        },
        Shape {
            file: "wine.csv",
            text: lines("\"acid\";\"sugar\";\"quality\"\r\n", 300, |row| {
                let quality = 3 + (5.9 * noise(row, 0)) as u32;
                format!("{:.3};{:.3};{quality}\r", noise(row, 0), noise(row, 1)).replace('.', ",")
            }),
            label: "quality",
            expected: &[
                "delimiter = \";\"",
                "decimal = \",\"",
                "name = \"cross_entropy\"",
            ],
            metric: "accuracy",
            at_least: 0.7,
        },
        Shape {
            file: "codes.csv",
            text: lines("", 400, |row| {
                let code = ["A11", "A12", "A13", "A14"][(4.0 * noise(row, 0)) as usize];
                format!(
                    "{code},{},A{},{}",
                    (60.0 * noise(row, 1)) as u32,
                    40 + row % 9,
                    1 + u8::from(code > "A12")
                )
            }),
            label: "column_4",
            expected: &["column_1 = \"category\"", "positive = \"2\""],
            metric: "accuracy",
            at_least: 0.95,
        },
        Shape {
            file: "quoted.csv",
            text: lines("", 300, |row| {
                let age = ["'30-39'", "'40-49'", "'50-59'"][(3.0 * noise(row, 0)) as usize];
                let caps = if row % 50 == 0 { "?" } else { "'yes'" };
                format!(
                    "{age},{caps},'{}',{}",
                    ["left", "right"][row % 2],
                    if age == "'50-59'" {
                        "'recurrence-events'"
                    } else {
                        "'no-recurrence-events'"
                    }
                )
            }),
            label: "column_4",
            expected: &["positive = \"recurrence-events\""],
            metric: "accuracy",
            at_least: 0.95,
        },
        Shape {
            file: "ionosphere.data",
            text: lines("", 300, |row| {
                format!(
                    "1,0,{:.5},{:.5},{}",
                    noise(row, 0),
                    noise(row, 1),
                    class(row, ["b", "g"])
                )
            }),
            label: "column_5",
            expected: &[
                "    \"column_1\", # the same in all rows",
                "    \"column_2\", # the same in all rows",
            ],
            metric: "accuracy",
            at_least: 0.9,
        },
    ]
}

/// The score of the network of the best epoch on the test split.
fn test_score(lab: &Lab, run: &str, metric: &str) -> f64 {
    let shown = lab
        .succeed(&["evaluate", run, "--weights", "best", "--json"])
        .stdout;
    let evaluation: Value = serde_json::from_str(&shown).unwrap();
    find(&evaluation, metric).unwrap_or_else(|| panic!("no {metric} in {shown}"))
}

/// The first number with this name.
fn find(value: &Value, name: &str) -> Option<f64> {
    match value {
        Value::Object(map) => {
            let here = map.get(name).and_then(Value::as_f64);
            here.or_else(|| map.values().find_map(|inside| find(inside, name)))
        }
        Value::Array(items) => items.iter().find_map(|inside| find(inside, name)),
        _ => None,
    }
}

#[test]
fn files_as_people_have_them_train_at_once() {
    let lab = Lab::new();
    for shape in shapes() {
        lab.write(shape.file, &shape.text);
        let new = lab.succeed(&["new", shape.file, "--label", shape.label]);
        let written = Path::new(shape.file).with_extension("toml");
        let config = written.to_str().unwrap();
        let text = std::fs::read_to_string(lab.path().join(config)).unwrap();
        for line in shape.expected {
            assert!(
                text.contains(line),
                "{}: no {line:?} in\n{text}",
                shape.file
            );
        }
        assert!(
            new.stdout.contains("next:  emberlab train "),
            "{}",
            new.stdout
        );
        lab.succeed(&["train", config, "--run", "first", "--dashboard", "quiet"]);
        let name = text
            .lines()
            .find_map(|line| line.strip_prefix("name = "))
            .unwrap();
        let run = format!("{}/first", name.trim_matches('"'));
        let score = test_score(&lab, &run, shape.metric);
        assert_in(shape.file, score, shape.at_least..=1.0);
    }
}

#[test]
fn the_printed_command_is_quoted_and_trains() {
    let lab = Lab::new();
    let shape = &shapes()[0];
    lab.write(shape.file, &shape.text);
    let new = lab.succeed(&["new", shape.file, "--label", shape.label]);
    assert!(
        new.stdout
            .contains("next:  emberlab train 'words and blanks.toml'"),
        "{}",
        new.stdout
    );
}

#[test]
fn the_example_of_passengers_is_what_new_writes() {
    let lab = Lab::new();
    std::os::unix::fs::symlink(project().join("configs"), lab.path().join("configs")).unwrap();
    let words = [
        "new",
        "configs/data/passengers.csv",
        "--label",
        "saved",
        "-o",
        "-",
    ];
    let written = lab.succeed(&words).stdout;
    let example = std::fs::read_to_string(shipped("train/passengers.toml")).unwrap();
    let body = |text: &str| text[text.find("name = ").unwrap()..].to_owned();
    assert_eq!(body(&example), body(&written));
}

fn refused(lab: &Lab, words: &[&str]) -> Outcome {
    let outcome = lab.run(words);
    assert_eq!(outcome.code, Some(2), "{outcome:#?}");
    outcome
}

#[test]
fn a_class_that_reads_as_missing_is_asked_about_and_kept_when_told() {
    let lab = Lab::new();
    let classes = ["None", "Mild", "Severe"];
    let text = lines("a,label\n", 90, |row| {
        format!("{},{}", noise(row, 0) + (row % 3) as f64, classes[row % 3])
    });
    lab.write("levels.csv", text);
    let words = ["train", "levels.csv", "--label", "label"];
    let said = refused(&lab, &words).stderr;
    assert!(said.contains("30 read as missing: \"None\" (30)"), "{said}");
    assert!(said.contains("--missing="), "{said}");
    let new = ["new", "levels.csv", "--label", "label", "--force"];
    let said = lab.succeed(&[&new[..], &["--missing="]].concat());
    let said = said.stdout + &said.stderr;
    assert!(said.contains("3 classes"), "{said}");
    let written = std::fs::read_to_string(lab.path().join("levels.toml")).unwrap();
    assert!(written.contains("missing = [\"\"]"), "{written}");
    let said = lab.succeed(&[&new[..], &["--missing=,None"]].concat());
    let said = said.stdout + &said.stderr;
    assert!(
        said.contains("30 rows have no label (\"None\" reads as missing)"),
        "{said}"
    );
    // The only other class would be that of all rows.
    let text = lines("a,label\n", 90, |row| {
        format!("{},{}", noise(row, 0), if row < 3 { "NA" } else { "EU" })
    });
    lab.write("levels.csv", text);
    let said = refused(&lab, &words).stderr;
    assert!(said.contains("3 read as missing: \"NA\" (3)"), "{said}");
}

#[test]
fn long_classes_and_quoted_decimal_commas_are_written_so_that_they_train() {
    let lab = Lab::new();
    let long = |end: &str| format!("The respondent {}{end}", "really and truly ".repeat(6));
    let answers = [long("agrees"), long("disagrees")];
    let text = lines("a,b,answer\n", 60, |row| {
        let [a, b] = [0, 1].map(|column| noise(row, column));
        format!("{a},{b},{}", answers[usize::from(is_second(row))])
    });
    lab.write("survey.csv", text);
    lab.succeed(&["new", "survey.csv", "--label", "answer"]);
    lab.succeed(&[
        "train",
        "survey.toml",
        "--dashboard",
        "quiet",
        "--set",
        "training.num_epochs=2",
    ]);
    let text = lines("a,b,label\n", 60, |row| {
        let [a, b] = [0, 1].map(|column| noise(row, column).to_string().replace('.', ","));
        format!(
            "\"{a}\",\"{b}\",{}",
            ["no", "yes"][usize::from(is_second(row))]
        )
    });
    lab.write("commas.csv", text);
    lab.succeed(&["new", "commas.csv", "--label", "label"]);
    let written = std::fs::read_to_string(lab.path().join("commas.toml")).unwrap();
    assert!(written.contains("decimal = \",\""), "{written}");
    lab.succeed(&[
        "train",
        "commas.toml",
        "--dashboard",
        "quiet",
        "--set",
        "training.num_epochs=2",
    ]);
    // What is dropped because of how it is written is said, also without a dashboard.
    let text = lines("a,b,label\n", 60, |row| {
        let [a, b] = [0, 1].map(|column| noise(row, column));
        format!("{a:.4}%,{b},{}", ["no", "yes"][usize::from(is_second(row))])
    });
    lab.write("shares.csv", text);
    let words = [
        "train",
        "shares.csv",
        "--label",
        "label",
        "--dashboard",
        "quiet",
    ];
    let told = lab.succeed(&words).stderr;
    assert!(
        told.contains("end with \"%\": write them without it"),
        "{told}"
    );
}

#[test]
fn without_a_label_the_columns_are_listed_with_a_guess() {
    let lab = Lab::new();
    lab.write("birds.csv", "bill,wing,species\n1.5,2,a\n2.5,3,b\n");
    for command in ["new", "train"] {
        let said = refused(&lab, &[command, "birds.csv"]).stderr;
        assert!(
            said.contains("the columns are bill, wing, species"),
            "{said}"
        );
        assert!(
            said.contains(&format!("emberlab {command} birds.csv --label species")),
            "{said}"
        );
    }
}

#[test]
fn a_file_that_exists_is_kept_unless_forced_and_the_data_always() {
    let lab = Lab::new();
    let table = lines("x,y\n", 60, |row| {
        format!("{},{}", noise(row, 0), ["a", "b"][row % 2])
    });
    lab.write("t.csv", &table);
    lab.write("t.toml", "kept");
    let read = |name: &str| std::fs::read_to_string(lab.path().join(name)).unwrap();
    let said = refused(&lab, &["new", "t.csv", "--label", "y"]).stderr;
    assert!(said.contains("--force"), "{said}");
    assert_eq!(read("t.toml"), "kept");
    refused(
        &lab,
        &["new", "t.csv", "--label", "y", "-o", "t.csv", "--force"],
    );
    assert_eq!(read("t.csv"), table);
    lab.succeed(&["new", "t.csv", "--label", "y", "--force"]);
    let printed = lab
        .succeed(&["new", "t.csv", "--label", "y", "-o", "-"])
        .stdout;
    assert_eq!(printed, read("t.toml"));
}

#[test]
fn a_table_trains_without_a_configuration_but_that_of_its_run() {
    let lab = Lab::new();
    let shape = &shapes()[6];
    lab.write(shape.file, &shape.text);
    let words = [
        "train",
        shape.file,
        "--label",
        shape.label,
        "--run",
        "one",
        "--dashboard",
        "quiet",
    ];
    lab.succeed(&[&words[..], &["--set", "training.num_epochs=3"]].concat());
    let config = lab.path().join("artifacts/ionosphere/one/config.toml");
    let text = std::fs::read_to_string(config).unwrap();
    assert!(text.contains("num_epochs = 3"), "{text}");
    assert!(
        text.contains("drop = [\"column_1\", \"column_2\"]"),
        "{text}"
    );
    let tomls = std::fs::read_dir(lab.path()).unwrap().filter(|entry| {
        entry
            .as_ref()
            .unwrap()
            .path()
            .extension()
            .is_some_and(|extension| extension == "toml")
    });
    assert_eq!(tomls.count(), 0);
    lab.write("x.toml", "");
    let said = refused(&lab, &["train", "x.toml", "--label", "y"]).stderr;
    assert!(said.contains("`--label` is for tables"), "{said}");
}

/// Forty images for each of two classes in the folder `pets`: the bright half is above or below.
fn write_images(lab: &Lab) {
    for (class, is_above) in [("above", true), ("below", false)] {
        let folder = lab.path().join("pets").join(class);
        std::fs::create_dir_all(&folder).unwrap();
        for place in 0..40 {
            let image = image::RgbImage::from_fn(20, 16, |x, y| {
                let level = (60.0 * noise(place, (x + 20 * y) as usize)) as u8;
                let is_bright = (y < 8) == is_above;
                image::Rgb([if is_bright { 190 + level } else { level }, level, level])
            });
            image.save(folder.join(format!("{place}.png"))).unwrap();
        }
    }
}

#[test]
fn a_folder_of_images_trains_at_once() {
    let lab = Lab::new();
    write_images(&lab);
    let new = lab.succeed(&["new", "pets"]);
    assert!(
        new.stdout
            .contains("2 classes: \"above\" (40), \"below\" (40)"),
        "{}",
        new.stdout
    );
    let text = std::fs::read_to_string(lab.path().join("pets.toml")).unwrap();
    for line in [
        "name = \"image_folder\"",
        "width = 20",
        "height = 16",
        "color = \"rgb\"",
        "name = \"convnet\"",
    ] {
        assert!(text.contains(line), "no {line:?} in\n{text}");
    }
    let few = ["--set", "training.num_epochs=5", "--dashboard", "quiet"];
    lab.succeed(&[&["train", "pets.toml", "--run", "one"][..], &few].concat());
    assert_in(
        "accuracy",
        test_score(&lab, "pets/one", "accuracy"),
        0.9..=1.0,
    );
    lab.succeed(&[&["train", "pets", "--run", "two"][..], &few].concat());
    let said = refused(&lab, &["new", "pets", "--label", "above", "-o", "-"]).stderr;
    assert!(said.contains("leave out `--label`"), "{said}");
}
