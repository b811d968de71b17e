//! Tables as people have them: trained from the file as it is, or refused with the key to set.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::lab::{FIGURES, Lab, Outcome, Trained, assert_in, assert_same_files};

/// The configuration of a small network for two classes, without the data set.
const NETWORK: &str = r#"
split = { train = 0.7, valid = 0.3 }
standardize = { method = "per_feature" }
model = { name = "mlp", hidden = [8] }
loss = { name = "bce_with_logits" }
optimizer = { name = "adam", learning_rate = 0.05 }
training = { num_epochs = 40, batch_size = 16 }
"#;

/// Trains on the file `name` as the run `own/a`, with these keys of `[dataset]` and these overrides.
fn train(lab: &Lab, name: &str, keys: &str, overrides: &[&str]) -> Outcome {
    let dataset = format!("[dataset]\nname = \"csv\"\npath = \"{name}\"\n{keys}\n");
    lab.write("own.toml", format!("{NETWORK}\n{dataset}"));
    let mut words = vec!["train", "own.toml", "--run", "a", "--dashboard", "quiet"];
    words.extend(overrides.iter().flat_map(|one| ["--set", one]));
    lab.run(&words)
}

/// A lab with the run `own/a`, trained on a table.
fn trained(table: impl AsRef<[u8]>, keys: &str, overrides: &[&str]) -> (Lab, Trained) {
    let lab = Lab::new();
    lab.write("table.csv", table);
    let outcome = train(&lab, "table.csv", keys, overrides);
    assert_eq!(outcome.code, Some(0), "{keys}: {outcome:#?}");
    let folder = lab.path().join("artifacts/own/a");
    (lab, Trained { folder })
}

/// The message with which a table is refused before anything is trained.
#[track_caller]
fn refusal(table: impl AsRef<[u8]>, keys: &str) -> String {
    let lab = Lab::new();
    lab.write("table.csv", table);
    let outcome = train(&lab, "table.csv", keys, &[]);
    assert_eq!(outcome.code, Some(2), "{keys}: {outcome:#?}");
    assert!(!lab.path().join("artifacts/own").exists());
    assert!(outcome.stderr.len() < 1000, "{}", outcome.stderr);
    outcome.stderr
}

/// The predictions for rows of a file, as `predict` writes them: the name of the row and its prediction.
fn predictions(lab: &Lab, rows: impl AsRef<[u8]>) -> Vec<(String, String)> {
    lab.write("rows.csv", rows);
    let told = lab.succeed(&["predict", "own/a", "rows.csv"]).stdout;
    let lines = told.lines().skip(1).map(|line| {
        let mut cells = line.split(',').map(str::to_owned);
        (cells.next().unwrap(), cells.next().unwrap())
    });
    lines.collect()
}

/// The class or number that is predicted for each row.
fn predicted(lab: &Lab, rows: impl AsRef<[u8]>) -> Vec<String> {
    let predictions = predictions(lab, rows).into_iter();
    predictions.map(|(_, prediction)| prediction).collect()
}

/// Rows of pears and apples: apples are heavier and larger.
fn fruit() -> Vec<[String; 3]> {
    let row = |i: usize| {
        let is_apple = i % 2;
        let weight = 9.5 + 5.0 * is_apple as f64 + (i * 7 % 10) as f64 / 5.0;
        let length = 3.5 + is_apple as f64 + (i * 3 % 7) as f64 / 10.0;
        let kind = ["Birne", "Apfel"][is_apple];
        [format!("{weight:.2}"), format!("{length:.2}"), kind.into()]
    };
    (0..60).map(row).collect()
}

const FRUIT_COLUMNS: [&str; 3] = ["Gewicht kg", "Länge cm", "Sorte"];

/// The fruit with another delimiter, decimal mark and line end.
fn fruit_table(delimiter: &str, decimal: &str, end: &str) -> String {
    let quoted = FRUIT_COLUMNS.map(|name| format!("\"{name}\""));
    let rows = fruit().into_iter().map(|row| {
        let [weight, length, kind] = row;
        let [weight, length] = [weight, length].map(|number| number.replace('.', decimal));
        [weight, length, kind].join(delimiter)
    });
    let lines: Vec<String> = [quoted.join(delimiter)].into_iter().chain(rows).collect();
    lines.join(end) + end
}

/// A table of numbers `x` with a pattern and a label of two values, which `x` tells apart but for a few rows.
fn two_labels(num_rows: usize, low: &str, high: &str) -> String {
    let row = |i: usize| {
        let x = (i % 2 * 3) as f64 + (i * 37 % 101) as f64 / 50.0 - 1.0;
        format!("{x:.2},{}\n", [low, high][i % 2])
    };
    let rows: String = (0..num_rows).map(row).collect();
    format!("x,y\n{rows}")
}

#[test]
fn a_bad_row_has_the_line_that_an_editor_shows() {
    // A quoted line break, blank lines, a cell of words, and a row that is too short.
    let bad_cell = [
        "length,width,kind",
        "4.8,3.2,a",
        "6.8,1.8,\"b",
        "c\"",
        "",
        " ",
        "red,3.1,a",
    ];
    let short = [
        "length,width,kind",
        "4.8,3.2,a",
        "",
        "\"6.8\",1.8,b",
        "4.9,3.2",
    ];
    for end in ["\n", "\r\n", "\r"] {
        let said = refusal(bad_cell.join(end), "label = \"kind\"");
        assert!(
            said.contains("table.csv, line 7, column \"length\" holds \"red\""),
            "{said}"
        );
        let said = refusal(short.join(end), "label = \"kind\"");
        assert!(
            said.contains("table.csv, line 5: expected 3 cells as in the header"),
            "{said}"
        );
    }
}

