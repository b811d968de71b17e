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

#[test]
fn numbers_that_stand_for_missing_ones_are_found_far_from_the_others() {
    let column = |value: &dyn Fn(usize) -> String| {
        let text = table("x,z", 120, |row| format!("{},{row}.5", value(row)));
        let description = describe_text(&text, None);
        let warnings = description.warnings.iter().map(ToString::to_string);
        let found = warnings.filter(|warning| warning.contains("far from all others"));
        found.collect::<Vec<_>>().join("\n")
    };
    let every_tenth = |row: usize, stand_in: &str, value: String| match row % 10 {
        3 => stand_in.to_owned(),
        _ => value,
    };
    for (found, stand_in) in [
        (
            column(&|row| every_tenth(row, "9999", format!("{}.5", row % 60))),
            "9999",
        ),
        (
            column(&|row| every_tenth(row, "-999", format!("{}.5", row as f64 - 60.0))),
            "-999",
        ),
        (
            column(&|row| every_tenth(row, "99", format!("{}", row % 6))),
            "99",
        ),
        (
            column(&|row| every_tenth(row, "1e30", format!("{}", row % 50))),
            "1e30",
        ),
        // Whatever the digits are, at either end.
        (
            column(&|row| every_tenth(row, "-200", format!("{}.5", 10 + row % 5))),
            "-200",
        ),
        (
            column(&|row| every_tenth(row, "1000", format!("{}.5", row % 60))),
            "1000",
        ),
        (
            column(&|row| every_tenth(row, "9999-12-31", format!("2021-02-{:02}", 1 + row % 28))),
            "9999-12-31",
        ),
        (
            column(&|row| every_tenth(row, "1900-01-01", format!("2021-02-{:02}", 1 + row % 28))),
            "1900-01-01",
        ),
    ] {
        assert!(
            found.contains(&format!("12 cells are {stand_in},")),
            "{found}"
        );
        assert!(
            found.contains(&format!("`missing_in = {{ x = [\"{stand_in}\"] }}`")),
            "{found}"
        );
    }
    for honest in [
        // Counts, ages, prices with a long tail, and a number that stands there once.
        column(&|row| format!("{}", row % 12)),
        column(&|row| format!("{}", 18 + row * 7 % 82)),
        column(&|row| every_tenth(row, "9999", format!("{}", (row * row) % 14_000))),
        column(&|row| {
            if row == 5 {
                "9999".to_owned()
            } else {
                format!("{}", row % 60)
            }
        }),
        column(&|row| format!("{}-02-03", 1960 + row % 60)),
        // A value that is not far enough, or stands beside one other value alone.
        column(&|row| every_tenth(row, "0", format!("{}", 20 + row % 12))),
        column(&|row| every_tenth(row, "50", "0".to_owned())),
        // Doses.
        column(&|row| ["0.01", "0.1", "1", "10", "100"][row % 5].to_owned()),
        column(&|row| ["0", "1", "10", "100"][row % 4].to_owned()),
    ] {
        assert_eq!(honest, "");
    }
}

#[test]
fn a_threshold_that_is_the_label_gives_it_away() {
    let reason = |label: &dyn Fn(usize) -> String| {
        let text = table("score,y", 400, |row| {
            format!(
                "{},{}",
                (row * 37 % 400) as f64 / 400.0,
                label(row * 37 % 400)
            )
        });
        let description = describe_text(&text, Some("y"));
        description.columns[0].gives_label_away.clone()
    };
    let named = |is_bad: bool| if is_bad { "bad" } else { "good" }.to_owned();
    assert_eq!(
        reason(&|score| named(score > 240)).as_deref(),
        Some("the values up to 0.6 are those of one class, and all others those of the other")
    );
    assert_eq!(
        reason(&|score| named((100..200).contains(&score))).as_deref(),
        Some("one class has all values from 0.25 to 0.4975, and the other none of them")
    );
    assert_eq!(
        reason(&|score| format!("{:.6}", (score as f64 / 60.0).exp())).as_deref(),
        Some("its values have the same order as the label")
    );
    // Not where one in twenty differs, where a class is rare, or where the order differs a little.
    assert_eq!(
        reason(&|score| named((score > 240) != (score % 20 == 7))),
        None
    );
    assert_eq!(reason(&|score| named(score > 390)), None);
    assert_eq!(reason(&|score| format!("{}", score ^ 15)), None);
}

