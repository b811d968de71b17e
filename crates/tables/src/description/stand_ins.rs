//! Numbers and dates such as -999 or 9999-12-31 that stand for a missing value in many tables.

use super::summary::{Summary, ValueCount};
use crate::columns::ColumnType;
use crate::columns::cell::{DateOrder, date};

/// Numbers that programs write for a missing value: the limits of integers and floats, and netCDF's filling.
const LIMITS: [f64; 9] = [
    32_767.0,
    -32_768.0,
    65_535.0,
    2_147_483_647.0,
    -2_147_483_648.0,
    4_294_967_295.0,
    9.969_209_968_386_869e36,
    3.402_823_5e38,
    f64::MAX,
];

/// 1901-01-01 and 2099-01-01 as days since 1970-01-01: dates outside stand for missing ones more often than not.
const USUAL_DAYS: std::ops::Range<f64> = -25_202.0..47_117.0;

/// A value lies far outside if it is so many interquartile ranges away from the nearest quartile.
const FAR: f64 = 5.0;

/// The smallest number of other values that show what is usual.
const LEAST_OTHERS: u64 = 10;

/// One in so many values at least is the smallest or the largest one, if that stands for missing ones whatever its
/// digits are.
const RARE: u64 = 100;

/// The numbers of a column that may stand for a missing value by their digits, and the ends of all others.
#[derive(Debug, Clone, Default)]
pub(super) struct StandIns {
    counts: Vec<(f64, u64)>,
    /// The largest of the other numbers with the opposite sign, and the largest of them.
    ends: [End; 2],
    num_others: u64,
}

/// The largest of some numbers.
#[derive(Debug, Clone, Copy)]
struct End {
    value: f64,
    count: u64,
    /// The largest number below it.
    next: f64,
}

impl Default for End {
    fn default() -> Self {
        Self {
            value: f64::NEG_INFINITY,
            count: 0,
            next: f64::NEG_INFINITY,
        }
    }
}

impl End {
    fn add(&mut self, number: f64) {
        if number > self.value {
            (self.next, self.value, self.count) = (self.value, number, 1);
        } else if number == self.value {
            self.count += 1;
        } else {
            self.next = self.next.max(number);
        }
    }
}

/// A value that is likely to stand for a missing one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StandIn {
    /// As it is written.
    pub(super) text: String,
    /// Number of cells.
    pub(super) count: u64,
    /// The smallest and the largest other value, as written.
    pub(super) others: [String; 2],
}

impl StandIns {
    pub(super) fn add(&mut self, number: f64) {
        if !may_stand_for_missing(number) {
            let [low, high] = &mut self.ends;
            low.add(-number);
            high.add(number);
            self.num_others += 1;
            return;
        }
        match self.counts.iter_mut().find(|(known, _)| *known == number) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((number, 1)),
        }
    }

    /// The smallest and the largest other number.
    fn others(&self) -> [f64; 2] {
        let [low, high] = &self.ends;
        [-low.value, high.value]
    }
}

/// The values of a column that occur more than once and lie far outside the others, where people write them for missing
/// ones.
pub(super) fn stand_ins(column_type: ColumnType, summary: &Summary) -> Vec<StandIn> {
    match column_type {
        ColumnType::Number | ColumnType::Integer => numbers(summary),
        ColumnType::Date => dates(&summary.values),
        _ => Vec::new(),
    }
}

fn numbers(summary: &Summary) -> Vec<StandIn> {
    let stand_ins = &summary.stand_ins;
    let (mut others, mut num_others) = (stand_ins.others(), stand_ins.num_others);
    if num_others == 0 {
        return Vec::new();
    }
    let of_values = summary.values.iter().filter_map(|value| {
        let number = value
            .number
            .filter(|&number| !may_stand_for_missing(number))?;
        Some((number, value.count))
    });
    let mut of_others: Vec<(f64, u64)> = of_values.collect();
    let mut found = Vec::new();
    for (side, end) in stand_ins.ends.iter().enumerate() {
        let (value, mut range) = ([-end.value, end.value][side], others);
        range[side] = [-end.next, end.next][side];
        let (rest, rest_count) = (without(&of_others, value), num_others - end.count);
        let is_frequent = end.count > 1 && RARE * end.count >= num_others;
        let nearest = range[side];
        // Not the next power of ten, as of doses.
        let is_other_size = value * nearest <= 0.0 || value.abs() > 10.0 * nearest.abs();
        let is_far = || Usual::of(rest.clone(), range).is_beyond(value);
        if is_frequent && is_other_size && rest_count >= LEAST_OTHERS && is_far() {
            found.push((value, end.count));
            (others, num_others, of_others) = (range, rest_count, rest);
        }
    }
    let usual = Usual::of(of_others, others);
    let is_found = |(number, count): &&(f64, u64)| {
        let is_only_negative = *number <= -77.0 && others[0] >= 0.0;
        let is_far = num_others >= LEAST_OTHERS && usual.is_far(*number);
        *count > 1 && (is_only_negative || is_far)
    };
    found.extend(stand_ins.counts.iter().filter(is_found));
    let stand_in = |(number, count): (f64, u64)| {
        let mut values = summary.values.iter();
        let written = values.find(|value| value.number == Some(number));
        StandIn {
            text: written.map_or_else(|| plain(number), |value| value.text.clone()),
            count,
            others: others.map(plain),
        }
    };
    found.into_iter().map(stand_in).collect()
}