#[test]
fn each_predicted_row_has_the_line_that_an_editor_shows() {
    let (lab, _) = trained(fruit_table(",", ".", "\n"), "label = \"Sorte\"", &[]);
    let named = |line: usize, kind: &str| (format!("rows.csv:{line}"), kind.to_owned());
    for end in ["\n", "\r\n", "\r"] {
        let rows = [
            "Gewicht kg,Länge cm",
            "10.1,3.6",
            "",
            "\"15.2\",4.7",
            "9.9,3.5",
        ]
        .join(end);
        let expected = [named(2, "Birne"), named(4, "Apfel"), named(5, "Birne")];
        assert_eq!(predictions(&lab, rows), expected);
        let rows = ["10.1,3.6", "15.2,4.7"].join(end);
        assert_eq!(
            predictions(&lab, rows),
            [named(1, "Birne"), named(2, "Apfel")]
        );
    }
}

#[test]
fn many_different_numbers_as_classes_are_refused_with_the_task_to_set() {
    for (num_rows, num_numbers) in [(1300, 1300), (442, 201)] {
        let row = |i: usize| format!("{},{}.5,{}\n", i % 17, i * i % 23, i * 7 % num_numbers);
        let table = format!("a,b,price\n{}", (0..num_rows).map(row).collect::<String>());
        let said = refusal(&table, "label = \"price\"");
        let question = format!(
            "the label \"price\" holds {num_numbers} different numbers: did you mean `task = \"regression\"`?"
        );
        assert!(said.contains(&question), "{said}");
    }
}

#[test]
fn many_classes_that_are_asked_for_leave_small_files() {
    let row = |i: usize| format!("{},{}.5,{}.5\n", i % 17, i * i % 23, i * 7 % 1300);
    let table = format!("a,b,price\n{}", (0..1300).map(row).collect::<String>());
    let keys = "label = \"price\"\ntypes = { price = \"category\" }";
    let few = ["loss.name=cross_entropy", "training.num_epochs=1"];
    let (lab, run) = trained(table, keys, &few);
    let told = lab.succeed(&["evaluate", "own/a"]).stdout;
    assert!(told.lines().count() < 100, "{told}");
    lab.succeed(&["report", "own/a"]);
    for file in ["evaluation.json", "report.html"] {
        let size = run.folder.join(file).metadata().unwrap().len();
        assert!(size < 200_000, "{file} has {size} bytes");
    }
}

#[test]
fn a_table_of_another_delimiter_or_decimal_mark_is_trained_when_told_and_else_named_with_the_keys()
{
    let mark = "\u{feff}";
    let german = format!("{mark}{}", fruit_table(";", ",", "\r\n"));
    let points = format!("{mark}{}", fruit_table(";", ".", "\r\n"));
    let sep = format!("{mark}sep=;\r\n{}", fruit_table(";", ".", "\r\n"));
    let tabs = fruit_table("\t", ",", "\n");
    for (table, keys) in [
        (&german, "delimiter = \";\"\ndecimal = \",\""),
        (&points, "delimiter = \";\""),
        (&sep, "delimiter = \";\""),
        (&tabs, "delimiter = \"tab\"\ndecimal = \",\""),
    ] {
        let keys = format!("label = \"Sorte\"\n{keys}");
        let (_lab, run) = trained(table, &keys, &[]);
        assert_eq!(run.metric("valid", "accuracy"), 1.0, "{keys}");
    }
    for (table, keys, hint) in [
        (&german, "delimiter = \";\"", "set `decimal = \",\"`"),
        (&german, "", "set `delimiter = \";\"` and `decimal = \",\"`"),
        (
            &points,
            "",
            "set `delimiter = \";\"`, which gives 3 columns",
        ),
        (&sep, "", "set `delimiter = \";\"`"),
        (&tabs, "", "`delimiter = \"tab\"`"),
    ] {
        let said = refusal(table, &format!("label = \"Sorte\"\n{keys}"));
        assert!(said.contains(hint), "{keys}: {said}");
    }
}

#[test]
fn one_table_gives_the_same_network_in_every_encoding_and_packed() {
    let table = fruit_table(",", ".", "\n");
    let utf16 = |to_bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("\u{feff}{table}")
            .encode_utf16()
            .flat_map(to_bytes)
            .collect()
    };
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(table.as_bytes()).unwrap();
    // The only character that is not ASCII is the ä, which Latin-1 has too.
    let latin_1 = table.chars().map(|c| u8::try_from(c).unwrap()).collect();
    let (_plain_lab, plain) = trained(&table, "label = \"Sorte\"", &[]);
    for bytes in [
        format!("\u{feff}{table}").into_bytes(),
        table.replace('\n', "\r\n").into_bytes(),
        utf16(u16::to_le_bytes),
        utf16(u16::to_be_bytes),
        latin_1,
        packed.finish().unwrap(),
    ] {
        let (_lab, run) = trained(bytes, "label = \"Sorte\"", &[]);
        assert_same_files(&plain.folder, &run.folder, &FIGURES);
        let columns = run.json("model/model.json").to_string();
        assert!(columns.contains("Länge cm"), "{columns}");
    }
}

