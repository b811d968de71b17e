//! Reading a table that holds a menu beside keys which all of its entries share.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, Expected, MapAccess, Unexpected, Visitor,
};

/// Reads a struct that has a menu as `#[serde(flatten)]` field, and `shared_keys` beside it.
///
/// serde alone would answer an unknown key with the keys of the chosen entry only. This function adds the shared
/// keys to that list, so that a misspelt shared key is recognised too.
///
/// # Errors
/// Those of the deserializer and of `T`.
pub fn read_with_shared_keys<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
    shared_keys: &'static [&'static str],
) -> Result<T, D::Error> {
    deserializer.deserialize_map(Table {
        shared_keys,
        read: PhantomData,
    })
}

struct Table<T> {
    shared_keys: &'static [&'static str],
    read: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Table<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(WithReadError(map))).map_err(
            |error| match error {
                ReadError::UnknownField { field, own_keys } => {
                    let keys = [own_keys, self.shared_keys].concat();
                    let keys: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
                    let expected = match keys.as_slice() {
                        [one] => one.clone(),
                        [one, other] => format!("{one} or {other}"),
                        all => format!("one of {}", all.join(", ")),
                    };
                    A::Error::custom(format!("unknown field `{field}`, expected {expected}"))
                }
                ReadError::Other(error) => error,
            },
        )
    }
}

/// An error of serde that still knows which key was unknown.
#[derive(Debug)]
enum ReadError<E> {
    UnknownField {
        field: String,
        own_keys: &'static [&'static str],
    },
    Other(E),
}

impl<E: fmt::Display> fmt::Display for ReadError<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::UnknownField { field, .. } => write!(formatter, "unknown field `{field}`"),
            Self::Other(error) => error.fmt(formatter),
        }
    }
}

impl<E: Error> std::error::Error for ReadError<E> {}

impl<E: Error> Error for ReadError<E> {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Other(E::custom(message))
    }

    fn invalid_type(found: Unexpected, expected: &dyn Expected) -> Self {
        Self::Other(E::invalid_type(found, expected))
    }

    fn invalid_value(found: Unexpected, expected: &dyn Expected) -> Self {
        Self::Other(E::invalid_value(found, expected))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::Other(E::unknown_variant(variant, expected))
    }

    fn unknown_field(field: &str, own_keys: &'static [&'static str]) -> Self {
        Self::UnknownField {
            field: field.to_owned(),
            own_keys,
        }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Other(E::missing_field(field))
    }
}

/// The entries of a table, read with [`ReadError`].
struct WithReadError<A>(A);

impl<'de, A: MapAccess<'de>> MapAccess<'de> for WithReadError<A> {
    type Error = ReadError<A::Error>;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Self::Error> {
        self.0.next_key_seed(seed).map_err(ReadError::Other)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.next_value_seed(seed).map_err(ReadError::Other)
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    use super::*;

    /// Draws a point.
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Point {}

    /// Draws a circle.
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(default, deny_unknown_fields)]
    struct Circle {
        radius: f64,
        filled: bool,
    }

    crate::menu! {
        /// A shape.
        enum Shape("a shape"), written as a table, dispatched by with_shape!($) {
            "point" => Point(Point),
            "circle" => Circle(Circle),
        }
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Drawing {
        #[serde(flatten)]
        shape: Shape,
        #[serde(default)]
        color: u8,
    }

    fn read(text: &str) -> Result<Drawing, String> {
        let deserializer = toml::Deserializer::parse(text).expect("TOML");
        read_with_shared_keys(deserializer, &["color"]).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn shared_keys_stand_beside_those_of_the_entry() {
        let drawing = read("color = 7\nname = 'circle'\nradius = 2.0").expect("a drawing");
        assert_eq!(drawing.color, 7);
        assert_eq!(
            drawing.shape,
            Shape::Circle(Circle {
                radius: 2.0,
                filled: false
            })
        );
    }

    #[test]
    fn an_unknown_key_is_answered_with_the_keys_of_the_entry_and_the_shared_ones() {
        for (text, expected) in [
            (
                "name = 'circle'\ncolour = 7",
                "unknown field `colour`, expected one of `radius`, `filled`, `color`",
            ),
            (
                "name = 'point'\ncolour = 7",
                "unknown field `colour`, expected `color`",
            ),
            ("color = 7", "missing field `name`"),
            (
                "name = 'square'",
                "unknown variant `square`, expected `point` or `circle`",
            ),
            (
                "name = 'point'\ncolor = 'red'",
                "invalid type: string \"red\", expected u8",
            ),
        ] {
            assert_eq!(read(text), Err(expected.to_owned()), "{text}");
        }
    }
}
