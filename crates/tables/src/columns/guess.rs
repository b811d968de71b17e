//! Guesses the type of a column from counts of its cells.

use super::ColumnType;
use super::cell::{
    BooleanSpelling, DateOrder, MINUS_SIGN, boolean, date, date_of_digits, is_decimal_comma,
    is_like_thousands, number,
};
use super::notation::{Notated, Notation};

/// The largest number of different words that may stand among numbers without making a column of texts.
const MAX_WORDS: usize = 3;

/// The largest number of different values that make categories of numbers and words.
const MAX_CODES: u64 = 10;

/// Counts of the cells of a column.
#[derive(Debug, Clone, Default)]
pub(crate) struct CellCounts {
    /// Number of cells.
    pub(crate) rows: u64,
    /// Number of missing values.
    pub(crate) missing: u64,
    /// Number of finite numbers.
    pub(crate) numbers: u64,
    /// Number of whole numbers, written as such.
    pub(crate) integers: u64,
    /// Number of cells that are numbers with a decimal comma, but not with the decimal mark in use.
    pub(crate) decimal_commas: u64,
    /// Number of these whose comma cannot stand between thousands.
    pub(crate) clear_decimal_commas: u64,
    /// Cells that are dates with the day first.
    day_first: Course,
    /// Cells that are dates with the month first.
    month_first: Course,
    /// Cells that are dates of eight digits, and numbers too.
    of_digits: Course,
    /// Number of cells that are different dates in the two orders.
    ambiguous_dates: u64,
    /// Number of cells of digits alone that begin with a zero, and the length of all cells of digits alone; `None` if
    /// their lengths differ.
    leading_zeros: u64,
    digits_length: Option<usize>,
    trues: u64,
    falses: u64,
    /// The spelling of the booleans; `None` if there are none yet.
    spelling: Option<BooleanSpelling>,
    has_mixed_spellings: bool,
    /// Number of cells with blanks between words.
    with_blanks: u64,
    /// The first different cells that are not numbers; at most one more than [`MAX_WORDS`].
    words: Vec<String>,
    /// The cells that are numbers in another notation.
    pub(crate) notated: Notated,
}

/// The course of numbers or days from row to row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Course {
    /// How many there are.
    pub(crate) count: u64,
    /// The smallest and the largest; infinite if there are none.
    pub(crate) range: [f64; 2],
    /// Whether any is not whole: the day of a date with a time.
    pub(crate) has_fractions: bool,
    last: Option<f64>,
    is_rising: bool,
    is_falling: bool,
}

impl Default for Course {
    fn default() -> Self {
        Self {
            count: 0,
            range: [f64::INFINITY, f64::NEG_INFINITY],
            has_fractions: false,
            last: None,
            is_rising: true,
            is_falling: true,
        }
    }
}

impl Course {
    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1;
        let [least, most] = self.range;
        self.range = [least.min(value), most.max(value)];
        self.has_fractions |= value.fract() != 0.0;
        let last = self.last.replace(value).unwrap_or(value);
        self.is_rising &= last <= value;
        self.is_falling &= last >= value;
    }

    /// Whether the values are in order, and not all the same.
    pub(crate) fn direction(&self) -> Option<RowOrder> {
        match (self.is_rising, self.is_falling) {
            (true, false) => Some(RowOrder::Rising),
            (false, true) => Some(RowOrder::Falling),
            _ => None,
        }
    }
}

/// The order in which values follow each other from row to row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowOrder {
    /// None is below the one before it.
    Rising,
    /// None is above the one before it.
    Falling,
}

impl CellCounts {
    /// Counts a missing value.
    pub(crate) fn add_missing(&mut self) {
        self.rows += 1;
        self.missing += 1;
    }