#[test]
fn columns_by_blanks_without_a_header_are_trained_as_published() {
    // The shape of auto-mpg: numbers by blanks, then a tab and a quoted name; `?` where a value is missing.
    let row = |i: usize| {
        let power = match i % 20 {
            7 => "?".to_owned(),
            _ => format!("{}.0", 60 + i * 13 % 120),
        };
        let mpg = 40.0 - (60 + i * 13 % 120) as f64 / 6.0;
        format!(
            "{mpg:.1}   {}   {power:<6}  {}.\t\"car {}\"\n",
            4 + i % 2 * 4,
            2000 + i,
            i % 7
        )
    };
    let table: String = (0..120).map(row).collect();
    let keys =
        "label = \"column_1\"\ntask = \"regression\"\nheader = false\ndelimiter = \"whitespace\"";
    let said = refusal(&table, keys);
    assert!(
        said.contains("column \"column_3\" has no value there"),
        "{said}"
    );
    assert!(said.contains("number = "), "{said}");
    let keys = format!("{keys}\nimpute = {{ number = \"median\" }}");
    let (lab, run) = trained(
        &table,
        &keys,
        &[
            "loss.name=mse",
            "standardize.targets=true",
            "training.num_epochs=150",
        ],
    );
    assert_in("R²", run.metric("valid", "r2"), 0.7..=1.0);
    // A row to predict may have all columns of the file, or those of the features.
    let all = predicted(&lab, "0 4 100.0 2500.\t\"car 1\"\n");
    assert_eq!(predicted(&lab, "4 100.0 2500.\t\"car 1\"\n"), all);
}

#[test]
fn classes_have_their_names_from_the_file_everywhere() {
    for (low, high) in [
        ("1", "2"),
        ("'-1'", "'1'"),
        ("FALSE", "TRUE"),
        ("\"a, b\"", "\"c\""),
    ] {
        let (lab, run) = trained(two_labels(60, low, high), "label = \"y\"", &[]);
        let names = [low, high].map(|name| name.trim_matches('"'));
        assert_eq!(
            run.json("evaluation.json")["class_names"],
            Value::from(names.to_vec())
        );
        let told = lab.succeed(&["evaluate", "own/a"]).stdout;
        assert!(
            told.contains(&format!("class {} above a threshold", names[1])),
            "{told}"
        );
        assert!(told.contains(&format!("\n {} ", names[0])), "{told}");
        lab.write("rows.csv", "x\n-0.5\n3.5\n");
        let told = lab.succeed(&["predict", "own/a", "rows.csv", "--format", "json"]);
        let told: Value = serde_json::from_str(&told.stdout).unwrap();
        assert_eq!([&told[0]["class"], &told[1]["class"]], names);
    }
}

#[test]
fn a_missing_label_is_refused_with_its_lines_or_left_out_when_told() {
    for missing in ["", "NA", "N/A", "nan", "NaN", "null", "None", "?"] {
        let table = two_labels(60, "no", "yes");
        let mut lines: Vec<String> = table.lines().map(str::to_owned).collect();
        for line in [13, 31] {
            let x = lines[line - 1].split_once(',').unwrap().0;
            lines[line - 1] = format!("{x},{missing}");
        }
        let table = lines.join("\n");
        let said = refusal(&table, "label = \"y\"");
        let sentence = "2 rows without a label in column \"y\" (lines 13, 31)";
        assert!(said.contains(sentence), "{missing:?}: {said}");
        assert!(said.contains("`missing_labels = \"drop\"`"), "{said}");
        let lab = Lab::new();
        lab.write("table.csv", &table);
        let keys = "label = \"y\"\nmissing_labels = \"drop\"";
        let outcome = train(&lab, "table.csv", keys, &[]);
        assert_eq!(outcome.code, Some(0), "{outcome:#?}");
        assert!(
            outcome.stderr.contains(&format!("{sentence} left out")),
            "{outcome:#?}"
        );
        let folder = lab.path().join("artifacts/own/a");
        let evaluation = Trained { folder }.json("evaluation.json");
        assert_eq!(evaluation["class_names"], Value::from(vec!["no", "yes"]));
        // A wrong prediction is named by its line, also below rows that are left out.
        for mistake in evaluation["mistakes"]["samples"].as_array().unwrap() {
            let line = usize::try_from(mistake["line"].as_u64().unwrap()).unwrap();
            let (x, class) = lines[line - 1].split_once(',').unwrap();
            assert_eq!(mistake["inputs"]["features"][0].as_f64(), x.parse().ok());
            let target = mistake["target"].as_u64().unwrap();
            assert_eq!(class, ["no", "yes"][usize::try_from(target).unwrap()]);
        }
        let samples = |split| {
            let told = lab.succeed(&["evaluate", "own/a", "--split", split, "--json"]);
            let told: Value = serde_json::from_str(&told.stdout).unwrap();
            told["num_samples"].as_u64().unwrap()
        };
        assert_eq!(samples("train") + samples("valid"), 58);
    }
}

