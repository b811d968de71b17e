//! Encoders of small tables, compared with scikit-learn, and new rows that they read.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use super::*;
use crate::files::HeaderLine;
use crate::load::LoadedTable;

/// The results of `scikit_learn.py` beside this file.
const SCIKIT_LEARN: &str = include_str!("scikit_learn.json");

/// The table of `scikit_learn.py`; its last row is no training row, and has an outlier and a new category.
const TABLE: &str = "a,b,color,y\n1.5,7,red,0\nNA,8.25,Blue,1\n-2.25,NA,NA,0\n4.125,NA,green,1\n0.1,-3,red,0\n\
                     NA,1e6,Ärger,1\n1e9,5.5,violet,0\n";
const TRAINING: [u32; 6] = [0, 1, 2, 3, 4, 5];

/// A configuration of the table `t.csv` in `folder`, whose label is `y`.
fn config(folder: &Path, keys: &str) -> TableConfig {
    let path = folder.join("t.csv");
    toml::from_str(&format!("path = {path:?}\nlabel = \"y\"\n{keys}")).unwrap()
}

fn load(folder: &Path, table: &str, keys: &str) -> (TableConfig, LoadedTable) {
    fs::write(folder.join("t.csv"), table).unwrap();
    let config = config(folder, keys);
    let loaded = config.load().unwrap();
    (config, loaded)
}

/// The features of a table, row by row, with the encoder fitted on `rows`.
fn encode(table: &str, keys: &str, rows: &[u32]) -> Result<(Encoder, Vec<Vec<f64>>), String> {
    let folder = tempfile::tempdir().unwrap();
    let (config, loaded) = load(folder.path(), table, keys);
    let short = |error: TableError| {
        error
            .to_string()
            .replace(&format!("{}/", folder.path().display()), "")
    };
    let encoder = Encoder::fit(&config, &loaded.features, rows).map_err(short)?;
    let features = encoder.encode(&config, &loaded.features).map_err(short)?;
    let width = encoder.features().len();
    Ok((
        encoder,
        features.chunks(width).map(<[f64]>::to_vec).collect(),
    ))
}

fn names(encoder: &Encoder) -> Vec<String> {
    encoder
        .features()
        .into_iter()
        .map(|feature| feature.name)
        .collect()
}

fn scikit_learn(key: &str) -> Vec<Vec<f64>> {
    let all: serde_json::Value = serde_json::from_str(SCIKIT_LEARN).unwrap();
    serde_json::from_value(all[key].clone()).unwrap()
}

fn assert_close(found: &[Vec<f64>], expected: &[Vec<f64>], context: &str) {
    assert_eq!(found.len(), expected.len(), "{context}");
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.len(), expected.len(), "{context}");
        for (a, b) in found.iter().zip(expected) {
            assert!(
                (a - b).abs() <= 1e-14 * b.abs(),
                "{context}: {found:?}, expected {expected:?}"
            );
        }
    }
}

#[test]
fn missing_numbers_become_those_of_scikit_learn() {
    for strategy in ["mean", "median", "constant"] {
        let constant = if strategy == "constant" {
            ", constant = 0.5"
        } else {
            ""
        };
        let keys = format!(
            "drop = [\"color\"]\nimpute = {{ number = \"{strategy}\", indicators = true{constant} }}"
        );
        let (encoder, features) = encode(TABLE, &keys, &TRAINING).unwrap();
        assert_eq!(names(&encoder), ["a", "b", "a is missing", "b is missing"]);
        assert_close(&features, &scikit_learn(strategy), strategy);
    }
}

#[test]
fn one_hot_columns_are_those_of_scikit_learn() {
    let keys = "columns = [\"color\"]\nimpute = { category = \"most_frequent\" }\ncategories = { unseen = \"ignore\" }";
    let (encoder, features) = encode(TABLE, keys, &TRAINING).unwrap();
    assert_eq!(
        names(&encoder),
        ["color=Blue", "color=green", "color=red", "color=Ärger"]
    );
    assert!(
        encoder
            .features()
            .iter()
            .all(|feature| feature.is_indicator)
    );
    assert_close(&features, &scikit_learn("one_hot"), "one_hot");
}

