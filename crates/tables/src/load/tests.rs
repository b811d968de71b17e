//! Tables of each kind that people have, loaded or refused.
#![allow(clippy::unwrap_used)]

use std::fs;

use super::*;
use crate::columns::ColumnType;
use crate::table::Values;

fn load(table: &str, keys: &str) -> Result<LoadedTable, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    fs::write(&path, table).unwrap();
    let label = if keys.contains("label =") {
        ""
    } else {
        "label = \"y\"\n"
    };
    let config: TableConfig = toml::from_str(&format!("path = {path:?}\n{label}{keys}")).unwrap();
    let short = |error: TableError| {
        error
            .to_string()
            .replace(&format!("{}/", folder.path().display()), "")
    };
    config.load().map_err(short)
}

fn names(loaded: &LoadedTable) -> Vec<&str> {
    loaded
        .features
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect()
}

fn classes(loaded: &LoadedTable) -> (&[u32], Vec<&str>) {
    match &loaded.label {
        Label::Classes { labels, names } => (labels, names.iter().map(String::as_str).collect()),
        Label::Values { .. } => panic!("expected classes"),
    }
}

/// A table with a line for each row below the header.
fn table(header: &str, rows: impl Iterator<Item = String>) -> String {
    let lines: Vec<String> = std::iter::once(header.to_owned()).chain(rows).collect();
    lines.join("\n") + "\n"
}

#[test]
fn columns_other_than_the_label_are_features_of_their_type() {
    let text = "n,i,c,b,d,y\n1.5,1,red,yes,2024-03-05,ant\n,NA,blue,no,?,cat\n2.5,3,red,yes,2024-03-06,ant\n";
    let loaded = load(text, "").unwrap();
    let types: Vec<_> = loaded
        .features
        .columns
        .iter()
        .map(|column| column.column_type)
        .collect();
    use ColumnType::{Boolean, Category, Date, Integer, Number};
    assert_eq!(types, [Number, Integer, Category, Boolean, Date]);
    assert_eq!(loaded.features.lines, [2, 3, 4]);
    assert_eq!(classes(&loaded), (&[0, 1, 0][..], vec!["ant", "cat"]));
    let Values::Categories { codes, names } = &loaded.features.columns[2].values else {
        panic!("expected categories");
    };
    assert_eq!(
        (codes.as_slice(), names.join(",")),
        (&[Some(1), Some(0), Some(1)][..], "blue,red".into())
    );
    let Values::Numbers(days) = &loaded.features.columns[4].values else {
        panic!("expected days");
    };
    assert!(days[0] == 19787.0 && days[1].is_nan() && days[2] == 19788.0);
}

#[test]
fn a_word_among_numbers_is_refused_with_its_line_in_the_editor() {
    let text = "a,y\r\n1.5,0\r\n\r\n2.5,1\r\nred,0\r\n3.5,1\r\n";
    assert_eq!(
        load(text, "").unwrap_err(),
        "t.csv, line 5, column \"a\" holds \"red\", expected a number; if it stands for a missing value, set \
         `missing_in = { a = [\"red\"] }`; if the column holds categories, set `types = { a = \"category\" }`"
    );
    let loaded = load(text, "missing_in = { a = [\"red\"] }").unwrap();
    let Values::Numbers(numbers) = &loaded.features.columns[0].values else {
        panic!("expected numbers");
    };
    assert!(numbers[2].is_nan());
    assert!(load(text, "types = { a = \"category\" }").is_ok());
    let message = load(text, "types = { a = \"number\" }").unwrap_err();
    assert!(
        message.starts_with("t.csv, line 5, column \"a\" holds \"red\", expected a number"),
        "{message}"
    );
}

