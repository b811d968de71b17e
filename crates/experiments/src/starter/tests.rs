//! Tests of first experiments.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::path::PathBuf;

use emberlab_config_source::ConfigSource;
use emberlab_datasets::{ClassWeights, SplitMethod};
use emberlab_tables::{
    ColumnType, Dates, Delimiter, ImputeCategory, ImputeNumber, MissingLabels, TableConfig,
    UnseenCategories,
};

use super::*;

struct Written {
    starter: Starter,
    text: String,
    _folder: tempfile::TempDir,
}

impl Written {
    fn table(&self) -> &TableConfig {
        self.starter.config.dataset.table().unwrap()
    }
}

/// The experiment for a table, which is checked to read back and to load.
fn written(table: &str, label: &str, task: Option<TableTask>) -> Written {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my table.csv");
    std::fs::write(&path, table).unwrap();
    let starter = Starter::for_table(&path, &FormatConfig::default(), label, task).unwrap();
    let text = starter.to_toml().unwrap();
    let source = ConfigSource::new("starter.toml", text.clone());
    let read =
        ExperimentConfig::from_source(&source).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(read, starter.config, "{text}");
    starter
        .check(&[])
        .unwrap_or_else(|error| panic!("{error}\n{text}"));
    Written {
        starter,
        text,
        _folder: folder,
    }
}

fn rows(header: &str, count: usize, row: impl Fn(usize) -> String) -> String {
    let mut text = format!("{header}\n");
    for place in 0..count {
        let _ = writeln!(text, "{}", row(place));
    }
    text
}

/// A table of the shape of the passengers of the Titanic.
fn passengers() -> String {
    let header = "PassengerId,survived,pclass,Name,sex,age,Ticket,embarked,deck,alive,same";
    rows(header, 240, |row| {
        let survived = (row * 7 % 10 < 4) as u8;
        let alive = ["no", "yes"][survived as usize];
        let sex = ["male", "female"][row % 3 / 2];
        let age = if row % 5 == 0 {
            String::new()
        } else {
            format!("{}.5", row % 60)
        };
        let embarked = ["S", "C", "Q", ""][if row == 17 { 3 } else { row % 3 }];
        let deck = ["", "", "A", "B"][row % 4];
        format!(
            "{},{survived},{},\"Smith, Mr. Number {row}\",{sex},{age},A/{row},{embarked},{deck},{alive},1",
            row + 1,
            1 + row % 3
        )
    })
}

#[test]
fn words_blanks_identifiers_and_leaks_of_a_table_are_settled_by_keys() {
    let written = written(&passengers(), "survived", None);
    let (table, text) = (written.table(), &written.text);
    assert_eq!(table.drop, ["PassengerId", "Name", "Ticket", "same"]);
    assert_eq!(table.impute.number, ImputeNumber::Median);
    assert_eq!(table.impute.category, ImputeCategory::Own);
    assert_eq!(table.positive.as_deref(), Some("1"));
    assert_eq!(table.header, Some(true));
    assert_eq!(table.types["sex"], ColumnType::Category);
    assert_eq!(written.starter.config.split.method, SplitMethod::Stratified);
    assert_eq!(written.starter.config.name, "my_table");
    assert_eq!(written.starter.config.loss.name(), "bce_with_logits");
    let leak = "\"alive\" gives the label \"survived\" away";
    assert!(
        written
            .starter
            .warnings
            .iter()
            .any(|warning| warning.contains(leak))
    );
    for expected in [
        "    \"PassengerId\", # row numbers\n",
        "    \"Name\", # free text\n",
        "    \"Ticket\", # nearly every row has its own, as identifiers do\n",
        "    \"same\", # the same in all rows\n",
        "# CAREFUL: \"alive\" gives the label away: its values determine 100.0 % of the labels.",
        "[dataset.impute]\nnumber = \"median\" # missing in \"age\" (48)\n",
        "positive = \"1\" # the class whose probability is predicted",
    ] {
        assert!(text.contains(expected), "no {expected:?} in\n{text}");
    }
    for default in [
        "delimiter",
        "quote",
        "decimal",
        "checkpoint",
        "reduction",
        "scheduler",
    ] {
        assert!(!text.contains(default), "{default} in\n{text}");
    }
}

