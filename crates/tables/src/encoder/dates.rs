//! The parts of a date, from its day since 1970-01-01.

use serde::{Deserialize, Serialize};

/// A part of a date that is a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DatePart {
    Year,
    /// 1 to 12.
    Month,
    /// Of the month, 1 to 31.
    Day,
    /// 1 is Monday, 7 is Sunday.
    Weekday,
    /// 0 to 23.
    Hour,
}

impl DatePart {
    /// The parts of a column: with the hour if its training rows have times.
    pub(super) fn all(has_times: bool) -> Vec<Self> {
        let mut parts = vec![Self::Year, Self::Month, Self::Day, Self::Weekday];
        if has_times {
            parts.push(Self::Hour);
        }
        parts
    }

    /// Its name after that of the column.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Month => "month",
            Self::Day => "day",
            Self::Weekday => "weekday",
            Self::Hour => "hour",
        }
    }

    /// Its value on a day.
    pub(super) fn of(self, days: f64) -> f64 {
        const MILLISECONDS_PER_DAY: i64 = 86_400_000;
        // To the millisecond, since 13 hours are not quite 13/24 of a day as a float. The conversion saturates.
        let milliseconds = (days * MILLISECONDS_PER_DAY as f64).round() as i64;
        let day = milliseconds.div_euclid(MILLISECONDS_PER_DAY);
        let (year, month, day_of_month) = calendar(day);
        let part = match self {
            Self::Year => year,
            Self::Month => month,
            Self::Day => day_of_month,
            // 1970-01-01 was a Thursday.
            Self::Weekday => (day + 3).rem_euclid(7) + 1,
            Self::Hour => milliseconds.rem_euclid(MILLISECONDS_PER_DAY) / 3_600_000,
        };
        part as f64
    }
}

/// A day since 1970-01-01 as it is written in ISO 8601, such as `2024-03-05`.
pub(super) fn written_day(days: f64) -> String {
    let (year, month, day) = calendar(days.floor() as i64);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Year, month and day of the month in the Gregorian calendar, after Howard Hinnant's `civil_from_days`
/// (<https://howardhinnant.github.io/date_algorithms.html>).
fn calendar(days_since_1970: i64) -> (i64, i64, i64) {
    let days = days_since_1970 + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Months are counted from March.
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Python: `datetime(…)`, its `timetuple()` and `isoweekday()`.
    #[test]
    fn parts_are_those_of_python() {
        for (days, expected) in [
            (0.0, [1970.0, 1.0, 1.0, 4.0, 0.0]),
            (19_787.0 + 13.0 / 24.0, [2024.0, 3.0, 5.0, 2.0, 13.0]),
            (11_016.0 + 23.0 / 24.0, [2000.0, 2.0, 29.0, 2.0, 23.0]),
            (-0.25, [1969.0, 12.0, 31.0, 3.0, 18.0]),
            (-25_509.0, [1900.0, 2.0, 28.0, 3.0, 0.0]),
        ] {
            let parts = DatePart::all(true).into_iter().map(|part| part.of(days));
            assert_eq!(parts.collect::<Vec<f64>>(), expected, "{days}");
        }
    }

    #[test]
    fn days_are_written_as_in_iso_8601() {
        assert_eq!(written_day(19_787.9), "2024-03-05");
        assert_eq!(written_day(-0.25), "1969-12-31");
    }

    #[test]
    fn no_number_makes_the_calendar_overflow() {
        for days in [f64::MAX, f64::MIN, f64::NAN, f64::INFINITY] {
            for part in DatePart::all(true) {
                assert!(part.of(days).is_finite());
            }
        }
    }
}
