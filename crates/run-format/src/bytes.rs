//! Many small numbers in little text.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes that are written as one string of hexadecimal digits, two for each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    /// Shares in [0, 1], each as the nearest of 256 steps; anything outside as the nearer end.
    pub fn from_shares(shares: impl IntoIterator<Item = f64>) -> Self {
        let byte = |share: f64| (share * 255.0).round() as u8;
        Self(shares.into_iter().map(byte).collect())
    }

    /// The shares that [`from_shares`](Self::from_shares) took, within 1/510.
    pub fn shares(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        self.0.iter().map(|&byte| f64::from(byte) / 255.0)
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(BytesVisitor)
    }
}

struct BytesVisitor;

impl Visitor<'_> for BytesVisitor {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an even number of hexadecimal digits")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Bytes, E> {
        let refused = || E::invalid_value(de::Unexpected::Str(text), &self);
        let digit = |c: u8| char::from(c).to_digit(16).map(|d| d as u8);
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if !rest.is_empty() {
            return Err(refused());
        }
        let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? * 16 + digit(*low)?);
        let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
        bytes.map(Bytes).ok_or_else(refused)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bytes_survive_as_digits() {
        let bytes = Bytes(vec![0, 9, 10, 255]);
        let json = serde_json::to_string(&bytes).unwrap();
        assert_eq!(json, r#""00090aff""#);
        assert_eq!(bytes, serde_json::from_str(&json).unwrap());
    }

    #[test]
    fn what_are_no_bytes_is_refused() {
        for wrong in [r#""0""#, r#""0g""#, r#""é""#, "3"] {
            assert!(serde_json::from_str::<Bytes>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn shares_come_back_within_half_a_step() {
        let shares = [0.0, 0.123, 0.5, 0.999, 1.0];
        let bytes = Bytes::from_shares(shares);
        for (found, share) in bytes.shares().zip(shares) {
            assert!((found - share).abs() <= 1.0 / 510.0, "{found} for {share}");
        }
        assert_eq!(Bytes::from_shares([-1.0, 7.0]).0, [0, 255]);
    }
}