#[test]
fn a_decimal_comma_is_read_where_told_and_hinted_at_elsewhere() {
    let text = "Gewicht kg;Sorte\n10,66;Birne\n13,61;Apfel\n10,27;Birne\n";
    let keys = "label = \"Sorte\"\ndelimiter = \";\"\n";
    let message = load(text, keys).unwrap_err();
    assert!(
        message.starts_with("t.csv, line 2, column \"Gewicht kg\" holds \"10,66\""),
        "{message}"
    );
    assert!(message.contains("set `decimal = \",\"`"), "{message}");
    let loaded = load(text, &format!("{keys}decimal = \",\"")).unwrap();
    assert_eq!(
        loaded.features.columns[0].values,
        Values::Numbers(vec![10.66, 13.61, 10.27])
    );
    // The other way round.
    let message = load(&text.replace(',', "."), &format!("{keys}decimal = \",\"")).unwrap_err();
    assert!(message.contains("set `decimal = \".\"`"), "{message}");
}

#[test]
fn another_delimiter_is_named() {
    let message = load("a;b;y\n1;2;0\n2;3;1\n", "").unwrap_err();
    assert!(message.contains("delimiter = \";\""), "{message}");
}

#[test]
fn a_missing_label_is_refused_with_its_line_or_dropped() {
    for missing in ["NA", "?", ""] {
        let text = format!("x,y\n1.5,no\n2.5,{missing}\n3.5,yes\n");
        let word = match missing {
            "NA" => {
                "; to keep \"NA\" (1) as labels, set `missing = [\"\", \"N/A\", \"nan\", \"NaN\", \"null\", \"None\", \
                 \"?\"]`"
            }
            _ => "",
        };
        assert_eq!(
            load(&text, "").unwrap_err(),
            format!(
                "t.csv: 1 row without a label in column \"y\" (line 3): fill it in, or leave such rows out with \
                 `missing_labels = \"drop\"`{word}"
            )
        );
        for task in ["", "task = \"regression\"\n"] {
            let text = text.replace("no", "0").replace("yes", "1");
            let loaded = load(&text, &format!("{task}missing_labels = \"drop\"")).unwrap();
            assert_eq!(loaded.features.lines, [2, 4]);
            assert_eq!(
                loaded.features.columns[0].values,
                Values::Numbers(vec![1.5, 3.5])
            );
            assert_eq!(
                loaded.notes,
                ["1 row without a label in column \"y\" (line 3) left out"]
            );
        }
    }
    let rows = (0..9).map(|row| format!("{row}.5,{}", if row < 2 { "a" } else { "" }));
    let message = load(&table("x,y", rows), "").unwrap_err();
    assert!(
        message
            .contains("7 rows without a label in column \"y\" (lines 4, 5, 6, 7, 8, and 2 more)"),
        "{message}"
    );
    let message = load("x,y\n1,\n", "missing_labels = \"drop\"").unwrap_err();
    assert_eq!(message, "t.csv: no row has a label");
}

#[test]
fn equal_numbers_as_labels_are_one_class_with_the_shortest_spelling() {
    let text = "x,y\n1.5,1.0\n2.5,0\n3.5,1\n4.5,10\n5.5,-0\n6.5,9\n";
    let loaded = load(text, "").unwrap();
    assert_eq!(
        classes(&loaded),
        (&[1, 0, 1, 3, 0, 2][..], vec!["0", "1", "9", "10"])
    );
}

#[test]
fn whole_numbers_that_f64_cannot_tell_apart_are_classes_and_groups_of_their_own() {
    let row = |i: usize| format!("{i},90071992547409{}", 92 + i % 2);
    let text = table("x,y", (0..20).map(row));
    let loaded = load(&text, "").unwrap();
    let (labels, names) = classes(&loaded);
    assert_eq!(names, ["9007199254740992", "9007199254740993"]);
    assert_eq!(labels[..4], [0, 1, 0, 1]);
    let row = |i: usize| format!("{i},90071992547409{},{}", 92 + i % 2, i % 2);
    let text = table("x,g,y", (0..20).map(row));
    let loaded = load(&text, "group = \"g\"").unwrap();
    assert_eq!(loaded.groups.unwrap()[..4], [0, 1, 0, 1]);
}

