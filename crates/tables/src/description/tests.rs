//! Tests of descriptions.
#![allow(clippy::unwrap_used)]

use std::fs;

use super::*;

fn describe_text(text: &str, label: Option<&str>) -> TableDescription {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    fs::write(&path, text).unwrap();
    describe(&path, &FormatConfig::default(), label).unwrap()
}

/// A table of `rows` rows after a header.
fn table(header: &str, rows: usize, row: impl Fn(usize) -> String) -> String {
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!("{header}\n{}\n", rows.join("\n"))
}

fn assert_warns(description: &TableDescription, expected: &str) {
    let warnings = &description.warnings;
    assert!(
        warnings
            .iter()
            .any(|warning| warning.message.contains(expected)),
        "{expected:?} in {warnings:#?}"
    );
}

#[test]
fn columns_are_described_with_their_values() {
    let description = describe_text("a,b,c\n1,x,1.5\n3,,-2\n2,y,NA\n3,x,4\n", None);
    assert_eq!(description.rows, 4);
    let [a, b, c] = description.columns.as_slice() else {
        panic!("{:?}", description.columns)
    };
    assert_eq!(
        (a.column_type, a.missing, a.distinct),
        (ColumnType::Integer, 0, 3)
    );
    assert_eq!((a.min, a.max, a.mean), (Some(1.0), Some(3.0), Some(2.25)));
    assert_eq!(
        (b.column_type, b.missing, b.distinct),
        (ColumnType::Category, 1, 2)
    );
    assert_eq!(
        (b.min, b.examples.as_slice()),
        (None, ["x".to_owned(), "y".to_owned()].as_slice())
    );
    assert_eq!((c.column_type, c.missing), (ColumnType::Number, 1));
    assert!((c.mean.unwrap() - 3.5 / 3.0).abs() < 1e-12);
}

#[test]
fn classes_are_counted_as_numbers_or_in_alphabetic_order() {
    let classes = |text: &str| {
        let description = describe_text(text, Some("y"));
        let classes = description
            .classes
            .into_iter()
            .map(|class| (class.name, class.rows));
        classes.collect::<Vec<_>>()
    };
    let expected = [("9".to_owned(), 1), ("10".to_owned(), 3)];
    assert_eq!(classes("x,y\n1,10\n2,9\n3,10.0\n4,10\n"), expected);
    let expected = [("no".to_owned(), 1), ("yes".to_owned(), 2)];
    assert_eq!(classes("x,y\n1,yes\n2,no\n3,yes\n4,\n"), expected);
}

#[test]
fn a_label_that_is_missing_or_the_same_everywhere_is_said() {
    let description = describe_text("x,y\n1,a\n2,a\n3,?\n", Some("y"));
    assert_warns(
        &description,
        "1 row has no label \"y\". Set `missing_labels = \"drop\"`",
    );
    assert_warns(&description, "The label \"y\" is the same in all rows");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    fs::write(&path, "x,Kind\n1,a\n").unwrap();
    let error = describe(&path, &FormatConfig::default(), Some("kind"))
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with(
            "there is no column \"kind\", did you mean \"Kind\"? The columns are x, Kind"
        ),
        "{error}"
    );
}

#[test]
fn columns_that_give_the_label_away_are_found() {
    let text = table("survived,alive,sex,price,cost", 100, |row| {
        let survived = row * 7 % 10 / 6;
        let alive = if survived == 1 { "yes" } else { "no" };
        let sex = if row % 3 == 0 { "f" } else { "m" };
        format!(
            "{survived},{alive},{sex},{},{}",
            row * 13 % 97,
            2 * (row * 13 % 97) + 1
        )
    });
    let description = describe_text(&text, Some("survived"));
    assert_warns(
        &description,
        "\"alive\" gives the label \"survived\" away: its values determine 100.0 % of the labels",
    );
    let count = description
        .warnings
        .iter()
        .filter(|warning| warning.subject == Subject::Leak)
        .count();
    assert_eq!(count, 1, "{:#?}", description.warnings);
    let description = describe_text(&text, Some("cost"));
    assert_warns(
        &description,
        "\"price\" gives the label \"cost\" away: its correlation with the label is 1.000000",
    );
}

