//! The summary of a column, collected cell by cell.

use super::distinct::{Distinct, hash_of};
use super::leak::Sample;
use super::stand_ins::StandIns;
use crate::columns::cell_format::is_word;
use crate::columns::guess::{CellCounts, Course};

/// The largest number of words among numbers that are remembered with their line.
const MAX_WORDS: usize = 3;

/// The largest number of classes of a label for which columns are searched that give it away.
pub(super) const MAX_CLASSES: usize = 32;

/// The largest number of values of a column that may give the label away.
const MAX_DETERMINING: usize = 256;

/// The longest text that is shown, in characters, and that is remembered of all but the first values.
const LONGEST_TEXT: usize = 80;

/// The largest number of values that are remembered as they are, however long.
const MAX_FULL: usize = 100;

/// The largest number of texts among numbers or dates that are remembered beside the first values.
const MAX_OTHERS: usize = 50;

/// Limits on what is remembered of each column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The largest number of different values that are counted exactly.
    pub(super) distinct: usize,
    /// The largest number of different values that are counted one by one.
    pub(super) values: usize,
    /// The largest number of rows whose number is remembered with the label.
    pub(super) sample: usize,
}

impl Limits {
    /// Less for each column if there are many columns, so that memory is bounded.
    pub(super) fn of(num_columns: usize) -> Self {
        let distinct = (2_000_000 / num_columns.max(1)).clamp(256, 50_000);
        Self {
            distinct,
            values: distinct.min(1000),
            sample: distinct.min(4096),
        }
    }
}

/// A value and how often it occurs.
#[derive(Debug, Clone)]
pub(super) struct ValueCount {
    /// As written first; shortened if it is long and not among the first.
    pub(super) text: String,
    pub(super) number: Option<f64>,
    pub(super) count: u64,
}

/// The summary of a column.
pub(super) struct Summary {
    pub(super) counts: CellCounts,
    /// The words that read as missing, such as `None`, and the number of cells with each.
    pub(super) missing_words: Vec<(String, u64)>,
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) mean: f64,
    pub(super) distinct: Distinct,
    /// The first different values, in order of appearance.
    pub(super) values: Vec<ValueCount>,
    /// The first words that are not numbers, with their lines.
    pub(super) words: Vec<(String, u64)>,
    /// Whether each number is one above that of the row before.
    pub(super) counts_up: bool,
    /// The course of the numbers from row to row.
    pub(super) course: Course,
    /// Texts that are neither numbers nor dates, and not among `values`.
    pub(super) other_texts: Vec<String>,
    /// Numbers such as -999 that may stand for a missing value.
    pub(super) stand_ins: StandIns,
    /// A hash of all cells, equal for equal columns.
    pub(super) cells_hash: u64,
    /// A hash of all codes, equal for columns whose values determine each other. A missing value has a code too.
    pub(super) codes_hash: u64,
    /// For each value and class the number of rows, `[num_values × MAX_CLASSES]`; `None` if there are too many.
    classes_of_values: Option<Vec<u32>>,
    /// For each class the number of rows whose cell is missing, and of those whose cell is not.
    classes_of_missing: [u32; MAX_CLASSES],
    classes_of_present: [u32; MAX_CLASSES],
    /// Sums over the rows in which column and label are numbers.
    pub(super) with_label: Covariance,
    /// Some of these rows.
    pub(super) sample: Sample,
    last: f64,
    limits: Limits,
    missing_hash: u64,
}