    /// Counts a cell that is not missing; returns the number that it holds.
    pub(crate) fn add(&mut self, cell: &str, decimal: char) -> Option<f64> {
        self.rows += 1;
        if let Some(value) = number(cell, decimal) {
            self.numbers += 1;
            let is_integer = cell
                .trim_start_matches(MINUS_SIGN)
                .bytes()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+'));
            self.integers += u64::from(is_integer);
            if is_integer {
                self.add_digits(cell);
            }
            return Some(value);
        }
        if self.words.len() <= MAX_WORDS && !self.words.iter().any(|word| word == cell) {
            self.words.push(cell.to_owned());
        }
        self.notated.add(cell);
        self.with_blanks += u64::from(cell.trim().contains(' '));
        if decimal == '.' && is_decimal_comma(cell) {
            self.decimal_commas += 1;
            self.clear_decimal_commas += u64::from(!is_like_thousands(cell));
        }
        if let Some((value, spelling)) = boolean(cell) {
            self.trues += u64::from(value);
            self.falses += u64::from(!value);
            self.has_mixed_spellings |= *self.spelling.get_or_insert(spelling) != spelling;
            return None;
        }
        let day_first = date(cell, DateOrder::DayFirst);
        let month_first = date(cell, DateOrder::MonthFirst);
        self.ambiguous_dates +=
            u64::from(day_first.is_some() && month_first.is_some() && day_first != month_first);
        day_first
            .into_iter()
            .for_each(|day| self.day_first.add(day));
        month_first
            .into_iter()
            .for_each(|day| self.month_first.add(day));
        None
    }

    /// Looks at a whole number: its length, zeros before it, and whether it is a date such as 20240305.
    fn add_digits(&mut self, cell: &str) {
        let is_first = self.integers == 1;
        if is_first || self.digits_length != Some(cell.len()) {
            self.digits_length = is_first.then_some(cell.len());
        }
        self.leading_zeros += u64::from(cell.len() > 1 && cell.starts_with('0'));
        let day = date_of_digits(cell);
        day.into_iter().for_each(|day| self.of_digits.add(day));
    }

    /// Number of dates, with the day or the month first.
    pub(crate) fn dates(&self) -> u64 {
        self.days().count
    }

    /// The dates as days since 1970-01-01, in the order of day and month that more of them have.
    pub(crate) fn days(&self) -> &Course {
        match self.month_first.count > self.day_first.count {
            true => &self.month_first,
            false => &self.day_first,
        }
    }

    /// The dates as days since 1970-01-01, if all values are eight digits such as 20240305, and a few differ.
    pub(crate) fn days_of_digits(&self) -> Option<&Course> {
        let [least, most] = self.of_digits.range;
        let are_all = self.of_digits.count == self.values() && most - least >= 2.0;
        are_all.then_some(&self.of_digits)
    }

    /// Whether all values are digits of one length, some with zeros before them, as codes are written.
    pub(crate) fn are_padded_codes(&self) -> bool {
        self.leading_zeros > 0 && self.digits_length.is_some() && self.integers == self.values()
    }

    /// Number of cells that are not missing.
    pub(crate) fn values(&self) -> u64 {
        self.rows - self.missing
    }

    /// The notation of the numbers of the column, if that is why they are not read as numbers.
    pub(crate) fn notation(&self) -> Option<Notation> {
        self.notated.of_column(self.numbers, self.values())
    }

    /// Whether the dates can be read with the day or the month first, and differ.
    pub(crate) fn has_ambiguous_dates(&self) -> bool {
        self.ambiguous_dates > 0 && self.day_first.count == self.month_first.count
    }

    /// Whether words stand among numbers that are otherwise the content of the column. Few different values, not all of
    /// them numbers, such as 2, 3, 4 and 5+, are categories.
    fn is_numeric(&self, distinct: u64) -> bool {
        let words = self.values() - self.numbers;
        if distinct <= MAX_CODES && 3 * distinct <= self.values() && 20 * words > self.values() {
            return false;
        }
        let is_few = words <= 1 || 10 * words <= self.values() || self.words.len() <= MAX_WORDS;
        self.numbers > words && is_few
    }
}

