//! One cell as a number, a boolean or a date.

use serde::{Deserialize, Serialize};

/// The order of day and month in dates such as 03/04/2024.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// 3 April.
    DayFirst,
    /// 4 March.
    MonthFirst,
}

/// The two spellings of a boolean. A column of booleans uses one pair of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BooleanSpelling {
    TrueFalse,
    TF,
    YesNo,
    YN,
    OnOff,
}

const BOOLEANS: [(&str, &str, BooleanSpelling); 5] = [
    ("true", "false", BooleanSpelling::TrueFalse),
    ("t", "f", BooleanSpelling::TF),
    ("yes", "no", BooleanSpelling::YesNo),
    ("y", "n", BooleanSpelling::YN),
    ("on", "off", BooleanSpelling::OnOff),
];

/// The longest text that can be a number. A longer one has more digits than anybody needs.
const LONGEST_NUMBER: usize = 64;

/// The minus sign that word processors write in place of `-`.
pub(crate) const MINUS_SIGN: char = '\u{2212}';

/// The finite number that a cell holds, with `decimal` as its decimal mark ('.' or ','). A minus sign may be `-` or `−`.
/// Marks between thousands, such as in `1,234,567`, are not read.
pub(crate) fn number(text: &str, decimal: char) -> Option<f64> {
    let text = text.trim();
    if let Some(size) = text.strip_prefix(MINUS_SIGN) {
        let is_unsigned = size.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | ','));
        return match is_unsigned {
            true => number(size, decimal).map(|size| -size),
            false => None,
        };
    }
    let first = *text.as_bytes().first()?;
    // Also refuses "inf" and "nan", which the standard library reads as numbers.
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.' | b',')) {
        return None;
    }
    let number: f64 = if decimal == '.' {
        text.parse().ok()?
    } else {
        let bytes = text.as_bytes();
        let mut with_point = [0; LONGEST_NUMBER];
        let with_point = with_point.get_mut(..bytes.len())?;
        for (to, &from) in with_point.iter_mut().zip(bytes) {
            *to = match from {
                b'.' => return None,
                b',' => b'.',
                other => other,
            };
        }
        std::str::from_utf8(with_point).ok()?.parse().ok()?
    };
    number.is_finite().then_some(number)
}

/// The value of a cell that is a number, exactly as it is written: equal for 1, 1.0 and 10e-1, and different for whole
/// numbers beyond 2⁵³ that are the same f64.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Decimal {
    is_negative: bool,
    /// The power of ten of the first digit.
    magnitude: i64,
    /// The digits without zeros at either end; empty for 0.
    digits: Vec<u8>,
}

/// So many digits tell numbers of f64 apart: two numbers with at most as many are the same f64 only if they are equal.
const EXACT_DIGITS: usize = 15;

impl Decimal {
    /// The value of a text that [`number`] reads.
    pub(crate) fn of(text: &str) -> Self {
        let text = text.trim();
        let is_negative = text.starts_with(['-', MINUS_SIGN]);
        let text = text.trim_start_matches(['+', '-', MINUS_SIGN]);
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse().unwrap_or(0)),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
        let all = whole.bytes().chain(fraction.bytes());
        let mut digits: Vec<u8> = all.skip_while(|digit| *digit == b'0').collect();
        let num_zeros = (whole.len() + fraction.len() - digits.len()) as i64;
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        if digits.is_empty() {
            return Self {
                is_negative: false,
                magnitude: 0,
                digits,
            };
        }
        Self {
            is_negative,
            magnitude: (whole.len() as i64 - 1 - num_zeros).saturating_add(exponent),
            digits,
        }
    }

    /// The value of a text that [`number`] reads, if it has more digits than tell numbers of f64 apart.
    pub(crate) fn if_long(text: &str) -> Option<Self> {
        if text.len() <= EXACT_DIGITS {
            return None;
        }
        Some(Self::of(text)).filter(|decimal| decimal.digits.len() > EXACT_DIGITS)
    }
}

/// The value by which categories that are numbers are compared, so that 1 and 1.0 are one. `None` for a text, and for
/// digits with zeros before them, which are a code: 07 is not 7.
pub(crate) fn category_value(text: &str, decimal: char) -> Option<Decimal> {
    let digits = text.trim().trim_start_matches(['+', '-', MINUS_SIGN]);
    let is_code = digits.len() > 1 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_code && digits.starts_with('0') {
        return None;
    }
    number(text, decimal).map(|_| Decimal::of(text))
}