impl Summary {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            counts: CellCounts::default(),
            missing_words: Vec::new(),
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            mean: 0.0,
            distinct: Distinct::new(limits.distinct),
            values: Vec::new(),
            words: Vec::new(),
            counts_up: true,
            course: Course::default(),
            other_texts: Vec::new(),
            stand_ins: StandIns::default(),
            cells_hash: 0,
            codes_hash: 0,
            classes_of_values: Some(Vec::new()),
            classes_of_missing: [0; MAX_CLASSES],
            classes_of_present: [0; MAX_CLASSES],
            with_label: Covariance::default(),
            sample: Sample::new(limits.sample),
            last: f64::NAN,
            limits,
            missing_hash: hash_of(None, ""),
        }
    }

    /// Adds the cell on a line, and the label of its row.
    pub(super) fn add(
        &mut self,
        cell: &str,
        is_missing: bool,
        decimal: char,
        line: u64,
        label: &LabelCell,
    ) {
        let classes = match is_missing {
            true => &mut self.classes_of_missing,
            false => &mut self.classes_of_present,
        };
        if let Some(count) = label
            .class
            .and_then(|class| classes.get_mut(class as usize))
        {
            *count += 1;
        }
        if is_missing {
            self.counts.add_missing();
            if is_word(cell) {
                self.add_missing_word(cell);
            }
            self.counts_up = false;
            self.cells_hash = mix(self.cells_hash, self.missing_hash);
            self.codes_hash = mix(self.codes_hash, u64::MAX);
            return;
        }
        let dates = self.counts.dates();
        let number = self.counts.add(cell, decimal);
        let is_date = self.counts.dates() > dates;
        let hash = hash_of(number, cell);
        self.cells_hash = mix(self.cells_hash, hash);
        let code = self.distinct.add(hash);
        match code {
            Some(code) => self.add_code(cell, number, code as usize, label),
            None => self.classes_of_values = None,
        }
        let is_remembered = code.is_some_and(|code| (code as usize) < self.limits.values);
        if number.is_none() && !is_date && !is_remembered {
            self.add_other_text(cell);
        }
        match number {
            Some(number) => self.add_number(number, label),
            None => {
                self.counts_up = false;
                let is_new = self.words.len() < MAX_WORDS
                    && !self.words.iter().any(|(word, _)| word == cell);
                if is_new {
                    self.words.push((cell.to_owned(), line));
                }
            }
        }
    }

    fn add_missing_word(&mut self, word: &str) {
        let mut words = self.missing_words.iter_mut();
        match words.find(|(known, _)| known == word) {
            Some((_, count)) => *count += 1,
            None => self.missing_words.push((word.to_owned(), 1)),
        }
    }

    fn add_other_text(&mut self, cell: &str) {
        let texts = &mut self.other_texts;
        if texts.len() < MAX_OTHERS && !texts.iter().any(|text| text == cell) {
            texts.push(cell.to_owned());
        }
    }

    fn add_code(&mut self, cell: &str, number: Option<f64>, code: usize, label: &LabelCell) {
        self.codes_hash = mix(self.codes_hash, code as u64);
        if code < self.values.len() {
            self.values[code].count += 1;
        } else if code < self.limits.values {
            let text = match code < MAX_FULL {
                true => cell.to_owned(),
                false => shortened(cell),
            };
            self.values.push(ValueCount {
                text,
                number,
                count: 1,
            });
        }
        let Some(class) = label.class else { return };
        if code >= MAX_DETERMINING || class as usize >= MAX_CLASSES {
            self.classes_of_values = None;
        } else if let Some(counts) = &mut self.classes_of_values {
            let place = code * MAX_CLASSES + class as usize;
            if place >= counts.len() {
                counts.resize((code + 1) * MAX_CLASSES, 0);
            }
            counts[place] += 1;
        }
    }

    fn add_number(&mut self, number: f64, label: &LabelCell) {
        self.min = self.min.min(number);
        self.max = self.max.max(number);
        self.mean += (number - self.mean) / self.counts.numbers as f64;
        self.counts_up &= self.counts.rows == 1 || number == self.last + 1.0;
        self.last = number;
        self.course.add(number);
        self.stand_ins.add(number);
        if let Some(target) = label.number {
            self.with_label.add(number, target);
        }
        self.sample.add(number, label);
    }

    /// The share of rows whose class is the most frequent one among the rows of the same value, where a missing value is a
    /// value too; `None` if that is not known, or if values repeat less than five times on average.
    pub(super) fn determines_class(&self) -> Option<f64> {
        let of_values = self.classes_of_values.as_ref()?.chunks(MAX_CLASSES);
        determined(of_values.chain([self.classes_of_missing.as_slice()]))
    }

    /// The share of rows whose class is the most frequent one among the rows with, or without, a value; `None` if it
    /// cannot be said.
    pub(super) fn missing_determines_class(&self) -> Option<f64> {
        determined([
            self.classes_of_missing.as_slice(),
            self.classes_of_present.as_slice(),
        ])
    }
}

/// The share of rows that are of the most frequent class of their group, from the number of rows of each class in each
/// group; `None` if groups have less than five rows on average.
fn determined<'a>(groups: impl IntoIterator<Item = &'a [u32]>) -> Option<f64> {
    let (mut num_groups, mut total, mut most) = (0, 0, 0);
    for classes in groups {
        let count: u64 = classes.iter().map(|&count| u64::from(count)).sum();
        num_groups += u64::from(count > 0);
        total += count;
        most += u64::from(classes.iter().copied().max().unwrap_or(0));
    }
    (total > 0 && total >= 5 * num_groups).then(|| most as f64 / total as f64)
}

/// The label of a row.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LabelCell {
    /// Its code, from 0 in order of appearance; `None` if it is missing, or not counted.
    pub(super) class: Option<u32>,
    /// Its number.
    pub(super) number: Option<f64>,
}

/// The covariance of two columns, collected in one pass (Welford).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Covariance {
    count: f64,
    mean_x: f64,
    mean_y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

impl Covariance {
    pub(super) fn add(&mut self, x: f64, y: f64) {
        self.count += 1.0;
        let dx = x - self.mean_x;
        let dy = y - self.mean_y;
        self.mean_x += dx / self.count;
        self.mean_y += dy / self.count;
        self.xx += dx * (x - self.mean_x);
        self.yy += dy * (y - self.mean_y);
        self.xy += dx * (y - self.mean_y);
    }

    /// Pearson's correlation; `None` for fewer than three rows or a constant column.
    pub(super) fn correlation(&self) -> Option<f64> {
        let correlation = self.xy / (self.xx * self.yy).sqrt();
        (self.count >= 3.0 && correlation.is_finite()).then_some(correlation)
    }
}

/// Adds a hash to the hash of a sequence.
fn mix(sequence: u64, hash: u64) -> u64 {
    // The odd number is 2^64 divided by the golden ratio, as in Fibonacci hashing.
    (sequence.rotate_left(5) ^ hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A text as it is shown: without its end if it is long.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