#[test]
fn a_table_without_header_is_read_by_the_places_of_its_columns() {
    let table = rows("", 60, |row| {
        format!(
            "{}, {}, {}, {}",
            row * 977 % 1000,
            row % 7,
            ["?", "a", "b"][row % 3],
            ["<=50K.", ">50K."][row % 2]
        )
    });
    let written = written(table.trim_start(), "column_4", None);
    let table = written.table();
    assert_eq!(table.header, Some(false));
    assert_eq!(table.drop, ["column_1"]);
    assert_eq!(table.impute.category, ImputeCategory::Own);
    assert!(
        written
            .text
            .contains("header = false # The first line is a row"),
        "{}",
        written.text
    );
}

#[test]
fn a_label_with_many_different_numbers_is_a_regression() {
    let table = rows("horsepower mpg name", 60, |row| {
        format!(
            "{}  {}.5   \"car {row}\"",
            if row == 3 {
                "?".to_owned()
            } else {
                row.to_string()
            },
            row % 31
        )
    });
    let automatic = written(&table, "mpg", None);
    assert_eq!(automatic.table().task, TableTask::Regression);
    assert_eq!(automatic.table().delimiter, Delimiter::Whitespace);
    assert!(automatic.starter.config.standardize.targets);
    assert_eq!(automatic.starter.config.loss.name(), "mse");
    let grades = rows("x;grade", 60, |row| format!("{row},5;{}", 3 + row % 6));
    let classes = written(&grades, "grade", None);
    assert_eq!(classes.table().task, TableTask::Classification);
    assert_eq!(classes.table().decimal, ',');
    assert_eq!(classes.table().positive, None);
    assert!(
        classes
            .starter
            .notes
            .iter()
            .any(|note| note.contains("--task regression"))
    );
    let amounts = written(&grades, "grade", Some(TableTask::Regression));
    assert_eq!(amounts.table().task, TableTask::Regression);
    let insisted = written(&table, "mpg", Some(TableTask::Classification));
    assert_eq!(insisted.table().types["mpg"], ColumnType::Category);
}

#[test]
fn missing_labels_and_rare_categories_do_not_stop_a_training() {
    let table = rows("x,town,y", 220, |row| {
        let town = if row == 100 {
            "Ys".to_owned()
        } else {
            format!("Town {}", row % 9)
        };
        format!(
            "{}.5,{town},{}",
            row % 13,
            ["yes", "no", "NA"][if row < 3 { 2 } else { row % 2 }]
        )
    });
    let written = written(&table, "y", None);
    assert_eq!(written.table().missing_labels, MissingLabels::Drop);
    assert_eq!(written.table().categories.unseen, UnseenCategories::Ignore);
    assert!(
        written
            .text
            .contains("unseen = \"ignore\" # rare categories in \"town\""),
        "{}",
        written.text
    );
    assert!(
        written
            .text
            .contains("missing_labels = \"drop\" # 3 rows have no label"),
        "{}",
        written.text
    );
    assert_eq!(written.table().positive.as_deref(), Some("yes"));
}

#[test]
fn texts_among_numbers_read_as_missing_and_are_said() {
    let table = rows("x,z,y", 100, |row| {
        format!(
            "{},{},{}",
            if row == 40 {
                "1O".to_owned()
            } else {
                format!("{row}.5")
            },
            row % 4,
            ["a", "b"][row % 2]
        )
    });
    let written = written(&table, "y", None);
    assert!(written.table().missing.contains(&"1O".to_owned()));
    assert_eq!(written.table().impute.number, ImputeNumber::Median);
    let warnings = &written.starter.warnings;
    assert!(
        warnings
            .iter()
            .any(|warning| warning.contains("\"1O\"") && warning.contains("\"x\"")),
        "{warnings:?}"
    );
}

#[test]
fn dates_that_can_be_read_in_two_ways_are_left_out() {
    let table = rows("when,x,y", 60, |row| {
        format!(
            "{}/{}/2024,{}.5,{}",
            1 + row % 9,
            1 + row % 5,
            row % 17,
            ["a", "b"][row % 2]
        )
    });
    let written = written(&table, "y", None);
    assert_eq!(written.table().drop, ["when"]);
    assert!(
        written
            .starter
            .warnings
            .iter()
            .any(|warning| warning.contains("day or the month first"))
    );
}

