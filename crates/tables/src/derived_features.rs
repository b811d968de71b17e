//! Features that are computed from the columns of the data: the columns themselves, or formulas of them.

use emberlab_menu::{Problem, nearest_name};
use serde::{Deserialize, Serialize};

use crate::encoder::Expression;
use crate::load::roles::shortened_list;

/// Features that are computed from columns of numbers, each a column or a formula of columns such as `x1^2`, `x1*x2` or
/// `sin(x1)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct DerivedFeatures {
    columns: Vec<String>,
    features: Vec<Feature>,
}

/// A formula, and the place of each of its columns among all columns.
#[derive(Debug, Clone, PartialEq)]
struct Feature {
    formula: Expression,
    operands: Vec<usize>,
}

/// Derived features in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    columns: Vec<String>,
    features: Vec<String>,
}

impl DerivedFeatures {
    /// Reads features, each the name of one of `columns` or a formula of them with the numbers, operators and functions
    /// of `derive` in a table's configuration. Names of columns may hold any characters.
    ///
    /// # Errors
    /// [`Problem`] about `features` if there are none, or about the first that cannot be read, names no column, or is
    /// there twice.
    pub fn new(features: &[String], columns: &[String]) -> Result<Self, Problem> {
        let some = "at least one column or formula";
        Problem::unless(!features.is_empty(), "features", "an empty list", some)?;
        let mut read: Vec<Feature> = Vec::with_capacity(features.len());
        for (i, text) in features.iter().enumerate() {
            let problem =
                |expected| Problem::new(format!("features[{i}]"), format!("{text:?}"), expected);
            let feature = Feature::new(text, columns).map_err(problem)?;
            if read.iter().any(|other| other.formula.text() == text) {
                return Err(problem("each feature only once".to_owned()));
            }
            read.push(feature);
        }
        Ok(Self {
            columns: columns.to_vec(),
            features: read,
        })
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The features as they were written, which are their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.features.iter().map(|feature| feature.formula.text())
    }

    /// Number of features, at least 1.
    pub fn num_features(&self) -> usize {
        self.features.len()
    }

    /// Whether a column, counted from 0, is in any feature.
    pub fn uses(&self, column: usize) -> bool {
        let mut features = self.features.iter();
        features.any(|feature| feature.operands.contains(&column))
    }

    /// For each feature the column that it is; `None` if it is a formula.
    pub fn as_columns(&self) -> impl Iterator<Item = Option<usize>> {
        self.features.iter().map(|feature| {
            let column = *feature.operands.first()?;
            (feature.formula.text() == self.columns[column]).then_some(column)
        })
    }

    /// The features of rows. A formula may not have a finite value: the logarithm of a negative number is NaN.
    ///
    /// # Shapes
    /// - rows: `[num_rows × num_columns]`, row by row
    /// - result: `[num_rows × num_features]`, row by row
    pub fn compute(&self, rows: &[f64]) -> Vec<f64> {
        let mut stack = Vec::new();
        let mut computed = Vec::new();
        for row in rows.chunks_exact(self.columns.len()) {
            computed.extend(self.features.iter().map(|Feature { formula, operands }| {
                formula.evaluate(|column| row[operands[column]], &mut stack)
            }));
        }
        computed
    }
}

impl Feature {
    /// Reads a feature.
    ///
    /// # Errors
    /// A phrase with what was expected.
    fn new(text: &str, columns: &[String]) -> Result<Self, String> {
        let formula = match columns.iter().any(|column| column == text) {
            true => Expression::of_column(text),
            false => {
                let parsed = Expression::parse_with(text, columns);
                parsed.map_err(|expected| with_hint(expected, text, columns))?
            }
        };
        let place = |name: &String| {
            let place = columns.iter().position(|column| column == name);
            place.ok_or_else(|| {
                let known = shortened_list(columns).join(", ");
                let expected = format!("a formula of columns, but {name:?} is none of {known}");
                with_hint(expected, name, columns)
            })
        };
        let operands = formula
            .columns()
            .iter()
            .map(place)
            .collect::<Result<_, _>>()?;
        Ok(Self { formula, operands })
    }
}

