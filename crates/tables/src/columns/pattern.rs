//! Patterns of column names, with `*` for any characters.

use std::collections::HashSet;

/// Patterns for the columns of one table. A pattern that is the name of a column stands for that column alone, even if
/// there is a `*` in it.
pub(crate) struct Patterns<'a> {
    exact: HashSet<&'a str>,
    others: HashSet<&'a str>,
}

impl<'a> Patterns<'a> {
    /// `patterns` for a table with the columns `names`.
    pub(crate) fn new(patterns: &'a [String], names: &HashSet<&str>) -> Self {
        let patterns = patterns.iter().map(String::as_str);
        let (exact, others) = patterns.partition(|pattern| names.contains(pattern));
        Self { exact, others }
    }

    /// Whether one of the patterns stands for the column `name`.
    pub(crate) fn fit(&self, name: &str) -> bool {
        self.exact.contains(name) || self.others.iter().any(|pattern| matches(pattern, name))
    }
}

/// Whether `name` is `pattern` itself, or fits it with each `*` standing for any number of characters.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    if pattern == name {
        return true;
    }
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(last) = parts.next_back() else {
        return false;
    };
    let Some(rest) = name.strip_prefix(first) else {
        return false;
    };
    let Some(mut rest) = rest.strip_suffix(last) else {
        return false;
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, name) in [
            ("x", "x"),
            ("*", ""),
            ("x*", "x"),
            ("x*", "x12"),
            ("*_id", "user_id"),
            ("*a*b*", "cabbage"),
            ("a*a", "aa"),
            ("ä*", "äöü"),
            ("rate*", "rate*"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        let names = HashSet::from(["rate*", "rate_a", "rates"]);
        let fits = |pattern: &str, name| Patterns::new(&[pattern.to_owned()], &names).fit(name);
        assert!(fits("rate*", "rate*") && !fits("rate*", "rate_a"));
        assert!(fits("rate_*", "rate_a") && !fits("rate_*", "rates"));
        for (pattern, name) in [
            ("x", "X"),
            ("x*", "y"),
            ("a*a", "a"),
            ("*b*a", "ab"),
            ("", "x"),
            ("*a*a*", "xa"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }
}