#[test]
fn spellings_of_one_number_are_one_class() {
    let spellings = [["0", "0.0", "-0", "0e0"], ["1", "1.0", "+1", "01"]];
    let row = |i: usize| {
        let x = (i % 2 * 3) as f64 + (i * 37 % 101) as f64 / 50.0 - 1.0;
        format!("{x:.2},{}\n", spellings[i % 2][i / 2 % 4])
    };
    let table = format!("x,y\n{}", (0..80).map(row).collect::<String>());
    let (_lab, run) = trained(table, "label = \"y\"", &[]);
    let names = &run.json("evaluation.json")["class_names"];
    assert_eq!(names, &Value::from(vec!["0", "1"]));
    assert_eq!(run.metric("valid", "accuracy"), 1.0);
}

#[test]
fn the_positive_class_is_the_one_that_is_named_and_each_output_names_it() {
    // One row in four is "cancer"; the two overlap.
    let row = |i: usize| {
        let is_cancer = i.is_multiple_of(4);
        let x = f64::from(u8::from(is_cancer)) * 1.2 + (i * 37 % 101) as f64 / 50.0;
        format!(
            "{x:.2},{}\n",
            if is_cancer { "cancer" } else { "not cancer" }
        )
    };
    let table = format!("x,finding\n{}", (0..400).map(row).collect::<String>());
    let label = "label = \"finding\"";
    let recall = |lab: &Lab| {
        let words = ["evaluate", "own/a", "--threshold-by", "cost=1:10"];
        let told = lab.succeed(&words).stdout;
        let line = told
            .lines()
            .find(|line| line.starts_with(" cancer "))
            .unwrap();
        let recall: f64 = line.split_whitespace().nth(2).unwrap().parse().unwrap();
        (told, recall)
    };
    let (lab, run) = trained(&table, &format!("{label}\npositive = \"cancer\""), &[]);
    let names = &run.json("evaluation.json")["class_names"];
    assert_eq!(names, &Value::from(vec!["not cancer", "cancer"]));
    // A missed cancer costs ten times a false alarm, so few are missed.
    let (told, of_cancer) = recall(&lab);
    assert!(told.contains("; cancer is predicted above it"), "{told}");
    assert!(told.contains("class cancer above a threshold"), "{told}");
    assert_in("recall", of_cancer, 0.9..=1.0);
    lab.write("rows.csv", "x\n3\n");
    let told = lab.succeed(&["predict", "own/a", "rows.csv"]);
    assert!(
        told.stderr
            .contains("cancer is predicted above the probability"),
        "{told:#?}"
    );
    // Without the key the last in alphabetic order is positive, and the output says so.
    let (lab, _) = trained(&table, label, &[]);
    let (told, of_cancer) = recall(&lab);
    assert!(
        told.contains("; not cancer is predicted above it"),
        "{told}"
    );
    assert_in("recall", of_cancer, 0.0..=0.8);
    let said = refusal(&table, &format!("{label}\npositive = \"canser\""));
    assert!(
        said.contains("one of the classes cancer, not cancer"),
        "{said}"
    );
    assert!(said.contains("did you mean \"cancer\"?"), "{said}");
}

#[test]
fn a_column_of_row_numbers_is_said_with_the_key_that_leaves_it_out() {
    // The file of pandas' `to_csv`: the first column has no name. The labels are sorted, and the rest is noise.
    let row = |i: usize| {
        let (x, z) = (i * i * 31 % 97, i * i * 17 % 89);
        format!("{i},{}.{x},{}.{z},{}\n", x % 3, z % 4, ["a", "b"][i / 50])
    };
    let table = format!(",x,z,y\n{}", (0..100).map(row).collect::<String>());
    let lab = Lab::new();
    lab.write("table.csv", table);
    let outcome = train(&lab, "table.csv", "label = \"y\"", &[]);
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert!(
        outcome.stderr.contains("`drop = [\"column_1\"]`"),
        "{outcome:#?}"
    );
    let outcome = train(
        &lab,
        "table.csv",
        "label = \"y\"\ndrop = [\"column_1\"]",
        &["name=kept"],
    );
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_header_of_numbers_is_no_row_and_rows_without_a_header_are_none() {
    // x and not y, as pandas writes a frame without names.
    let cases = ["0,0,0\n", "0,1,0\n", "1,0,1\n", "1,1,0\n"];
    let table = format!("0,1,2\n{}", cases.repeat(10).concat());
    let all = [
        "split.train=1.0",
        "split.valid=0",
        "standardize.method=none",
        "training.num_epochs=100",
    ];
    let (lab, _) = trained(table, "label = \"2\"", &all);
    assert_eq!(
        predicted(&lab, "1,0\n0,1\n1,1\n0,0\n"),
        ["1", "0", "0", "0"]
    );
    // The first row could be the header with its columns swapped, and is not.
    assert_eq!(predicted(&lab, "1,0\n"), ["1"]);
    lab.write("rows.csv", "1,0\n0,1\n1,1\n");
    let told = lab
        .succeed(&["predict", "own/a", "rows.csv", "--header", "yes"])
        .stdout;
    let classes: Vec<&str> = told
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(1).unwrap())
        .collect();
    assert_eq!(classes, ["1", "0"]);
    // A first line that equals the names could be either, so nothing is guessed.
    lab.write("rows.csv", "0,1\n1,0\n");
    let outcome = lab.run(&["predict", "own/a", "rows.csv"]);
    assert_eq!(outcome.code, Some(2), "{outcome:#?}");
    let expected = "line 1: expected `--header yes` or `--header no`";
    assert!(outcome.stderr.contains(expected), "{outcome:#?}");
}