#[test]
fn a_column_that_counts_up_is_dropped_only_if_it_is_named_like_row_numbers() {
    let table = rows("seconds,id,y", 60, |row| {
        format!("{},{},{}", 900 + row, row + 1, ["a", "b"][row / 30])
    });
    let written = written(&table, "y", None);
    assert_eq!(written.table().drop, ["id"]);
    let warnings = &written.starter.warnings;
    let said = |warning: &String| warning.starts_with("\"seconds\" counts up by one");
    assert!(warnings.iter().any(said), "{warnings:?}");
}

#[test]
fn few_rows_have_no_test_split_and_rare_classes_a_stratified_one() {
    let few = written(
        &rows("x,y", 30, |row| format!("{row}.5,{}", ["a", "b"][row % 2])),
        "y",
        None,
    );
    assert_eq!(
        few.starter.config.split.test,
        emberlab_datasets::Amount::Rows(0)
    );
    let rare = rows("x,y", 100, |row| {
        format!(
            "{}.5,{}",
            row % 7,
            if row < 2 { "c" } else { ["a", "b"][row % 2] }
        )
    });
    let rare = written(&rare, "y", None);
    assert_eq!(rare.starter.config.split.method, SplitMethod::Stratified);
    let rarest = rare.text.replace("\n# ", " ");
    assert!(
        rarest.contains("as far as the few rows of the rarest class allow"),
        "{rarest}"
    );
    // Five rows of two classes, and more classes than a split has rows.
    let few = rows("x,y", 5, |row| format!("{row}.5,{}", ["p", "q"][row / 4]));
    let few = written(&few, "y", None).starter.config;
    assert_eq!(few.split.method, SplitMethod::Stratified);
    let many = rows("x,y", 40, |row| format!("{row}.5,c{}", row % 20));
    let many = written(&many, "y", None).starter.config;
    assert_eq!(many.split.method, SplitMethod::Random);
    // More classes than are counted.
    let many = rows("x,y", 480, |row| format!("{row}.5,c{}", row % 120));
    let many = written(&many, "y", None).starter.config;
    assert_eq!(many.split.method, SplitMethod::Random);
    assert!(
        rare.text.contains("the smallest 2: look at recall"),
        "{}",
        rare.text
    );
}

#[test]
fn a_handful_of_rows_is_one_batch() {
    let table = rows("x,y", 8, |row| format!("{row}.5,{}", ["a", "b"][row % 2]));
    let written = written(&table, "y", None);
    let batch_size = written.starter.config.training.batch_size;
    assert_eq!(batch_size, emberlab_datasets::BatchSize::Full);
}

#[test]
fn the_positive_class_follows_from_numbers_names_or_rows() {
    let positive = |names: [&str; 2], rows: [u64; 2]| {
        let class = |place: usize| emberlab_tables::ClassCount {
            name: names[place].to_owned(),
            rows: rows[place],
        };
        let classes = [class(0), class(1)];
        label::positive(&classes).unwrap().0.name.clone()
    };
    assert_eq!(positive(["1", "2"], [700, 300]), "2");
    assert_eq!(positive(["-1", "1"], [10, 90]), "1");
    assert_eq!(positive(["N", "Y"], [10, 90]), "Y");
    assert_eq!(positive(["F", "T"], [10, 90]), "T");
    // A letter says nothing without its partner.
    assert_eq!(positive(["f", "m"], [40, 60]), "f");
    assert_eq!(positive(["N", "S"], [40, 60]), "N");
    assert_eq!(positive(["cancer", "not cancer"], [540, 60]), "cancer");
    assert_eq!(
        positive(["no-recurrence-events", "recurrence-events"], [20, 90]),
        "recurrence-events"
    );
    assert_eq!(positive(["healthy", "tumour"], [10, 90]), "tumour");
    assert_eq!(positive(["B", "M"], [357, 212]), "M");
    assert_eq!(positive(["a", "b"], [5, 5]), "b");
}

#[test]
fn names_of_columns_with_any_characters_read_back() {
    let header = "\"a b\",\"c.d\",\"quote \"\"\",\"# tab\t\",é,y";
    let table = rows(header, 60, |row| {
        format!(
            "{row}.5,{}.5,{}.25,1,{},{}",
            row % 7,
            row % 5,
            row % 3,
            ["a", "b"][row % 2]
        )
    });
    let written = written(&table, "y", None);
    assert_eq!(written.table().types.len(), 4);
    assert_eq!(written.table().drop.len(), 1);
}