#[test]
fn words_for_missing_values_are_known_beside_what_is_none() {
    let description = |words: [&str; 4]| {
        let text = table("x,y", 80, |row| {
            format!("{}.5,{}", row * 7 % 80, words[row % 4])
        });
        describe_text(&text, Some("y"))
    };
    for word in ["\\N", "[null]", "NaT", "#VALUE!", "NULL", "n/a", "1.#QNAN"] {
        let found = description(["a", "b", word, "a"]);
        assert_eq!(found.columns[1].missing_words_of_programs, [word]);
        assert_warns(&found, "may mean that the value is missing");
    }
    for word in ["\u{2014}", "not applicable", "...", "k.A."] {
        let found = description(["a", "b", word, "a"]);
        assert_warns(&found, &format!("`missing_in = {{ y = [{word:?}] }}`"));
        assert!(found.columns[1].missing_words_of_programs.is_empty());
    }
    let signs = description(["+", "-", "+", "-"]);
    assert_eq!(signs.warnings, []);
    assert_warns(
        &description(["1", "True", "0", "False"]),
        "several spellings",
    );
}

#[test]
fn rows_that_belong_together_or_come_in_time_are_said() {
    let text = table("patient_id,when,x,y", 60, |row| {
        format!(
            "{},2024-{:02}-{:02},{}.5,{}",
            row % 12,
            1 + row / 28,
            1 + row % 28,
            row * 7 % 60,
            row % 2
        )
    });
    let description = describe_text(&text, Some("y"));
    assert_warns(&description, "12 different values in 60 rows");
    assert_warns(&description, "`group = \"patient_id\"`");
    assert_warns(&description, "`split.method = \"sequential\"`");
    assert_warns(&description, "and `split.method = \"random\"`");
    // The newest rows first, with the month before the day.
    let newest_first = table("when,y", 60, |row| {
        let day = 59 - row;
        format!("{:02}/{:02}/2024,{}", 1 + day / 28, 1 + day % 28, row % 2)
    });
    let description = describe_text(&newest_first, Some("y"));
    assert_warns(&description, "sort the rows by date, the oldest first");
    for unit in [1_u64, 1000] {
        let seconds = table("t,y", 60, |row| {
            format!("{},{}", (1_700_000_000 + 60 * row as u64) * unit, row % 2)
        });
        assert_warns(
            &describe_text(&seconds, Some("y")),
            "\"t\": if these numbers are times since 1970, the rows are in their order",
        );
    }
    // Numbers of orders are no times.
    for (name, first, step) in [("order_id", 1_500_000_012_u64, 7), ("n", 2_013_001_234, 1)] {
        let orders = table(&format!("{name},y"), 60, |row| {
            format!("{},{}", first + step * row as u64, row % 2)
        });
        let warnings = describe_text(&orders, Some("y")).warnings;
        let mut subjects = warnings.iter().map(|warning| warning.subject);
        assert!(
            subjects.all(|subject| subject != Subject::DependentRows),
            "{warnings:#?}"
        );
    }
    let numbers = table("t,y", 60, |row| {
        format!("{},{}", 1_700_000 + 60 * row, row % 2)
    });
    assert_eq!(describe_text(&numbers, Some("y")).columns[0].useless, None);
    let shuffled = table("when,y", 60, |row| {
        format!("2024-02-{:02},{}", 1 + row * 11 % 28, row % 2)
    });
    let warnings = describe_text(&shuffled, Some("y")).warnings;
    assert!(
        warnings
            .iter()
            .all(|warning| warning.subject != Subject::DependentRows)
    );
}

