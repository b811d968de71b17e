//! The configuration of a table, as written in TOML.

mod validate;

use std::collections::BTreeMap;
use std::path::PathBuf;

use emberlab_menu::Example;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::columns::ColumnType;
use crate::format::Delimiter;

/// A table of your own: CSV and its relatives, also gzipped, or NumPy arrays. One column is the label; the others
/// are features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableConfig {
    /// The file; a relative path starts in the current folder.
    pub path: PathBuf,
    /// Name of the column to learn, or a list of columns for a regression with several targets.
    pub label: OneOrMore,
    /// Whether the label is a class or a number (default "classification").
    #[serde(default)]
    pub task: TableTask,
    /// Whether the first line holds the names of the columns (default: detected). Without a header the columns are
    /// named `column_1`, `column_2`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// The character between columns, or "tab", or "whitespace" for any number of blanks and tabs (default ",").
    #[serde(default)]
    pub delimiter: Delimiter,
    /// The character around cells that contain a delimiter (default `"`).
    #[serde(default = "double_quote", skip_serializing_if = "is_double_quote")]
    pub quote: char,
    /// The decimal mark of numbers, "." or "," (default ".").
    #[serde(default = "point", skip_serializing_if = "is_point")]
    pub decimal: char,
    /// The columns to use as features: names, or patterns with `*` for any characters (default: all but the label). A
    /// pattern that is the name of a column stands for that column alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// Columns to leave out: names, or patterns with `*` for any characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<String>,
    /// The type of a column, where the type that is found is wrong.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub types: BTreeMap<String, ColumnType>,
    /// Cells that read as missing (default "", "NA", "N/A", "nan", "NaN", "null", "None" and "?"). Numbers are compared by
    /// value: with "-999", -999.0 is missing too.
    #[serde(default = "missing", skip_serializing_if = "is_default_missing")]
    pub missing: Vec<String>,
    /// More cells that read as missing, in one column each, such as `{ dose = ["low"] }`. In other columns they are
    /// values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub missing_in: BTreeMap<String, Vec<String>>,
    /// The treatment of rows whose label is missing (default "error").
    #[serde(default, skip_serializing_if = "is_default")]
    pub missing_labels: MissingLabels,
    /// What replaces missing values of features.
    #[serde(default, skip_serializing_if = "is_default")]
    pub impute: Impute,
    /// How categories become numbers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub categories: Categories,
    /// How dates become numbers (default "number").
    #[serde(default, skip_serializing_if = "is_default")]
    pub dates: Dates,
    /// Features computed from the number columns, such as "x1*x2", "x1^2" or "sin(x1)".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub derive: Vec<String>,
    /// Of two classes, the one whose probability is predicted (default: the last in numeric or alphabetic order).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<String>,
    /// A column with the weight of each row in the loss; not negative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
    /// A column whose equal values mark rows that belong together, such as a patient: they stay in one split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

impl TableConfig {
    /// A table with the column `label` to learn, and every other key at its default.
    pub fn new(path: impl Into<PathBuf>, label: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            label: OneOrMore::One(label.into()),
            task: TableTask::default(),
            header: None,
            delimiter: Delimiter::default(),
            quote: double_quote(),
            decimal: point(),
            columns: None,
            drop: Vec::new(),
            types: BTreeMap::new(),
            missing: missing(),
            missing_in: BTreeMap::new(),
            missing_labels: MissingLabels::default(),
            impute: Impute::default(),
            categories: Categories::default(),
            dates: Dates::default(),
            derive: Vec::new(),
            positive: None,
            weight: None,
            group: None,
        }
    }
}

impl Example for TableConfig {
    fn example() -> Self {
        Self::new("table.csv", "class")
    }
}

/// The name of one column, or a list of names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "the name of a column, or a list of names")]
pub enum OneOrMore {
    /// One column.
    One(String),
    /// Several columns.
    More(Vec<String>),
}

impl OneOrMore {
    /// The names.
    pub fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::More(names) => names,
        }
    }
}

/// Whether the label of a table is a class or a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TableTask {
    /// A class: any text. Classes are in numeric order if all are numbers, else in alphabetic order.
    #[default]
    Classification,
    /// A number.
    Regression,
}

/// The treatment of rows whose label is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingLabels {
    /// They are an error, which names the rows.
    #[default]
    Error,
    /// They are left out, and a note says so.
    Drop,
}