#[test]
fn the_types_of_many_columns_of_numbers_are_not_listed() {
    let header: Vec<String> = (0..200).map(|column| format!("x{column}")).collect();
    let table = rows(&format!("{},color,y", header.join(",")), 60, |row| {
        let cells: Vec<String> = (0..200)
            .map(|column| format!("{}.5", row * (column + 3) % 211))
            .collect();
        format!(
            "{},{},{}",
            cells.join(","),
            ["red", "blue"][row % 2],
            ["a", "b"][row / 7 % 2]
        )
    });
    let written = written(&table, "y", None);
    assert_eq!(written.table().types.keys().collect::<Vec<_>>(), ["color"]);
    assert!(
        written.text.contains("but for 200 columns of numbers"),
        "{}",
        written.text
    );
}

#[test]
fn a_label_that_teaches_nothing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let refused = |table: &str, label: &str| {
        std::fs::write(&path, table).unwrap();
        let starter = Starter::for_table(&path, &FormatConfig::default(), label, None);
        starter.unwrap_err().to_string()
    };
    assert!(refused("x,y\n1,a\n2,a\n", "y").contains("the label \"y\" is \"a\" in all rows"));
    assert!(refused("x,y\n1,\n2,\n", "y").contains("no row has a label"));
    assert!(refused("x,Y\n1,a\n2,b\n", "y").contains("did you mean \"Y\"?"));
}

#[test]
fn an_experiment_is_named_after_its_file() {
    let name = |path: &str| experiment_name(&PathBuf::from(path));
    assert_eq!(name("data/titanic.csv.gz"), "titanic");
    assert_eq!(name("my data (2).csv"), "my_data__2_");
    assert_eq!(name(".csv"), "csv");
}

#[test]
fn rare_classes_are_advised_to_be_weighed_by_a_key_that_trains() {
    for (names, count) in [
        (&["no", "yes"][..], "both classes count the same"),
        (&["a", "b", "c"], "all classes count the same"),
    ] {
        let table = rows("x,y,label", 200, |row| {
            let name = if row % 10 == 0 {
                row / 10 % (names.len() - 1) + 1
            } else {
                0
            };
            format!("{}.5,{}.25,{}", row * 7 % 90, row * 13 % 70, names[name])
        });
        let mut written = written(&table, "label", None);
        let words = written.text.replace("\n# ", " ");
        assert!(
            words.contains("`class_weights = \"balanced\"` in [training]"),
            "{words}"
        );
        assert!(words.contains(count), "{words}");
        written.starter.config.training.class_weights = Some(ClassWeights::Balanced);
        written.starter.check(&[]).unwrap();
    }
}

#[test]
fn a_text_among_numbers_stays_a_value_of_other_columns() {
    // The dose determines the class, and one of its values stands among the numbers of another column.
    let table = rows("marker,dose,y", 200, |row| {
        let marker = match row % 20 {
            3 => "low".to_owned(),
            7 => "n.k.".to_owned(),
            _ => format!("{}.5", row * 7 % 200),
        };
        let dose = ["low", "mid", "high"][row % 3];
        format!("{marker},{dose},{}", ["yes", "no"][row % 3 / 2])
    });
    let written = written(&table, "y", None);
    assert_eq!(written.table().missing_in["marker"], ["low"]);
    assert!(written.table().missing.contains(&"n.k.".to_owned()));
    assert_eq!(written.table().impute.category, ImputeCategory::Error);
    let said = "Texts among numbers or dates read as missing: \"low\", \"n.k.\" in \"marker\".";
    let warnings = &written.starter.warnings;
    assert!(
        warnings.iter().any(|warning| warning == said),
        "{warnings:?}"
    );
    // Also where it is a class of the label.
    let table = rows("marker,y", 200, |row| {
        let marker = match row % 20 {
            3 => "none".to_owned(),
            _ => format!("{}.5", row * 7 % 200),
        };
        format!("{marker},{}", ["none", "mild", "severe"][row % 3])
    });
    let table = self::written(&table, "y", None);
    assert_eq!(table.table().missing_labels, MissingLabels::Error);
}

