//! A table of the user's own.

use std::path::{Path, PathBuf};

use csv::{ReaderBuilder, StringRecord, Trim};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{DatasetError, require};
use crate::samples::{Features, Samples, Targets};

/// A CSV file with a header line: one column is the label, all others are numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CsvConfig {
    /// The file; a relative path starts in the current folder.
    pub path: PathBuf,
    /// Name of the column to learn.
    pub label: String,
    /// Whether the label is a class or a number (default "classification").
    #[serde(default)]
    pub task: CsvTask,
    /// What stands between columns, one ASCII character (default ",").
    #[serde(default = "comma")]
    pub delimiter: char,
}

fn comma() -> char {
    ','
}

/// What the label of a table is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CsvTask {
    /// A class: any text. Classes are in numeric order if all are numbers, else in alphabetic order.
    #[default]
    Classification,
    /// A number.
    Regression,
}

impl CsvConfig {
    /// Checks every value, without reading the file.
    ///
    /// # Errors
    /// [`DatasetError::Value`] names the first key outside its range.
    pub fn validate(&self) -> Result<(), DatasetError> {
        let path = self.path.as_os_str();
        require(!path.is_empty(), "path", r#""""#, "the path of a file")?;
        require(!self.label.is_empty(), "label", r#""""#, "a column's name")?;
        self.delimiter_byte().map(|_| ())
    }

    fn delimiter_byte(&self) -> Result<u8, DatasetError> {
        let byte = u8::try_from(self.delimiter).ok();
        let usable = byte.filter(|byte| byte.is_ascii() && !b"\"\r\n".contains(byte));
        usable.ok_or_else(|| DatasetError::Value {
            key: "delimiter",
            value: format!("{:?}", self.delimiter),
            expected: "one ASCII character other than a quote or a line end".to_owned(),
        })
    }

    /// Reads the table: features `[num_rows, num_columns - 1]`, in the order of the columns.
    ///
    /// # Errors
    /// [`DatasetError::Value`] as [`validate`](Self::validate); the other errors name file, line and column
    /// of what is wrong.
    pub fn load(&self) -> Result<Samples, DatasetError> {
        self.validate()?;
        let unreadable = |source| self.unreadable(source);
        let mut reader = ReaderBuilder::new()
            .delimiter(self.delimiter_byte()?)
            .trim(Trim::All)
            .from_path(&self.path)
            .map_err(unreadable)?;
        let table = Table {
            path: &self.path,
            columns: reader.headers().map_err(unreadable)?.clone(),
        };
        let label_column = table.label_column(&self.label)?;

        let mut features = Vec::new();
        let mut texts = Vec::new();
        let mut values = Vec::new();
        for record in reader.into_records() {
            let record = record.map_err(unreadable)?;
            for column in (0..record.len()).filter(|&column| column != label_column) {
                features.push(table.number(&record, column)?);
            }
            match self.task {
                CsvTask::Classification => texts.push(table.text(&record, label_column)?),
                CsvTask::Regression => values.push(table.number(&record, label_column)?),
            }
        }
        if features.is_empty() {
            return Err(table.misshapen(2, "a row of data", "the end of the file"));
        }
        let mut feature_names: Vec<String> = table.columns.iter().map(str::to_owned).collect();
        feature_names.remove(label_column);
        Ok(Samples {
            features: Features::Floats(features),
            targets: match self.task {
                CsvTask::Classification => classes(&texts),
                CsvTask::Regression => Targets::Values(values),
            },
            input_shape: vec![feature_names.len()],
            feature_names,
        })
    }

    fn unreadable(&self, source: csv::Error) -> DatasetError {
        let path = self.path.clone();
        match source.into_kind() {
            csv::ErrorKind::Io(source) => DatasetError::Io { path, source },
            csv::ErrorKind::UnequalLengths {
                pos,
                expected_len,
                len,
            } => DatasetError::CsvShape {
                path,
                line: pos.map_or(0, |pos| pos.line()),
                expected: format!("{expected_len} columns, as in the header"),
                found: len.to_string(),
            },
            csv::ErrorKind::Utf8 { pos, err } => DatasetError::CsvShape {
                path,
                line: pos.map_or(0, |pos| pos.line()),
                expected: "UTF-8 text".to_owned(),
                found: format!("other bytes in column {}", err.field() + 1),
            },
            other => DatasetError::CsvShape {
                path,
                line: 0,
                expected: "a CSV table".to_owned(),
                found: format!("{other:?}"),
            },
        }
    }
}

/// A table's name and header, for reading its cells.
struct Table<'a> {
    path: &'a Path,
    columns: StringRecord,
}

impl Table<'_> {
    fn label_column(&self, label: &str) -> Result<usize, DatasetError> {
        let columns: Vec<&str> = self.columns.iter().collect();
        if let Some(twice) = columns
            .iter()
            .enumerate()
            .find_map(|(i, name)| columns[..i].contains(name).then_some(name))
        {
            let found = format!("{twice:?} twice");
            return Err(self.misshapen(1, "columns of different names", &found));
        }
        let position = columns.iter().position(|&column| column == label);
        let position = position.ok_or_else(|| DatasetError::CsvColumn {
            path: self.path.to_owned(),
            column: label.to_owned(),
            columns: columns.iter().map(|&column| column.to_owned()).collect(),
        })?;
        if columns.len() == 1 {
            return Err(self.misshapen(1, "a column beside the label", "none"));
        }
        Ok(position)
    }

    fn number(&self, record: &StringRecord, column: usize) -> Result<f32, DatasetError> {
        let text = &record[column];
        let number = text.parse().ok().filter(|number: &f32| number.is_finite());
        number.ok_or_else(|| self.unusable(record, column, "a finite number"))
    }

    fn text(&self, record: &StringRecord, column: usize) -> Result<String, DatasetError> {
        let text = &record[column];
        if text.is_empty() {
            return Err(self.unusable(record, column, "a class"));
        }
        Ok(text.to_owned())
    }

    fn unusable(
        &self,
        record: &StringRecord,
        column: usize,
        expected: &'static str,
    ) -> DatasetError {
        DatasetError::CsvValue {
            path: self.path.to_owned(),
            line: record.position().map_or(0, csv::Position::line),
            column: self.columns[column].to_owned(),
            value: record[column].to_owned(),
            expected,
        }
    }

    fn misshapen(&self, line: u64, expected: &str, found: &str) -> DatasetError {
        DatasetError::CsvShape {
            path: self.path.to_owned(),
            line,
            expected: expected.to_owned(),
            found: found.to_owned(),
        }
    }
}

/// Numbers the different texts in order.
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
        let config = CsvConfig {
            path,
            label: "y".to_owned(),
            task,
            delimiter,
        };
        config.load().map_err(|error| {
            error
                .to_string()
                .replace(&format!("{}/", folder.path().display()), "")
        })
    }

    #[test]
    fn columns_beside_the_label_are_features() {
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
        let config = CsvConfig {
            path: "no/such.csv".into(),
            label: "y".to_owned(),
            task: CsvTask::Regression,
            delimiter: ',',
        };
        let message = config.load().unwrap_err().to_string();
        assert!(message.starts_with("no/such.csv: "), "{message}");
    }

    #[test]
    fn delimiters_that_cannot_delimit_are_refused() {
        for delimiter in ['→', '"', '\n'] {
            let message = load(b"a,y\n1,2\n", CsvTask::Regression, delimiter).unwrap_err();
            assert!(message.starts_with("`delimiter = "), "{message}");
        }
    }
}
