//! The path to one value of a TOML document, such as `model.hidden[1]`.

use std::fmt;
use toml_edit::Key;

/// One step down from a table or an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The value of a key.
    Key(String),
    /// An element of an array, counted from 0.
    Index(usize),
}

/// The steps from the root of a document; none for the root itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KeyPath(Vec<Step>);

impl KeyPath {
    /// Reads a path as [`fmt::Display`] writes it: dotted keys, quoted where TOML needs it, and `[index]`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(index) = rest.strip_prefix('[') {
                let (index, after) = index.split_once(']')?;
                steps.push(Step::Index(index.parse().ok()?));
                rest = after.strip_prefix('.').unwrap_or(after);
            } else {
                let end = find_unquoted(rest, '[').unwrap_or(rest.len());
                let keys = Key::parse(&rest[..end]).ok()?;
                steps.extend(keys.iter().map(|key| Step::Key(key.get().to_owned())));
                rest = &rest[end..];
            }
        }
        Some(Self(steps))
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The key that the path ends in; `None` for the root and for an element of an array.
    pub(crate) fn last_key(&self) -> Option<&str> {
        match self.0.last() {
            Some(Step::Key(key)) => Some(key),
            _ => None,
        }
    }

    /// The path without its last step; `None` for the root.
    pub(crate) fn parent(&self) -> Option<Self> {
        let (_, parents) = self.0.split_last()?;
        Some(Self(parents.to_vec()))
    }

    /// Whether the path is `start` or leads further from there.
    pub(crate) fn starts_with(&self, start: &Self) -> bool {
        self.0.starts_with(&start.0)
    }

    /// The path with one more step.
    pub(crate) fn child(&self, step: Step) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }
}

impl FromIterator<Step> for KeyPath {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if depth == 0 => write!(f, "{}", Key::new(key))?,
                Step::Key(key) => write!(f, ".{}", Key::new(key))?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// The key that is set twice when `later` is set after `earlier`, which has one of these values: the values of one of them
/// are lost. Keys are written with their tables, such as `model.hidden`. `None` if nothing is lost: a later key may add to
/// an earlier table.
pub fn key_set_twice<'a>(
    earlier: &'a str,
    values: &[&toml::Value],
    later: &'a str,
) -> Option<&'a str> {
    let (first, second) = (KeyPath::parse(earlier)?, KeyPath::parse(later)?);
    if first.starts_with(&second) {
        return Some(earlier);
    }
    let rest = second.0.strip_prefix(&first.0[..])?;
    let holds = |value: &&toml::Value| {
        let found = rest.iter().try_fold(*value, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => value.get(index),
        });
        found.is_some()
    };
    values.iter().any(holds).then_some(later)
}

/// The byte position of the first `wanted` character outside TOML's quotes.
pub(crate) fn find_unquoted(text: &str, wanted: char) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some('"') if c == '\\' => escaped = true,
            Some(q) if c == q => quote = None,
            Some(_) => {}
            None if c == wanted => return Some(at),
            None if c == '"' || c == '\'' => quote = Some(c),
            None => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_path_is_read_back() {
        for text in [
            "model",
            "a.b.c",
            "layers[2].units",
            "a[0][1]",
            r#"a."b.c".d"#,
            "",
        ] {
            let path = KeyPath::parse(text).map(|path| path.to_string());
            assert_eq!(path.as_deref(), Some(text));
        }
    }

    #[test]
    fn a_broken_path_is_refused() {
        for text in ["a..b", "a[x]", "a[1", ".a", "a b"] {
            assert_eq!(KeyPath::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_character_inside_quotes_is_not_found() {
        assert_eq!(find_unquoted(r#"a."b=c"=d"#, '='), Some(7));
        assert_eq!(find_unquoted(r#""a\"=b"=c"#, '='), Some(7));
        assert_eq!(find_unquoted("'a=b'", '='), None);
    }

    #[test]
    fn a_key_inside_the_value_of_another_is_common_to_both() {
        let table = toml::Value::from(toml::Table::from_iter([("b".to_string(), 1.into())]));
        assert_eq!(key_set_twice("a.b", &[], "a.b"), Some("a.b"));
        assert_eq!(key_set_twice(r#""a".b.c"#, &[], "a.b"), Some(r#""a".b.c"#));
        assert_eq!(key_set_twice("a", &[&table], "a.b"), Some("a.b"));
        assert_eq!(key_set_twice("a", &[&table], "a.c"), None);
        assert_eq!(key_set_twice("a.b", &[], "a.bc"), None);
        assert_eq!(key_set_twice("a.b", &[], "c"), None);
    }
}