/// Guesses the type of a column from its name, the counts of its cells, and its number of different values.
///
/// - Numbers: a column of numbers, of which a few may be words instead. Whole numbers that differ in nine of ten rows
///   are an identifier if the column is named like one, or has no name and is the first.
/// - Booleans: both values of one spelling.
/// - Dates: at least nine of ten cells.
/// - Texts that differ in most rows, of which there are more than 50 (or that differ in all of 10 rows or more): an
///   identifier, or free text if most have several words.
/// - Other texts are categories, also if all values are missing.
pub(crate) fn guess(name: &str, counts: &CellCounts, distinct: u64) -> ColumnType {
    let values = counts.values();
    if values == 0 {
        return ColumnType::Category;
    }
    if counts.is_numeric(distinct) {
        let is_integer = counts.integers == counts.numbers;
        let is_different =
            values >= 10 && counts.integers == values && is_nearly_all(distinct, values);
        return match is_integer {
            true if is_different && is_identifier_name(name) => ColumnType::Identifier,
            true => ColumnType::Integer,
            false => ColumnType::Number,
        };
    }
    let is_boolean =
        counts.trues > 0 && counts.falses > 0 && counts.trues + counts.falses == values;
    if is_boolean && !counts.has_mixed_spellings {
        return ColumnType::Boolean;
    }
    if 10 * counts.dates() >= 9 * values {
        return ColumnType::Date;
    }
    let is_different = distinct > 50 && 2 * distinct > values || values >= 10 && distinct == values;
    match is_different {
        true if 2 * counts.with_blanks > values => ColumnType::Text,
        true => ColumnType::Identifier,
        false => ColumnType::Category,
    }
}

/// Whether at least nine of ten values are different.
pub(crate) fn is_nearly_all(distinct: u64, values: u64) -> bool {
    10 * distinct >= 9 * values
}

