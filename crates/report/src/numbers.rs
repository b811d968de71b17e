//! Numbers and lists as people read them.

/// A number with four digits after the point, or in scientific notation if it is very large or small.
pub fn number(value: f64) -> String {
    match value.abs() {
        x if x != 0.0 && x.is_finite() && !(1e-3..1e5).contains(&x) => format!("{value:.2e}"),
        _ => format!("{value:.4}"),
    }
}

/// `0.35 s`, `2:03` minutes or `1:02:03` hours.
pub fn duration(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.2} s");
    }
    let whole = seconds as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02} min"),
        _ => format!("{hours}:{minutes:02}:{seconds:02} h"),
    }
}

/// A number with about three significant digits.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_string(),
        x if !(1e-3..1e5).contains(&x) => format!("{value:.1e}"),
        x if x < 0.1 => format!("{value:.4}"),
        x if x < 10.0 => format!("{value:.3}"),
        _ => format!("{value:.1}"),
    }
}

/// An interval times `sign`, which is 1 or -1, as `[low, high]`.
pub(crate) fn signed_interval(sign: f64, (low, high): (f64, f64)) -> String {
    let (low, high) = (sign * low, sign * high);
    format!("[{}, {}]", short(low.min(high)), short(low.max(high)))
}

/// `1 epoch` or `2 epochs`.
pub fn count(n: usize, noun: &str) -> String {
    match n {
        1 => format!("1 {noun}"),
        _ => format!("{n} {noun}s"),
    }
}

/// `a`, `a and b`, or `a, b and c`; with semicolons if a name contains a comma.
pub(crate) fn list(names: &[&str]) -> String {
    let separator = match names.iter().any(|name| name.contains(',')) {
        true => "; ",
        false => ", ",
    };
    match names {
        [] => String::new(),
        [one] => (*one).to_string(),
        [first @ .., last] if separator == ", " => format!("{} and {last}", first.join(separator)),
        [first @ .., last] => format!("{}; and {last}", first.join(separator)),
    }
}

/// The first ten names, and the number of the others: `a, b, … and 123 more`.
pub(crate) fn short_list(names: &[&str]) -> String {
    const MOST: usize = 10;
    if names.len() <= MOST {
        return list(names);
    }
    let more = format!("{} more", names.len() - MOST);
    list(&[&names[..MOST], &[more.as_str()]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_durations_and_lists_are_formatted() {
        assert_eq!(number(0.12345), "0.1235");
        assert_eq!(number(0.00012), "1.20e-4");
        assert_eq!(number(0.0), "0.0000");
        assert_eq!(number(f64::NAN), "NaN");
        assert_eq!(duration(0.349), "0.35 s");
        assert_eq!(duration(123.9), "2:03 min");
        assert_eq!(duration(3723.0), "1:02:03 h");
        assert_eq!(
            (count(1, "seed"), count(2, "seed")),
            ("1 seed".into(), "2 seeds".into())
        );
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(list(&["a, b", "c"]), "a, b; and c");
        assert_eq!(short_list(&["a"; 10]), list(&["a"; 10]));
        assert!(short_list(&["a"; 133]).ends_with("a, a and 123 more"));
    }
}