/// `expected`, and the column that `name` was probably meant to be.
fn with_hint(expected: String, name: &str, columns: &[String]) -> String {
    match nearest_name(name, columns.iter().map(String::as_str)) {
        Some(near) => format!("{expected}; did you mean {near:?}?"),
        None => expected,
    }
}

impl TryFrom<Written> for DerivedFeatures {
    type Error = Problem;

    fn try_from(written: Written) -> Result<Self, Problem> {
        Self::new(&written.features, &written.columns)
    }
}

impl From<DerivedFeatures> for Written {
    fn from(derived: DerivedFeatures) -> Self {
        Self {
            features: derived.names().map(str::to_owned).collect(),
            columns: derived.columns,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn problem(features: &[&str], columns: &[&str]) -> String {
        let refused = DerivedFeatures::new(&names(features), &names(columns));
        refused.unwrap_err().to_string()
    }

    #[test]
    fn each_row_becomes_the_values_of_the_formulas() {
        let columns = names(&["x1", "x2"]);
        let written = names(&["x2", "x1^2", "x1^3", "x1*x2", "abs(x1)"]);
        let derived = DerivedFeatures::new(&written, &columns).unwrap();
        assert_eq!(
            derived.compute(&[2.0, 3.0, -1.0, 0.5]),
            [3.0, 4.0, 8.0, 6.0, 2.0, 0.5, 1.0, -1.0, -0.5, 1.0]
        );
        let as_columns: Vec<_> = derived.as_columns().collect();
        assert_eq!(as_columns, [Some(1), None, None, None, None]);
    }

    #[test]
    fn names_of_columns_may_hold_any_characters() {
        let columns = names(&[
            "sepal length (cm)",
            "a",
            "a-b",
            "b",
            "sin",
            "x1",
            "x10",
            "7",
        ]);
        let written = names(&[
            "sepal length (cm)^2",
            "a-b",
            "a - b",
            "sin(sin)",
            "x10 - x1",
            "7",
        ]);
        let derived = DerivedFeatures::new(&written, &columns).unwrap();
        let row = [3.0, 5.0, 100.0, 1.0, 0.0, 20.0, 30.0, 7.5];
        assert_eq!(derived.compute(&row), [9.0, 100.0, 4.0, 0.0, 10.0, 7.5]);
        assert!(derived.uses(0) && derived.uses(7));
        let left_out = DerivedFeatures::new(&names(&["a"]), &columns).unwrap();
        assert!(left_out.uses(1) && !left_out.uses(0));
    }

    #[test]
    fn a_wrong_feature_is_named_with_the_nearest_column() {
        let iris = ["sepal length (cm)", "petal width (cm)"];
        for (found, expected) in [
            (
                problem(&[], &iris),
                "`features` is an empty list, expected at least one column or formula",
            ),
            (
                problem(&["petal width (cm)", "sepal lenth (cm)"], &iris),
                "`features[1]` is \"sepal lenth (cm)\", expected one of `+ - * / ^` instead of `l` after \"sepal \"; \
                 did you mean \"sepal length (cm)\"?",
            ),
            (
                problem(&["agee^2"], &["age", "fare"]),
                "`features[0]` is \"agee^2\", expected a formula of columns, but \"agee\" is none of age, fare; did you \
                 mean \"age\"?",
            ),
            (
                problem(&["x1", "x1"], &["x1", "x2"]),
                "`features[1]` is \"x1\", expected each feature only once",
            ),
        ] {
            assert_eq!(found, expected);
        }
        let unknown = problem(&["sine(x1)"], &["x1"]);
        assert!(
            unknown.contains("one of the functions sin, cos"),
            "{unknown}"
        );
    }

    #[test]
    fn derived_features_read_back_as_they_were() {
        let columns = names(&["x 1", "x 2"]);
        let derived = DerivedFeatures::new(&names(&["x 1*x 2", "x 2"]), &columns).unwrap();
        let text = serde_json::to_string(&derived).unwrap();
        assert_eq!(
            text,
            r#"{"columns":["x 1","x 2"],"features":["x 1*x 2","x 2"]}"#
        );
        assert_eq!(derived, serde_json::from_str(&text).unwrap());
    }
}
