//! The batches of one epoch.

use std::borrow::Cow;
use std::fmt;

use burn::tensor::{Int, Tensor, TensorData};
use emberlab_rng::stream;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

use crate::device_dataset::DeviceDataset;
use crate::draws;
use crate::error::{DatasetError, require};

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

    /// Batches of an epoch over `num_rows` rows.
    pub fn num_batches(&self, num_rows: usize) -> usize {
        let batch_size = self.rows_per_batch(num_rows);
        match self.drop_last {
            true => num_rows / batch_size,
            false => num_rows.div_ceil(batch_size),
        }
    }

    fn rows_per_batch(&self, num_rows: usize) -> usize {
        let rows = match self.batch_size {
            BatchSize::Full => num_rows,
            BatchSize::Size(size) => size,
        };
        rows.max(1)
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
    data: &'a DeviceDataset,
    order: Vec<u32>,
    batch_size: usize,
    num_batches: usize,
    next: usize,
    steps_per_block: usize,
    /// The block last gathered, and its place among the blocks.
    block: Option<(usize, Batch)>,
}

/// Numbers that are gathered at once. A batch is then a slice, which on flex costs small batches two thirds
/// of what a gathering of their own does; the block stays in the processor's cache.
const BLOCK_NUMBERS: usize = 1 << 16;

impl<'a> Batches<'a> {
    /// The batches of `epoch`, for a configuration that is [valid](BatchConfig::validate) for these data.
    pub fn new(data: &'a DeviceDataset, config: &BatchConfig, seed: u64, epoch: u64) -> Self {
        Self::stacked(data, config, &[seed], epoch)
    }