/// What replaces missing values of features. The values are computed from the training rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Impute {
    /// For numbers, booleans and dates (default "error").
    #[serde(skip_serializing_if = "is_default")]
    pub number: ImputeNumber,
    /// For categories (default "error").
    #[serde(skip_serializing_if = "is_default")]
    pub category: ImputeCategory,
    /// The number that `number = "constant"` puts in (default 0).
    #[serde(skip_serializing_if = "is_default")]
    pub constant: f64,
    /// Whether each feature that misses values in the training rows gets a second column, 1 where it was missing
    /// (default false).
    #[serde(skip_serializing_if = "is_default")]
    pub indicators: bool,
}

/// What replaces a missing number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImputeNumber {
    /// Nothing: a missing number is an error.
    #[default]
    Error,
    /// The mean of the column.
    Mean,
    /// The median of the column.
    Median,
    /// The number `constant`.
    Constant,
}

/// What replaces a missing category.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImputeCategory {
    /// Nothing: a missing category is an error.
    #[default]
    Error,
    /// The most frequent category of the column; of equally frequent ones the first in alphabetic order.
    MostFrequent,
    /// A category of its own.
    Own,
}

/// How categories become numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Categories {
    /// One column for each category, or one number (default "one_hot").
    #[serde(skip_serializing_if = "is_default")]
    pub encoding: CategoryEncoding,
    /// The largest number of different categories of a column (default 50).
    #[serde(skip_serializing_if = "is_default_limit")]
    pub limit: usize,
    /// The treatment of a category that the training rows do not have (default "error").
    #[serde(skip_serializing_if = "is_default")]
    pub unseen: UnseenCategories,
}

/// The default of [`Categories::limit`].
const DEFAULT_LIMIT: usize = 50;

impl Default for Categories {
    fn default() -> Self {
        Self {
            encoding: CategoryEncoding::default(),
            limit: DEFAULT_LIMIT,
            unseen: UnseenCategories::default(),
        }
    }
}

/// How a category becomes numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CategoryEncoding {
    /// A column for each category, in alphabetic order: 1 for the category of the row, 0 for the others.
    #[default]
    OneHot,
    /// One column with the place of the category in alphabetic order, from 0; in numeric order if all are numbers.
    Ordinal,
}

/// The treatment of a category that the training rows do not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnseenCategories {
    /// It is an error, which names the row.
    #[default]
    Error,
    /// All one-hot columns are 0; an ordinal column is -1.
    Ignore,
}

/// How dates become numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dates {
    /// Days since 1970-01-01, with the time of the day as the fraction.
    #[default]
    Number,
    /// Year, month, day of the month, day of the week (Monday is 1), and the hour if the column has times.
    Parts,
}

fn double_quote() -> char {
    '"'
}

fn point() -> char {
    '.'
}

fn is_double_quote(quote: &char) -> bool {
    *quote == double_quote()
}

fn is_point(mark: &char) -> bool {
    *mark == point()
}

fn is_default_limit(limit: &usize) -> bool {
    *limit == DEFAULT_LIMIT
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The cells that read as missing unless the configuration lists others.
pub(crate) fn missing() -> Vec<String> {
    ["", "NA", "N/A", "nan", "NaN", "null", "None", "?"]
        .map(str::to_owned)
        .to_vec()
}

fn is_default_missing(cells: &[String]) -> bool {
    cells == missing()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const OLD: &str = "path = \"t.csv\"\nlabel = \"y\"\ntask = \"regression\"\ndelimiter = \";\"\n";

    #[test]
    fn a_configuration_with_the_first_four_keys_is_written_as_it_was() {
        let config: TableConfig = toml::from_str(OLD).unwrap();
        assert_eq!(toml::to_string(&config).unwrap(), OLD);
    }

    #[test]
    fn a_configuration_with_every_key_reads_back_as_it_was() {
        let text = r#"
            path = "t.csv.gz"
            label = ["y", "z"]
            task = "regression"
            header = false
            delimiter = "whitespace"
            quote = "'"
            decimal = ","
            columns = ["x*", "color"]
            drop = ["x9"]
            missing = ["", "-999"]
            missing_labels = "drop"
            dates = "parts"
            derive = ["x1*x2"]
            weight = "w"
            group = "patient"
            [types]
            color = "category"
            [missing_in]
            x1 = ["low"]
            [impute]
            number = "constant"
            category = "own"
            constant = 0.1
            indicators = true
            [categories]
            encoding = "ordinal"
            limit = 60
            unseen = "ignore"
        "#;
        let config: TableConfig = toml::from_str(text).unwrap();
        let written = toml::to_string(&config).unwrap();
        assert_eq!(toml::from_str::<TableConfig>(&written).unwrap(), config);
        let keys = |text: &str| text.lines().filter(|line| line.contains('=')).count();
        assert_eq!(keys(&written), keys(text), "{written}");
    }
}