#[test]
fn missing_categories_are_one_of_their_own_and_their_words_are_said() {
    let table = rows("garage,x,y", 200, |row| {
        let garage = [
            "Attached", "Detached", "None", "Attached", "Detached", "Attached",
        ][row % 6];
        format!(
            "{garage},{}.5,{}",
            row * 7 % 200,
            ["dear", "cheap"][usize::from(row % 6 == 2)]
        )
    });
    let written = written(&table, "y", None);
    assert_eq!(written.table().impute.category, ImputeCategory::Own);
    let notes = written.starter.notes.join("\n");
    let said = "a category of their own: \"garage\" (33); \"None\" (33) reads as missing, `--missing=` keeps it";
    assert!(notes.contains(said), "{notes}");
    // Two missing values may all be outside the training rows.
    let table = rows("port,x,y", 200, |row| {
        let port = if row % 100 == 7 {
            ""
        } else {
            ["a", "b"][row % 2]
        };
        format!("{port},{}.5,{}", row * 7 % 200, row % 3 / 2)
    });
    let few = self::written(&table, "y", None);
    assert_eq!(few.table().categories.unseen, UnseenCategories::Ignore);
}

#[test]
fn the_network_sees_where_many_numbers_are_missing() {
    let table = |flag: &dyn Fn(usize) -> &'static str| {
        rows("flag,x,y", 200, |row| {
            format!("{},{}.5,{}", flag(row), row * 7 % 200, row % 2)
        })
    };
    let flags = written(&table(&|row| ["1", ""][row % 7 / 4]), "y", None);
    assert!(flags.table().impute.indicators);
    assert!(
        flags
            .text
            .contains("indicators = true # that a value is missing"),
        "{}",
        flags.text
    );
    let few = |row: usize| match row {
        5 => "",
        _ => ["1", "2", "3.5"][row % 3],
    };
    let few = written(&table(&few), "y", None);
    assert_eq!(few.table().impute.number, ImputeNumber::Median);
    assert!(!few.table().impute.indicators);
}

#[test]
fn few_rows_of_different_numbers_and_numbers_with_fractions_are_a_regression() {
    let task = |count: usize, label: &dyn Fn(usize) -> String| {
        let table = rows("x,y", count, |row| format!("{row}.5,{}", label(row)));
        written(&table, "y", None).table().task
    };
    let price = |row: usize| format!("{}.{}", 100 + row * 37 % 91, 1 + row % 7);
    assert_eq!(task(8, &price), TableTask::Regression);
    assert_eq!(
        task(19, &|row| format!("{}", 54_000 + row * 7919 % 9973)),
        TableTask::Regression
    );
    assert_eq!(
        task(40, &|row| format!("{}.25", row % 6)),
        TableTask::Regression
    );
    assert_eq!(
        task(40, &|row| format!("{}", row % 6)),
        TableTask::Classification
    );
    assert_eq!(
        task(40, &|row| format!("{}.5", row % 6)),
        TableTask::Classification
    );
    assert_eq!(
        task(8, &|row| format!("{}", row % 2)),
        TableTask::Classification
    );
}

#[test]
fn words_of_programs_for_missing_values_read_as_missing() {
    let table = rows("x,c,y", 200, |row| {
        let x = if row % 20 == 3 {
            "#VALUE!".to_owned()
        } else {
            format!("{}.5", row * 7 % 200)
        };
        let c = ["red", "blue", "NULL"][row % 3];
        format!(
            "{x},{c},{}",
            if row % 10 == 1 {
                "\\N"
            } else {
                ["a", "b"][row / 2 % 2]
            }
        )
    });
    let written = written(&table, "y", None);
    for word in ["#VALUE!", "NULL", "\\N"] {
        assert!(written.table().missing.contains(&word.to_owned()), "{word}");
    }
    assert_eq!(written.table().missing_labels, MissingLabels::Drop);
    assert_eq!(written.table().impute.category, ImputeCategory::Own);
    let notes = written.starter.notes.join("\n");
    assert!(
        notes.contains("20 rows have no label (\"\\\\N\" reads as missing)"),
        "{notes}"
    );
    assert!(notes.contains("2 classes"), "{notes}");
}

#[test]
fn texts_among_dates_read_as_missing() {
    let table = rows("d,x,y", 100, |row| {
        let day = match row % 25 {
            3 => "0000-00-00".to_owned(),
            _ => format!("2024-02-{:02}", 1 + row * 11 % 28),
        };
        format!("{day},{}.5,{}", row * 7 % 100, row % 2)
    });
    let written = written(&table, "y", None);
    assert!(written.table().missing.contains(&"0000-00-00".to_owned()));
    assert_eq!(written.table().impute.number, ImputeNumber::Median);
}

