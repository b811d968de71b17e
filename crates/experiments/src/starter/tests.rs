//! Tests of first experiments.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::path::PathBuf;

use emberlab_config_source::ConfigSource;
use emberlab_datasets::{ClassWeights, SplitMethod};
use emberlab_tables::{
    ColumnType, Delimiter, ImputeCategory, ImputeNumber, MissingLabels, TableConfig,
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
fn few_rows_have_no_test_split_and_rare_classes_no_stratified_one() {
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
    assert_eq!(rare.starter.config.split.method, SplitMethod::Random);
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
