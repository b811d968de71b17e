//! Tests with mutated tables and random configurations: a row is used as it stands in the file, or there is an error.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use crate::mutations::Lcg;
use crate::{
    CategoryEncoding, ColumnType, Dates, Delimiter, Encoder, FormatConfig, HeaderLine,
    ImputeCategory, ImputeNumber, Label, LoadedTable, MissingLabels, OneOrMore, RowReader,
    TableConfig, TableTask, UnseenCategories, Values, describe,
};

const NUM_TABLES: usize = 1000;

const NAMES: [&str; 9] = [
    "id", "color", "size", "flag", "day", "patient", "weight", "price", "kind",
];

/// A table of 30 rows with columns of every type, mutated.
fn table(rng: &mut Lcg, config: &TableConfig) -> Vec<u8> {
    let Delimiter::Char(delimiter) = config.delimiter else {
        unreachable!("the tables here have a character between columns");
    };
    let quote = config.quote;
    let end = rng.choose(&["\n", "\r\n", "\r"]);
    let join = |cells: &[String]| cells.join(&delimiter.to_string());
    let mut rows = vec![join(&NAMES.map(str::to_owned))];
    // Every second table has a missing value now and then.
    let gaps = rng.choose(&[0, 1]);
    for row in 0..30 {
        let number = |rng: &mut Lcg, scale: usize| {
            let text = format!("{}.{}", rng.below(scale), rng.below(100));
            text.replace('.', &config.decimal.to_string())
        };
        let mut cells = [
            (1000 + row).to_string(),
            rng.choose(&["red", "grün", "blue"]).to_owned(),
            number(rng, 100),
            rng.choose(&["yes", "no"]).to_owned(),
            format!("2024-0{}-1{}", 1 + rng.below(9), rng.below(10)),
            format!("p{}", rng.below(6)),
            rng.below(3).to_string(),
            number(rng, 100_000),
            rng.choose(&["a", "b"]).to_owned(),
        ];
        if rng.below(20) < gaps {
            let column = rng.below(cells.len());
            cells[column] = rng.choose(&["", "NA", "?", "-999"]).to_owned();
        }
        if rng.below(20) == 0 {
            cells[1] = format!("{quote}two\n{quote}{quote}lines{quote}{quote}{quote}");
        }
        rows.push(join(&cells));
    }
    let mut bytes = rows.join(end).into_bytes();
    rng.mutate(&mut bytes);
    bytes
}

/// A configuration of such a table in which each key has its default or another value.
fn config(rng: &mut Lcg, path: &Path) -> TableConfig {
    let mut config = TableConfig::new(path, "kind");
    let is_regression = rng.below(2) == 0;
    if is_regression {
        config.task = TableTask::Regression;
        config.label = match rng.below(2) {
            0 => OneOrMore::One("price".to_owned()),
            _ => OneOrMore::More(vec!["price".to_owned(), "size".to_owned()]),
        };
    } else if rng.below(3) == 0 {
        config.positive = Some("a".to_owned());
    }
    config.delimiter = Delimiter::Char(rng.choose(&[';', '\t', '|']));
    config.quote = rng.choose(&['"', '\'']);
    config.decimal = rng.choose(&['.', ',']);
    config.header = rng.choose(&[None, Some(true)]);
    let drop = rng.choose(&["id", "i*", "id"]);
    config.drop = vec![drop.to_owned()];
    if rng.below(4) == 0 {
        let kept = ["color", "size", "d*", "flag", "price", "kind"];
        config.columns = Some(kept.map(str::to_owned).to_vec());
        config.drop.clear();
    }
    if rng.below(4) == 0 {
        let (name, column_type) = rng.choose(&[
            ("color", ColumnType::Category),
            ("size", ColumnType::Number),
            ("day", ColumnType::Date),
            ("day", ColumnType::Category),
            ("flag", ColumnType::Boolean),
            ("color", ColumnType::Presence),
            ("id", ColumnType::Integer),
        ]);
        config.types.insert(name.to_owned(), column_type);
    }
    if rng.below(4) == 0 {
        config.missing = vec![String::new(), "-999".to_owned()];
    }
    config.missing_labels = rng.choose(&[MissingLabels::Error, MissingLabels::Drop]);
    let impute = &mut config.impute;
    impute.number = rng.choose(&[
        ImputeNumber::Error,
        ImputeNumber::Mean,
        ImputeNumber::Median,
        ImputeNumber::Constant,
    ]);
    impute.category = rng.choose(&[
        ImputeCategory::Error,
        ImputeCategory::MostFrequent,
        ImputeCategory::Own,
    ]);
    if impute.number == ImputeNumber::Constant {
        impute.constant = 7.5;
    }
    let imputes = impute.number != ImputeNumber::Error || impute.category != ImputeCategory::Error;
    impute.indicators = imputes && rng.below(2) == 0;
    let categories = &mut config.categories;
    categories.encoding = rng.choose(&[CategoryEncoding::OneHot, CategoryEncoding::Ordinal]);
    categories.unseen = rng.choose(&[UnseenCategories::Error, UnseenCategories::Ignore]);
    config.dates = rng.choose(&[Dates::Number, Dates::Parts]);
    if !is_regression && rng.below(3) == 0 {
        let formulas = ["size^2", "size*price", "sin(price) + 1", "1/size"];
        config.derive = vec![rng.choose(&formulas).to_owned()];
    }
    config.weight = rng.choose(&[None, Some("weight".to_owned())]);
    config.group = rng.choose(&[None, Some("patient".to_owned())]);
    config
}