#[test]
fn a_missing_label_that_is_a_word_is_shown_with_the_key_that_keeps_it() {
    let text = table(
        "x,y",
        (0..9).map(|i| format!("{i},{}", ["None", "Mild", ""][i % 3])),
    );
    let told = "to keep \"None\" (3) as labels, set `missing = [\"\", \"NA\", ";
    let refused = load(&text, "").unwrap_err();
    assert!(refused.contains(told), "{refused}");
    let loaded = load(&text, "missing_labels = \"drop\"").unwrap();
    assert!(loaded.notes[0].contains(told), "{:?}", loaded.notes);
}

#[test]
fn boolean_labels_stay_as_written() {
    let loaded = load("x,y\n1.5,TRUE\n2.5,FALSE\n", "").unwrap();
    assert_eq!(classes(&loaded), (&[1, 0][..], vec!["FALSE", "TRUE"]));
}

#[test]
fn the_positive_class_is_the_last_of_two() {
    let text = "x,y\n1.5,cancer\n2.5,not cancer\n3.5,cancer\n";
    let loaded = load(text, "positive = \"cancer\"").unwrap();
    assert_eq!(
        classes(&loaded),
        (&[1, 0, 1][..], vec!["not cancer", "cancer"])
    );
    assert_eq!(
        load(text, "positive = \"cancr\"").unwrap_err(),
        "`positive` is \"cancr\", expected one of the classes cancer, not cancer; did you mean \"cancer\"?"
    );
    let message = load("x,y\n1.5,a\n2.5,b\n3.5,c\n", "positive = \"a\"").unwrap_err();
    assert_eq!(
        message,
        "`positive` is \"a\", expected no value, as there are 3 classes, not two"
    );
    let numbers = load("x,y\n1.5,1.0\n2.5,2.0\n", "positive = \"1\"").unwrap();
    assert_eq!(classes(&numbers).1, ["2.0", "1.0"]);
}

#[test]
fn many_different_numbers_as_labels_are_refused_as_a_quantity() {
    let price = table(
        "x,price",
        (0..1300).map(|row| format!("{}.5,{}.25", row % 7, row * 977)),
    );
    assert_eq!(
        load(&price, "label = \"price\"").unwrap_err(),
        "t.csv: the label \"price\" holds 1300 different numbers: did you mean `task = \"regression\"`? `types = { \
         price = \"category\" }` makes each number a class"
    );
    assert!(load(&price, "label = \"price\"\ntask = \"regression\"").is_ok());
    let insisted = load(
        &price,
        "label = \"price\"\ntypes = { price = \"category\" }",
    )
    .unwrap();
    assert_eq!(classes(&insisted).1.len(), 1300);
    // 200 different whole numbers in 442 rows; 21 fractions in many rows.
    let score = table(
        "x,y",
        (0..442).map(|row| format!("{}.5,{}", row % 7, row % 200)),
    );
    assert!(
        load(&score, "")
            .unwrap_err()
            .contains("200 different numbers")
    );
    let fractions = table(
        "x,y",
        (0..1000).map(|row| format!("{}.5,{}.5", row % 7, row % 21)),
    );
    assert!(
        load(&fractions, "")
            .unwrap_err()
            .contains("21 different numbers")
    );
    // 30 whole numbers of 20 rows each are classes.
    let classes = table(
        "x,y",
        (0..600).map(|row| format!("{}.5,{}", row % 7, row % 30)),
    );
    assert!(load(&classes, "").is_ok());
}

#[test]
fn labels_that_differ_in_most_rows_are_refused() {
    let text = table(
        "x,y",
        (0..150).map(|row| format!("{}.5,name {row}", row % 7)),
    );
    let message = load(&text, "").unwrap_err();
    assert!(
        message.contains("150 different texts in 150 rows"),
        "{message}"
    );
    assert!(load(&text, "types = { y = \"category\" }").is_ok());
}