/// Whether a cell is a number with a decimal comma, such as `3,14`. A mark between thousands, such as in `1,234`, looks
/// the same; [`is_like_thousands`] finds the cells that can be read either way.
pub(crate) fn is_decimal_comma(text: &str) -> bool {
    text.contains(',') && number(text, ',').is_some()
}

/// Whether a cell is a number whose only commas can stand between thousands, such as `1,234` or `1,234,567.5`.
pub(crate) fn is_like_thousands(text: &str) -> bool {
    let text = text.trim().trim_start_matches(['+', '-', MINUS_SIGN]);
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let is_digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let mut has_more = false;
    (1..=3).contains(&first.len())
        && is_digits(first)
        && !first.starts_with('0')
        && groups.all(|group| {
            has_more = true;
            group.len() == 3 && is_digits(group)
        })
        && has_more
}

/// The boolean that a cell holds, and the spelling: true/false, t/f, yes/no, y/n, on/off in any case. 1 and 0 are
/// numbers.
pub(crate) fn boolean(text: &str) -> Option<(bool, BooleanSpelling)> {
    let text = text.trim();
    if text.len() > 5 {
        return None;
    }
    BOOLEANS.iter().find_map(|&(yes, no, spelling)| {
        if text.eq_ignore_ascii_case(yes) {
            Some((true, spelling))
        } else {
            text.eq_ignore_ascii_case(no).then_some((false, spelling))
        }
    })
}

/// The date that a cell holds, in days since 1970-01-01, with the time of the day as the fraction (of UTC if the cell
/// names an offset).
///
/// Read are 2024-03-05, 2024/3/5, 5.3.2024, 5/3/2024, 5-3-2024, 05 03 2024, 5 March 2024, 5-Mar-24 and March 5, 2024, each
/// alone, behind a weekday, or before a time such as `14:05`, `T14:05:30.25Z`, ` 2:05 PM`, ` 14:05:30,25 UTC` or
/// ` 14:05:30+02:00`; `Tue Mar 5 14:05:30 2024` and `20240305T140530`; and months, as their first day: 2024-03, March 2024,
/// Mar-24. `order` decides where slashes, dashes or blanks leave it open; dots always follow the day. Years of two digits
/// are 1969 to 2068, as in Python.
pub(crate) fn date(text: &str, order: DateOrder) -> Option<f64> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let is_candidate = (6..=40).contains(&bytes.len())
        && text.is_ascii()
        && bytes.iter().any(u8::is_ascii_digit)
        && !bytes.iter().all(u8::is_ascii_digit);
    if !is_candidate {
        return None;
    }
    let text = without_weekday(text);
    if let Some(days) = compact(text) {
        return Some(days);
    }
    let (day, time) = split_time(text);
    let Some(time) = time else {
        return month_alone(day).or_else(|| day_number(day, order));
    };
    // As C writes dates, the year stands behind the time.
    if let Some((time, year)) = time.rsplit_once(' ')
        && year.len() == 4
        && digits(year, 4).is_some()
    {
        return Some(day_number(&format!("{day} {year}"), order)? + time_of_day(time)?);
    }
    Some(day_number(day, order)? + time_of_day(time)?)
}

/// The date that a cell of a column of dates holds: as [`date`], or eight digits such as `20240305`, which are numbers in
/// other columns.
pub(crate) fn date_or_digits(text: &str, order: DateOrder) -> Option<f64> {
    date(text, order).or_else(|| date_of_digits(text))
}

/// The date of eight digits such as `20240305`, from 1900 to 2099, in days since 1970-01-01.
pub(crate) fn date_of_digits(text: &str) -> Option<f64> {
    let text = text.trim();
    if text.len() != 8 {
        return None;
    }
    let number = |place: std::ops::Range<usize>| digits(text.get(place)?, 4);
    let year = number(0..4).filter(|year| (1900..2100).contains(year))?;
    days_since_1970(year, number(4..6)?, number(6..8)?)
}