#[test]
fn a_header_of_numbers_in_another_order_is_never_taken_for_a_row() {
    let row = |i: usize| {
        let [x, noise] = [i % 2 * 3, i * 37 % 101].map(|n| n as f64 / 10.0 - 0.2);
        format!("{x:.2},{noise:.2},{}\n", ["no", "yes"][i % 2])
    };
    let table = format!("2019,2020,2021\n{}", (0..60).map(row).collect::<String>());
    let (lab, _) = trained(&table, "label = \"2021\"", &[]);
    lab.write("swapped.csv", "2020,2019\n5.0,0.1\n5.0,-0.2\n");
    let outcome = lab.run(&["predict", "own/a", "swapped.csv"]);
    assert_eq!(outcome.code, Some(2), "{outcome:#?}");
    let expected = "line 1: expected `--header yes` or `--header no`";
    assert!(outcome.stderr.contains(expected), "{outcome:#?}");
    let told = lab.succeed(&["predict", "own/a", "swapped.csv", "--header", "yes"]);
    assert_eq!(told.stdout.lines().count(), 3, "{}", told.stdout);
    // More columns than a row has: only a header can have them, and the training file itself does.
    assert_eq!(predicted(&lab, &table).len(), 60);
    let with_others = "2020,name,2019\n5.0,x,0.1\n5.0,y,-0.2\n";
    assert_eq!(predicted(&lab, with_others), ["yes", "no"]);
}

#[test]
fn dates_in_another_order_than_any_the_training_saw_are_not_guessed() {
    let row = |i: usize| format!("2024-{:02}-05,{}\n", 1 + i % 12, ["a", "b"][i % 12 / 6]);
    let table = format!("d,y\n{}", (0..60).map(row).collect::<String>());
    let (lab, run) = trained(table, "label = \"y\"", &[]);
    assert!(!run.text("model/model.json").contains("date_order"));
    lab.write("open.csv", "d\n03/04/2024\n");
    let outcome = lab.run(&["predict", "own/a", "open.csv"]);
    assert_eq!(outcome.code, Some(2), "{outcome:#?}");
    let expected = "can be read with the day or with the month first";
    assert!(outcome.stderr.contains(expected), "{outcome:#?}");
    // A day above twelve decides the order of all.
    assert_eq!(predicted(&lab, "d\n03/01/2024\n13/12/2024\n"), ["a", "b"]);
    assert_eq!(predicted(&lab, "d\n01/03/2024\n12/13/2024\n"), ["a", "b"]);
}

#[test]
fn numbers_that_a_network_cannot_take_are_named() {
    let (lab, _) = trained(two_labels(60, "no", "yes"), "label = \"y\"", &[]);
    for number in ["1e300", "1e39"] {
        lab.write("large.csv", format!("x\n0.5\n{number}\n"));
        let outcome = lab.run(&["predict", "own/a", "large.csv"]);
        assert_eq!(outcome.code, Some(2), "{outcome:#?}");
        let expected = format!("large.csv, line 3, column \"x\" holds \"{number}\"");
        assert!(outcome.stderr.contains(&expected), "{outcome:#?}");
    }
    // Numbers of any size are learnt where they are standardised, and else refused with the key.
    let table = |unit: &str| {
        let row = |i: usize| format!("{}.5e{unit},{}\n", i % 2 + 1, ["no", "yes"][i % 2]);
        format!("x,y\n{}", (0..60).map(row).collect::<String>())
    };
    for unit in ["160", "300", "-170"] {
        let (_lab, run) = trained(table(unit), "label = \"y\"", &[]);
        assert_eq!(run.metric("valid", "accuracy"), 1.0, "{unit}");
    }
    lab.write("wide.csv", table("160"));
    let outcome = train(
        &lab,
        "wide.csv",
        "label = \"y\"",
        &["standardize.method=none"],
    );
    assert_eq!(outcome.code, Some(2), "{outcome:#?}");
    for word in ["column \"x\"", "standardize.method = \"per_feature\""] {
        assert!(outcome.stderr.contains(word), "{outcome:#?}");
    }
    // Differences within the rounding errors of such numbers are no differences.
    let row = |i: usize| {
        format!(
            "{},{}\n",
            1e12 + (i % 2) as f64 * 1e-3,
            ["no", "yes"][i % 2]
        )
    };
    let lab = Lab::new();
    lab.write(
        "near.csv",
        format!("x,y\n{}", (0..60).map(row).collect::<String>()),
    );
    let outcome = train(
        &lab,
        "near.csv",
        "label = \"y\"",
        &["training.num_epochs=1"],
    );
    assert!(
        outcome.stderr.contains("column \"x\" counts as constant"),
        "{outcome:#?}"
    );
}

#[test]
fn a_gzip_file_that_is_not_whole_is_refused_in_plain_words() {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer
        .write_all(two_labels(400, "no", "yes").as_bytes())
        .unwrap();
    let whole = packer.finish().unwrap();
    let mut wrong_sum = whole.clone();
    let sum = wrong_sum.len() - 8;
    wrong_sum[sum] ^= 1;
    let cut_off = whole[..whole.len() / 2].to_vec();
    let with_more = [&whole[..], b"something else"].concat();
    for (name, bytes) in [
        ("sum.csv.gz", wrong_sum),
        ("cut.csv.gz", cut_off),
        ("more.csv.gz", with_more),
    ] {
        let lab = Lab::new();
        lab.write(name, bytes);
        let outcome = train(&lab, name, "label = \"y\"", &[]);
        assert_eq!(outcome.code, Some(2), "{name}: {outcome:#?}");
        let expected = "this gzip file is damaged or cut off";
        assert!(outcome.stderr.contains(expected), "{name}: {outcome:#?}");
    }
}