/// The line and the cells of each row of a file with a header.
fn rows_of(config: &TableConfig) -> Vec<(u64, Vec<String>)> {
    let format = FormatConfig {
        header: Some(true),
        ..config.format()
    };
    let mut reader = RowReader::open(&config.path, &format).unwrap();
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row().unwrap() {
        let cells = (0..row.len()).map(|column| row.cell(column).to_owned());
        rows.push((row.line, cells.collect()));
    }
    rows
}

/// Asserts that a loaded table has every row of its file, but for those whose label is missing and may be left out, and
/// that its numbers are those of the file.
fn check_rows(config: &TableConfig, loaded: &LoadedTable) {
    let format = FormatConfig {
        header: Some(true),
        ..config.format()
    };
    let reader = RowReader::open(&config.path, &format).unwrap();
    let place = |name: &String| reader.columns().iter().position(|c| c == name).unwrap();
    let labels: Vec<usize> = config.label.names().iter().map(place).collect();
    let has_label = |cells: &[String]| {
        let mut cells = labels.iter().map(|&label| &cells[label]);
        cells.all(|cell| !config.missing.contains(cell))
    };
    let mut rows = rows_of(config);
    let num_rows = rows.len();
    rows.retain(|(_, cells)| has_label(cells));
    assert!(rows.len() == num_rows || config.missing_labels == MissingLabels::Drop);
    assert_eq!(
        rows.len() == num_rows,
        loaded.notes.iter().all(|note| !note.contains("left out"))
    );
    let lines: Vec<u64> = rows.iter().map(|(line, _)| *line).collect();
    assert_eq!(loaded.features.lines, lines);
    match &loaded.label {
        Label::Classes { labels, names } => {
            assert_eq!(labels.len(), rows.len());
            assert!(labels.iter().all(|&class| (class as usize) < names.len()));
        }
        Label::Values { values, names } => {
            assert_eq!(values.len(), rows.len() * names.len());
            assert!(values.iter().all(|value| value.is_finite()));
        }
    }
    if let Some(groups) = &loaded.groups {
        assert_eq!(groups.len(), rows.len());
    }
    if let Some(weights) = &loaded.weights {
        assert_eq!(weights.len(), rows.len());
        assert!(
            weights
                .iter()
                .all(|weight| weight.is_finite() && *weight >= 0.0)
        );
    }
    for column in &loaded.features.columns {
        let is_number = matches!(column.column_type, ColumnType::Number | ColumnType::Integer);
        let Values::Numbers(numbers) = &column.values else {
            continue;
        };
        assert_eq!(numbers.len(), rows.len());
        let place = place(&column.name);
        for ((_, cells), number) in rows.iter().zip(numbers).filter(|_| is_number) {
            let text = cells[place].replace(config.decimal, ".");
            match config.missing.contains(&cells[place]) {
                true => assert!(number.is_nan()),
                false => assert_eq!(text.parse(), Ok(*number), "{:?}", cells[place]),
            }
        }
    }
}

#[test]
fn a_mutated_table_is_used_row_for_row_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    let mut rng = Lcg(2);
    let (mut num_encoded, mut num_refused) = (0, 0);
    for seed in 0..NUM_TABLES {
        let config = config(&mut rng, &path);
        std::fs::write(&path, table(&mut rng, &config)).unwrap();
        // Nothing here panics, whatever it says.
        let _ = describe(&path, &FormatConfig::default(), None);
        let refused = |error: &dyn std::fmt::Display| {
            let message = error.to_string();
            assert!(
                message.contains("table.csv") || message.contains('`'),
                "{message}"
            );
        };
        let loaded = match config.load() {
            Ok(loaded) => loaded,
            Err(error) => {
                refused(&error);
                num_refused += 1;
                continue;
            }
        };
        check_rows(&config, &loaded);
        let all: Vec<u32> = (0..).take(loaded.features.len()).collect();
        let encoded = Encoder::fit(&config, &loaded.features, &all)
            .and_then(|encoder| Ok((encoder.encode(&config, &loaded.features)?, encoder)));
        let (features, encoder) = match encoded {
            Ok(encoded) => encoded,
            Err(error) => {
                refused(&error);
                num_refused += 1;
                continue;
            }
        };
        let width = encoder.features().len();
        assert_eq!(features.len(), width * loaded.features.len());
        assert!(
            features.iter().all(|value| value.is_finite()),
            "table {seed}"
        );
        // The rows mean the same to `predict`.
        let text = serde_json::to_string(&encoder).unwrap();
        let stored: Encoder = serde_json::from_str(&text).unwrap();
        assert_eq!(stored, encoder);
        if loaded.features.len() == rows_of(&config).len() {
            let again = stored.read(&config, &path, HeaderLine::Yes).unwrap();
            assert_eq!(again.features, features, "table {seed}");
            assert_eq!(again.lines, loaded.features.lines);
        }
        num_encoded += 1;
    }
    assert!(
        num_encoded > 200 && num_refused > 200,
        "{num_encoded} encoded, {num_refused} refused"
    );
}
