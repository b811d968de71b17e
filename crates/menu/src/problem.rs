//! The problem of one value of a configuration.

/// A value that a configuration cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` is {value}, expected {expected}")]
pub struct Problem {
    /// The dotted key, such as `optimizer.learning_rate` or `model.activation[1].alpha`.
    pub key: String,
    /// The value as written.
    pub value: String,
    /// The values that would be accepted.
    pub expected: String,
}

impl Problem {
    /// Says that `key` has `value` where `expected` would be accepted.
    pub fn new(key: impl Into<String>, value: impl ToString, expected: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            value: value.to_string(),
            expected: expected.into(),
        }
    }

    /// `Ok` if `accepted`, otherwise the problem.
    ///
    /// # Errors
    /// The problem itself, unless `accepted`.
    pub fn unless(
        accepted: bool,
        key: impl Into<String>,
        value: impl ToString,
        expected: impl Into<String>,
    ) -> Result<(), Self> {
        match accepted {
            true => Ok(()),
            false => Err(Self::new(key, value, expected)),
        }
    }

    /// `Ok` if `value` is finite, otherwise the problem.
    ///
    /// # Errors
    /// The problem, if `value` is infinite or NaN.
    pub fn unless_finite(value: f64, key: impl Into<String>) -> Result<(), Self> {
        Self::unless(value.is_finite(), key, value, "a finite number")
    }

    /// `Ok` if `value` is finite and above zero, otherwise the problem.
    ///
    /// # Errors
    /// The problem, if `value` is zero, negative, infinite or NaN.
    pub fn unless_positive(value: f64, key: impl Into<String>) -> Result<(), Self> {
        let is_positive = value.is_finite() && value > 0.0;
        Self::unless(is_positive, key, value, "a finite number above zero")
    }

    /// `Ok` if `value` is finite and not below zero, otherwise the problem.
    ///
    /// # Errors
    /// The problem, if `value` is negative, infinite or NaN.
    pub fn unless_not_negative(value: f64, key: impl Into<String>) -> Result<(), Self> {
        let is_accepted = value.is_finite() && value >= 0.0;
        Self::unless(is_accepted, key, value, "zero or positive")
    }

    /// `Ok` if `count` is at least 1, otherwise the problem.
    ///
    /// # Errors
    /// The problem, if `count` is 0.
    pub fn unless_at_least_one(count: u64, key: impl Into<String>) -> Result<(), Self> {
        Self::unless(count > 0, key, count, "at least 1")
    }

    /// The same problem for a table inside another one: puts `table` before the key.
    #[must_use]
    pub fn within(mut self, table: &str) -> Self {
        self.key = format!("{table}.{}", self.key);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_its_key_from_the_outermost_table_on() {
        let problem = Problem::unless(false, "alpha", f64::INFINITY, "a finite number");
        let problem = problem.expect_err("inf is refused").within("activation");
        assert_eq!(
            problem.to_string(),
            "`activation.alpha` is inf, expected a finite number"
        );
    }

    #[test]
    fn nan_is_neither_finite_nor_positive() {
        assert!(Problem::unless_finite(f64::NAN, "alpha").is_err());
        assert!(Problem::unless_positive(f64::NAN, "gain").is_err());
        assert!(Problem::unless_positive(f64::INFINITY, "gain").is_err());
        assert!(Problem::unless_positive(0.0, "gain").is_err());
        assert_eq!(Problem::unless_positive(0.5, "gain"), Ok(()));
        assert_eq!(Problem::unless_finite(0.0, "alpha"), Ok(()));
        assert!(Problem::unless_not_negative(f64::NAN, "decay").is_err());
        assert!(Problem::unless_not_negative(f64::INFINITY, "decay").is_err());
        assert!(Problem::unless_not_negative(-0.5, "decay").is_err());
        assert_eq!(Problem::unless_not_negative(0.0, "decay"), Ok(()));
        assert!(Problem::unless_at_least_one(0, "patience").is_err());
        assert_eq!(Problem::unless_at_least_one(1, "patience"), Ok(()));
    }
}
