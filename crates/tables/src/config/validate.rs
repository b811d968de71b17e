//! The checks of a table's configuration that need no file.

use emberlab_menu::Problem;

use super::{ImputeNumber, TableConfig, TableTask};
use crate::columns::{ColumnType, pattern};
use crate::encoder::Expression;
use crate::format::Delimiter;

/// The place of a date after which the calendar of [`Dates::Parts`](super::Dates::Parts) is not used, in days.
const LAST_DAY: f64 = 1e8;

impl TableConfig {
    /// Checks every value that can be checked without the file.
    ///
    /// # Errors
    /// The first [`Problem`], with its key within the table of the configuration.
    pub fn validate(&self) -> Result<(), Problem> {
        let path = self.path.as_os_str();
        Problem::unless(!path.is_empty(), "path", "\"\"", "the path of a file")?;
        self.validate_label()?;
        self.validate_characters()?;
        self.validate_roles()?;
        self.validate_features()?;
        self.validate_encoding()
    }

    fn validate_label(&self) -> Result<(), Problem> {
        let labels = self.label.names();
        Problem::unless(!labels.is_empty(), "label", "[]", "the name of a column")?;
        for (place, label) in labels.iter().enumerate() {
            Problem::unless(!label.is_empty(), "label", "\"\"", "the name of a column")?;
            let is_new = !labels[..place].contains(label);
            let found = format!("{label:?} twice");
            Problem::unless(is_new, "label", found, "columns of different names")?;
        }
        let is_classification = self.task == TableTask::Classification;
        Problem::unless(
            labels.len() == 1 || !is_classification,
            "label",
            format!("{labels:?}"),
            "one column, or several with `task = \"regression\"`",
        )?;
        if let Some(positive) = &self.positive {
            let found = format!("{positive:?}");
            let expected = "no value with `task = \"regression\"`";
            Problem::unless(is_classification, "positive", &found, expected)?;
            Problem::unless(
                !positive.is_empty(),
                "positive",
                found,
                "the name of a class",
            )?;
        }
        for label in labels {
            let kind = self.types.get(label);
            let is_number = matches!(kind, None | Some(ColumnType::Number | ColumnType::Integer));
            Problem::unless(
                is_number || is_classification,
                format!("types.{label}"),
                format!("{:?}", kind.map_or("", |kind| kind.name())),
                "\"number\" or \"integer\" for the label of a regression",
            )?;
        }
        Ok(())
    }

    fn validate_characters(&self) -> Result<(), Problem> {
        let quote = self.quote;
        Problem::unless(
            quote.is_ascii_graphic() && !quote.is_ascii_alphanumeric(),
            "quote",
            format!("{quote:?}"),
            "one ASCII character other than a letter, a digit or a blank",
        )?;
        let decimal = self.decimal;
        let expected = "\".\" or \",\"";
        let found = format!("{decimal:?}");
        Problem::unless(matches!(decimal, '.' | ','), "decimal", &found, expected)?;
        Problem::unless(quote != decimal, "quote", &found, "not the decimal mark")?;
        if let Delimiter::Char(delimiter) = self.delimiter {
            let found = format!("{delimiter:?}");
            // A delimiter that nobody wrote is not to blame.
            let is_default = self.delimiter == Delimiter::default();
            let expected = "another character than the delimiter";
            Problem::unless(!is_default || delimiter != quote, "quote", &found, expected)?;
            Problem::unless(
                delimiter.is_ascii()
                    && !delimiter.is_ascii_alphanumeric()
                    && !"\"\r\n\0".contains(delimiter)
                    && delimiter != quote,
                "delimiter",
                &found,
                "one ASCII character other than a letter, a digit, a quote or a line end",
            )?;
        }
        Ok(())
    }

    /// Checks the columns that are not features: labels, weight and group.
    fn validate_roles(&self) -> Result<(), Problem> {
        let labels = self.label.names();
        for (key, name) in [("weight", &self.weight), ("group", &self.group)] {
            let Some(name) = name else { continue };
            let found = format!("{name:?}");
            Problem::unless(!name.is_empty(), key, &found, "the name of a column")?;
            let expected = "another column than the label";
            Problem::unless(!labels.contains(name), key, found, expected)?;
        }
        if let (Some(weight), Some(group)) = (&self.weight, &self.group) {
            let expected = "another column than the weight";
            Problem::unless(weight != group, "group", format!("{group:?}"), expected)?;
        }
        for name in labels.iter().chain(&self.weight).chain(&self.group) {
            Problem::unless(
                !self.drop.contains(name),
                "drop",
                format!("{:?}", self.drop),
                format!("columns other than {name:?}, which is the label, the weight or the group"),
            )?;
        }
        Ok(())
    }

