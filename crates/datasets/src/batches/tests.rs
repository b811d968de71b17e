#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use burn::tensor::{DType, Device};

use super::*;
use crate::device_dataset::Encoding;
use crate::samples::{Features, Samples, Targets};
use crate::standardize::Standardizer;

/// Rows `0..rows`, whose feature and target are their own number.
fn numbered(rows: usize) -> DeviceDataset {
    let numbers: Vec<f32> = (0..rows).map(|row| row as f32).collect();
    let targets = Targets::numbers(numbers.iter().copied().map(f64::from));
    let names = vec!["row".to_owned()];
    let samples = Samples::of_features(Features::Floats(numbers), targets, names);
    let rows: Vec<u32> = (0..rows as u32).collect();
    let standardizer = Standardizer::identity();
    let device = Device::flex();
    DeviceDataset::upload(
        &samples,
        &rows,
        &standardizer,
        &Encoding::Values {
            standardizer: Standardizer::identity(),
        },
        &device,
        DType::F32,
    )
    .unwrap()
}

fn config(batch_size: usize) -> Batching {
    Batching {
        batch_size: BatchSize::Size(batch_size),
        drop_last: false,
        shuffle: true,
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
        let config = Batching {
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
fn the_order_of_rows_is_that_of_the_batches() {
    for (size, drop_last) in [(3, false), (3, true), (5, false), (20, true)] {
        let config = Batching {
            drop_last,
            ..config(size)
        };
        let found = contents(Batches::new(&numbered(10), &config, 5, 2));
        let order = RowOrder::new(&config, 10, 5, 2);
        assert_eq!(order.num_batches(), found.len());
        for (step, rows) in found.iter().enumerate() {
            assert_eq!(order.rows(step..step + 1), rows);
        }
        assert_eq!(order.rows(0..found.len()), found.concat());
        assert!(order.rows(found.len()..found.len() + 1).is_empty());
    }
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
fn a_resumed_epoch_continues_at_its_step() {
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
fn batches_do_not_depend_on_the_size_of_blocks() {
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
    let config = Batching {
        shuffle: false,
        ..config(2)
    };
    let found = contents(Batches::new(&data, &config, 0, 0));
    assert_eq!(found, [vec![0, 1], vec![2, 3], vec![4]]);
}

#[test]
fn stacked_batches_hold_the_batches_of_each_replica() {
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
        let config = Batching {
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
    let config = Batching {
        batch_size: BatchSize::Full,
        ..config(5)
    };
    let found = contents(Batches::new(&data, &config, 0, 0));
    assert_eq!(found, [vec![0, 1, 2, 3, 4]]);
}

#[test]
fn batches_larger_than_the_rows_are_refused() {
    config(10).validate(10).unwrap();
    assert_eq!(
        config(11).validate(10).unwrap_err().to_string(),
        "`batch_size` is 11, expected a whole number from 1 to the 10 rows to train on, or \"full\""
    );
    assert!(config(0).validate(10).is_err());
}

#[test]
fn a_batch_size_is_a_whole_number_or_full() {
    let parse = |size: &str| {
        let table = toml::from_str::<BTreeMap<String, BatchSize>>(&format!("batch_size = {size}"));
        table.map(|table| table["batch_size"])
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