#[test]
fn columns_that_cannot_be_features_are_refused_with_the_keys_to_set() {
    let rows = (0..60).map(|row| format!("{}.5,Mr. Smith the {row}th,A{row},{}", row % 7, row % 2));
    let text = table("x,Full name,ticket,y", rows);
    assert_eq!(
        load(&text, "").unwrap_err(),
        "t.csv: \"Full name\" (60 different texts such as \"Mr. Smith the 0th\"), \"ticket\" (60 different texts such as \
         \"A0\") are neither numbers nor at most 50 categories: leave them out with `drop = [\"Full name\", \"ticket\"]`, or \
         keep them as categories with `types = { \"Full name\" = \"category\" }` and `categories.limit = 60`"
    );
    assert_eq!(
        names(&load(&text, "drop = [\"Full name\", \"tick*\"]").unwrap()),
        ["x"]
    );
    let keys = "drop = [\"ticket\"]\ntypes = { \"Full name\" = \"category\" }";
    assert!(
        load(&text, keys)
            .unwrap_err()
            .contains("60 different categories")
    );
    assert!(load(&text, &format!("{keys}\ncategories = {{ limit = 60 }}")).is_ok());
}

#[test]
fn a_column_that_numbers_the_rows_is_accepted_with_a_note() {
    let text = table(
        ",x,y",
        (0..20).map(|row| format!("{row},{}.5,{}", row % 7, row % 2)),
    );
    let loaded = load(&text, "").unwrap();
    assert_eq!(names(&loaded), ["column_1", "x"]);
    assert_eq!(
        loaded.notes,
        [
            "column \"column_1\" differs in each row as identifiers and row numbers do; `drop = [\"column_1\"]` leaves it out of the features"
        ]
    );
}

#[test]
fn large_numbers_keep_their_digits() {
    let loaded = load("t,y\n1550083467,0\n1550083468,1\n", "").unwrap();
    let Values::Numbers(numbers) = &loaded.features.columns[0].values else {
        panic!("expected numbers");
    };
    assert_eq!(numbers[1] - numbers[0], 1.0);
}

#[test]
fn columns_are_chosen_by_name_and_pattern() {
    let text = "x1,x2,z,y\n1.5,2,3,0\n2.5,3,4,1\n";
    assert_eq!(
        names(&load(text, "columns = [\"x*\"]").unwrap()),
        ["x1", "x2"]
    );
    assert_eq!(
        names(&load(text, "columns = [\"x*\", \"z\"]\ndrop = [\"x1\"]").unwrap()),
        ["x2", "z"]
    );
    let text = "length,width,y\n1.5,2,0\n2.5,3,1\n";
    for keys in [
        "drop = [\"lenght\"]",
        "columns = [\"lenght\"]",
        "types = { lenght = \"number\" }",
        "weight = \"lenght\"",
    ] {
        assert_eq!(
            load(text, keys).unwrap_err(),
            "t.csv: there is no column \"lenght\", did you mean \"length\"? The columns are length, width, y",
            "{keys}"
        );
    }
    let message = load(text, "drop = [\"length\", \"w*\"]").unwrap_err();
    assert!(
        message.starts_with("t.csv: no column is left as a feature"),
        "{message}"
    );
}

#[test]
fn several_labels_are_the_targets_of_a_regression() {
    let text = "x,y,z\n1.5,2,3\n2.5,3,4\n";
    let loaded = load(text, "label = [\"z\", \"y\"]\ntask = \"regression\"").unwrap();
    let values = vec![3.0, 2.0, 4.0, 3.0];
    let names = vec!["z".to_owned(), "y".to_owned()];
    assert_eq!(loaded.label, Label::Values { values, names });
    let message = load("x,y\n1.5,2\n2.5,red\n", "task = \"regression\"").unwrap_err();
    assert!(
        message.starts_with("t.csv, line 3, column \"y\" holds \"red\", expected a number"),
        "{message}"
    );
}