/// Values with their counts, without one of them.
fn without(values: &[(f64, u64)], value: f64) -> Vec<(f64, u64)> {
    let others = values.iter().filter(|(other, _)| *other != value);
    others.copied().collect()
}

fn dates(values: &[ValueCount]) -> Vec<StandIn> {
    let day = |value: &ValueCount| {
        let day_first = date(&value.text, DateOrder::DayFirst);
        day_first.or_else(|| date(&value.text, DateOrder::MonthFirst))
    };
    let dated = values.iter().filter_map(|value| Some((day(value)?, value)));
    let is_odd = |day: f64| !USUAL_DAYS.contains(&day) || day.floor() == 0.0;
    let (odd, mut others): (Vec<_>, Vec<_>) = dated.partition(|(day, _)| is_odd(*day));
    others.sort_by(|a, b| a.0.total_cmp(&b.0));
    let num_others: u64 = others.iter().map(|(_, value)| value.count).sum();
    let (Some(first), Some(last)) = (others.first(), others.last()) else {
        return Vec::new();
    };
    let counts = others.iter().map(|(day, value)| (*day, value.count));
    let usual = Usual::of(counts.collect(), [first.0, last.0]);
    let is_found = |(day, value): &(f64, &ValueCount)| {
        value.count > 1 && num_others >= LEAST_OTHERS && usual.is_far(*day)
    };
    let stand_in = |(_, value): (f64, &ValueCount)| StandIn {
        text: value.text.clone(),
        count: value.count,
        others: [first, last].map(|(_, value)| value.text.clone()),
    };
    odd.into_iter().filter(is_found).map(stand_in).collect()
}

/// Whether a number is one that people or programs write for a missing value: all digits 7, 8 or 9, a large power of
/// ten, or the end of a type's range.
fn may_stand_for_missing(number: f64) -> bool {
    let size = number.abs();
    if size < 7.0 {
        return false;
    }
    if size >= 1e9 && size.log10().fract() == 0.0 || LIMITS.contains(&number) {
        return true;
    }
    let hundredths = (100.0 * size).round();
    if hundredths >= 1e15 || (hundredths - 100.0 * size).abs() > 1e-6 {
        return false;
    }
    // Without the zeros behind the point, so that 999.9 is found too.
    let mut digits = hundredths as u64;
    for _ in 0..2 {
        if digits.is_multiple_of(10) {
            digits /= 10;
        }
    }
    let last = digits % 10;
    while digits > 0 && digits % 10 == last {
        digits /= 10;
    }
    digits == 0 && last >= 7
}

/// A number, with an exponent if it would have many zeros.
fn plain(number: f64) -> String {
    let text = format!("{number:?}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// Where most values lie.
struct Usual {
    quartiles: [f64; 2],
    range: [f64; 2],
}

impl Usual {
    /// From values with their counts, and the range of all.
    fn of(mut values: Vec<(f64, u64)>, range: [f64; 2]) -> Self {
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total: u64 = values.iter().map(|(_, count)| count).sum();
        let quartile = |quarters: u64| {
            let mut before = 0;
            let mut values = values.iter();
            let found = values.find(|(_, count)| {
                before += count;
                4 * before >= quarters * total
            });
            found.map_or(range[0], |(value, _)| *value)
        };
        Self {
            quartiles: [quartile(1), quartile(3)],
            range,
        }
    }

    /// Whether a value lies so far beyond the range of all other values that it is none of them.
    fn is_beyond(&self, value: f64) -> bool {
        let ([low, high], [least, most]) = (self.quartiles, self.range);
        let far = FAR * (high - low);
        far > 0.0 && (value > most + far || value < least - far)
    }

    /// Whether a value lies far from the quartiles, and outside the range of all other values too.
    fn is_far(&self, value: f64) -> bool {
        let [low, high] = self.quartiles;
        let [least, most] = self.range;
        let spread = match high > low {
            true => high - low,
            false => most - least,
        };
        // Beside one other value alone, 9 may be a value.
        let is_large = spread > 0.0 || value.abs() >= 99.0;
        let is_above = value > high + FAR * spread && value > most + spread;
        let is_below = value < low - FAR * spread && value < least - spread;
        is_large && (is_above || is_below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_people_write_for_missing_ones_are_known() {
        for number in [
            9.0,
            -9.0,
            99.0,
            -999.0,
            9999.0,
            8888.0,
            777.0,
            999.9,
            99.99,
            1e10,
            1e30,
            -1e20,
            f64::MAX,
            65535.0,
        ] {
            assert!(may_stand_for_missing(number), "{number}");
        }
        for number in [
            0.0, 0.9, 5.0, 10.0, 90.0, 900.0, 98.0, 989.0, 99.5, 1000.0, 5555.0, 1.5e9,
        ] {
            assert!(!may_stand_for_missing(number), "{number}");
        }
    }
}