#[test]
fn row_numbers_identifiers_and_constants_are_found() {
    let text = table(",ticket,note,same,gone,x", 60, |row| {
        format!("{row},A{row},the row no {row},1,NA,{}.5", row % 7)
    });
    let description = describe_text(&text, None);
    assert_warns(
        &description,
        "\"column_1\": the numbers count up by one from row to row",
    );
    assert_warns(
        &description,
        "\"ticket\" and \"note\": almost every row has a value of its own",
    );
    assert_warns(&description, "\"gone\": all values are missing");
    assert_warns(
        &description,
        "\"same\": all values are the same. Leave such columns out with `drop = [\"same\"]`",
    );
    let types: Vec<ColumnType> = description
        .columns
        .iter()
        .map(|column| column.column_type)
        .collect();
    assert_eq!(
        types[..3],
        [
            ColumnType::Identifier,
            ColumnType::Identifier,
            ColumnType::Text
        ]
    );
}

#[test]
fn many_columns_are_dropped_by_one_complete_key() {
    let names: Vec<String> = (0..12).map(|column| format!("c{column}")).collect();
    let text = table(&names.join(","), 5, |_| ["1"; 12].join(","));
    let description = describe_text(&text, None);
    assert_warns(
        &description,
        "\"c6\", \"c7\" and 4 more: all values are the same",
    );
    assert_warns(&description, &format!("`drop = {names:?}`"));
    let half = describe_text("x,y\n1,\n2,\n3,seen\n", None);
    let is_constant = |warning: &Warning| warning.message.contains("the same");
    assert!(
        !half.warnings.iter().any(is_constant),
        "what is missing differs"
    );
}

#[test]
fn equal_rows_and_equal_columns_are_found() {
    let text = table("x,y,class,rank,z", 40, |row| {
        let (x, rank) = (row % 20, row % 20 % 3);
        let class = ["first", "second", "third"][rank];
        format!("{x}.5,{x}.50,{class},{rank},{}", row % 2)
    });
    let description = describe_text(&text, None);
    assert_warns(&description, "20 of 40 rows equal an earlier row");
    assert_warns(&description, "\"x\" and \"y\" are equal in every row");
    assert_warns(
        &description,
        "\"class\" and \"rank\" determine each other one to one",
    );
    assert_eq!(description.warnings.len(), 3, "{:#?}", description.warnings);
}

#[test]
fn cells_that_do_not_fit_their_column_are_named_with_their_line() {
    let description = describe_text("x,y\n1.5,no\n2.5,No\n3.5,yes\nred,yes\n4.5,yes\n", None);
    assert_warns(
        &description,
        "\"x\": 4 cells are numbers, 1 cell is not: \"red\" (line 5)",
    );
    let description = describe_text("x,y\n1.5,no\n2.5,No\n3.5,maybe\n4.5,maybe\n", None);
    assert_warns(
        &description,
        "\"y\": some categories are spelled almost alike: \"no\" and \"No\"",
    );
    let description = describe_text("x,y\n1.5,a\n2.5,b\n3.5,Unknown\nn/a,a\n4.5,b\n", None);
    assert_warns(
        &description,
        "\"x\": \"n/a\" may mean that the value is missing. If so, set `missing_in = { x = [\"n/a\"] }`.",
    );
    assert_warns(
        &description,
        "\"y\": \"Unknown\" may mean that the value is missing",
    );
    let description = describe_text("x,y\n1,a\n-999,b\n3,a\n-999,a\n4,b\n", None);
    assert_warns(
        &description,
        "\"x\": 2 cells are -999, far from all others (1 to 4)",
    );
}

#[test]
fn numbers_with_commas_are_found_also_with_the_other_mark_set() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    fs::write(&path, "x;y\n1,5;a\n2,25;b\n").unwrap();
    let format = FormatConfig {
        decimal: Some('.'),
        ..FormatConfig::default()
    };
    let description = describe(&path, &format, None).unwrap();
    assert_warns(
        &description,
        "\"x\": 2 numbers are written with commas, such as \"1,5\" (line 2) and \"2,25\" (line 3). Set `decimal = \",\"`.",
    );
    let description = describe_text("x,y\n\"1,234\",a\n\"12,345\",b\n", None);
    assert_warns(
        &description,
        "Write them without commas if these stand between thousands",
    );
}

