//! Texts in addresses, and answers of JSON.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// An answer of JSON.
pub(crate) fn json(value: &impl serde::Serialize) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    match serde_json::to_vec(value) {
        Ok(bytes) => (kind, bytes).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// A text in which some bytes are written as `%` and two hexadecimal digits.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        let (byte, tail) = match (first, byte) {
            (b'%', Some(byte)) => (byte, &tail[2..]),
            (first, _) => (*first, tail),
        };
        bytes.push(byte);
        rest = tail;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The value of a key in the query of an address.
pub(crate) fn parameter(query: Option<&str>, key: &str) -> Option<String> {
    let mut pairs = query?.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.find(|(name, _)| *name == key);
    value.map(|(_, value)| decoded(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_found_by_its_whole_name() {
        let query = Some("from=3&run=moons%2Fa&x");
        assert_eq!(parameter(query, "run").as_deref(), Some("moons/a"));
        assert_eq!(parameter(query, "ru"), None);
        assert_eq!(parameter(query, "x"), None);
        assert_eq!(parameter(None, "run"), None);
    }

    #[test]
    fn names_come_back_as_the_page_has_written_them() {
        assert_eq!(decoded("a%20b.csv"), "a b.csv");
        assert_eq!(decoded("%C3%A4.csv"), "ä.csv");
        assert_eq!(decoded("50%"), "50%");
        assert_eq!(decoded("%zz%4"), "%zz%4");
    }
}
