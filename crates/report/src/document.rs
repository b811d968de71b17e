//! The content of a report: a title, a summary, and sections of text, tables and pictures.

use emberlab_pictures::Svg;
use serde::Serialize;

use crate::timeline::Timeline;

/// The content of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The name of the run or comparison.
    pub title: String,
    /// `run` or `comparison`.
    pub kind: &'static str,
    /// The whole report in a sentence or two.
    pub summary: String,
    /// The command that repeats or continues the run or comparison.
    pub command: String,
    /// Whether the command continues a run that has not finished.
    pub is_unfinished: bool,
    /// The sections; those without blocks are not shown.
    pub sections: Vec<Section>,
}

/// A section of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// The heading, unique in the report.
    pub title: &'static str,
    /// The content, from top to bottom.
    pub blocks: Vec<Block>,
}

/// A part of a section.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A paragraph. Text between backticks is code, here and in lists.
    Text(String),
    /// A list of sentences.
    List(Vec<String>),
    /// Notices, such as findings of a diagnosis.
    Notices(Vec<Notice>),
    /// A table.
    Table(Table),
    /// Small tables, beside each other where there is room.
    Tables(Vec<Table>),
    /// Pictures, beside each other where there is room.
    Figures(Vec<Figure>),
    /// The inside of a network over time.
    Timeline(Box<Timeline>),
    /// Names and values.
    Facts(Vec<(String, String)>),
    /// The text of a file.
    Code {
        /// The caption.
        caption: String,
        /// The text.
        text: String,
    },
}

/// The weight of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Good to know.
    Note,
    /// Results may be misleading.
    Warning,
    /// The training failed, or its results are useless.
    Error,
}

/// A notice, such as a finding of a diagnosis.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// Its weight.
    pub weight: Weight,
    /// The title.
    pub title: String,
    /// The description, in sentences. Text between backticks is code.
    pub text: String,
    /// The measured numbers that show it: names with values.
    pub evidence: Vec<(String, String)>,
    /// Lists with a heading each, such as usual causes. Text between backticks is code.
    pub details: Vec<(&'static str, Vec<String>)>,
}

/// A table whose first column names its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The caption.
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
    /// Whether it holds numbers, which are aligned to the right.
    pub is_number: bool,
}

impl Document {
    /// The words before the command.
    pub(crate) fn command_title(&self) -> &'static str {
        match self.is_unfinished {
            true => "To continue it:",
            false => "To repeat it:",
        }
    }
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

/// A cell of a table: its text, and an optional mark.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Its text.
    pub text: String,
    /// A mark beside the text.
    pub mark: Mark,
}

/// A mark beside the text of a cell. It repeats what the text says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mark {
    /// No mark.
    None,
    /// The line that the series 0, 1, 2, … has in the pictures.
    Series(usize),
    /// A dot and its interval, on a scale from 0 to 1 that all cells of the column share.
    Interval {
        /// The lower end of the interval.
        low: f64,
        /// The dot.
        middle: f64,
        /// The upper end of the interval.
        high: f64,
    },
    /// A background shade, from 0 (none) to 1 (full).
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

/// A picture with a caption and its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The picture; it holds its own title and description.
    pub picture: Svg,
    /// The caption; empty without one.
    pub caption: String,
    /// The values of the curves, shown under the mouse and as a table.
    pub values: Option<Values>,
}

/// The values of curves over one `x`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Values {
    /// The name of `x`.
    pub x_name: String,
    /// The values of `x`, ascending.
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
    /// The lower end of a band around the curve; empty without a band.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub low: Vec<f64>,
    /// The upper end of the band.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub high: Vec<f64>,
}

impl SeriesValues {
    /// The value at index `i` as text, with its band.
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

/// Splits a text at its backticks into stretches, each with whether it is code.
pub(crate) fn stretches(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let last = text.matches('`').count();
    // A backtick without a partner is text.
    let parts = text.splitn(last - last % 2 + 1, '`').enumerate();
    parts.map(|(i, part)| (part, i % 2 == 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_between_two_backticks_is_code() {
        let of = |text| stretches(text).collect::<Vec<_>>();
        assert_eq!(
            of("set `a = 1` now"),
            [("set ", false), ("a = 1", true), (" now", false)]
        );
        assert_eq!(of("a ` b"), [("a ` b", false)]);
        assert_eq!(of("`a` ` b"), [("", false), ("a", true), (" ` b", false)]);
    }
}