#[test]
fn weights_and_groups_are_no_features() {
    let text = "x,w,patient,y\n1.5,1,7,0\n2.5,0.5,b,1\n3.5,0,7.0,0\n";
    let loaded = load(text, "weight = \"w\"\ngroup = \"patient\"").unwrap();
    assert_eq!(names(&loaded), ["x"]);
    assert_eq!(loaded.weights, Some(vec![1.0, 0.5, 0.0]));
    assert_eq!(loaded.groups, Some(vec![0, 1, 0]));
    for (from, to, expected) in [
        (
            "0.5",
            "-1",
            "t.csv, line 3, column \"w\" holds \"-1\", expected the weight",
        ),
        (
            "0.5",
            "NA",
            "t.csv, line 3, column \"w\" holds \"NA\", expected the weight",
        ),
        (
            ",b,",
            ",?,",
            "t.csv, line 3, column \"patient\" holds \"?\", expected the group",
        ),
    ] {
        let message = load(
            &text.replace(from, to),
            "weight = \"w\"\ngroup = \"patient\"",
        )
        .unwrap_err();
        assert!(message.starts_with(expected), "{message}");
    }
    let message = load("x,w,y\n1.5,0,0\n2.5,0,1\n", "weight = \"w\"").unwrap_err();
    assert_eq!(message, "t.csv: all weights in column \"w\" are 0");
}

#[test]
fn a_first_line_with_the_label_is_the_header_though_it_looks_like_a_row() {
    let words = "red,round,y\nblue,square,a\nred,square,b\nblue,round,a\n";
    assert_eq!(names(&load(words, "").unwrap()), ["red", "round"]);
    let numbers = "3,4,5\n1.5,2,0\n2.5,3,1\n";
    assert_eq!(names(&load(numbers, "label = \"5\"").unwrap()), ["3", "4"]);
    assert_eq!(
        names(&load(numbers, "label = \"column_3\"").unwrap()),
        ["column_1", "column_2"]
    );
    let message = load(numbers, "label = \"5\"\nheader = false").unwrap_err();
    assert!(
        message.contains("set `header = true` if it holds the names"),
        "{message}"
    );
}

#[test]
fn a_table_without_rows_is_refused() {
    assert_eq!(
        load("x,y\n", "header = true").unwrap_err(),
        "t.csv: there are no rows"
    );
}

#[test]
fn dates_that_can_be_read_in_two_ways_are_refused() {
    let message = load("d,y\n1/2/2024,0\n3/4/2024,1\n", "").unwrap_err();
    assert!(
        message.contains("can be read with the day or with the month first"),
        "{message}"
    );
    let loaded = load("d,y\n1/2/2024,0\n13/4/2024,1\n", "").unwrap();
    // Python: `(date(2024, 2, 1) - date(1970, 1, 1)).days` is 19754; 13 April is 19826.
    assert_eq!(
        loaded.features.columns[0].values,
        Values::Numbers(vec![19754.0, 19826.0])
    );
}

#[test]
fn a_word_of_one_column_stays_a_category_in_another() {
    let text = "marker,dose,y\nlow,low,a\n1.5,mid,b\n2.5,high,b\n3.5,low,a\n";
    let keys = "missing_in = { marker = [\"low\"] }";
    let loaded = load(text, keys).unwrap();
    let Values::Numbers(markers) = &loaded.features.columns[0].values else {
        panic!("expected numbers");
    };
    assert!(markers[0].is_nan() && markers[1] == 1.5);
    let Values::Categories { codes, .. } = &loaded.features.columns[1].values else {
        panic!("expected categories");
    };
    assert!(codes.iter().all(Option::is_some));
    // The advice keeps what is there.
    let text = "marker,age,y\nlow,1,a\n1.5,old,b\n2.5,3,b\n3.5,4,a\n";
    let message = load(text, keys).unwrap_err();
    let advice = "missing_in = { age = [\"old\"], marker = [\"low\"] }";
    assert!(message.contains(advice), "{message}");
    assert!(load(text, advice).is_ok());
    let message = load(text, "missing_in = { marked = [\"low\"] }").unwrap_err();
    assert!(
        message.contains("there is no column \"marked\""),
        "{message}"
    );
}

