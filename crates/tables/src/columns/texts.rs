//! A column of texts: each different text once, and its number for each row.

use super::cell_format::shortened;
use super::interner::{Interner, sorted};
use crate::table::Values;

/// The code of a missing category while a column is read.
const MISSING: u32 = u32::MAX;

/// The different texts of a column, and the text of each row.
#[derive(Default)]
pub(crate) struct Texts {
    codes: Vec<u32>,
    interner: Interner,
}

impl Texts {
    pub(crate) fn push_missing(&mut self) {
        self.codes.push(MISSING);
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.codes.push(self.interner.code(text));
    }

    pub(crate) fn num_distinct(&self) -> usize {
        self.interner.len()
    }

    /// For each row the number that `value` gives its text; NaN if it is missing.
    pub(crate) fn into_numbers(self, value: impl Fn(&str) -> f64) -> Vec<f64> {
        let texts = self.interner.into_texts();
        let values: Vec<f64> = texts.iter().map(|text| value(text)).collect();
        let number = |code: &u32| values.get(*code as usize).copied().unwrap_or(f64::NAN);
        self.codes.iter().map(number).collect()
    }

    /// A text for a message.
    pub(crate) fn example(&self) -> String {
        shortened(self.interner.texts().min().unwrap_or_default())
    }

    /// The texts as categories, in alphabetic order.
    pub(crate) fn into_values(self) -> Values {
        let (names, new_codes) = sorted(self.interner.into_texts());
        let new_code = |code: &u32| new_codes.get(*code as usize).copied();
        Values::Categories {
            codes: self.codes.iter().map(new_code).collect(),
            names,
        }
    }
}