#[test]
fn ordinal_numbers_are_those_of_scikit_learn() {
    let keys = "columns = [\"color\"]\nimpute = { category = \"most_frequent\" }\n\
                categories = { encoding = \"ordinal\", unseen = \"ignore\" }";
    let (encoder, features) = encode(TABLE, keys, &TRAINING).unwrap();
    assert_eq!(names(&encoder), ["color"]);
    assert_close(&features, &scikit_learn("ordinal"), "ordinal");

    let table = "x,y\n10,0\n9,1\n100,0\n9,1\n10,0\n100,1\n11,0\n";
    let keys = "types = { x = \"category\" }\ncategories = { encoding = \"ordinal\", unseen = \"ignore\" }";
    let (_, features) = encode(table, keys, &TRAINING).unwrap();
    assert_close(
        &features,
        &scikit_learn("ordinal_of_numbers"),
        "ordinal of numbers",
    );
}

#[test]
fn only_training_rows_are_looked_at() {
    let keys = "impute = { number = \"mean\", category = \"most_frequent\" }\ncategories = { unseen = \"ignore\" }";
    let (encoder, _) = encode(TABLE, keys, &TRAINING).unwrap();
    let other = TABLE.replace("1e9,5.5,violet", "-7,1e300,black");
    let (same, _) = encode(&other, keys, &TRAINING).unwrap();
    assert_eq!(encoder, same);
}

#[test]
fn a_missing_category_can_be_one_of_its_own() {
    let keys = "columns = [\"color\"]\nimpute = { category = \"own\", indicators = true }\n\
                categories = { unseen = \"ignore\" }";
    let (encoder, features) = encode(TABLE, keys, &TRAINING).unwrap();
    let expected = [
        "color=Blue",
        "color=green",
        "color=red",
        "color=Ärger",
        "color is missing",
    ];
    assert_eq!(names(&encoder), expected);
    assert_eq!(features[2], [0.0, 0.0, 0.0, 0.0, 1.0]);
    // Without a missing one among the training rows there is no such category: it is one not seen.
    let (encoder, features) = encode(TABLE, keys, &[0, 1]).unwrap();
    assert_eq!(names(&encoder), ["color=Blue", "color=red"]);
    assert_eq!(features[2], [0.0, 0.0]);
}

#[test]
fn a_value_that_nothing_replaces_is_refused_with_line_and_key() {
    assert_eq!(
        encode(TABLE, "", &TRAINING).unwrap_err(),
        "t.csv, line 3: column \"a\" has no value there and in one other row, expected one in each row; set \
         `dataset.impute.number = \"median\"`, `\"mean\"` or `\"constant\"` to replace missing ones, or `drop = \
         [\"a\"]` to leave the column out"
    );
    let message = encode(TABLE, "columns = [\"color\"]", &TRAINING).unwrap_err();
    assert!(
        message.starts_with("t.csv, line 4: column \"color\" has no value there, expected"),
        "{message}"
    );
    assert!(
        message.contains("`dataset.impute.category = \"most_frequent\"`"),
        "{message}"
    );
}

#[test]
fn a_category_that_no_training_row_has_is_refused_with_its_line() {
    let keys = "columns = [\"color\"]\nimpute = { category = \"own\" }";
    assert_eq!(
        encode(TABLE, keys, &TRAINING).unwrap_err(),
        "t.csv, line 8, column \"color\" holds \"violet\", expected one of the categories of the training rows: Blue, \
         green, red, Ärger; to accept others, set `categories.unseen = \"ignore\"`"
    );
}

#[test]
fn a_column_without_values_in_the_training_rows_is_refused() {
    for keys in [
        "impute = { number = \"median\" }",
        "impute = { number = \"constant\" }",
        "",
    ] {
        let message = encode("x,z,y\n1,NA,0\n2,NA,1\n3,5,0\n", keys, &[0, 1]).unwrap_err();
        assert_eq!(
            message,
            "t.csv: column \"z\" has no value in the training rows; `drop = [\"z\"]` leaves it out"
        );
    }
}

#[test]
fn booleans_are_0_and_1_and_not_standardised() {
    let (encoder, features) = encode("b,x,y\nTRUE,1,0\nfalse,2,1\n", "", &[0, 1]).unwrap();
    assert_eq!(features, [[1.0, 1.0], [0.0, 2.0]]);
    let is_indicator = encoder
        .features()
        .iter()
        .map(|feature| feature.is_indicator)
        .collect::<Vec<_>>();
    assert_eq!(is_indicator, [true, false]);
}

