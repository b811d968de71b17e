//! The format of a text table: delimiter, quote, decimal mark, header and encoding.

use schemars::JsonSchema;
use serde::Serialize;

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
        match self {
            Self::Char('\t') => serializer.serialize_str("tab"),
            Self::Char(c) => serializer.serialize_char(*c),
            Self::Whitespace => serializer.serialize_str("whitespace"),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Delimiter {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut characters = text.chars();
        match (text.as_str(), characters.next(), characters.next()) {
            ("whitespace", ..) => Ok(Self::Whitespace),
            ("tab", ..) => Ok(Self::Char('\t')),
            (_, Some(c), None) => Ok(Self::Char(c)),
            _ => Err(serde::de::Error::custom(
                "expected one character, \"tab\" or \"whitespace\"",
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

/// How a file is to be read; what is `None` is found out.
#[derive(Debug, Clone, Default, PartialEq)]
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

/// The format of a file, as given or found.
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
    /// The encoding of the text, such as "UTF-8".
    pub encoding: &'static str,
    /// "LF", "CRLF" or "CR".
    pub line_ends: &'static str,
}