#[test]
fn a_class_whose_name_commands_a_terminal_is_printed_without_its_commands() {
    let table = two_labels(60, "no", "\u{1b}[31myes");
    let (lab, _) = trained(table, "label = \"y\"", &[]);
    let told = lab.succeed(&["evaluate", "own/a"]).stdout;
    assert!(
        told.contains("�[31myes") && !told.contains('\u{1b}'),
        "{told}"
    );
    lab.write("rows.csv", "x\n1.5\n");
    let told = lab.succeed(&["predict", "own/a", "rows.csv"]).stderr;
    assert!(!told.contains('\u{1b}'), "{told}");
}

#[test]
fn large_numbers_with_small_differences_learn_as_their_differences_do() {
    // Seconds since 1970 have ten digits, of which f32 keeps seven.
    let table = |first: u64| {
        let row = |i: u64| {
            let noise = (i * i * 31 % 97) as f64 / 50.0;
            format!("{},{noise:.2},{}\n", first + i, u8::from(i >= 50))
        };
        format!(
            "seconds,noise,late\n{}",
            (0..100).map(row).collect::<String>()
        )
    };
    let (_stamps_lab, stamps) = trained(table(1_550_083_467), "label = \"late\"", &[]);
    let (_since_lab, since_start) = trained(table(0), "label = \"late\"", &[]);
    for split in ["train", "valid"] {
        let accuracy = stamps.metric(split, "accuracy");
        assert_eq!(accuracy, since_start.metric(split, "accuracy"));
        assert_in("accuracy", accuracy, 0.9..=1.0);
    }
    assert!(
        !stamps.text("diagnosis.json").contains("leakage"),
        "{}",
        stamps.text("diagnosis.json")
    );
}

#[test]
fn standardised_targets_far_from_1_are_learnt_and_told_in_their_own_unit() {
    let row = |i: i32| {
        let x = f64::from(i) * 0.4 - 100.0;
        format!("{x},{}\n", x.powi(4))
    };
    let table = format!("x,y\n{}", (0..=500).map(row).collect::<String>());
    let settings = [
        "standardize.targets=true",
        "model.hidden=[50, 50]",
        "loss.name=mse",
        "optimizer.learning_rate=0.01",
        "training.num_epochs=100",
    ];
    let (lab, run) = trained(table, "label = \"y\"\ntask = \"regression\"", &settings);
    assert_in("R²", run.metric("valid", "r2"), 0.9..=1.0);
    // The standard deviation of the targets is 2.7e7 (numpy: np.std(np.arange(-100, 100.1, 0.4)**4)).
    assert_in("mae", run.metric("valid", "mae"), 1e4..=1e7);
    let told = predicted(&lab, "x\n0\n90\n");
    let numbers: Vec<f64> = told.iter().map(|number| number.parse().unwrap()).collect();
    assert_in("0⁴", numbers[0], -1e7..=1e7);
    assert_in("90⁴", numbers[1], 5.5e7..=7.5e7);
}

#[test]
fn several_label_columns_are_predicted_at_once() {
    let row = |i: i32| format!("{i},{},{}\n", 3 * i + 1000, 50 - 2 * i);
    let table = format!("x,up,down\n{}", (0..60).map(row).collect::<String>());
    let settings = [
        "standardize.targets=true",
        "loss.name=mse",
        "training.num_epochs=150",
    ];
    let keys = "label = [\"up\", \"down\"]\ntask = \"regression\"";
    let (lab, run) = trained(table, keys, &settings);
    assert_in("R²", run.metric("valid", "r2"), 0.95..=1.0);
    lab.write("rows.csv", "x\n30\n");
    let told = lab.succeed(&["predict", "own/a", "rows.csv"]).stdout;
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], "input,prediction of up,prediction of down");
    let numbers: Vec<f64> = lines[1]
        .split(',')
        .skip(1)
        .map(|cell| cell.parse().unwrap())
        .collect();
    assert_in("up", numbers[0], 1070.0..=1110.0);
    assert_in("down", numbers[1], -25.0..=5.0);
    // Each target has errors of its own.
    let evaluated = lab.succeed(&["evaluate", "own/a"]).stdout;
    let (_, errors) = evaluated.split_once("largest error").unwrap();
    assert!(
        errors.contains("up") && errors.contains("down"),
        "{evaluated}"
    );
}

#[test]
fn rows_of_one_group_stay_in_one_split() {
    // Every patient has a room and a class by chance: other rows of the same patient give the class away.
    let row = |i: usize| {
        let patient = i % 40;
        let kind = ["a", "b"][patient * patient * 31 % 97 % 2];
        format!("{},room {patient},p{patient},{kind}\n", i % 7)
    };
    let table = format!(
        "x,room,patient,kind\n{}",
        (0..400).map(row).collect::<String>()
    );
    let settings = ["dataset.categories.unseen=ignore"];
    let drop = "label = \"kind\"\ndrop = [\"patient\"]";
    let (_lab, mixed) = trained(&table, drop, &settings);
    let (_lab, grouped) = trained(&table, "label = \"kind\"\ngroup = \"patient\"", &settings);
    assert_in("mixed", mixed.metric("valid", "accuracy"), 0.9..=1.0);
    assert_in("grouped", grouped.metric("valid", "accuracy"), 0.0..=0.8);
}