/// Python: `(date(2024, 3, 5) - date(1970, 1, 1)).days` is 19787, and its `isoweekday()` 2.
#[test]
fn dates_are_days_or_parts() {
    let table = "d,y\n2024-03-05,0\n2024-03-06,1\n";
    let (_, features) = encode(table, "", &[0, 1]).unwrap();
    assert_eq!(features, [[19787.0], [19788.0]]);
    let (encoder, features) = encode(table, "dates = \"parts\"", &[0, 1]).unwrap();
    assert_eq!(names(&encoder), ["d year", "d month", "d day", "d weekday"]);
    assert_eq!(features[0], [2024.0, 3.0, 5.0, 2.0]);
    let table = "d,y\n2024-03-05 18:00,0\n2024-03-06 06:30,1\n";
    let (encoder, features) = encode(table, "dates = \"parts\"", &[0, 1]).unwrap();
    assert_eq!(names(&encoder)[4], "d hour");
    assert_eq!(features[1], [2024.0, 3.0, 6.0, 3.0, 6.0]);
}

#[test]
fn derived_features_follow_from_the_columns_after_imputation() {
    let table = "x1,Länge cm,y\n2,0.5,0\nNA,3,1\n4,1,0\n";
    let keys =
        "derive = [\"x1*`Länge cm`\", \"x1^2\"]\nimpute = { number = \"mean\", indicators = true }";
    let (encoder, features) = encode(table, keys, &[0, 1, 2]).unwrap();
    assert_eq!(
        names(&encoder),
        ["x1", "Länge cm", "x1 is missing", "x1*`Länge cm`", "x1^2"]
    );
    assert_eq!(features[0], [2.0, 0.5, 0.0, 1.0, 4.0]);
    assert_eq!(features[1], [3.0, 3.0, 1.0, 9.0, 9.0]);
    let columns: Vec<_> = encoder
        .features()
        .iter()
        .map(|feature| feature.column)
        .collect();
    assert_eq!(columns, [Some(0), Some(1), Some(0), None, Some(0)]);
}

#[test]
fn a_derived_feature_that_cannot_be_computed_is_refused() {
    assert_eq!(
        encode("x,y\n1,0\n0,1\n", "derive = [\"log(x)\"]", &[0, 1]).unwrap_err(),
        "t.csv, line 3, column \"log(x)\" holds \"-inf\", expected a finite number; change or leave out this formula \
         in `derive`"
    );
    let message = encode("x,c,y\n1,a,0\n0,b,1\n", "derive = [\"x*c\"]", &[0, 1]).unwrap_err();
    assert_eq!(
        message,
        "`derive` is \"x*c\", expected a formula of number columns, but \"c\" is none of x"
    );
}

#[test]
fn an_encoder_is_the_same_after_json() {
    let keys = "impute = { number = \"mean\", category = \"most_frequent\", indicators = true }\n\
                derive = [\"a*b\"]\ncategories = { unseen = \"ignore\" }";
    let (encoder, _) = encode(TABLE, keys, &TRAINING).unwrap();
    let json = serde_json::to_string(&encoder).unwrap();
    assert_eq!(serde_json::from_str::<Encoder>(&json).unwrap(), encoder);
}

/// The features of new rows, by an encoder of `table`.
fn predict(
    table: &str,
    keys: &str,
    rows: &str,
    header: HeaderLine,
) -> Result<(Vec<Vec<f64>>, Vec<u64>), String> {
    let folder = tempfile::tempdir().unwrap();
    let (config, loaded) = load(folder.path(), table, keys);
    let all: Vec<u32> = (0..).take(loaded.features.len()).collect();
    let encoder = Encoder::fit(&config, &loaded.features, &all).unwrap();
    let stream = Box::new(std::io::Cursor::new(rows.to_owned()));
    let rows = encoder.read_stream(&config, Path::new("rows.csv"), stream, header);
    let rows = rows.map_err(|error| error.to_string())?;
    let width = encoder.features().len();
    Ok((
        rows.features.chunks(width).map(<[f64]>::to_vec).collect(),
        rows.lines,
    ))
}

const PREDICTED: &str = "x,color,y\n1.5,red,0\n2.5,blue,1\n3.5,red,0\n";