#[test]
fn numbers_that_read_as_missing_do_so_in_every_spelling() {
    let text = "a,code,y\n-999,07,0\n-999.0,7,1\n-9.99e2,07,1\n5,7,0\n-998,8,1\n";
    let keys = "types = { code = \"category\" }";
    for missing in [
        "missing_in = { a = [\"-999.00\"], code = [\"7.0\"] }",
        "missing = [\"\", \"-999.00\", \"7.0\"]",
    ] {
        let loaded = load(text, &format!("{missing}\n{keys}")).unwrap();
        let [a, code] = loaded.features.columns.as_slice() else {
            panic!("{:?}", loaded.features.columns);
        };
        let are_missing =
            |column: &Column| (0..5).map(|row| column.values.is_missing(row)).collect();
        let found: [Vec<bool>; 2] = [are_missing(a), are_missing(code)];
        assert_eq!(found[0], [true, true, true, false, false]);
        // Zeros before a code tell it from a number.
        assert_eq!(found[1], [false, true, false, true, false]);
    }
}

#[test]
fn empty_cells_that_do_not_read_as_missing_are_refused_with_the_key_that_helps() {
    let text = "x,y\n1.5,0\n,1\n2.5,0\nNA,1\n3.5,1\n";
    let message = load(text, "missing = [\"NA\"]").unwrap_err();
    let advice = "missing = [\"NA\", \"\"]";
    assert!(
        message.ends_with(&format!("to read empty cells as missing, set `{advice}`")),
        "{message}"
    );
    assert!(load(text, advice).is_ok());
}

#[test]
fn a_column_whose_name_holds_a_star_is_dropped_alone() {
    let text = "note*,note_a,x,y\na,1,2,0\nb,2,3,1\n";
    assert_eq!(
        names(&load(text, "drop = [\"note*\"]").unwrap()),
        ["note_a", "x"]
    );
    assert_eq!(
        names(&load(text, "columns = [\"note*\", \"x\"]").unwrap()),
        ["note*", "x"]
    );
    let keys = "drop = [\"note*\"]\ntypes = { note_a = \"text\" }";
    let message = load(text, keys).unwrap_err();
    assert!(message.contains("`types.note_a` is \"text\""), "{message}");
    assert!(load("note,note_a,x,y\na,1,2,0\nb,2,3,1\n", keys).is_ok());
}

#[test]
fn a_title_above_two_columns_is_left_out_or_named() {
    let rows = "x,y\n1.5,0\n2.5,1\n";
    let loaded = load(&format!("Monthly export\n\n{rows}"), "").unwrap();
    assert_eq!(loaded.features.lines, [4, 5]);
    let message = load(&format!("Monthly export\n{rows}"), "").unwrap_err();
    assert_eq!(
        message,
        "t.csv: there is no column \"y\"; delete the lines above the names of the columns if they are a title; the \
         columns are Monthly export"
    );
}

#[test]
fn a_word_among_dates_is_refused_with_a_key_that_helps() {
    let rows = (1..20).map(|day| format!("2024-03-{day:02},{}", day % 2));
    let rows = ["0000-00-00,1".to_owned()].into_iter().chain(rows);
    let text = table("d,y", rows);
    let message = load(&text, "").unwrap_err();
    let advice = "missing_in = { d = [\"0000-00-00\"] }";
    assert!(message.contains(advice), "{message}");
    assert!(load(&text, advice).is_ok());
    let message = load(&text, "types = { d = \"date\" }").unwrap_err();
    assert!(message.contains(advice), "{message}");
}

#[test]
fn numbers_in_another_notation_and_dates_are_no_labels() {
    let labels = |label: &dyn Fn(usize) -> String| {
        table("x,y", (0..60).map(|row| format!("{row},{}", label(row))))
    };
    for (text, expected) in [
        (labels(&|row| format!("{row}.5%")), "end with \"%\""),
        (labels(&|row| format!("${row}")), "begin with \"$\""),
        (
            labels(&|row| format!("{}:30", row % 24)),
            "hours or minutes",
        ),
        (
            labels(&|row| format!("2024-{:02}-01", 1 + row % 12)),
            "12 different dates",
        ),
        (
            labels(&|row| format!("{row}{}", ["kg", "lb", "°C", "mg/dl"][row % 4])),
            "have different texts",
        ),
    ] {
        let message = load(&text, "").unwrap_err();
        assert!(message.contains(expected), "{message}");
        assert!(message.contains("task = \"regression\""), "{message}");
        assert!(load(&text, "types = { y = \"category\" }").is_ok());
    }
    let few = labels(&|row| format!("{}%", row % 4));
    assert!(load(&few, "").is_ok());
}

