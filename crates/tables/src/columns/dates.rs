//! A column of dates, in each order of day and month that its cells allow.

use super::cell::{self, DateOrder};
use super::cell_format::CellFormat;
use crate::error::TableError;

/// Dates as days since 1970-01-01, in each order of day and month that all cells so far allow.
pub(crate) struct Dates {
    rows: usize,
    /// Whether eight digits such as `20240305` are a date.
    with_digits: bool,
    day_first: Option<Vec<f64>>,
    month_first: Option<Vec<f64>>,
}

impl Dates {
    /// Dates of a column that is known to hold dates, in this order if it is known too.
    pub(crate) fn new(order: Option<DateOrder>) -> Self {
        Self {
            rows: 0,
            with_digits: true,
            day_first: (order != Some(DateOrder::MonthFirst)).then(Vec::new),
            month_first: (order != Some(DateOrder::DayFirst)).then(Vec::new),
        }
    }

    /// Dates of a column that may hold dates, where digits alone are numbers.
    pub(crate) fn guessed() -> Self {
        Self {
            with_digits: false,
            ..Self::new(None)
        }
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.day_first.is_some() || self.month_first.is_some()
    }

    /// Whether there are rows above the last one.
    pub(crate) fn has_earlier(&self) -> bool {
        self.rows > 1
    }

    pub(crate) fn push_missing(&mut self) {
        self.rows += 1;
        for days in [&mut self.day_first, &mut self.month_first]
            .into_iter()
            .flatten()
        {
            days.push(f64::NAN);
        }
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.rows += 1;
        for (days, order) in [
            (&mut self.day_first, DateOrder::DayFirst),
            (&mut self.month_first, DateOrder::MonthFirst),
        ] {
            if let Some(all) = days {
                let day = match self.with_digits {
                    true => cell::date_or_digits(text, order),
                    false => cell::date(text, order),
                };
                match day {
                    Some(day) => all.push(day),
                    None => *days = None,
                }
            }
        }
    }

    /// The order and the days. The order is `None` if both give the same days.
    ///
    /// # Errors
    /// [`TableError::Unusable`] if both orders fit all cells and give different days.
    pub(crate) fn finish(
        self,
        name: &str,
        format: &CellFormat,
    ) -> Result<(Option<DateOrder>, Vec<f64>), TableError> {
        let is_same = |a: &f64, b: &f64| a == b || a.is_nan() && b.is_nan();
        match (self.day_first, self.month_first) {
            (Some(days), Some(others)) => {
                if !days.iter().zip(&others).all(|(a, b)| is_same(a, b)) {
                    return Err(TableError::Unusable {
                        path: format.path.clone(),
                        message: format!(
                            "the dates in column {name:?} can be read with the day or with the month first: write \
                             them as 2024-03-05, or leave the column out of the training with `drop = [{name:?}]`"
                        ),
                    });
                }
                Ok((None, days))
            }
            (Some(days), None) => Ok((Some(DateOrder::DayFirst), days)),
            (None, Some(days)) => Ok((Some(DateOrder::MonthFirst), days)),
            (None, None) => Ok((None, Vec::new())),
        }
    }
}