/// Whether a column is named like an identifier: `id`, `PassengerId`, `customer_id`, `index`, `Unnamed: 0`, … The first
/// column without a name is called `column_1`.
pub(crate) fn is_identifier_name(name: &str) -> bool {
    let name = name.trim();
    let lower = name.to_lowercase();
    let words = [
        "id",
        "idx",
        "index",
        "key",
        "uuid",
        "guid",
        "no",
        "no.",
        "nr",
        "nr.",
        "#",
        "row",
        "rowid",
        "rownames",
        "rownum",
        "row_number",
        "unnamed: 0",
        "column_1",
    ];
    let ends_with_id = ["_id", "-id", " id", ".id"]
        .iter()
        .any(|end| lower.ends_with(end));
    let starts_with_id = ["id_", "id-", "id ", "id."]
        .iter()
        .any(|start| lower.starts_with(start));
    let is_camel_case = name.strip_suffix("Id").or_else(|| name.strip_suffix("ID"));
    let is_camel_case =
        is_camel_case.is_some_and(|start| start.ends_with(|c: char| c.is_lowercase()));
    words.contains(&lower.as_str()) || ends_with_id || starts_with_id || is_camel_case
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn guess_of(name: &str, cells: &[impl AsRef<str>]) -> ColumnType {
        let mut counts = CellCounts::default();
        let mut distinct = HashSet::new();
        for cell in cells {
            match cell.as_ref() {
                "" => counts.add_missing(),
                cell => {
                    counts.add(cell, '.');
                    distinct.insert(cell);
                }
            }
        }
        guess(name, &counts, distinct.len() as u64)
    }

    #[test]
    fn a_column_of_one_kind_has_its_type() {
        assert_eq!(guess_of("x", &["1.5", "", "2"]), ColumnType::Number);
        assert_eq!(guess_of("x", &["1", "-2", ""]), ColumnType::Integer);
        assert_eq!(guess_of("x", &["yes", "NO", ""]), ColumnType::Boolean);
        assert_eq!(
            guess_of("x", &["2024-01-31", "2024-02-01 10:00"]),
            ColumnType::Date
        );
        assert_eq!(guess_of("x", &["red", "blue", "red"]), ColumnType::Category);
        assert_eq!(guess_of("x", &["", ""]), ColumnType::Category);
    }

    #[test]
    fn a_word_among_numbers_does_not_make_a_column_of_texts() {
        assert_eq!(guess_of("x", &["1", "2", "red", "3"]), ColumnType::Integer);
        assert_eq!(
            guess_of("x", &["1.5", "unknown", "unknown", "2", "3"]),
            ColumnType::Number
        );
        assert_eq!(
            guess_of("x", &["1", "A", "B", "C", "D", "2", "3", "4", "5", "6"]),
            ColumnType::Identifier
        );
    }

    #[test]
    fn few_different_numbers_and_words_are_categories_unless_the_words_are_rare() {
        let doors: Vec<&str> = ["2", "3", "4", "5more"]
            .into_iter()
            .cycle()
            .take(40)
            .collect();
        assert_eq!(guess_of("doors", &doors), ColumnType::Category);
        let typing_error: Vec<&str> = (0..100)
            .map(|row| ["1", "2", "3", "e"][if row == 50 { 3 } else { row % 3 }])
            .collect();
        assert_eq!(guess_of("grade", &typing_error), ColumnType::Integer);
    }

    #[test]
    fn spellings_of_two_kinds_or_of_one_value_are_categories() {
        assert_eq!(guess_of("sex", &["M", "F", "M"]), ColumnType::Category);
        assert_eq!(guess_of("x", &["T", "N", "T"]), ColumnType::Category);
        assert_eq!(guess_of("x", &["yes", "yes"]), ColumnType::Category);
    }

    #[test]
    fn whole_numbers_that_all_differ_are_an_identifier_only_by_name() {
        let cells: Vec<String> = (0..20).map(|row| (row * 977 % 1000).to_string()).collect();
        for name in [
            "id",
            "PassengerId",
            "customer_id",
            "customerID",
            "ID number",
            "Unnamed: 0",
            "column_1",
        ] {
            assert_eq!(guess_of(name, &cells), ColumnType::Identifier, "{name}");
        }
        for name in ["seconds", "population", "humid", "column_2", "covid"] {
            assert_eq!(guess_of(name, &cells), ColumnType::Integer, "{name}");
        }
    }

    #[test]
    fn digits_of_one_length_with_zeros_before_them_are_codes_and_some_are_dates() {
        let counts = |cells: &[&str]| {
            let mut counts = CellCounts::default();
            for cell in cells {
                counts.add(cell, '.');
            }
            counts
        };
        assert!(counts(&["02763", "10115", "00501"]).are_padded_codes());
        for cells in [
            ["2763", "10115", "00501"],
            ["12763", "10115", "90501"],
            ["02763", "10115", "a0501"],
            ["0", "1", "0"],
        ] {
            assert!(!counts(&cells).are_padded_codes(), "{cells:?}");
        }
        let days = |cells: &[&str]| counts(cells).days_of_digits().map(|days| days.range);
        assert_eq!(
            days(&["20240307", "20240305", "20240306"]),
            Some([19787.0, 19789.0])
        );
        assert_eq!(days(&["20240305", "20240306", "20241306"]), None);
        assert_eq!(days(&["20240305", "20240305"]), None);
    }

    #[test]
    fn texts_that_differ_in_most_rows_are_identifiers_or_free_text() {
        let tickets: Vec<String> = (0..100).map(|row| format!("A{}", row % 70)).collect();
        assert_eq!(guess_of("ticket", &tickets), ColumnType::Identifier);
        let names: Vec<String> = (0..100)
            .map(|row| format!("Mr. Smith the {row}th"))
            .collect();
        assert_eq!(guess_of("name", &names), ColumnType::Text);
        let towns: Vec<String> = (0..1000).map(|row| format!("Town {}", row % 70)).collect();
        assert_eq!(guess_of("town", &towns), ColumnType::Category);
    }

    #[test]
    fn dates_are_ambiguous_unless_one_of_them_has_a_day_above_twelve() {
        let is_ambiguous = |cells: &[&str]| {
            let mut counts = CellCounts::default();
            for cell in cells {
                counts.add(cell, '.');
            }
            counts.has_ambiguous_dates()
        };
        assert!(is_ambiguous(&["1/2/2024", "3/4/2024"]));
        assert!(!is_ambiguous(&["1/2/2024", "13/2/2024"]));
        assert!(!is_ambiguous(&["1/2/2024", "2/13/2024"]));
        assert!(!is_ambiguous(&["1.2.2024", "2024-04-03", "5/5/2024"]));
    }
}