#[test]
fn dates_that_can_be_read_in_two_ways_are_found() {
    let description = describe_text("d,x\n1/2/2024,1\n3/4/2024,2\n", None);
    assert_eq!(description.columns[0].column_type, ColumnType::Date);
    assert_warns(
        &description,
        "dates such as \"1/2/2024\" can be read with the day or the month first",
    );
    let description = describe_text("d,x\n1/2/2024,1\n13/4/2024,2\n", None);
    assert_eq!(description.warnings, []);
}

#[test]
fn a_first_line_that_is_open_to_doubt_is_said() {
    let description = describe_text("1.5,a\n2.5,b\n3.5,a\n", None);
    assert_warns(&description, "The first line reads like the rows below it");
    let description = describe_text("0,1,2\n0,0,1\n0,1,1\n1,0,0\n", None);
    assert_warns(
        &description,
        "The first line is taken for the header, although it holds numbers: \"0\", \"1\" and \"2\"",
    );
    let description = describe_text("A report\nx,y,z\n1,a,2\n2,b,4\n", None);
    assert_warns(&description, "Left out above the table: \"A report\"");
}

#[test]
fn large_tables_are_summarised_like_small_ones() {
    let text = table("x,y,z", 200_000, |row| {
        format!("{},{},{}", row % 1000, row % 3, row)
    });
    let description = describe_text(&text, Some("y"));
    assert_eq!(description.rows, 200_000);
    let [x, y, z] = description.columns.as_slice() else {
        panic!("{:?}", description.columns)
    };
    assert_eq!((x.distinct, y.distinct), (1000, 3));
    assert!((x.mean.unwrap() - 499.5).abs() < 1e-6);
    assert!(
        z.distinct_is_estimate && z.distinct.abs_diff(200_000) < 8000,
        "{}",
        z.distinct
    );
    let counts: Vec<u64> = description.classes.iter().map(|class| class.rows).collect();
    assert_eq!(counts, [66_667, 66_667, 66_666]);
}

#[test]
fn a_column_that_is_empty_where_the_label_is_one_value_gives_it_away() {
    let text = table("x,refund,y", 60, |row| {
        let refund = match row % 3 {
            0 => String::new(),
            _ => format!("{}.5", row * 7 % 60),
        };
        format!(
            "{row}.5,{refund},{}",
            ["yes", "no"][usize::from(row % 3 > 0)]
        )
    });
    let description = describe_text(&text, Some("y"));
    let refund = &description.columns[1];
    assert_eq!(
        refund.gives_label_away.as_deref(),
        Some("whether it has a value determines 100.0 % of the labels")
    );
    assert_eq!(description.columns[0].gives_label_away, None);
    assert_warns(&description, "\"refund\" gives the label \"y\" away");
    // Where the values and the empty cells together determine the label.
    let text = table("x,c,y", 60, |row| {
        format!(
            "{row}.5,{},{}",
            ["", "a", "b"][row % 3],
            ["p", "q", "r"][row % 3]
        )
    });
    let description = describe_text(&text, Some("y"));
    assert!(description.columns[1].gives_label_away.is_some());
}

#[test]
fn numbers_in_another_notation_are_said_with_what_to_do() {
    for (cell, advice) in [
        ("{}.5%", "end with \"%\": write them without it"),
        ("${}.5", "begin with \"$\": write them without it"),
        ("{}.5 kg", "end with \"kg\""),
        ("1'2{}", "have `'` between thousands"),
        ("({}.5)", "stand in parentheses"),
    ] {
        let row = |row: usize| format!("{},{row}", cell.replace("{}", &(10 + row).to_string()));
        let description = describe_text(&table("a,b", 60, row), None);
        assert_eq!(
            description.columns[0].useless,
            Some(Useless::OtherNotation),
            "{cell}"
        );
        assert_warns(&description, advice);
    }
    let minus = describe_text(&table("a", 20, |row| format!("\u{2212}{row}.5")), None);
    assert_eq!(minus.columns[0].column_type, ColumnType::Number);
    assert_eq!(minus.columns[0].min, Some(-19.5));
}

#[test]
fn long_classes_keep_their_text_and_examples_are_short() {
    let long = |end: &str| format!("{} {end}", "a word ".repeat(20));
    let text = table("x,y", 20, |row| {
        format!("{row},{}", long(["one", "two"][row % 2]))
    });
    let description = describe_text(&text, Some("y"));
    assert_eq!(description.classes[0].name, long("one"));
    assert_eq!(description.classes[1].name, long("two"));
    assert!(description.columns[1].examples[0].ends_with('…'));
}