#[test]
fn columns_of_new_rows_are_found_by_name_in_any_order() {
    let rows = "y,id,color,x\n1,7,blue,9\n0,8,red,10.25\n";
    for header in [HeaderLine::Auto, HeaderLine::Yes] {
        let (features, lines) = predict(PREDICTED, "", rows, header).unwrap();
        assert_eq!(features, [[9.0, 1.0, 0.0], [10.25, 0.0, 1.0]]);
        assert_eq!(lines, [2, 3]);
    }
}

#[test]
fn rows_without_a_header_have_the_features_in_order() {
    for header in [HeaderLine::Auto, HeaderLine::No] {
        let (features, lines) =
            predict(PREDICTED, "", "9,blue\r\n\r\n10.25,red\r\n", header).unwrap();
        assert_eq!(features, [[9.0, 1.0, 0.0], [10.25, 0.0, 1.0]]);
        assert_eq!(lines, [1, 3]);
    }
}

#[test]
fn a_header_without_a_column_is_refused_with_its_name() {
    assert_eq!(
        predict(PREDICTED, "", "x,colour\n1,red\n", HeaderLine::Auto).unwrap_err(),
        "rows.csv: there is no column \"color\", in the first line; did you mean \"colour\"? The columns are x, colour"
    );
    let message = predict(PREDICTED, "", "a,b\n1,red\n", HeaderLine::Auto).unwrap_err();
    assert!(
        message.starts_with("rows.csv: there is no column \"x\", nor \"color\", in the"),
        "{message}"
    );
}

#[test]
fn rows_of_another_length_are_refused() {
    assert_eq!(
        predict(PREDICTED, "", "1,red,0\n", HeaderLine::Auto).unwrap_err(),
        "rows.csv, line 1: expected 2 cells, or a header with these names: x, color, found 3"
    );
}

#[test]
fn types_of_new_rows_are_those_of_the_training_rows() {
    let message = predict(PREDICTED, "", "x,color\nred,red\n", HeaderLine::Auto).unwrap_err();
    assert!(
        message.starts_with("rows.csv, line 2, column \"x\" holds \"red\", expected a number"),
        "{message}"
    );
    // Categories that look like numbers stay categories; whole numbers in training do not forbid others.
    let table = "zip,n,y\n123,1,0\n456,2,1\n";
    let keys = "types = { zip = \"category\" }";
    let (features, _) = predict(table, keys, "456,1.5\n", HeaderLine::Auto).unwrap();
    assert_eq!(features, [[0.0, 1.0, 1.5]]);
    let message = predict(table, keys, "zip,n\n789,1\n", HeaderLine::Auto).unwrap_err();
    assert!(
        message.starts_with("rows.csv, line 2, column \"zip\" holds \"789\""),
        "{message}"
    );
}

#[test]
fn names_that_could_be_values_are_no_header_unless_it_is_said() {
    let table = "0,1,2\n0,0,0\n0,1,0\n1,0,1\n1,1,0\n";
    let keys = "label = \"2\"\nheader = true";
    let predict = |rows: &str, header| {
        let keys = keys.replace("label = \"2\"\n", "");
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("t.csv"), table).unwrap();
        let mut config = config(folder.path(), &keys);
        config.label = crate::config::OneOrMore::One("2".to_owned());
        let loaded = config.load().unwrap();
        let encoder = Encoder::fit(&config, &loaded.features, &[0, 1, 2, 3]).unwrap();
        let stream = Box::new(std::io::Cursor::new(rows.to_owned()));
        let rows = encoder.read_stream(&config, Path::new("rows.csv"), stream, header);
        rows.map(|rows| rows.features)
            .map_err(|error| error.to_string())
    };
    let rows = "1,0\n0,1\n1,1\n0,0\n";
    let all = vec![1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0];
    assert_eq!(predict(rows, HeaderLine::Auto), Ok(all.clone()));
    assert_eq!(predict(rows, HeaderLine::No), Ok(all));
    // With the header "1,0" the first column is "1".
    assert_eq!(
        predict(rows, HeaderLine::Yes),
        Ok(vec![1.0, 0.0, 1.0, 1.0, 0.0, 0.0])
    );
    assert_eq!(
        predict("0,1\n1,1\n", HeaderLine::Auto).unwrap_err(),
        "rows.csv, line 1: expected `--header yes` or `--header no`, as the names of the columns could also be values, \
         found a first line that equals these names"
    );
}

