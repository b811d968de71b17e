//! `csv`: a table of your own.

use std::path::PathBuf;

use emberlab_menu::{Example, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataSource, Origin};
use crate::error::DatasetError;
use crate::files::csv_table;
use crate::samples::{Features, Samples, Targets};

/// A CSV file of your own with a header line: one column is the label, the others are numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Csv {
    /// The file; a relative path starts in the current folder.
    pub path: PathBuf,
    /// Name of the column to learn.
    pub label: String,
    /// Whether the label is a class or a number (default "classification").
    #[serde(default)]
    pub task: CsvTask,
    /// The character between columns, one ASCII character (default ",").
    #[serde(default = "comma")]
    pub delimiter: char,
}

fn comma() -> char {
    ','
}

impl Example for Csv {
    fn example() -> Self {
        Self {
            path: "table.csv".into(),
            label: "class".to_owned(),
            task: CsvTask::default(),
            delimiter: comma(),
        }
    }
}

/// Whether the label of a table is a class or a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CsvTask {
    /// A class: any text. Classes are in numeric order if all are numbers, else in alphabetic order.
    #[default]
    Classification,
    /// A number.
    Regression,
}

impl DataSource for Csv {
    fn origin(&self) -> Origin {
        Origin::OwnFile
    }

    fn delimiter(&self) -> u8 {
        // `validate` checks that it is ASCII.
        self.delimiter as u8
    }

