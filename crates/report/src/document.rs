//! A report before it has a format: a title, a summary and sections of text, tables and pictures.

use emberlab_pictures::Svg;
use serde::Serialize;

/// A report before it has a format.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// What is reported.
    pub title: String,
    /// What kind of thing that is: `run` or `comparison`.
    pub kind: &'static str,
    /// The whole report in a sentence or two.
    pub summary: String,
    /// The command that repeats what is reported.
    pub command: String,
    /// Its parts; those without blocks are not shown.
    pub sections: Vec<Section>,
}

/// A part of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Its heading, unique in the report.
    pub title: &'static str,
    /// What it consists of.
    pub blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A paragraph; `code` stands between backticks, here and in lists.
    Text(String),
    /// Sentences that belong together.
    List(Vec<String>),
    /// What was noticed.
    Notices(Vec<Notice>),
    /// A table.
    Table(Table),
    /// Small tables beside each other, as many as there is room for.
    Tables(Vec<Table>),
    /// Pictures beside each other, as many as there is room for.
    Figures(Vec<Figure>),
    /// Names and values.
    Facts(Vec<(String, String)>),
    /// A file's text.
    Code {
        /// What it is.
        caption: String,
        /// The text.
        text: String,
    },
}

/// How much a notice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Good to know.
    Note,
    /// Results may not mean what they seem to.
    Warning,
    /// The training failed, or is worth nothing.
    Error,
}

/// Something that was noticed.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// How much it matters.
    pub weight: Weight,
    /// What it is.
    pub title: String,
    /// The same in a sentence; `code` stands between backticks.
    pub text: String,
    /// The numbers that show it: names with values.
    pub evidence: Vec<(String, String)>,
    /// What may cause it, what to try: names with what there is to say, `code` between backticks.
    pub details: Vec<(&'static str, Vec<String>)>,
}

/// A table whose first column names its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its cells, row by row.
    pub rows: Vec<Vec<Cell>>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its heading.
    pub name: String,
    /// Whether it holds numbers, which stand to the right.
    pub is_number: bool,
}

impl Column {
    /// A column of words.
    pub fn words(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            is_number: false,
        }
    }

    /// A column of numbers.
    pub fn numbers(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            is_number: true,
        }
    }
}

/// A cell of a table: its text, and what helps to read it.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Its text.
    pub text: String,
    /// What is drawn with it.
    pub mark: Mark,
}

/// What is drawn with a cell's text and says nothing that the table does not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mark {
    /// Nothing.
    None,
    /// The line of series 0, 1, 2, … in the pictures.
    Series(usize),
    /// A dot and its interval on a scale from 0 to 1 that the column shares.
    Interval {
        /// Where the interval begins.
        low: f64,
        /// Where the dot is.
        middle: f64,
        /// Where the interval ends.
        high: f64,
    },
    /// A shade from 0, none, to 1, full.
    Shade(f64),
}

impl Cell {
    /// A cell with a mark.
    pub fn marked(text: impl Into<String>, mark: Mark) -> Self {
        Self {
            text: text.into(),
            mark,
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::marked(text, Mark::None)
    }
}

/// A picture with what there is to say about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The picture; it holds its own title and description.
    pub picture: Svg,
    /// What to see in it, and how it came about.
    pub caption: String,
    /// The values that the curves go through.
    pub values: Option<Values>,
}

/// The values of curves over one `x`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Values {
    /// What `x` is.
    pub x_name: String,
    /// Its values, rising.
    pub x: Vec<f64>,
    /// The curves.
    pub series: Vec<SeriesValues>,
}

/// The values of one curve.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SeriesValues {
    /// Its name.
    pub name: String,
    /// A value for every `x`; NaN where there is none.
    pub y: Vec<f64>,
    /// The lower end of a band around it; empty without one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub low: Vec<f64>,
    /// The upper end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub high: Vec<f64>,
}

impl SeriesValues {
    /// The value at place `i` as text, with its band.
    pub fn text(&self, i: usize) -> String {
        let number = |values: &[f64]| values.get(i).map(|v| crate::number(*v));
        match (number(&self.y), number(&self.low), number(&self.high)) {
            (Some(y), Some(low), Some(high)) if self.y[i].is_finite() => {
                format!("{y} [{low}, {high}]")
            }
            (Some(y), ..) => y,
            (None, ..) => String::new(),
        }
    }
}

/// The words of a text, and whether each stretch of them is code: what stands between two backticks.
pub(crate) fn stretches(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let last = text.matches('`').count();
    // An odd backtick opens nothing.
    let parts = text.splitn(last - last % 2 + 1, '`').enumerate();
    parts.map(|(i, part)| (part, i % 2 == 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_stands_between_two_backticks() {
        let of = |text| stretches(text).collect::<Vec<_>>();
        assert_eq!(
            of("set `a = 1` now"),
            [("set ", false), ("a = 1", true), (" now", false)]
        );
        assert_eq!(of("a ` b"), [("a ` b", false)]);
        assert_eq!(of("`a` ` b"), [("", false), ("a", true), (" ` b", false)]);
    }
}