#[test]
fn rows_like_those_of_a_training_file_without_header_are_read_by_place() {
    let table = "17,a,0.5,1.5\n18,b,2.5,3.5\n19,a,4.5,5.5\n";
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("t.csv"), table).unwrap();
    let mut config = config(folder.path(), "header = false\ndrop = [\"column_1\"]");
    config.label = crate::config::OneOrMore::One("column_2".to_owned());
    let loaded = config.load().unwrap();
    let encoder = Encoder::fit(&config, &loaded.features, &[0, 1, 2]).unwrap();
    let read = |rows: &str| {
        let stream = Box::new(std::io::Cursor::new(rows.to_owned()));
        let rows = encoder.read_stream(&config, Path::new("rows.csv"), stream, HeaderLine::Auto);
        rows.map(|rows| rows.features)
            .map_err(|error| error.to_string())
    };
    assert_eq!(read("20,b,6.5,7.5\n"), Ok(vec![6.5, 7.5]));
    assert_eq!(read("6.5,7.5\n"), Ok(vec![6.5, 7.5]));
    assert_eq!(
        read("20,6.5,7.5\n").unwrap_err(),
        "rows.csv, line 1: expected 2 cells or all 4 of the training file: column_3, column_4, found 3"
    );
}

#[test]
fn a_file_without_rows_is_refused() {
    let message = predict(PREDICTED, "", "x,color\n", HeaderLine::Auto).unwrap_err();
    assert_eq!(message, "rows.csv: there are no rows to predict");
}

/// An encoder of a table, which reads new rows from a file.
fn read_file(table: &str, keys: &str, rows: &str) -> Result<NewRows, String> {
    let folder = tempfile::tempdir().unwrap();
    let (config, loaded) = load(folder.path(), table, keys);
    let all: Vec<u32> = (0..).take(loaded.features.len()).collect();
    let encoder = Encoder::fit(&config, &loaded.features, &all).unwrap();
    let path = folder.path().join("rows.csv");
    fs::write(&path, rows).unwrap();
    let rows = encoder.read(&config, &path, HeaderLine::Auto);
    rows.map_err(|error| error.to_string())
}

#[test]
fn categories_of_new_rows_are_numbers_where_those_of_the_training_are() {
    let table = "code,x,y\n1,1,0\n2,2,1\n07,3,1\n";
    let keys = "types = { code = \"category\" }";
    let rows = "code,x\n1.0,1\n2.00,2\n";
    let (features, _) = predict(table, keys, rows, HeaderLine::Auto).unwrap();
    assert_eq!(features, [[0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 2.0]]);
    let message = predict(table, keys, "code,x\n7,1\n", HeaderLine::Auto).unwrap_err();
    assert!(message.contains("holds \"7\""), "{message}");
}

#[test]
fn spellings_of_one_number_are_told_apart_in_new_rows_where_the_training_does() {
    let table = "code,x,y\n1,1,0\n1.0,2,1\nred,3,1\n";
    let keys = "types = { code = \"category\" }";
    let (features, _) = predict(table, keys, "code,x\n1,1\n1.0,2\n", HeaderLine::Auto).unwrap();
    assert_eq!(features, [[1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 2.0]]);
}

#[test]
fn categories_that_are_numbers_may_have_another_decimal_mark_in_new_rows() {
    let table = "dose,x,y\n0.5,1,0\n1.5,2,1\n";
    let keys = "types = { dose = \"category\" }";
    let rows = read_file(table, keys, "dose;x\n1,5;2\n0,50;1\n").unwrap();
    assert_eq!(rows.features, [0.0, 1.0, 2.0, 1.0, 0.0, 1.0]);
}

#[test]
fn of_many_categories_that_the_training_did_not_see_the_first_are_named() {
    let keys = "categories = { unseen = \"ignore\" }";
    let cells = (0..25).map(|row| format!("2,unseen{row:02}\n"));
    let rows = format!("x,color\n{}", cells.collect::<String>());
    let rows = read_file(PREDICTED, keys, &rows).unwrap();
    let [note] = rows.notes.as_slice() else {
        panic!("{:?}", rows.notes);
    };
    assert!(note.starts_with("25 cells of \"color\""), "{note}");
    assert!(note.ends_with("\"unseen19\" (1), and 5 more"), "{note}");
}