/// A date without the weekday before it, such as `Tue` or `Tuesday,`.
fn without_weekday(text: &str) -> &str {
    const WEEKDAYS: [&str; 7] = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let Some((first, rest)) = text.split_once(' ') else {
        return text;
    };
    let first = first.strip_suffix(',').unwrap_or(first);
    let is_weekday = WEEKDAYS
        .iter()
        .any(|day| first.eq_ignore_ascii_case(day) || first.eq_ignore_ascii_case(&day[..3]));
    if is_weekday { rest.trim_start() } else { text }
}

/// A date and time without marks between, such as `20240305T140530`.
fn compact(text: &str) -> Option<f64> {
    let (day, time) = text.split_once('T')?;
    let time = time.strip_suffix('Z').unwrap_or(time);
    if day.len() != 8 || !matches!(time.len(), 4 | 6) {
        return None;
    }
    let number = |text: &str, place: std::ops::Range<usize>| digits(text.get(place)?, 4);
    let days = days_since_1970(number(day, 0..4)?, number(day, 4..6)?, number(day, 6..8)?)?;
    let seconds = if time.len() == 6 {
        number(time, 4..6)?
    } else {
        0
    };
    let (hours, minutes) = (number(time, 0..2)?, number(time, 2..4)?);
    let is_time = hours < 24 && minutes < 60 && seconds < 61;
    let seconds = f64::from(3600 * hours + 60 * minutes + seconds);
    is_time.then_some(days + seconds / 86_400.0)
}

/// The first day of a month such as `2024-03`, `03/2024`, `March 2024` or `Mar-24`.
fn month_alone(text: &str) -> Option<f64> {
    let separator = text.find([' ', '-', '/'])?;
    let (first, second) = (&text[..separator], &text[separator + 1..]);
    let is_year = |text: &str| text.len() == 4 && matches!(digits(text, 4), Some(1000..3000));
    let is_dashed = text[separator..].starts_with('-');
    let (year, month) = match (month_name(first), first.len(), second.len()) {
        (Some(month), ..) if is_year(second) => (second, month),
        (Some(month), _, 2) if is_dashed => (second, month),
        (None, 4, 2) if is_year(first) => (first, digits(second, 2)?),
        (None, 2, 4) if is_year(second) => (second, digits(first, 2)?),
        _ => return None,
    };
    days_since_1970(full_year(year)?, month, 1)
}

/// The year that four or two digits mean.
fn full_year(text: &str) -> Option<u32> {
    match (text.len(), digits(text, 4)?) {
        (4, year) => Some(year),
        (2, year @ 69..) => Some(1900 + year),
        (2, year) => Some(2000 + year),
        _ => None,
    }
}

/// Whether a text is like a date that [`date`] does not read: it has a year and another number, or a month, beside it.
pub(crate) fn is_like_date(text: &str) -> bool {
    let is_year = |part: &str| part.len() == 4 && matches!(digits(part, 4), Some(1900..2100));
    let is_part = |part: &str| {
        let is_number = part.len() <= 2 && digits(part, 2).is_some_and(|number| number <= 60);
        !part.is_empty() && is_number || month_name(part).is_some()
    };
    let parts = || {
        let parts = text.split(|c: char| !c.is_ascii_alphanumeric());
        parts.flat_map(|part| part.split(['W', 'Q', 'T']))
    };
    text.chars().count() <= 40 && parts().any(is_year) && parts().any(is_part)
}

/// Splits a date from the time that follows it.
fn split_time(text: &str) -> (&str, Option<&str>) {
    let Some(colon) = text.find(':') else {
        return (text, None);
    };
    match text[..colon].rfind([' ', 'T', 't']) {
        Some(gap) => (text[..gap].trim_end_matches(','), Some(&text[gap + 1..])),
        None => (text, None),
    }
}

fn day_number(text: &str, order: DateOrder) -> Option<f64> {
    let mut parts = text
        .split([' ', '-', '/', '.', ','])
        .filter(|part| !part.is_empty());
    let parts = [
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next().unwrap_or_default(),
    ];
    let [first, second, third, ""] = parts else {
        return None;
    };
    let (year, month, day) = if let Some(month) = month_name(first) {
        (third, month, second)
    } else if let Some(month) = month_name(second) {
        (third, month, first)
    } else {
        let separator = text.as_bytes().get(first.len())?;
        let second_separator = text.as_bytes().get(first.len() + 1 + second.len());
        let length = first.len() + second.len() + third.len() + 2;
        if second_separator != Some(separator) || text.len() != length || *separator == b',' {
            return None;
        }
        // Three numbers with blanks between are a date only if they are written in full.
        if *separator == b' ' && [first.len(), second.len(), third.len()] != [2, 2, 4] {
            return None;
        }
        if first.len() == 4 {
            (first, digits(second, 2)?, third)
        } else if *separator == b'.' || order == DateOrder::DayFirst {
            (third, digits(second, 2)?, first)
        } else {
            (third, digits(first, 2)?, second)
        }
    };
    // 1-2-15 and 40-49-11 are not dates.
    if year.len() == 2 && text.contains('-') && month_name(second).is_none() {
        return None;
    }
    days_since_1970(full_year(year)?, month, digits(day, 2)?)
}

