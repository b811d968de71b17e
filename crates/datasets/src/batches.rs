//! The batches of one epoch.

use std::borrow::Cow;
use std::fmt;

use burn::tensor::{Int, Tensor, TensorData};
use emberlab_streams::stream;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

use crate::draws;
use crate::error::{DatasetError, require};
use crate::resident::Resident;

/// Samples per step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchSize {
    /// All training rows: `"full"`.
    Full,
    /// That many rows, from 1.
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

/// How an epoch is cut into batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BatchConfig {
    /// Rows per step: a whole number from 1, or "full" (default 32).
    pub batch_size: BatchSize,
    /// Whether to leave out a last batch that is shorter than the others (default false).
    pub drop_last: bool,
    /// Whether each epoch has an order of its own (default true); a full batch is never shuffled.
    pub shuffle: bool,
}

impl Default for BatchConfig {
    fn default() -> Self {
        Self {
            batch_size: BatchSize::Size(32),
            drop_last: false,
            shuffle: true,
        }
    }
}

impl BatchConfig {
    /// Checks that there are rows enough for one batch.
    ///
    /// # Errors
    /// [`DatasetError::Value`] if a batch is empty or larger than the `num_rows` to train on.
    pub fn validate(&self, num_rows: usize) -> Result<(), DatasetError> {
        let BatchSize::Size(size) = self.batch_size else {
            return Ok(());
        };
        require(
            (1..=num_rows).contains(&size),
            "batch_size",
            size,
            format!("a whole number from 1 to the {num_rows} rows to train on, or \"full\""),
        )
    }
}

/// The samples of one step.
///
/// # Shapes
/// - inputs: `[batch_size, num_features]`
/// - targets: `[batch_size, d_target]`
#[derive(Debug, Clone)]
pub struct Batch {
    /// The standardised features.
    pub inputs: Tensor<2>,
    /// The encoded targets.
    pub targets: Tensor<2>,
}

/// The batches of one epoch, in order.
///
/// The order is a Fisher–Yates shuffle from the stream `(seed, "shuffle", [epoch])`, so that a resumed
/// epoch goes on where it stopped.
#[derive(Debug)]
pub struct Batches<'a> {
    data: &'a Resident,
    order: Vec<u32>,
    shuffled: bool,
    batch_size: usize,
    num_batches: usize,
    next: usize,
}

impl<'a> Batches<'a> {
    /// The batches of `epoch`, for a configuration that is [valid](BatchConfig::validate) for these data.
    pub fn new(data: &'a Resident, config: &BatchConfig, seed: u64, epoch: u64) -> Self {
        let rows = data.len();
        let batch_size = match config.batch_size {
            BatchSize::Full => rows,
            BatchSize::Size(size) => size,
        }
        .max(1);
        let shuffled = config.shuffle && config.batch_size != BatchSize::Full;
        Self {
            data,
            order: match shuffled {
                true => draws::permutation(rows, &mut stream(seed, "shuffle", &[epoch])),
                false => (0..rows as u32).collect(),
            },
            shuffled,
            batch_size,
            num_batches: match config.drop_last {
                true => rows / batch_size,
                false => rows.div_ceil(batch_size),
            },
            next: 0,
        }
    }

    /// Batches of the whole epoch.
    pub fn num_batches(&self) -> usize {
        self.num_batches
    }

    /// Goes to the batch of `step`, counted from 0 in the epoch.
    pub fn skip_to(&mut self, step: usize) {
        self.next = step.min(self.num_batches);
    }

    /// The rows of the data that the batch of `step` holds; none after the last step.
    pub fn rows(&self, step: usize) -> &[u32] {
        if step >= self.num_batches {
            return &[];
        }
        let start = step * self.batch_size;
        &self.order[start..(start + self.batch_size).min(self.order.len())]
    }

    fn batch(&self, step: usize) -> Batch {
        let rows = self.rows(step);
        let pick: Box<dyn Fn(&Tensor<2>) -> Tensor<2>> =
            if rows.len() == self.data.len() && !self.shuffled {
                Box::new(Tensor::clone)
            } else if !self.shuffled {
                let start = step * self.batch_size;
                let range = start..start + rows.len();
                Box::new(move |all| all.clone().slice_dim(0, range.clone()))
            } else {
                let indices: Vec<i64> = rows.iter().map(|&row| i64::from(row)).collect();
                let indices = TensorData::new(indices, [rows.len()]);
                let indices = Tensor::<1, Int>::from_data(indices, &self.data.inputs.device());
                Box::new(move |all| all.clone().select(0, indices.clone()))
            };
        Batch {
            inputs: pick(&self.data.inputs),
            targets: pick(&self.data.targets),
        }
    }
}

impl Iterator for Batches<'_> {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        let step = self.next;
        if step == self.num_batches {
            return None;
        }
        self.next += 1;
        Some(self.batch(step))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.num_batches - self.next;
        (left, Some(left))
    }

    fn nth(&mut self, n: usize) -> Option<Batch> {
        self.skip_to(self.next.saturating_add(n));
        self.next()
    }
}

impl ExactSizeIterator for Batches<'_> {}