#[test]
fn values_that_the_training_did_not_see_are_said() {
    let keys = "categories = { unseen = \"ignore\" }";
    let rows = read_file(PREDICTED, keys, "x,color\n1,RED\n2,green\n3,RED\n1e6,red\n").unwrap();
    let [numbers, colors] = rows.notes.as_slice() else {
        panic!("{:?}", rows.notes);
    };
    assert_eq!(
        colors,
        "3 cells of \"color\" hold categories that the training rows do not have, taken for none of these: \
         \"RED\" (2; is it \"red\"?), \"green\" (1)"
    );
    assert_eq!(
        numbers,
        "1 cell of \"x\" lies far outside the training rows (1.5 to 3.5), such as 1000000.0 in line 5"
    );
    let rows = read_file(PREDICTED, keys, "x,color\n0.5,red\n4.5,blue\n").unwrap();
    assert!(rows.notes.is_empty(), "{:?}", rows.notes);
}

#[test]
fn new_rows_may_have_another_delimiter_if_their_header_has_all_names() {
    for rows in [
        "x;color\n9,5;blue\n10,25;red\n",
        "color\tx\nblue\t9.5\nred\t10.25\n",
        "x,color\n9.5,blue\n10.25,red\n",
    ] {
        let rows = read_file(PREDICTED, "", rows).unwrap();
        assert_eq!(rows.features, [9.5, 1.0, 0.0, 10.25, 0.0, 1.0]);
    }
}

#[test]
fn new_rows_in_another_format_are_read_from_streams_and_without_a_header_too() {
    let two = "z,x,y\n0.1,2.5,0\n1.5,3.5,1\n2.5,4.5,0\n";
    let one = "x,y\n0.5,0\n1.5,1\n";
    for (table, rows, expected) in [
        (two, "z;x\n0,1;2,5\n", vec![0.1, 2.5]),
        (two, "2;0.1\n", vec![2.0, 0.1]),
        (two, "2,5;0,1\n", vec![2.5, 0.1]),
        (two, "2,5;0,1\n1;2\n", vec![2.5, 0.1, 1.0, 2.0]),
        (one, "foo;x\n1;2\n", vec![2.0]),
    ] {
        let (streamed, _) = predict(table, "", rows, HeaderLine::Auto).unwrap();
        assert_eq!(streamed.concat(), expected, "{rows:?}");
        assert_eq!(
            read_file(table, "", rows).unwrap().features,
            expected,
            "{rows:?}"
        );
    }
    let semicolons = two.replace(',', ";").replace('.', ",");
    let keys = "delimiter = \";\"\ndecimal = \",\"";
    assert!(predict(&semicolons, keys, "1,5\n", HeaderLine::Auto).is_err());
    let (rows, _) = predict(&semicolons, keys, "x,z\n1.5,2\n", HeaderLine::Auto).unwrap();
    assert_eq!(rows.concat(), [2.0, 1.5]);
    // A time is no row of two numbers.
    for header in [HeaderLine::Auto, HeaderLine::No] {
        assert!(predict(two, "", "12:30\n", header).is_err());
        assert!(predict(two, "", "12:30\n13:45\n", header).is_err());
    }
    let (rows, _) = predict(two, "", "z:x\n12:30\n", HeaderLine::Auto).unwrap();
    assert_eq!(rows.concat(), [12.0, 30.0]);
    let message = predict(two, "", "zz;x\n0,1;2,5\n", HeaderLine::Auto).unwrap_err();
    assert_eq!(
        message,
        "rows.csv: there is no column \"z\", in the first line (`--header no` if that is a row); the columns are zz, x"
    );
    let message = predict(two, "", "1;2;3\n4;5;6\n", HeaderLine::Auto).unwrap_err();
    assert!(
        message.contains("expected 2 cells") && !message.contains("delimiter"),
        "{message}"
    );
}