fn digits(text: &str, longest: usize) -> Option<u32> {
    let is_number = text.len() <= longest && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

fn month_name(text: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let is_month = |month: &str| {
        text.eq_ignore_ascii_case(month)
            || text.eq_ignore_ascii_case(&month[..3])
            || text.eq_ignore_ascii_case("sept") && month.starts_with("sept")
    };
    let place = MONTHS.iter().position(|month| is_month(month))?;
    u32::try_from(place + 1).ok()
}

/// Days since 1970-01-01 in the Gregorian calendar, after Howard Hinnant's `days_from_civil`
/// (<https://howardhinnant.github.io/date_algorithms.html>).
fn days_since_1970(year: u32, month: u32, day: u32) -> Option<f64> {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let longest = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) || year == 0 {
        return None;
    }
    let year = i64::from(if month <= 2 { year - 1 } else { year });
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some((era * 146_097 + day_of_era - 719_468) as f64)
}

/// A time such as `14:05`, `2:05 PM` or `14:05:30.25+02:00` as a fraction of a day; outside 0 to 1 if the offset says
/// so.
fn time_of_day(text: &str) -> Option<f64> {
    let text = text.trim();
    let (text, zone) = match text.rsplit_once(' ') {
        Some((time, zone)) => match zone_hours(zone) {
            Some(hours) => (time.trim_end(), hours),
            None => (text, 0.0),
        },
        None => (text, 0.0),
    };
    let (text, hours_later) = match text
        .len()
        .checked_sub(2)
        .and_then(|at| text.split_at_checked(at))
    {
        Some((time, half)) if half.eq_ignore_ascii_case("am") => (time.trim_end(), Some(0)),
        Some((time, half)) if half.eq_ignore_ascii_case("pm") => (time.trim_end(), Some(12)),
        _ => (text, None),
    };
    let (time, offset) = match text.find(['+', '-', 'Z', 'z']) {
        Some(at) => (&text[..at], offset_hours(&text[at..])?),
        None => (text, zone),
    };
    let mut parts = time.trim_end().split(':');
    let hours = match (digits(parts.next()?, 2)?, hours_later) {
        (hours @ 0..24, None) => hours,
        (hours @ 1..=12, Some(later)) => hours % 12 + later,
        _ => return None,
    };
    let minutes = digits(parts.next()?, 2).filter(|&minutes| minutes < 60)?;
    let seconds = match parts.next() {
        Some(seconds) if seconds.starts_with(|c: char| c.is_ascii_digit()) => {
            number(seconds, '.').or_else(|| number(seconds, ','))?
        }
        Some(_) => return None,
        None => 0.0,
    };
    if parts.next().is_some() || !(0.0..61.0).contains(&seconds) {
        return None;
    }
    Some((f64::from(hours) - offset) / 24.0 + f64::from(minutes) / 1440.0 + seconds / 86_400.0)
}

/// The offset of a named zone from UTC in hours: those of RFC 2822, and those of Central Europe.
fn zone_hours(name: &str) -> Option<f64> {
    const ZONES: [(&str, f64); 12] = [
        ("UTC", 0.0),
        ("GMT", 0.0),
        ("EST", -5.0),
        ("EDT", -4.0),
        ("CST", -6.0),
        ("CDT", -5.0),
        ("MST", -7.0),
        ("MDT", -6.0),
        ("PST", -8.0),
        ("PDT", -7.0),
        ("CET", 1.0),
        ("CEST", 2.0),
    ];
    let zone = ZONES
        .iter()
        .find(|(zone, _)| zone.eq_ignore_ascii_case(name))?;
    Some(zone.1)
}