    fn validate(&self) -> Result<(), Problem> {
        let path = self.path.as_os_str();
        Problem::unless(!path.is_empty(), "path", r#""""#, "the path of a file")?;
        let label = &self.label;
        Problem::unless(!label.is_empty(), "label", r#""""#, "the name of a column")?;
        let delimiter = self.delimiter;
        Problem::unless(
            delimiter.is_ascii() && !"\"\r\n".contains(delimiter),
            "delimiter",
            format!("{delimiter:?}"),
            "one ASCII character other than a quote or a line end",
        )
    }

    /// Reads the table: features `[num_rows, num_columns - 1]`, in the order of the columns.
    fn load(&self, _: &[PathBuf], _: u64) -> Result<Samples, DatasetError> {
        let (header, rows) = csv_table::open(&self.path, DataSource::delimiter(self))?;
        let label_column = header.label_column(&self.label)?;
        let mut features = Vec::new();
        let mut class_of_row = Vec::new();
        let mut values = Vec::new();
        for row in rows {
            let row = row?;
            for column in (0..row.len()).filter(|&column| column != label_column) {
                features.push(header.number(&row, column)?);
            }
            match self.task {
                CsvTask::Classification => class_of_row.push(header.class(&row, label_column)?),
                CsvTask::Regression => values.push(header.number(&row, label_column)?),
            }
        }
        if features.is_empty() {
            return Err(header.misshapen(2, "a row of data", "the end of the file"));
        }
        let mut feature_names = header.columns();
        feature_names.remove(label_column);
        Ok(Samples {
            features: Features::Floats(features),
            targets: match self.task {
                CsvTask::Classification => classes(&class_of_row),
                CsvTask::Regression => Targets::Values(values),
            },
            input_shape: vec![feature_names.len()],
            feature_names,
        })
    }
}

/// Gives each different text a class number: in numeric order if all are numbers, else in alphabetic order.
fn classes(texts: &[String]) -> Targets {
    let mut names = texts.to_vec();
    names.sort();
    names.dedup();
    let numbers: Result<Vec<f64>, _> = names.iter().map(|name| name.parse()).collect();
    if let Ok(numbers) = numbers {
        let mut numbered: Vec<_> = numbers.into_iter().zip(names).collect();
        numbered.sort_by(|a, b| a.0.total_cmp(&b.0));
        names = numbered.into_iter().map(|(_, name)| name).collect();
    }
    let class: std::collections::HashMap<&str, u32> =
        names.iter().map(String::as_str).zip(0..).collect();
    Targets::Classes {
        labels: texts.iter().map(|text| class[text.as_str()]).collect(),
        names,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::*;

    fn load(text: &[u8], task: CsvTask, delimiter: char) -> Result<Samples, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        fs::write(&path, text).unwrap();
        let config = Csv {
            path,
            label: "y".to_owned(),
            task,
            delimiter,
        };
        config.load(&[], 0).map_err(|error| {
            error
                .to_string()
                .replace(&format!("{}/", folder.path().display()), "")
        })
    }

    #[test]
    fn columns_other_than_the_label_are_features() {
        let text = "a, y ,b\n1,cat,2.5\n-3,ant,4e1\n";
        let samples = load(text.as_bytes(), CsvTask::Classification, ',').unwrap();
        assert_eq!(samples.feature_names, ["a", "b"]);
        assert_eq!(samples.row(1), [-3.0, 40.0]);
        assert_eq!(samples.class_names().unwrap(), ["ant", "cat"]);
        assert_eq!(samples.labels().unwrap(), [1, 0]);
    }

    #[test]
    fn numbers_as_classes_are_in_numeric_order() {
        let samples = load(b"y;a\n10;1\n9;1\n10;2\n", CsvTask::Classification, ';').unwrap();
        assert_eq!(samples.class_names().unwrap(), ["9", "10"]);
        assert_eq!(samples.labels().unwrap(), [1, 0, 1]);
    }

    #[test]
    fn regression_reads_numbers() {
        let samples = load(b"a\ty\n1\t0.5\n2\t-1\n", CsvTask::Regression, '\t').unwrap();
        assert_eq!(samples.targets, Targets::Values(vec![0.5, -1.0]));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_header() {
        let samples = load(b"\xef\xbb\xbfy,a\n0,1\n", CsvTask::Classification, ',').unwrap();
        assert_eq!(samples.feature_names, ["a"]);
    }

    #[test]
    fn errors_name_line_and_column() {
        for (text, task, expected) in [
            (
                &b"a,y\n1,0\nred,1\n"[..],
                CsvTask::Classification,
                r#"t.csv, line 3, column "a" holds "red", expected a finite number"#,
            ),
            (
                b"a,y\n1,0\n,1\n",
                CsvTask::Classification,
                r#"t.csv, line 3, column "a" holds "", expected a finite number"#,
            ),
            (
                b"a,y\ninf,0\n",
                CsvTask::Classification,
                r#"t.csv, line 2, column "a" holds "inf", expected a finite number"#,
            ),
            (
                b"a,y\n1,\n",
                CsvTask::Classification,
                r#"t.csv, line 2, column "y" holds "", expected a class"#,
            ),
            (
                b"a,y\n1,x\n",
                CsvTask::Regression,
                r#"t.csv, line 2, column "y" holds "x", expected a finite number"#,
            ),
            (
                b"a,z\n1,2\n",
                CsvTask::Regression,
                r#"t.csv, line 1: there is no column "y"; the columns are a, z"#,
            ),
            (
                b"a,y\n1,2\n1\n",
                CsvTask::Regression,
                "t.csv, line 3: expected 2 columns, as in the header, found 1",
            ),
            (
                b"a,y\n1,2\n1,\xff\n",
                CsvTask::Classification,
                "t.csv, line 3: expected UTF-8 text, found other bytes in column 2",
            ),
            (
                b"y,a,a\n1,2,3\n",
                CsvTask::Regression,
                r#"t.csv, line 1: expected columns of different names, found "a" twice"#,
            ),
            (
                b"y\n1\n",
                CsvTask::Regression,
                "t.csv, line 1: expected a column beside the label, found none",
            ),
            (
                b"a,y\n",
                CsvTask::Regression,
                "t.csv, line 2: expected a row of data, found the end of the file",
            ),
        ] {
            assert_eq!(load(text, task, ',').unwrap_err(), expected);
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let config = Csv {
            path: "no/such.csv".into(),
            label: "y".to_owned(),
            task: CsvTask::Regression,
            delimiter: ',',
        };
        let message = config.load(&[], 0).unwrap_err().to_string();
        assert!(message.starts_with("no/such.csv: "), "{message}");
    }

    #[test]
    fn quotes_line_ends_and_other_alphabets_are_refused_as_delimiters() {
        for delimiter in ['→', '"', '\n'] {
            let config = Csv {
                delimiter,
                ..Csv::example()
            };
            let message = config.validate().unwrap_err().to_string();
            assert!(message.starts_with("`delimiter` is "), "{message}");
        }
    }
}