#[test]
fn the_presence_of_a_value_is_a_feature_whatever_the_value_is() {
    let table = "cabin,x,y\nC85,1,0\n,2,1\nNA,3,0\nE46,4,1\n";
    let keys = "types = { cabin = \"presence\" }";
    let (encoder, features) = encode(table, keys, &[0, 1]).unwrap();
    assert_eq!(names(&encoder), ["cabin is present", "x"]);
    assert!(encoder.features()[0].is_indicator);
    assert_eq!(features.concat(), [1.0, 1.0, 0.0, 2.0, 0.0, 3.0, 1.0, 4.0]);
    let rows = "x,cabin\n1,none of those\n2,\n";
    let (features, _) = predict(table, keys, rows, HeaderLine::Auto).unwrap();
    assert_eq!(features.concat(), [1.0, 1.0, 0.0, 2.0]);
    let message = predict(table, keys, "Cabin,X\n7,8\n", HeaderLine::Auto).unwrap_err();
    assert!(
        message.contains("there is no column \"cabin\""),
        "{message}"
    );
}

#[test]
fn missing_categories_and_dates_that_the_training_did_not_see_are_said() {
    let table = "when,color,y\n2024-03-05,red,0\n2024-03-15 12:00,blue,1\n";
    let keys =
        "dates = \"parts\"\nimpute = { category = \"own\" }\ncategories = { unseen = \"ignore\" }";
    let rows = read_file(
        table,
        keys,
        "when,color\n2031-01-01,\n2024-03-20,red\n2024-03-01,\n",
    );
    assert_eq!(
        rows.unwrap().notes,
        [
            "1 cell of \"when\" lies far outside the training rows (2024-03-05 to 2024-03-15), such as 2031-01-01 in line 2",
            "2 cells of \"color\" have no value, which each training row has, taken for none of the categories"
        ]
    );
    let keys = keys.replace("own", "most_frequent");
    let rows = read_file(table, &keys, "when,color\n2024-03-06,\n").unwrap();
    assert!(rows.notes.is_empty(), "{:?}", rows.notes);
}

#[test]
fn a_column_without_a_name_has_a_free_one_in_new_rows_too() {
    let table = "x,column_3,,y\n1,2,3,0\n4,5,6,1\n";
    let (encoder, _) = encode(table, "", &[0, 1]).unwrap();
    assert_eq!(names(&encoder), ["x", "column_3", "column_3_2"]);
    let (features, _) = predict(table, "", "x,column_3,\n7,8,9\n", HeaderLine::Auto).unwrap();
    assert_eq!(features.concat(), [7.0, 8.0, 9.0]);
}

#[test]
fn digits_are_dates_where_the_type_says_so() {
    let table = "d,y\n20240305,0\n20240306,1\n";
    let keys = "types = { d = \"date\" }";
    let (_, features) = encode(table, keys, &[0, 1]).unwrap();
    assert_eq!(features, [[19787.0], [19788.0]]);
    let (features, _) = predict(table, keys, "20240307\n", HeaderLine::Auto).unwrap();
    assert_eq!(features, [[19789.0]]);
    let (_, features) = encode(table, "", &[0, 1]).unwrap();
    assert_eq!(features[0], [20240305.0]);
}

#[test]
fn new_rows_of_r_and_with_a_delimiter_behind_each_row_are_read() {
    for rows in [
        "x,color\n1,9,blue\n2,10.25,red\n",
        "x,color\n9,blue,\n10.25,red,\n",
    ] {
        let (features, lines) = predict(PREDICTED, "", rows, HeaderLine::Auto).unwrap();
        assert_eq!(features, [[9.0, 1.0, 0.0], [10.25, 0.0, 1.0]], "{rows}");
        assert_eq!(lines, [2, 3]);
    }
}

#[test]
fn advice_about_new_rows_names_no_key_that_does_not_help_them() {
    let message = |rows: &str| predict(PREDICTED, "", rows, HeaderLine::Auto).unwrap_err();
    let unseen = message("x,color\n1,green\n");
    assert!(
        unseen.contains("`categories.unseen = \"ignore\"` in the experiment, and train again"),
        "{unseen}"
    );
    let missing = message("x,color\n,red\n");
    assert!(
        missing.ends_with("in the experiment, and train again"),
        "{missing}"
    );
    let word = message("x,color\n1,red\nold,red\n");
    assert!(
        word.ends_with("leave the cell empty") && !word.contains("missing_in"),
        "{word}"
    );
    let mark = message("x,color\n1,red\n\"1,5\",red\n");
    assert!(mark.contains("the decimal mark '.'"), "{mark}");
    let name = message("X,color\n1,red\n");
    assert!(name.contains("did you mean \"X\"?"), "{name}");
}