#[test]
fn dates_with_times_or_seasons_become_parts() {
    let dates = |when: &dyn Fn(usize) -> String| {
        let table = rows("when,x,y", 120, |row| {
            format!("{},{}.5,{}", when(row), row * 7 % 90, row * 5 % 7 % 2)
        });
        let written = written(&table, "y", None);
        (written.table().dates, written.table().types["when"])
    };
    let times = |row: usize| format!("2024-02-{:02} {:02}:00", 1 + row % 20, row % 24);
    assert_eq!(dates(&times), (Dates::Parts, ColumnType::Date));
    let season = |row: usize| format!("2024-{:02}-{:02}", 1 + row % 12, 1 + row % 28);
    assert_eq!(dates(&season), (Dates::Parts, ColumnType::Date));
    let digits = |row: usize| season(row).replace('-', "");
    assert_eq!(dates(&digits), (Dates::Parts, ColumnType::Date));
    let days = |row: usize| format!("2024-02-{:02}", 1 + row * 11 % 28);
    assert_eq!(dates(&days), (Dates::Number, ColumnType::Date));
}

#[test]
fn values_that_are_left_out_say_by_their_presence() {
    let table = rows("cabin,remark,x,y", 200, |row| {
        let cabin = if row % 4 == 0 {
            format!("C{row}")
        } else {
            String::new()
        };
        let remark = if row == 7 {
            String::new()
        } else {
            format!("the row no {row}")
        };
        format!("{cabin},{remark},{}.5,{}", row * 7 % 90, row % 4 / 3)
    });
    let written = written(&table, "y", None);
    assert_eq!(written.table().types["cabin"], ColumnType::Presence);
    assert_eq!(written.table().drop, ["remark"]);
    assert!(
        written
            .text
            .contains("cabin = \"presence\" # whether there is a value; 150 of 200 are missing"),
        "{}",
        written.text
    );
}

#[test]
fn codes_are_categories_and_other_numbers_are_asked_about() {
    let table = rows("zip,store_id,age,amount,y", 1500, |row| {
        format!(
            "{:05},{},{},{},{}",
            501 + 977 * (row * 31 % 37),
            100 + row * 7 % 30,
            20 + row * 13 % 40,
            1000 + row * 7919 % 9973,
            row % 7 % 2
        )
    });
    let written = written(&table, "y", None);
    let types = &written.table().types;
    assert_eq!(types["zip"], ColumnType::Category);
    assert_eq!(types["store_id"], ColumnType::Category);
    for expected in [
        "age = \"integer\" # 40 different, 20 to 59; \"category\" if these are codes",
        "; add it to `drop` if it is an identifier\n",
    ] {
        assert!(
            written.text.contains(expected),
            "{expected}\n{}",
            written.text
        );
    }
    assert!(
        !written.text.contains("10970; \"category\""),
        "{}",
        written.text
    );
}

#[test]
fn decimal_commas_behind_the_first_rows_are_read_as_such() {
    let table = rows("a;b;y", 1600, |row| {
        let number = |factor: usize| match row {
            0..1550 => format!("{}", row * factor % 90),
            _ => format!("{},5", row * factor % 90),
        };
        format!("{};{};{}", number(7), number(11), row % 7 % 2)
    });
    let written = written(&table, "y", None);
    assert_eq!(written.table().decimal, ',');
    assert_eq!(written.table().impute.number, ImputeNumber::Error);
}

#[test]
fn categories_that_are_too_many_are_left_out_with_the_key_that_keeps_them() {
    let table = rows("city,x,y", 300, |row| {
        format!("City {},{}.5,{}", row % 60, row * 7 % 90, row % 7 % 2)
    });
    let written = written(&table, "y", None);
    let reason = "\"city\", # 60 different categories; `categories.limit = 60` would keep them";
    assert!(written.text.contains(reason), "{}", written.text);
}

#[test]
fn numbers_of_extreme_size_are_shown_with_an_exponent() {
    let table = rows("x,y", 60, |row| {
        format!("{}e-199,{}", 1 + row * 7 % 60, row % 2)
    });
    let written = written(&table, "y", None);
    assert!(
        written.text.contains("60 different, 1e-199 to 6e-198"),
        "{}",
        written.text
    );
}