#[test]
fn a_group_that_gives_the_label_away_is_advised_as_a_group_alone() {
    let text = table("patient_id,x,y", 120, |row| {
        format!(
            "P{},{}.5,{}",
            row % 12,
            row * 7 % 60,
            ["a", "b"][row % 12 / 6]
        )
    });
    let description = describe_text(&text, Some("y"));
    assert!(description.columns[0].may_be_group);
    assert_warns(
        &description,
        "It gives the label away: its values determine 100.0 % of the labels.",
    );
    let mut subjects = description.warnings.iter().map(|warning| warning.subject);
    assert!(subjects.all(|subject| subject != Subject::Leak));
}

#[test]
fn categories_that_look_the_same_are_said_with_what_tells_them_apart() {
    let warning = |words: [&str; 2]| {
        let text = table("s,x", 40, |row| {
            format!("{},{}.5", words[row % 2], row * 7 % 40)
        });
        let warnings = describe_text(&text, None).warnings;
        let found = warnings.iter().map(|warning| warning.message.clone());
        found.collect::<Vec<_>>().join("\n")
    };
    let accents = warning(["K\u{f6}ln", "Ko\u{308}ln"]);
    assert!(
        accents.contains("\"K\u{f6}ln\" and \"Ko\\u{308}ln\""),
        "{accents}"
    );
    let blank = warning(["A", "A\u{200b}"]);
    assert!(blank.contains("\"A\" and \"A\\u{200b}\""), "{blank}");
    let quote = warning(["l'\u{c9}toile", "l'e\u{301}toile"]);
    assert!(
        quote.contains("\"l'\u{c9}toile\" and \"l'e\\u{301}toile\""),
        "{quote}"
    );
    for words in [
        ["K\u{f6}ln", "K\u{e4}ln"],
        ["Ko\u{308}ln", "K\u{e4}ln"],
        ["o\u{308}", "\u{d7}"],
        ["o\u{308}", "\u{f8}"],
        ["S\u{f8}", "S\u{df}"],
    ] {
        assert_eq!(warning(words), "");
    }
}

#[test]
fn days_and_codes_of_a_column_are_described() {
    let text = table("day,when,zip,digits,wide,y", 60, |row| {
        let wide: String = format!("{}", 10 + row)
            .chars()
            .filter_map(|c| char::from_u32(u32::from(c) + 0xfee0))
            .collect();
        format!(
            "2024-02-{:02},2024-02-01 {:02}:30,{:05},202402{:02},{wide},{}",
            1 + row % 28,
            row % 24,
            501 + 977 * (row % 7),
            1 + row % 28,
            row % 2
        )
    });
    let description = describe_text(&text, Some("y"));
    let [day, when, zip, digits, wide, _] = description.columns.as_slice() else {
        panic!("{:?}", description.columns)
    };
    assert_eq!((day.days, day.has_times), (Some([19754.0, 19781.0]), false));
    assert!(when.has_times);
    assert!(zip.are_padded_codes && !digits.are_padded_codes);
    assert_eq!(digits.column_type, ColumnType::Integer);
    assert_eq!((digits.days, digits.has_times), (day.days, false));
    assert_eq!(wide.useless, Some(Useless::OtherNotation));
    assert_warns(&description, "have digits of another script");
}

#[test]
fn measurements_and_a_first_column_without_a_name_are_no_identifiers_of_patients() {
    let without_header = table("0,1.5,a", 60, |row| {
        format!("{},{}.5,{}", row % 12, row * 7 % 60, ["a", "b"][row % 2])
    });
    let fractions = table("id,y", 60, |row| format!("{}.5,{}", row % 12, row % 2));
    for text in [without_header, fractions] {
        let warnings = describe_text(&text, None).warnings;
        let mut subjects = warnings.iter().map(|warning| warning.subject);
        assert!(
            subjects.all(|subject| subject != Subject::DependentRows),
            "{warnings:#?}"
        );
    }
}

