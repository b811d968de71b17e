//! Numbers in text files, which read back with the same bits.

use std::fmt;

/// A number as files hold it: exact, and in scientific notation if it would have many zeros.
pub(crate) struct Exact(pub(crate) f64);

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0;
        match value != 0.0 && value.is_finite() && !(1e-10..1e20).contains(&value.abs()) {
            true => write!(f, "{value:e}"),
            false => write!(f, "{value}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_size_are_short_and_read_back() {
        for value in [
            0.1,
            1e-300,
            -2.5e-11,
            1e-9,
            1e300,
            1e19,
            0.0,
            f64::MIN_POSITIVE,
        ] {
            let text = Exact(value).to_string();
            assert_eq!(text.parse(), Ok(value), "{text}");
            assert!(text.len() < 25, "{text}");
        }
        assert_eq!(Exact(1e-9).to_string(), "0.000000001");
        assert_eq!(Exact(f64::NAN).to_string(), "NaN");
        assert_eq!(Exact(f64::NEG_INFINITY).to_string(), "-inf");
    }
}
