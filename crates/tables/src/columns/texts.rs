//! A column of texts: each different text once, and its number for each row.

use std::collections::HashMap;

use super::cell::{Decimal, category_value, number};
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

    /// The texts as categories, in alphabetic order. If all are numbers, spellings of one number are one category.
    pub(crate) fn into_values(self, decimal: char) -> Values {
        let (names, new_codes) = categories(&self.interner.into_texts(), decimal);
        with_new_codes(&self.codes, &new_codes, names)
    }

    /// The texts as categories, in alphabetic order; each spelling is a category of its own.
    pub(crate) fn into_values_as_written(self) -> Values {
        let (names, new_codes) = sorted(self.interner.into_texts());
        with_new_codes(&self.codes, &new_codes, names)
    }
}

/// Categories whose codes are those in the places of `codes`.
fn with_new_codes(codes: &[u32], new_codes: &[u32], names: Vec<String>) -> Values {
    let new_code = |code: &u32| new_codes.get(*code as usize).copied();
    Values::Categories {
        codes: codes.iter().map(new_code).collect(),
        names,
    }
}

/// The names of the categories, in alphabetic order, and for each text the place of its category. The name of a number is
/// its shortest spelling.
fn categories(texts: &[String], decimal: char) -> (Vec<String>, Vec<u32>) {
    let mut shortest: HashMap<Decimal, &str> = HashMap::new();
    if texts.iter().all(|text| number(text, decimal).is_some()) {
        for text in texts {
            if let Some(value) = category_value(text, decimal) {
                let known = shortest.entry(value).or_insert(text);
                if (text.len(), text.as_str()) < (known.len(), *known) {
                    *known = text;
                }
            }
        }
    }
    let name_of = |text: &String| -> String {
        let value = category_value(text, decimal);
        let shortest = value.and_then(|value| shortest.get(&value).copied());
        shortest.unwrap_or(text).to_owned()
    };
    let name_of_text: Vec<String> = texts.iter().map(name_of).collect();
    let mut names = name_of_text.clone();
    names.sort_unstable();
    names.dedup();
    let place = |name: &String| names.partition_point(|other| other < name) as u32;
    let places = name_of_text.iter().map(place).collect();
    (names, places)
}