#[test]
fn rows_of_weight_0_do_not_count() {
    // The rows of weight 0 contradict the others. With full batches only the order of the sums differs without them.
    let table = |is_complete: bool| {
        let row = |i: usize| {
            let x = (i * 37 % 101) as f64 / 50.0 - 1.0;
            let (is_bad, is_high) = (i.is_multiple_of(3), x > 0.1);
            let row = format!(
                "{x:.2},{},{}\n",
                u8::from(!is_bad),
                u8::from(is_high != is_bad)
            );
            if is_bad && !is_complete {
                String::new()
            } else {
                row
            }
        };
        format!("x,weight,y\n{}", (0..90).map(row).collect::<String>())
    };
    let settings = [
        "split={ train = 1.0, valid = 0 }",
        "standardize.method=none",
        "training.batch_size=full",
        "training.num_epochs=60",
    ];
    let keys = "label = \"y\"\nweight = \"weight\"";
    let rows = "x\n-0.9\n-0.2\n0.0\n0.3\n0.8\n";
    let told = |is_complete, keys| {
        let (lab, run) = trained(table(is_complete), keys, &settings);
        lab.write("rows.csv", rows);
        let told = lab.succeed(&["predict", "own/a", "rows.csv"]).stdout;
        let last = |line: &str| line.rsplit(',').next().unwrap().parse::<f64>().unwrap();
        (
            told.lines().skip(1).map(last).collect::<Vec<f64>>(),
            run.metric("train", "loss"),
        )
    };
    let (weighted, loss) = told(true, keys);
    let (without, loss_without) = told(false, keys);
    for (one, other) in weighted.iter().zip(&without) {
        assert_in("difference", one - other, -1e-4..=1e-4);
    }
    assert_in(
        "difference of the losses",
        loss - loss_without,
        -1e-4..=1e-4,
    );
    let (unweighted, _) = told(true, "label = \"y\"\ndrop = [\"weight\"]");
    assert!(
        (unweighted[4] - without[4]).abs() > 0.05,
        "{unweighted:?} {without:?}"
    );
}

#[test]
fn a_derived_feature_makes_xor_linear() {
    let row = |i: usize| {
        let (x, y) = ((i * 37 % 101) as f64 - 50.5, (i * 53 % 103) as f64 - 51.5);
        format!(
            "{},{},{}\n",
            x / 50.0,
            y / 50.0,
            ["same", "different"][usize::from(x * y < 0.0)]
        )
    };
    let table = format!("x,y,sign\n{}", (0..200).map(row).collect::<String>());
    let perceptron = ["model={ name = \"perceptron\" }", "training.num_epochs=100"];
    let (_lab, plain) = trained(&table, "label = \"sign\"", &perceptron);
    assert_in("plain", plain.metric("valid", "accuracy"), 0.0..=0.75);
    let keys = "label = \"sign\"\nderive = [\"x*y\"]";
    let (lab, derived) = trained(&table, keys, &perceptron);
    assert_in("derived", derived.metric("valid", "accuracy"), 0.95..=1.0);
    assert_eq!(
        predicted(&lab, "x,y\n0.8,-0.7\n-0.6,-0.9\n"),
        ["different", "same"]
    );
}

#[test]
fn a_date_in_parts_gives_the_day_of_the_week() {
    // 2024-01-01 was a Monday. The first 28 days of each month of 2024, one after another.
    let offsets = [0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335];
    let mut table = "day,open\n".to_owned();
    for (month, offset) in (1..).zip(offsets) {
        for day in 1..=28 {
            let weekday = (offset + day - 1) % 7;
            table += &format!(
                "2024-{month:02}-{day:02},{}\n",
                if weekday < 5 { "yes" } else { "no" }
            );
        }
    }
    let keys = "label = \"open\"\ndates = \"parts\"";
    let (lab, run) = trained(table, keys, &["training.num_epochs=100"]);
    assert_in("accuracy", run.metric("valid", "accuracy"), 0.98..=1.0);
    // A Wednesday and a Sunday of the year after.
    assert_eq!(
        predicted(&lab, "day\n2025-03-05\n2025-03-09\n"),
        ["yes", "no"]
    );
}

