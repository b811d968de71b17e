//! The format of a text table: delimiter, quote, decimal mark, header and encoding.

mod decimal;
mod delimiter;
mod detect;
mod header;
mod sample;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Serialize;

pub(crate) use self::detect::{Detected, detect};
use crate::columns::cell_format::shortened;
use crate::config::missing;

/// The character between columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delimiter {
    /// One ASCII character.
    Char(char),
    /// Any number of blanks and tabs.
    Whitespace,
}

impl Default for Delimiter {
    fn default() -> Self {
        Self::Char(',')
    }
}

impl serde::Serialize for Delimiter {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Delimiter {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut characters = text.chars();
        match (text.as_str(), characters.next(), characters.next()) {
            ("whitespace", ..) => Ok(Self::Whitespace),
            ("tab", ..) => Ok(Self::Char('\t')),
            (_, Some(c), None) if c.is_ascii() => Ok(Self::Char(c)),
            _ => Err(serde::de::Error::custom(
                "expected one ASCII character, \"tab\" or \"whitespace\"",
            )),
        }
    }
}

impl JsonSchema for Delimiter {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Delimiter".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

impl std::fmt::Display for Delimiter {
    /// As it is written in a configuration, without quotes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Char('\t') => f.write_str("tab"),
            Self::Char(c) => write!(f, "{c}"),
            Self::Whitespace => f.write_str("whitespace"),
        }
    }
}

/// How a file is to be read; what is `None` is detected.
#[derive(Debug, Clone, PartialEq)]
pub struct FormatConfig {
    /// The character between columns.
    pub delimiter: Option<Delimiter>,
    /// The character around cells that contain a delimiter.
    pub quote: Option<char>,
    /// The decimal mark.
    pub decimal: Option<char>,
    /// Whether the first line is a header.
    pub header: Option<bool>,
    /// Cells that read as missing.
    pub missing: Vec<String>,
}

impl Format {
    /// A sentence about an assumed encoding, with some of the `texts` that it gives; `None` if the file names its encoding.
    pub(crate) fn assumed_encoding<'a>(
        &self,
        texts: impl Iterator<Item = &'a str>,
    ) -> Option<String> {
        const MOST_EXAMPLES: usize = 3;
        if self.encoding != "Windows-1252" {
            return None;
        }
        let examples = texts.filter(|text| !text.is_ascii()).take(MOST_EXAMPLES);
        let examples: Vec<String> = examples
            .map(|text| format!("{:?}", shortened(text)))
            .collect();
        let examples = match examples.is_empty() {
            true => String::new(),
            false => format!(", which gives {}", examples.join(", ")),
        };
        Some(format!(
            "the file is not in UTF-8, and is read as Windows-1252{examples}; if that is wrong, save the file as UTF-8"
        ))
    }
}

impl Default for FormatConfig {
    /// Everything is detected; the usual cells read as missing.
    fn default() -> Self {
        Self {
            delimiter: None,
            quote: None,
            decimal: None,
            header: None,
            missing: missing(),
        }
    }
}

/// The format of a file, as given or detected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Format {
    /// The character between columns.
    pub delimiter: Delimiter,
    /// The character around cells that contain a delimiter.
    pub quote: char,
    /// The decimal mark.
    pub decimal: char,
    /// Whether the first line is a header.
    pub header: bool,
    /// Whether the first cell of each row below the first line names the row, and the first line has no name for such cells,
    /// as in tables of R.
    pub has_row_names: bool,
    /// Lines above the table that are left out, since each holds one cell and the rows three or more, or two if the lines
    /// begin with `#` or a blank line follows; empty if there are none.
    pub title: String,
    /// The encoding of the text: "UTF-8", "UTF-8 with byte order mark", "UTF-16 LE", "UTF-16 BE" or "Windows-1252"
    /// (whose printable characters include those of Latin-1).
    pub encoding: &'static str,
    /// The end of the first line: "LF", "CRLF" or "CR".
    pub line_ends: &'static str,
}
