//! The size of batches, as a configuration writes it.

use std::borrow::Cow;
use std::fmt;

use emberlab_menu::Problem;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

/// Number of samples per step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchSize {
    /// All training rows: `"full"`.
    Full,
    /// A number of rows, from 1.
    Size(usize),
}

impl fmt::Display for BatchSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("full"),
            Self::Size(size) => size.fmt(f),
        }
    }
}

impl Serialize for BatchSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Full => serializer.serialize_str("full"),
            Self::Size(size) => size.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for BatchSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BatchSizeVisitor)
    }
}

struct BatchSizeVisitor;

impl Visitor<'_> for BatchSizeVisitor {
    type Value = BatchSize;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a whole number of rows from 1, or \"full\"")
    }

    fn visit_u64<E: de::Error>(self, size: u64) -> Result<BatchSize, E> {
        match usize::try_from(size) {
            Ok(size @ 1..) => Ok(BatchSize::Size(size)),
            _ => Err(E::invalid_value(de::Unexpected::Unsigned(size), &self)),
        }
    }

    fn visit_i64<E: de::Error>(self, size: i64) -> Result<BatchSize, E> {
        match u64::try_from(size) {
            Ok(size) => self.visit_u64(size),
            Err(_) => Err(E::invalid_value(de::Unexpected::Signed(size), &self)),
        }
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<BatchSize, E> {
        match word {
            "full" => Ok(BatchSize::Full),
            _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
        }
    }
}

impl JsonSchema for BatchSize {
    fn schema_name() -> Cow<'static, str> {
        "BatchSize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Samples per step: a whole number of rows from 1, or \"full\".",
            "oneOf": [
                { "type": "integer", "minimum": 1 },
                { "type": "string", "const": "full" }
            ]
        })
    }
}

/// How an epoch is divided into batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batching {
    /// Rows per step.
    pub batch_size: BatchSize,
    /// Whether to leave out a last batch that is shorter than the others.
    pub drop_last: bool,
    /// Whether the rows are in a new random order in each epoch; a full batch is never shuffled.
    pub shuffle: bool,
}

impl Batching {
    /// Checks that there are enough rows for one batch.
    ///
    /// # Errors
    /// [`Problem`] if a batch is empty or larger than the `num_rows` to train on.
    pub fn validate(&self, num_rows: usize) -> Result<(), Problem> {
        let BatchSize::Size(size) = self.batch_size else {
            return Ok(());
        };
        Problem::unless(
            (1..=num_rows).contains(&size),
            "batch_size",
            size,
            format!("a whole number from 1 to the {num_rows} rows to train on, or \"full\""),
        )
    }

    /// Number of batches in an epoch over `num_rows` rows.
    pub fn num_batches(&self, num_rows: usize) -> usize {
        let batch_size = self.rows_per_batch(num_rows);
        match self.drop_last {
            true => num_rows / batch_size,
            false => num_rows.div_ceil(batch_size),
        }
    }

    /// Rows of the smallest batch of an epoch over `num_rows` rows.
    pub fn smallest_batch(&self, num_rows: usize) -> usize {
        let batch_size = self.rows_per_batch(num_rows);
        match num_rows % batch_size {
            rest @ 1.. if !self.drop_last => rest,
            _ => batch_size,
        }
    }

    /// Whether every epoch has its own order of rows.
    pub fn is_shuffled(&self) -> bool {
        self.shuffle && self.batch_size != BatchSize::Full
    }

    /// Rows of a batch that is not the short last one.
    pub fn rows_per_batch(&self, num_rows: usize) -> usize {
        let rows = match self.batch_size {
            BatchSize::Full => num_rows,
            BatchSize::Size(size) => size,
        };
        rows.max(1)
    }
}
