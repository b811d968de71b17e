//! Numbers in JSON, which has no NaN and no infinities.
//!
//! NaN is written as `null`. For fields with `#[serde(with = "emberlab_metrics::json_number")]` infinities are
//! written as `"inf"` and `"-inf"`; for all other fields serde_json writes `null`. Earlier versions also wrote
//! `"NaN"`: all of these are read.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serializer};

/// Writes NaN as `null`, an infinity as `"inf"` or `"-inf"`, and any other number as itself.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    match number.is_infinite() {
        true => serializer.collect_str(number),
        false => serializer.serialize_f64(*number),
    }
}

/// Reads a number, `null` or `"NaN"` as NaN, and `"inf"` or `"-inf"` as an infinity.
///
/// # Errors
/// Those of the deserializer, also for any other word.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    deserializer.deserialize_any(NumberVisitor)
}

/// Reads a map from names to numbers, each as [`deserialize`] reads it.
///
/// # Errors
/// Those of the deserializer.
pub fn deserialize_map<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, f64>, D::Error> {
    let map = BTreeMap::<String, JsonNumber>::deserialize(deserializer)?;
    Ok(map
        .into_iter()
        .map(|(name, number)| (name, number.0))
        .collect())
}

/// Reads a list of numbers, each as [`deserialize`] reads it.
///
/// # Errors
/// Those of the deserializer.
pub fn deserialize_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    let list = Vec::<JsonNumber>::deserialize(deserializer)?;
    Ok(list.into_iter().map(|number| number.0).collect())
}

/// Reads the two ends of an interval, each as [`deserialize`] reads it; `null` is no interval.
///
/// # Errors
/// Those of the deserializer.
pub fn deserialize_interval<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<(f64, f64)>, D::Error> {
    let ends = Option::<(JsonNumber, JsonNumber)>::deserialize(deserializer)?;
    Ok(ends.map(|(low, high)| (low.0, high.0)))
}

/// A number that is read by [`deserialize`]: for the values of maps and lists.
pub(crate) struct JsonNumber(pub(crate) f64);

impl<'de> Deserialize<'de> for JsonNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer).map(Self)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a number, null, \"NaN\", \"inf\" or \"-inf\"")
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<f64, E> {
        Ok(number)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_unit<E: de::Error>(self) -> Result<f64, E> {
        Ok(f64::NAN)
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<f64, E> {
        match word {
            "NaN" | "inf" | "-inf" => word.parse().map_err(E::custom),
            _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    struct Field(#[serde(with = "super")] f64);

    #[test]
    fn every_number_is_written_in_one_way() {
        let written = |number| serde_json::to_string(&Field(number)).unwrap();
        let numbers = [0.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        assert_eq!(numbers.map(written), ["0.1", "null", "\"inf\"", "\"-inf\""]);
    }

    #[test]
    fn every_spelling_that_was_ever_written_is_read() {
        let read = |json| serde_json::from_str::<Field>(json).unwrap().0;
        assert!(read("null").is_nan() && read("\"NaN\"").is_nan());
        let numbers = ["0.1", "3", "-3", "\"inf\"", "\"-inf\""].map(read);
        assert_eq!(numbers, [0.1, 3.0, -3.0, f64::INFINITY, f64::NEG_INFINITY]);
        assert!(serde_json::from_str::<Field>("\"many\"").is_err());
    }
}
