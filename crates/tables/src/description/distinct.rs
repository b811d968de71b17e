//! Counts different values: exactly up to a limit, and then as an estimate.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};

use crate::columns::cell::Decimal;

/// Bits of a hash that choose a register: 8192 registers have a standard error of 1.15 %.
const REGISTER_BITS: u32 = 13;

/// Counts different values.
pub(super) enum Distinct {
    /// The code of each value, from 0 in order of appearance, by the value's hash.
    Exact {
        codes: HashMap<u64, u32, BuildHasherDefault<HashOfHash>>,
        limit: usize,
    },
    /// The registers of HyperLogLog (Flajolet, Fusy, Gandouet and Meunier 2007).
    Estimate(Vec<u8>),
}

impl Distinct {
    /// Counts exactly up to `limit` values.
    pub(super) fn new(limit: usize) -> Self {
        let codes = HashMap::default();
        Self::Exact { codes, limit }
    }

    /// Counts a value by its hash: its code while the count is exact.
    pub(super) fn add(&mut self, hash: u64) -> Option<u32> {
        match self {
            Self::Exact { codes, limit } => {
                let next = codes.len();
                if next >= *limit && !codes.contains_key(&hash) {
                    let mut registers = vec![0; 1 << REGISTER_BITS];
                    for &hash in codes.keys().chain([&hash]) {
                        add_estimated(&mut registers, hash);
                    }
                    *self = Self::Estimate(registers);
                    return None;
                }
                Some(*codes.entry(hash).or_insert(next as u32))
            }
            Self::Estimate(registers) => {
                add_estimated(registers, hash);
                None
            }
        }
    }

    /// The number of different values.
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Exact { codes, .. } => codes.len() as u64,
            Self::Estimate(registers) => {
                let size = registers.len() as f64;
                let sum: f64 = registers
                    .iter()
                    .map(|&rank| (-f64::from(rank)).exp2())
                    .sum();
                let estimate = 0.7213 / (1.0 + 1.079 / size) * size * size / sum;
                let num_empty = registers.iter().filter(|&&rank| rank == 0).count();
                // Few values are counted better by the registers that are still empty.
                match num_empty > 0 && estimate <= 2.5 * size {
                    true => (size * (size / num_empty as f64).ln()).round() as u64,
                    false => estimate.round() as u64,
                }
            }
        }
    }

    /// Whether the count is exact.
    pub(super) fn is_exact(&self) -> bool {
        matches!(self, Self::Exact { .. })
    }
}

fn add_estimated(registers: &mut [u8], hash: u64) {
    let register = (hash >> (64 - REGISTER_BITS)) as usize;
    let rank = ((hash << REGISTER_BITS) | 1 << (REGISTER_BITS - 1)).leading_zeros() as u8 + 1;
    registers[register] = registers[register].max(rank);
}

/// The hash of a cell: equal for equal numbers however they are written, and for equal texts.
pub(super) fn hash_of(number: Option<f64>, text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    match (number, Decimal::if_long(text)) {
        (Some(_), Some(decimal)) => decimal.hash(&mut hasher),
        // Zero and minus zero are one number.
        (Some(number), None) => (number + 0.0).to_bits().hash(&mut hasher),
        (None, _) => text.hash(&mut hasher),
    }
    hasher.finish()
}

/// Takes a hash as its own hash.
#[derive(Default)]
pub(super) struct HashOfHash(u64);

impl Hasher for HashOfHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _bytes: &[u8]) {
        unreachable!("only hashes of 64 bits are keys")
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_exact_up_to_the_limit_and_within_four_percent_above() {
        for count in [1, 999, 1000, 1001, 20_000, 30_000, 300_000] {
            let mut distinct = Distinct::new(1000);
            for value in (0..count).chain(0..count.min(100)) {
                distinct.add(hash_of(Some(f64::from(value)), ""));
            }
            let error = distinct.count() as f64 / f64::from(count) - 1.0;
            let tolerance = if count <= 1000 { 0.0 } else { 0.04 };
            assert!(error.abs() <= tolerance, "{count}: {error}");
            assert_eq!(distinct.is_exact(), count <= 1000);
        }
    }

    #[test]
    fn equal_numbers_are_one_value() {
        assert_eq!(hash_of(Some(-0.0), "-0"), hash_of(Some(0.0), "0.0"));
        assert_ne!(hash_of(None, "a"), hash_of(None, "A"));
        let hash = |text: &str| hash_of(text.parse().ok(), text);
        assert_ne!(hash("9007199254740992"), hash("9007199254740993"));
        assert_eq!(hash("9007199254740993"), hash("9007199254740993.00"));
    }
}