    /// The batches of many trainings at once, one for each seed.
    ///
    /// Their data lie end to end ([`DeviceDataset::stacked`]), and so do their rows in each batch: those of the
    /// first training, of the second, and so on, each in the order that [`new`](Self::new) gives it alone.
    pub fn stacked(
        data: &'a DeviceDataset,
        config: &BatchConfig,
        seeds: &[u64],
        epoch: u64,
    ) -> Self {
        let replicas = seeds.len().max(1);
        let rows = data.len() / replicas;
        let rows_per_batch = config.rows_per_batch(rows);
        let batch_size = rows_per_batch.saturating_mul(replicas);
        let num_batches = config.num_batches(rows);
        let shuffled = config.shuffle && config.batch_size != BatchSize::Full;
        let orders: Vec<Vec<u32>> = (0_u32..)
            .zip(seeds)
            .map(|(replica, &seed)| {
                let first = replica * rows as u32;
                match shuffled {
                    true => {
                        let mut rng = stream(seed, "shuffle", &[epoch]);
                        let order = draws::permutation(rows, &mut rng).into_iter();
                        order.map(|row| first + row).collect()
                    }
                    false => (first..first + rows as u32).collect(),
                }
            })
            .collect();
        // Data that are in order already are one block as they are.
        let (steps_per_block, block) = match shuffled || (replicas > 1 && num_batches > 1) {
            true => {
                let numbers = batch_size.saturating_mul(data.num_features().max(1));
                ((BLOCK_NUMBERS / numbers).max(1), None)
            }
            false => {
                let all = Batch {
                    inputs: data.inputs.clone(),
                    targets: data.targets.clone(),
                };
                (num_batches.max(1), Some((0, all)))
            }
        };
        Self {
            data,
            order: interleaved(orders, rows_per_batch),
            batch_size,
            num_batches,
            next: 0,
            steps_per_block,
            block,
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

    fn batch(&mut self, step: usize) -> Batch {
        let index = step / self.steps_per_block;
        let block = match self.block.take() {
            Some((gathered, block)) if gathered == index => block,
            _ => self.gather(index),
        };
        let start = (step - index * self.steps_per_block) * self.batch_size;
        let range = start..start + self.rows(step).len();
        let cut = |all: &Tensor<2>| match range.len() == all.dims()[0] {
            true => all.clone(),
            false => all.clone().slice_dim(0, range.clone()),
        };
        let batch = Batch {
            inputs: cut(&block.inputs),
            targets: cut(&block.targets),
        };
        self.block = Some((index, block));
        batch
    }

    /// The rows of some steps in a row, in their order.
    fn gather(&self, index: usize) -> Batch {
        let rows_per_block = self.steps_per_block.saturating_mul(self.batch_size);
        let start = index * rows_per_block;
        let end = start.saturating_add(rows_per_block).min(self.order.len());
        let rows: Vec<i64> = self.order[start..end]
            .iter()
            .map(|&row| row.into())
            .collect();
        let rows = TensorData::new(rows, [end - start]);
        let rows = Tensor::<1, Int>::from_data(rows, &self.data.inputs.device());
        Batch {
            inputs: self.data.inputs.clone().select(0, rows.clone()),
            targets: self.data.targets.clone().select(0, rows),
        }
    }
}

/// The orders of many trainings as one: for each batch, the rows of each.
fn interleaved(mut orders: Vec<Vec<u32>>, rows_per_batch: usize) -> Vec<u32> {
    if orders.len() == 1 {
        return orders.swap_remove(0);
    }
    let num_rows = orders.first().map_or(0, Vec::len);
    let mut all = Vec::with_capacity(num_rows * orders.len());
    for start in (0..num_rows).step_by(rows_per_batch) {
        let end = start.saturating_add(rows_per_batch).min(num_rows);
        for order in &orders {
            all.extend_from_slice(&order[start..end]);
        }
    }
    all
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use burn::tensor::{DType, Device};

    use super::*;
    use crate::device_dataset::Encoding;
    use crate::samples::{Features, Samples, Targets};
    use crate::standardize::Standardizer;

    /// Rows `0..rows`, whose feature and target are their own number.
    fn numbered(rows: usize) -> DeviceDataset {
        let numbers: Vec<f32> = (0..rows).map(|row| row as f32).collect();
        let samples = Samples {
            features: Features::Floats(numbers.clone()),
            targets: Targets::Values(numbers),
            input_shape: vec![1],
            feature_names: vec!["row".to_owned()],
        };
        let rows: Vec<u32> = (0..rows as u32).collect();
        let standardizer = Standardizer::identity();
        let device = Device::flex();
        DeviceDataset::upload(
            &samples,
            &rows,
            &standardizer,
            Encoding::Values,
            &device,
            DType::F32,
        )
        .unwrap()
    }

    fn config(batch_size: usize) -> BatchConfig {
        BatchConfig {
            batch_size: BatchSize::Size(batch_size),
            ..BatchConfig::default()
        }
    }

    fn numbers(tensor: Tensor<2>) -> Vec<u32> {
        let data = tensor.into_data();
        data.as_slice::<f32>()
            .unwrap()
            .iter()
            .map(|&x| x as u32)
            .collect()
    }

    fn contents(batches: Batches) -> Vec<Vec<u32>> {
        let content = |batch: Batch| {
            let inputs = numbers(batch.inputs);
            assert_eq!(inputs, numbers(batch.targets));
            inputs
        };
        batches.map(content).collect()
    }

    #[test]
    fn an_epoch_holds_every_row_once_and_a_short_last_batch() {
        let data = numbered(10);
        let batches = Batches::new(&data, &config(4), 0, 0);
        assert_eq!((batches.num_batches(), batches.len()), (3, 3));
        let found = contents(batches);
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 2]);
        let mut rows = found.concat();
        assert_ne!(rows, (0..10).collect::<Vec<_>>());
        rows.sort_unstable();
        assert_eq!(rows, (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn a_short_last_batch_can_be_dropped() {
        let data = numbered(10);
        for (size, lengths) in [(4, vec![4, 4]), (5, vec![5, 5]), (11, vec![])] {
            let config = BatchConfig {
                drop_last: true,
                ..config(size)
            };
            let found = contents(Batches::new(&data, &config, 0, 0));
            assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), lengths);
        }
    }

    #[test]
    fn rows_on_the_host_are_those_of_the_batch() {
        let data = numbered(10);
        let batches = Batches::new(&data, &config(3), 5, 2);
        let rows: Vec<_> = (0..4).map(|step| batches.rows(step).to_vec()).collect();
        assert!(batches.rows(4).is_empty());
        assert_eq!(rows, contents(batches));
    }

    #[test]
    fn the_order_follows_from_seed_and_epoch() {
        let data = numbered(100);
        let order = |seed, epoch| contents(Batches::new(&data, &config(7), seed, epoch));
        assert_eq!(order(0, 0), order(0, 0));
        assert_ne!(order(0, 0), order(0, 1));
        assert_ne!(order(0, 0), order(1, 0));
    }

    #[test]
    fn a_resumed_epoch_goes_on_where_it_stopped() {
        let data = numbered(10);
        let whole = contents(Batches::new(&data, &config(3), 0, 4));
        for step in 0..6 {
            let mut resumed = Batches::new(&data, &config(3), 0, 4);
            resumed.skip_to(step);
            assert_eq!(contents(resumed), whole[step.min(4)..]);
        }
        let mut skipped = Batches::new(&data, &config(3), 0, 4);
        assert_eq!(numbers(skipped.nth(2).unwrap().inputs), whole[2]);
        assert_eq!(contents(skipped), whole[3..]);
    }

    #[test]
    fn batches_are_the_same_whatever_is_gathered_at_once() {
        let rows = BLOCK_NUMBERS + 1000;
        let data = numbered(rows);
        // Blocks of 9 and of 1 batches, the last one short, or all in one.
        for size in [7000, BLOCK_NUMBERS - 1, rows] {
            let batches = Batches::new(&data, &config(size), 0, 0);
            let expected: Vec<_> = (0..batches.num_batches())
                .map(|step| batches.rows(step).to_vec())
                .collect();
            let mut resumed = Batches::new(&data, &config(size), 0, 0);
            resumed.skip_to(9);
            assert_eq!(contents(resumed), expected[expected.len().min(9)..]);
            assert_eq!(contents(batches), expected);
        }
    }

    #[test]
    fn unshuffled_batches_are_in_order() {
        let data = numbered(5);
        let config = BatchConfig {
            shuffle: false,
            ..config(2)
        };
        let found = contents(Batches::new(&data, &config, 0, 0));
        assert_eq!(found, [vec![0, 1], vec![2, 3], vec![4]]);
    }

    #[test]
    fn stacked_batches_hold_those_of_each_training_alone() {
        let alone = [0, 1, 2].map(|index| numbered(21).part(index, 3));
        let all = DeviceDataset::stacked(&alone);
        let seeds = [3, 3, 9];
        for (size, shuffle, drop_last) in [
            (BatchSize::Size(3), true, false),
            (BatchSize::Size(3), false, false),
            (BatchSize::Size(3), true, true),
            (BatchSize::Size(7), true, false),
            (BatchSize::Full, true, false),
        ] {
            let config = BatchConfig {
                batch_size: size,
                shuffle,
                drop_last,
            };
            let together = contents(Batches::stacked(&all, &config, &seeds, 2));
            let each: Vec<_> = alone
                .iter()
                .zip(seeds)
                .map(|(data, seed)| contents(Batches::new(data, &config, seed, 2)))
                .collect();
            let expected: Vec<Vec<u32>> = (0..each[0].len())
                .map(|step| each.iter().flat_map(|one| one[step].clone()).collect())
                .collect();
            assert_eq!(together, expected, "{config:?}");
        }
    }

    #[test]
    fn a_full_batch_is_never_shuffled() {
        let data = numbered(5);
        let config = BatchConfig {
            batch_size: BatchSize::Full,
            ..BatchConfig::default()
        };
        let found = contents(Batches::new(&data, &config, 0, 0));
        assert_eq!(found, [vec![0, 1, 2, 3, 4]]);
    }

    #[test]
    fn batches_larger_than_the_rows_are_refused() {
        config(10).validate(10).unwrap();
        assert_eq!(
            config(11).validate(10).unwrap_err().to_string(),
            "`batch_size = 11`: expected a whole number from 1 to the 10 rows to train on, or \"full\""
        );
        assert!(config(0).validate(10).is_err());
    }

    #[test]
    fn a_batch_size_is_a_whole_number_or_full() {
        let parse = |size: &str| {
            toml::from_str::<BatchConfig>(&format!("batch_size = {size}"))
                .map(|config| config.batch_size)
        };
        assert_eq!(parse("8").unwrap(), BatchSize::Size(8));
        assert_eq!(parse("\"full\"").unwrap(), BatchSize::Full);
        for (size, found) in [
            ("0", "integer `0`"),
            ("-1", "integer `-1`"),
            ("\"all\"", "string \"all\""),
            ("0.5", "floating point `0.5`"),
        ] {
            let message = parse(size).unwrap_err().to_string();
            let expected = "expected a whole number of rows from 1, or \"full\"";
            assert!(
                message.contains(found) && message.contains(expected),
                "{message}"
            );
        }
        for size in [BatchSize::Full, BatchSize::Size(7)] {
            let stored = serde_json::to_string(&size).unwrap();
            assert_eq!(size, serde_json::from_str(&stored).unwrap());
        }
    }
}