#[test]
fn numbers_with_different_endings_that_are_no_units_are_classes() {
    let ordinal = |row: usize| match 1 + row % 12 {
        1 => "1st".to_owned(),
        2 => "2nd".to_owned(),
        3 => "3rd".to_owned(),
        number => format!("{number}th"),
    };
    let school_class = |row: usize| format!("{}{}", 1 + row % 6, ["a", "b", "c", "d"][row % 4]);
    let parallel = |row: usize| format!("{}{}", 1 + row % 6, ["g", "h", "k", "l"][row % 4]);
    let labels: [&dyn Fn(usize) -> String; 3] = [&ordinal, &school_class, &parallel];
    for label in labels {
        let text = table("x,y", (0..60).map(|row| format!("{row},{}", label(row))));
        let loaded = load(&text, "").unwrap();
        assert_eq!(classes(&loaded).1.len(), 12);
    }
}

#[test]
fn labels_in_several_spellings_of_true_and_false_are_said() {
    let cells = ["1", "True", "0", "False"];
    let rows = |count: usize| (0..40).map(move |row| format!("{row},{}", cells[row % count]));
    let notes = |text: String| load(&text, "").unwrap().notes.join("\n");
    let note = notes(table("x,y", rows(4)));
    assert!(
        note.contains("true and false in several spellings"),
        "{note}"
    );
    let plain = (0..40).map(|row| format!("{row},{}", [0, 1][row % 2]));
    assert_eq!(notes(table("x,y", plain)), "");
}

#[test]
fn categories_that_are_one_number_are_one_category() {
    let text = "code,y\n1,a\n1.0,b\n2,b\n02,a\n1.00,a\n";
    let loaded = load(text, "types = { code = \"category\" }").unwrap();
    let Values::Categories { codes, names } = &loaded.features.columns[0].values else {
        panic!("expected categories");
    };
    assert_eq!(names, &["02", "1", "2"]);
    let codes: Vec<u32> = codes.iter().flatten().copied().collect();
    assert_eq!(codes, [1, 1, 2, 0, 1]);
    let loaded = load(
        "code,y\n1,a\n1.0,b\nA,b\n",
        "types = { code = \"category\" }",
    )
    .unwrap();
    let Values::Categories { names, .. } = &loaded.features.columns[0].values else {
        panic!("expected categories");
    };
    assert_eq!(names, &["1", "1.0", "A"]);
}

#[test]
fn a_header_is_no_row_because_a_label_is_named_by_its_place() {
    let text = "a,b,y\n1.5,2,x\n2.5,3,z\n3.5,4,x\n";
    let message = load(text, "label = \"column_3\"").unwrap_err();
    assert!(
        message.contains("there is no column \"column_3\"") && message.contains("a, b, y"),
        "{message}"
    );
    // A first line of numbers could be a row.
    assert!(
        load(
            "1,2,3\n4,5,6\n7,8,9\n",
            "label = \"3\"\ntask = \"regression\""
        )
        .is_ok()
    );
    let numbers = "1,2,3\n4,5,6\n7,8,9\n";
    let keys = "label = \"column_3\"\ntask = \"regression\"";
    assert_eq!(load(numbers, keys).unwrap().features.len(), 3);
}

#[test]
fn an_encoding_that_is_assumed_is_said_with_what_it_gives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    fs::write(&path, b"gr\xf6\xdfe,y\n1,a\n2,b\n").unwrap();
    let notes = TableConfig::new(&path, "y").load().unwrap().notes;
    assert_eq!(
        notes,
        [
            "the file is not in UTF-8, and is read as Windows-1252, which gives \"größe\"; if that is wrong, save the file as UTF-8"
        ]
    );
}
