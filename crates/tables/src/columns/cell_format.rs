//! How the cells of a table are written: decimal mark and missing values; and the errors of cells.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::cell::{self, Decimal, category_value};
use crate::config::TableConfig;
use crate::error::TableError;

/// How the cells of a table are written.
pub(crate) struct CellFormat {
    pub(crate) path: PathBuf,
    pub(crate) decimal: char,
    missing: MissingCells,
    /// More cells that read as missing, by column.
    missing_in: BTreeMap<String, MissingCells>,
    /// Whether the cells are those of rows to predict, whose format is that of the training.
    pub(crate) are_new: bool,
}

impl CellFormat {
    /// The format that `config` gives, for errors about the file `path`.
    pub(crate) fn new(config: &TableConfig, path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            decimal: config.decimal,
            missing: MissingCells::new(&config.missing, config.decimal),
            missing_in: (config.missing_in.iter())
                .map(|(column, texts)| (column.clone(), MissingCells::new(texts, config.decimal)))
                .collect(),
            are_new: false,
        }
    }

    /// The same format, for rows to predict: advice is about the cells, not about keys of the configuration.
    pub(crate) fn of_new_rows(config: &TableConfig, path: &Path) -> Self {
        Self {
            are_new: true,
            ..Self::new(config, path)
        }
    }

    /// Whether a cell of a column reads as missing.
    pub(crate) fn is_missing(&self, column: &str, text: &str) -> bool {
        let in_column = || self.missing_in.get(column);
        self.missing.holds(text) || in_column().is_some_and(|missing| missing.holds(text))
    }

    /// The number that a cell holds.
    pub(crate) fn number(&self, text: &str) -> Option<f64> {
        cell::number(text, self.decimal)
    }

    /// Whether a cell is a number with the other decimal mark.
    pub(crate) fn has_other_decimal_mark(&self, text: &str) -> bool {
        cell::number(text, self.other_decimal_mark()).is_some() && self.number(text).is_none()
    }

    /// The decimal mark that the file is not read with.
    pub(crate) fn other_decimal_mark(&self) -> char {
        match self.decimal {
            '.' => ',',
            _ => '.',
        }
    }

    /// The error of a cell.
    pub(crate) fn error(
        &self,
        line: u64,
        column: &str,
        text: &str,
        expected: impl Into<String>,
    ) -> TableError {
        TableError::Cell {
            path: self.path.clone(),
            line,
            column: column.to_owned(),
            value: shortened(text),
            expected: expected.into(),
        }
    }

    /// The expected content where a number should be in a column, with the key that makes `text` acceptable.
    pub(crate) fn instead_of_number(&self, column: &str, text: &str) -> String {
        let mark = self.other_decimal_mark();
        if self.are_new && (cell::is_like_thousands(text) || self.has_other_decimal_mark(text)) {
            let decimal = self.decimal;
            return format!(
                "a number with the decimal mark {decimal:?}, as in the training, and no other mark"
            );
        }
        if cell::is_like_thousands(text) && self.decimal == '.' {
            return "a number without marks between thousands; if the comma is the decimal mark, set \
                    `decimal = \",\"`"
                .to_owned();
        }
        if self.has_other_decimal_mark(text) {
            return format!(
                "a number; if {mark:?} is the decimal mark, set `decimal = \"{mark}\"`"
            );
        }
        if text.is_empty() && self.are_new {
            return "a number".to_owned();
        }
        format!("a number{}", self.or_missing(column, text))
    }

    /// The key that makes `text` a missing value of a column, as the end of a sentence. Other columns keep the text as
    /// a value.
    pub(crate) fn or_missing(&self, column: &str, text: &str) -> String {
        if self.are_new {
            return "; if it stands for a missing value, leave the cell empty".to_owned();
        }
        if text.is_empty() {
            let mut missing = self.missing.texts.clone();
            missing.push(String::new());
            return format!("; to read empty cells as missing, set `missing = {missing:?}`");
        }
        let texts_of =
            |(column, missing): (&String, &MissingCells)| (column.clone(), missing.texts.clone());
        let mut missing_in: BTreeMap<String, Vec<String>> =
            self.missing_in.iter().map(texts_of).collect();
        let texts = missing_in.entry(column.to_owned()).or_default();
        texts.push(shortened(text));
        let missing_in: Vec<String> = missing_in
            .iter()
            .map(|(column, texts)| format!("{} = {texts:?}", toml_key(column)))
            .collect();
        format!(
            "; if it stands for a missing value, set `missing_in = {{ {} }}`",
            missing_in.join(", ")
        )
    }
}

/// Cells that read as missing. Numbers are compared by value, as pandas does: with -999, -999.0 is missing too.
#[derive(Debug, Clone)]
pub(crate) struct MissingCells {
    texts: Vec<String>,
    numbers: Vec<Decimal>,
    decimal: char,
}

impl MissingCells {
    /// From the cells as written, with `decimal` as their decimal mark.
    pub(crate) fn new(texts: &[String], decimal: char) -> Self {
        let value = |text: &String| category_value(text, decimal);
        Self {
            texts: texts.to_vec(),
            numbers: texts.iter().filter_map(value).collect(),
            decimal,
        }
    }

    /// Whether a cell reads as missing.
    pub(crate) fn holds(&self, text: &str) -> bool {
        let has_value = || {
            let value = category_value(text, self.decimal);
            value.is_some_and(|value| self.numbers.contains(&value))
        };
        self.texts.iter().any(|missing| missing == text) || !self.numbers.is_empty() && has_value()
    }
}

/// Whether a text that reads as missing, such as `None` or `NA`, could be a name of something.
pub(crate) fn is_word(text: &str) -> bool {
    text.contains(char::is_alphabetic)
}

/// A text for a message, of at most 60 characters.
pub(crate) fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The name of a column as a key of TOML.
pub(crate) fn toml_key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    match !name.is_empty() && name.chars().all(is_bare) {
        true => name.to_owned(),
        false => format!("{name:?}"),
    }
}
