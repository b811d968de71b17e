//! The types of columns, and how a cell becomes a value.

pub(crate) mod cell;
pub(crate) mod cell_format;
pub(crate) mod column_reader;
mod dates;
pub(crate) mod guess;
mod guessed;
pub(crate) mod interner;
pub(crate) mod notation;
pub(crate) mod pattern;
mod texts;

pub use cell::DateOrder;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// One of a few texts.
    Category,
    /// True or false, in one of the usual spellings.
    Boolean,
    /// A date, with or without a time. Where this type is set, eight digits such as 20240305 are a date too.
    Date,
    /// Whether there is a value, whatever it is: the network sees 1 if there is and 0 if it is missing.
    Presence,
    /// A text or number that is different in almost every row and says nothing.
    Identifier,
    /// Free text.
    Text,
}

impl ColumnType {
    /// The name it is written by in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Category => "category",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Presence => "presence",
            Self::Identifier => "identifier",
            Self::Text => "text",
        }
    }
}