#[test]
fn texts_among_numbers_or_dates_are_told_from_values_of_other_columns() {
    let text = table("marker,when,dose", 60, |row| {
        let marker = match row % 20 {
            3 => "low".to_owned(),
            4 => "n.k.".to_owned(),
            _ => format!("{row}.5"),
        };
        let when = match row {
            7 => "0000-00-00".to_owned(),
            _ => format!("2024-02-{:02}", 1 + row * 11 % 28),
        };
        format!("{marker},{when},{}", ["low", "mid", "high"][row % 3])
    });
    let description = describe_text(&text, None);
    let [marker, when, dose] = description.columns.as_slice() else {
        panic!("{:?}", description.columns)
    };
    assert_eq!(marker.other_texts, ["low", "n.k."]);
    assert_eq!(marker.texts_of_other_columns, ["low"]);
    assert_eq!(marker.rows_with_other_texts, 6);
    assert_eq!(when.other_texts, ["0000-00-00"]);
    assert!(when.texts_of_other_columns.is_empty() && dose.other_texts.is_empty());
    assert_warns(&description, "`missing_in = { when = [\"0000-00-00\"] }`");
    // Among the numbers of a label too, as they may be classes.
    let text = table("x,y", 60, |row| {
        let word = |is_word: bool| {
            if is_word {
                "low".to_owned()
            } else {
                format!("{row}.5")
            }
        };
        format!("{},{}", word(row % 20 == 3), word(row % 20 == 5))
    });
    let description = describe_text(&text, Some("y"));
    assert_eq!(description.columns[0].texts_of_other_columns, ["low"]);
    // Also behind more values than are remembered.
    let text = table("x,y", 3000, |row| {
        let x = if row == 2990 {
            "bad".to_owned()
        } else {
            format!("{row}.5")
        };
        format!("{x},{}", row % 2)
    });
    assert_eq!(describe_text(&text, None).columns[0].other_texts, ["bad"]);
}

#[test]
fn dates_that_are_not_read_and_different_units_are_no_identifiers() {
    let text = table("when,w,x", 60, |row| {
        let unit = ["kg", "lb"][row % 2];
        format!(
            "2020-01-{:02} {:02}:00 Europe/Berlin,{row}{unit},{row}.5",
            1 + row % 28,
            row % 24
        )
    });
    let description = describe_text(&text, None);
    assert_eq!(description.columns[0].useless, Some(Useless::UnreadDates));
    assert_eq!(description.columns[1].useless, Some(Useless::OtherNotation));
    assert_warns(&description, "are not read as dates");
    assert_warns(
        &description,
        "different texts before or behind them, \"kg\", \"lb\"",
    );
}

#[test]
fn amounts_of_one_row_are_no_rare_classes() {
    let warns = |label: &dyn Fn(usize) -> String| {
        let text = table("x,y", 100, |row| {
            format!("{}.5,{}", row * 7 % 100, label(row))
        });
        let warnings = describe_text(&text, Some("y")).warnings;
        let mut subjects = warnings.iter().map(|warning| warning.subject);
        subjects.any(|subject| subject == Subject::RareClasses)
    };
    assert!(!warns(&|row| format!(
        "0.{}",
        if row < 5 { 10 + row } else { 0 }
    )));
    assert!(warns(&|row| format!(
        "class {}",
        if row < 1 { 1 } else { 2 + row % 2 }
    )));
}

#[test]
fn names_of_rows_as_r_writes_them_are_said() {
    let text = table("a,b", 20, |row| format!("{row},{row}.5,{}", row % 3));
    let description = describe_text(&text, None);
    assert_eq!(description.columns.len(), 3);
    assert_warns(&description, "is taken for the name of the row");
}