#[test]
fn a_category_that_the_training_did_not_see_is_an_error_or_ignored_as_told() {
    let row = |i: usize| {
        let color = ["red", "green", "\"light\nblue\""][i % 3];
        format!(
            "{color},{}.{},{}\n",
            i % 4,
            i % 10,
            ["warm", "cold"][usize::from(!i.is_multiple_of(3))]
        )
    };
    let table = format!("color,size,feel\n{}", (0..90).map(row).collect::<String>());
    let rows = "color,size\nred,1.5\n\"light\nblue\",1.5\npurple,1.5\n";
    let (lab, _) = trained(&table, "label = \"feel\"", &[]);
    lab.write("rows.csv", rows);
    let outcome = lab.run(&["predict", "own/a", "rows.csv"]);
    assert_eq!(outcome.code, Some(2), "{outcome:#?}");
    for part in [
        "rows.csv, line 5, column \"color\"",
        "purple",
        "unseen = \"ignore\"",
    ] {
        assert!(outcome.stderr.contains(part), "{part}: {}", outcome.stderr);
    }
    assert_eq!(outcome.stdout, "");
    let keys = "label = \"feel\"\ncategories = { unseen = \"ignore\" }";
    let (lab, _) = trained(&table, keys, &[]);
    let told = predictions(&lab, rows);
    assert_eq!(told[0], ("rows.csv:2".to_owned(), "warm".to_owned()));
    assert_eq!(told[1], ("rows.csv:3".to_owned(), "cold".to_owned()));
    assert_eq!(told[2].0, "rows.csv:5");
    lab.write("rows.csv", rows);
    let said = lab.run(&["predict", "own/a", "rows.csv"]).stderr;
    let note =
        "note: rows.csv: 1 cell of \"color\" holds a category that the training rows do not have";
    assert!(said.contains(note), "{said}");
}

#[test]
fn missing_values_are_refused_with_the_key_or_replaced_and_shown_to_the_network() {
    // The label says where `x` is missing, which only the indicator shows.
    let row = |i: usize| {
        let is_missing = (i * 37 % 101).is_multiple_of(3);
        let x = if is_missing {
            "NA".to_owned()
        } else {
            format!("{}.5", i % 11)
        };
        format!(
            "{x},{},{}\n",
            i % 7,
            ["there", "gone"][usize::from(is_missing)]
        )
    };
    let table = format!("x,z,y\n{}", (0..200).map(row).collect::<String>());
    let said = refusal(&table, "label = \"y\"");
    for part in [
        "column \"x\" has no value there and in",
        "other rows",
        "number = ",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let keys = "label = \"y\"\nimpute = { number = \"mean\", indicators = true }";
    let (lab, run) = trained(&table, keys, &[]);
    assert_in("accuracy", run.metric("valid", "accuracy"), 0.99..=1.0);
    assert_eq!(predicted(&lab, "x,z\n,3\n5.5,3\n"), ["gone", "there"]);
}

#[test]
fn new_rows_are_read_with_the_format_of_the_table_that_was_learnt() {
    let keys = "label = \"Sorte\"\ndelimiter = \";\"\ndecimal = \",\"";
    let (lab, run) = trained(fruit_table(";", ",", "\r\n"), keys, &[]);
    // The run is enough: the table may be gone.
    std::fs::remove_file(lab.path().join("table.csv")).unwrap();
    assert!(Path::new(&run.folder).exists());
    assert_eq!(
        predicted(&lab, "Länge cm;Gewicht kg\n3,6;10,1\n4,7;15,2\n"),
        ["Birne", "Apfel"]
    );
    // Another format is read if the header has all names in it, and only then.
    let rows = "Länge cm,Gewicht kg\n3.6,10.1\n4.7,15.2\n";
    assert_eq!(predicted(&lab, rows), ["Birne", "Apfel"]);
    for rows in ["3.6,10.1\n", "Länge cm;Gewicht kg\n3.6;10.1\n"] {
        lab.write("rows.csv", rows);
        let outcome = lab.run(&["predict", "own/a", "rows.csv"]);
        assert_eq!(outcome.code, Some(2), "{outcome:#?}");
    }
}

#[test]
fn counts_are_predicted_as_numbers_that_are_never_negative() {
    // The expected number is exp(x + ½).
    let row = |i: i32| {
        let x = f64::from(i * 37 % 120) / 40.0 - 1.0;
        format!("{x},{}\n", (x + 0.5).exp().round())
    };
    let table = format!("x,visits\n{}", (0..120).map(row).collect::<String>());
    let settings = ["loss.name=poisson", "training.num_epochs=150"];
    let keys = "label = \"visits\"\ntask = \"regression\"";
    let (lab, run) = trained(&table, keys, &settings);
    assert_in("R²", run.metric("valid", "r2"), 0.95..=1.0);
    let told = predicted(&lab, "x\n-1\n0\n1.9\n");
    let numbers: Vec<f64> = told.iter().map(|number| number.parse().unwrap()).collect();
    assert_in("exp(−½)", numbers[0], 0.3..=1.2);
    assert_in("exp(½)", numbers[1], 1.2..=2.2);
    assert_in("exp(2.4)", numbers[2], 9.5..=12.5);
}

#[test]
fn a_negative_number_is_no_count() {
    let lab = Lab::new();
    let row = |i: i32| format!("{i},{}\n", if i == 7 { -3 } else { i });
    let table = format!("x,visits\n{}", (1..=60).map(row).collect::<String>());
    lab.write("table.csv", table);
    let keys = "label = \"visits\"\ntask = \"regression\"";
    let outcome = train(&lab, "table.csv", keys, &["loss.name=poisson"]);
    assert_eq!(outcome.code, Some(2), "{outcome:#?}");
    let expected =
        "`poisson` learns counts, which are never negative, but `visits` of sample 7 is -3";
    assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
    let standardized = ["loss.name=poisson", "standardize.targets=true"];
    let outcome = train(&lab, "table.csv", keys, &standardized);
    assert_eq!(outcome.code, Some(2), "{outcome:#?}");
    let expected = "`poisson` learns counts, which must not be standardised";
    assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
}
