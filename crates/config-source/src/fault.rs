//! Kinds of serde's errors, recognised by their messages, because serde has nothing else to tell them apart.

use serde::de::Unexpected;
use std::borrow::Cow;
use toml::de::DeValue;

/// A kind of error that serde reports.
#[derive(Debug, PartialEq)]
pub(crate) enum Fault<'m> {
    /// A key that its table does not have.
    UnknownField { field: &'m str, valid: Vec<&'m str> },
    /// A name that is not among the names of an enum.
    UnknownVariant {
        variant: &'m str,
        valid: Vec<&'m str>,
    },
    /// A value of the wrong type, or out of the range of its type.
    WrongValue { found: &'m str, expected: &'m str },
    /// A table lacks a required key.
    MissingField { field: &'m str },
    /// Any other error, with its own message.
    Other { message: &'m str },
}

impl<'m> Fault<'m> {
    /// The kind of a message, by the forms that `serde::de::Error` produces.
    pub(crate) fn of(message: &'m str) -> Self {
        let named = |start| message.strip_prefix(start)?.split_once("`, ");
        if let Some((field, valid)) = named("unknown field `") {
            let valid = backticked(valid);
            return Self::UnknownField { field, valid };
        }
        if let Some((variant, valid)) = named("unknown variant `") {
            let valid = backticked(valid);
            return Self::UnknownVariant { variant, valid };
        }
        if let Some(field) = message.strip_prefix("missing field `") {
            let field = field.trim_end_matches('`');
            return Self::MissingField { field };
        }
        let wrong = message
            .strip_prefix("invalid type: ")
            .or_else(|| message.strip_prefix("invalid value: "));
        match wrong.and_then(|wrong| wrong.rsplit_once(", expected ")) {
            Some((found, expected)) => Self::WrongValue { found, expected },
            None => Self::Other { message },
        }
    }
}

/// The names in backticks in a list such as "one of `a`, `b`".
pub(crate) fn backticked(list: &str) -> Vec<&str> {
    list.split('`').skip(1).step_by(2).collect()
}

/// A value as serde's messages show it.
pub(crate) fn as_found(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(s) => Unexpected::Str(s).to_string(),
        DeValue::Integer(i) => match i64::from_str_radix(i.as_str(), i.radix()) {
            Ok(i) => Unexpected::Signed(i).to_string(),
            Err(_) => i.to_string(),
        },
        DeValue::Float(x) => match x.as_str().parse() {
            Ok(x) => Unexpected::Float(x).to_string(),
            Err(_) => x.to_string(),
        },
        DeValue::Boolean(b) => Unexpected::Bool(*b).to_string(),
        DeValue::Array(_) => Unexpected::Seq.to_string(),
        DeValue::Table(_) | DeValue::Datetime(_) => Unexpected::Map.to_string(),
    }
}

/// A found value in the words of TOML instead of Rust.
pub(crate) fn found_in_words(found: &str) -> Cow<'_, str> {
    match found {
        "map" => "a table".into(),
        "sequence" => "an array".into(),
        _ if found.starts_with("string ") => format!("the {found}").into(),
        _ => match backticked(found)[..] {
            [number] => number.into(),
            _ => found.into(),
        },
    }
}

/// An expected type in the words of TOML instead of Rust.
pub(crate) fn expected_in_words(expected: &str) -> Cow<'_, str> {
    let is_integer = |name: &str, sign: char| {
        name.strip_prefix(sign)
            .is_some_and(|bits| matches!(bits, "8" | "16" | "32" | "64" | "128" | "size"))
    };
    match expected {
        "f32" | "f64" => "a number".into(),
        "a boolean" => "true or false".into(),
        "a map" => "a table".into(),
        "a sequence" => "an array".into(),
        "string or map" | "string or table" => "a string or a table".into(),
        "variant identifier" => "a name".into(),
        _ if is_integer(expected, 'u') => "an integer of at least 0".into(),
        _ if is_integer(expected, 'i') => "an integer".into(),
        _ if expected.starts_with("a nonzero u") => "an integer of at least 1".into(),
        _ if expected.starts_with("struct ") || expected.starts_with("internally tagged enum ") => {
            "a table".into()
        }
        _ => expected.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_message_is_recognised() {
        let cases = [
            (
                "unknown field `dropuot`, expected one of `hidden`, `dropout`",
                Fault::UnknownField {
                    field: "dropuot",
                    valid: vec!["hidden", "dropout"],
                },
            ),
            (
                "unknown field `x`, there are no fields",
                Fault::UnknownField {
                    field: "x",
                    valid: vec![],
                },
            ),
            (
                "unknown variant `geluu`, expected `relu` or `gelu`",
                Fault::UnknownVariant {
                    variant: "geluu",
                    valid: vec!["relu", "gelu"],
                },
            ),
            (
                "missing field `name`",
                Fault::MissingField { field: "name" },
            ),
            (
                r#"invalid type: string "a, expected b", expected f64"#,
                Fault::WrongValue {
                    found: r#"string "a, expected b""#,
                    expected: "f64",
                },
            ),
            (
                "must lie in [0, 1)",
                Fault::Other {
                    message: "must lie in [0, 1)",
                },
            ),
        ];
        for (message, fault) in cases {
            assert_eq!(Fault::of(message), fault);
        }
    }

    #[test]
    fn types_are_named_in_the_words_of_toml() {
        assert_eq!(expected_in_words("usize"), "an integer of at least 0");
        assert_eq!(
            expected_in_words("a nonzero usize"),
            "an integer of at least 1"
        );
        assert_eq!(expected_in_words("i64"), "an integer");
        assert_eq!(expected_in_words("struct Training"), "a table");
        assert_eq!(
            expected_in_words("a size or \"full\""),
            "a size or \"full\""
        );
        assert_eq!(found_in_words("integer `-3`"), "-3");
        assert_eq!(found_in_words("floating point `0.5`"), "0.5");
        assert_eq!(found_in_words("string \"a\""), "the string \"a\"");
        assert_eq!(found_in_words("map"), "a table");
    }
}