/// An offset from UTC, such as `Z`, `+02:00`, `-0530` or `+02`, in hours.
fn offset_hours(text: &str) -> Option<f64> {
    let (sign, rest) = match text.as_bytes() {
        [b'Z' | b'z'] => return Some(0.0),
        [b'+', ..] => (1.0, &text[1..]),
        [b'-', ..] => (-1.0, &text[1..]),
        _ => return None,
    };
    let (hours, minutes) = match rest.len() {
        2 => (rest, "0"),
        4 => rest.split_at(2),
        5 => rest.split_once(':')?,
        _ => return None,
    };
    Some(sign * (f64::from(digits(hours, 2)?) + f64::from(digits(minutes, 2)?) / 60.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_with_their_decimal_mark() {
        for (text, expected) in [
            ("3504.", 3504.0),
            (" -.5 ", -0.5),
            ("+1e-3", 1e-3),
            ("007", 7.0),
            ("\u{2212}1.5", -1.5),
        ] {
            assert_eq!(number(text, '.'), Some(expected), "{text}");
        }
        assert_eq!(number("10,66", ','), Some(10.66));
        assert_eq!(number("-1,5E3", ','), Some(-1500.0));
        assert_eq!(number("12", ','), Some(12.0));
    }

    #[test]
    fn what_is_no_finite_number_is_none() {
        for text in [
            "", "nan", "inf", "-inf", "1e999", "1,5", "1.2.3", "12a", "-", "0x10", "1_000", ".",
        ] {
            assert_eq!(number(text, '.'), None, "{text}");
        }
        for text in ["1.5", "1.234,5", ",", "1,2,3"] {
            assert_eq!(number(text, ','), None, "{text}");
        }
        assert_eq!(number(&"1".repeat(100), ','), None);
        assert_eq!(number("\u{2212}\u{2212}1", '.'), None);
        assert_eq!(number("\u{2212}-1", '.'), None);
    }

    #[test]
    fn a_decimal_is_the_value_as_it_is_written() {
        for (one, other) in [
            ("1", "1.0"),
            ("1", "10e-1"),
            ("0.05", "+5E-2"),
            ("-0", "0.00"),
            ("-1", "\u{2212}1"),
            ("1,50", "1.5"),
            ("007", "7"),
            ("9007199254740993.0", "9007199254740993"),
        ] {
            assert_eq!(Decimal::of(one), Decimal::of(other), "{one} {other}");
        }
        for (one, other) in [
            ("1", "-1"),
            ("1", "10"),
            ("0.1", "0.01"),
            ("9007199254740992", "9007199254740993"),
        ] {
            assert_ne!(Decimal::of(one), Decimal::of(other), "{one} {other}");
        }
        assert!(Decimal::of("9007199254740992") < Decimal::of("9007199254740993"));
        assert_eq!(Decimal::if_long("100000000000000000000"), None);
        assert!(Decimal::if_long("9007199254740993").is_some());
    }

    #[test]
    fn categories_are_one_number_unless_zeros_before_them_make_them_codes() {
        let value = |text: &str| category_value(text, '.');
        assert_eq!(value("1"), value("1.0"));
        assert_eq!(value("0"), value("0.0"));
        assert!(value("7").is_some() && value("07").is_none() && value("a").is_none());
    }

    #[test]
    fn commas_in_numbers_are_told_apart() {
        assert!(is_decimal_comma("3,14") && is_decimal_comma("1,234"));
        assert!(!is_decimal_comma("3.14") && !is_decimal_comma("314") && !is_decimal_comma("a,b"));
        assert!(is_like_thousands("1,234") && is_like_thousands("-1,234,567.5"));
        for text in ["3,14", "1234", "0,123", "12,34,567", ",123", "1,234,56"] {
            assert!(!is_like_thousands(text), "{text}");
        }
    }

    #[test]
    fn booleans_are_read_in_any_case() {
        assert_eq!(boolean("TRUE"), Some((true, BooleanSpelling::TrueFalse)));
        assert_eq!(boolean(" No "), Some((false, BooleanSpelling::YesNo)));
        assert_eq!(boolean("f"), Some((false, BooleanSpelling::TF)));
        for text in ["", "1", "0", "maybe", "ye"] {
            assert_eq!(boolean(text), None, "{text}");
        }
    }

    /// Python: `(datetime(2024, 3, 5) - datetime(1970, 1, 1)).days` is 19787; 5 March 1969 is -302; 29 February 2000
    /// is 11016.
    #[test]
    fn dates_are_days_since_1970() {
        use DateOrder::{DayFirst, MonthFirst};
        for text in [
            "2024-03-05",
            "2024/3/5",
            "2024.03.05",
            "5.3.2024",
            "05.03.24",
            "5/3/2024",
            "5-3-2024",
            "5 March 2024",
            "5-Mar-24",
            "05-MAR-2024",
            "March 5, 2024",
            "Mar 5 2024",
            "2024-03-05T00:00:00Z",
            "05 03 2024",
            "Tuesday, March 05, 2024",
            "20240305T0000Z",
        ] {
            assert_eq!(date(text, DayFirst), Some(19787.0), "{text}");
        }
        assert_eq!(date_or_digits("20240305", DayFirst), Some(19787.0));
        for text in ["20240230", "2024030", "202403051", "18991231", "2024+305"] {
            assert_eq!(date_or_digits(text, DayFirst), None, "{text}");
        }
        assert_eq!(date("3/5/2024", MonthFirst), Some(19787.0));
        assert_eq!(date("3/5/24", MonthFirst), Some(19787.0));
        assert_eq!(date("05.03.2024", MonthFirst), Some(19787.0));
        assert_eq!(date("1969-03-05", DayFirst), Some(-302.0));
        assert_eq!(date("2000-02-29", DayFirst), Some(11016.0));
    }

    #[test]
    fn times_are_fractions_of_a_day() {
        let time = |text: &str| date(text, DateOrder::DayFirst).map(|days| days - 19787.0);
        for text in [
            "2024-03-05 18:00",
            "2024-03-05T18:00:00.000",
            "5.3.2024 18:00:00",
            "2024-03-05T20:00+02:00",
            "2024-03-05 13:30:00 -0430",
            "2024-03-05 6:00 PM",
            "March 5, 2024, 6:00 pm",
            "2024-03-05 18:00:00 UTC",
            "2024-03-05 18:00:00,000",
            "2024-03-05 13:00:00 EST",
            "2024-03-05 01:00 PM EST",
            "Tue Mar 05 18:00:00 2024",
            "Tue Mar  5 18:00:00 UTC 2024",
            "Tue, 05 Mar 2024 18:00:00 GMT",
            "Tue, 05 Mar 2024 20:00:00 +0200",
            "20240305T180000",
        ] {
            assert_eq!(time(text), Some(0.75), "{text}");
        }
        let midnight = date("2024-03-05 12:30 AM", DateOrder::DayFirst);
        assert_eq!(midnight, Some(19787.0 + 0.5 / 24.0));
    }

    #[test]
    fn texts_like_dates_that_are_not_read_are_known() {
        for text in [
            "2020-01-01 10:00 Europe/Berlin",
            "01/Jan/2020:00:00:00 +0000",
            "2020年01月01日",
            "2020_01_01",
            "2020-W01",
            "2020Q1",
            "January 3rd, 2020",
        ] {
            assert!(is_like_date(text), "{text}");
            assert_eq!(date(text, DateOrder::DayFirst), None, "{text}");
        }
        for text in ["A/2020", "Smith, J. 1234", "2020", "room 12", "PC 17599"] {
            assert!(!is_like_date(text), "{text}");
        }
    }

    #[test]
    fn months_are_their_first_day() {
        for text in [
            "2024-03",
            "2024/03",
            "03/2024",
            "Mar 2024",
            "March 2024",
            "Mar-24",
            "Mar-2024",
        ] {
            assert_eq!(date(text, DateOrder::DayFirst), Some(19783.0), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "20240305",
            "2024-13-05",
            "2024-02-30",
            "1900-02-29",
            "40-49",
            "1.2.3.4",
            "3.14159",
            "10:30",
            "1-2-15",
            "2024-03-05 25:00",
            "2024-03-05 10:61",
            "2024-03/05",
            "5 Smarch 2024",
            "right_up",
            "0000-01-01",
            "2024-03-05T10:00+",
            "12/31/2024",
            "2024-13",
            "1999-20",
            "10-2024-3",
            "5 3 2024",
            "Marching 2024",
            "Mar 24",
            "20241305T0000",
            "20240305T2500",
            "2024-03-05 10:00 Europe/Berlin",
        ] {
            assert_eq!(date(text, DateOrder::DayFirst), None, "{text}");
        }
    }
}