    fn validate_features(&self) -> Result<(), Problem> {
        if let Some(columns) = &self.columns {
            let expected = "at least one name or pattern";
            Problem::unless(!columns.is_empty(), "columns", "[]", expected)?;
        }
        for name in self.types.keys() {
            // A pattern may be the name of another column, which the file tells.
            let may_be_dropped = self.drop.iter().any(|drop| pattern::matches(drop, name));
            if !may_be_dropped {
                self.validate_type(name)?;
            }
        }
        for (place, text) in self.derive.iter().enumerate() {
            if let Err(expected) = Expression::parse(text) {
                return Err(Problem::new("derive", format!("{text:?}"), expected));
            }
            let is_new = !self.derive[..place].contains(text);
            let found = format!("{text:?} twice");
            Problem::unless(is_new, "derive", found, "different features")?;
        }
        Ok(())
    }

    /// Checks that the type given for a column that is not dropped, if any, is one of features.
    pub(crate) fn validate_type(&self, name: &str) -> Result<(), Problem> {
        let Some(kind) = self.types.get(name) else {
            return Ok(());
        };
        Problem::unless(
            !matches!(kind, ColumnType::Identifier | ColumnType::Text),
            format!("types.{name}"),
            format!("{:?}", kind.name()),
            format!(
                "\"number\", \"integer\", \"category\", \"boolean\", \"date\" or \"presence\"; \
                 `drop = [{name:?}]` leaves the column out"
            ),
        )
    }

    fn validate_encoding(&self) -> Result<(), Problem> {
        let constant = self.impute.constant;
        Problem::unless_finite(constant, "impute.constant")?;
        Problem::unless(
            constant == 0.0 || self.impute.number == ImputeNumber::Constant,
            "impute.constant",
            constant,
            "no value, or `number = \"constant\"` beside it",
        )?;
        Problem::unless(
            constant.abs() < LAST_DAY || self.dates == super::Dates::Number,
            "impute.constant",
            constant,
            "a number of days since 1970-01-01, as dates become parts",
        )?;
        let limit = self.categories.limit;
        Problem::unless(limit >= 2, "categories.limit", limit, "at least 2")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn problem(lines: &str) -> String {
        let label = if lines.contains("label =") {
            ""
        } else {
            "label = \"y\"\n"
        };
        let config: TableConfig =
            toml::from_str(&format!("path = \"t.csv\"\n{label}{lines}")).unwrap();
        let problem = config.validate().map_err(|problem| problem.to_string());
        problem.expect_err(lines)
    }

    #[test]
    fn each_value_that_cannot_be_is_refused_with_its_key() {
        for (lines, expected) in [
            ("label = \"\"", "`label` is \"\""),
            ("label = []", "`label` is []"),
            ("label = [\"a\", \"b\"]", "`label` is [\"a\", \"b\"]"),
            (
                "task = \"regression\"\nlabel = [\"a\", \"a\"]",
                "`label` is \"a\" twice",
            ),
            ("delimiter = \"a\"", "`delimiter` is 'a'"),
            ("delimiter = \"'\"\nquote = \"'\"", "`delimiter` is '\\''"),
            ("quote = \"x\"", "`quote` is 'x'"),
            (
                "quote = \",\"",
                "`quote` is ',', expected another character than the delimiter",
            ),
            ("decimal = \";\"", "`decimal` is ';'"),
            ("columns = []", "`columns` is []"),
            ("drop = [\"y\"]", "`drop` is [\"y\"]"),
            ("weight = \"y\"", "`weight` is \"y\""),
            ("group = \"y\"", "`group` is \"y\""),
            ("weight = \"g\"\ngroup = \"g\"", "`group` is \"g\""),
            ("types = { n = \"text\" }", "`types.n` is \"text\""),
            (
                "task = \"regression\"\ntypes = { y = \"date\" }",
                "`types.y` is \"date\"",
            ),
            ("derive = [\"a*\"]", "`derive` is \"a*\""),
            ("derive = [\"a*b\", \"a*b\"]", "`derive` is \"a*b\" twice"),
            ("impute = { constant = 1.0 }", "`impute.constant` is 1"),
            (
                "impute = { number = \"constant\", constant = nan }",
                "`impute.constant` is NaN",
            ),
            ("categories = { limit = 1 }", "`categories.limit` is 1"),
            (
                "task = \"regression\"\npositive = \"a\"",
                "`positive` is \"a\"",
            ),
        ] {
            let message = problem(lines);
            assert!(message.starts_with(expected), "{lines}: {message}");
        }
    }

    #[test]
    fn a_type_of_a_dropped_column_may_say_why_it_is_dropped() {
        let config: TableConfig = toml::from_str(
            "path = \"t.csv\"\nlabel = \"y\"\ndrop = [\"*_id\"]\ntypes = { user_id = \"identifier\" }",
        )
        .unwrap();
        assert_eq!(config.validate(), Ok(()));
    }
}
