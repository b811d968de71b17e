//! Many small numbers as one short string.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Bytes that are written as one string of hexadecimal digits, two for each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    /// Shares in [0, 1], each rounded to the nearest 1/255. Values outside become 0 or 1.
    pub fn from_shares(shares: impl IntoIterator<Item = f64>) -> Self {
        let byte = |share: f64| (share * 255.0).round() as u8;
        Self(shares.into_iter().map(byte).collect())
    }

    /// The shares that were given to [`from_shares`](Self::from_shares), within 1/510.
    pub fn shares(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        self.0.iter().map(|&byte| f64::from(byte) / 255.0)
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        hex::decode(text).map(Self).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bytes_are_hexadecimal_digits_and_read_back() {
        let bytes = Bytes(vec![0, 9, 10, 255]);
        let json = serde_json::to_string(&bytes).unwrap();
        assert_eq!(json, r#""00090aff""#);
        assert_eq!(bytes, serde_json::from_str(&json).unwrap());
    }

    #[test]
    fn other_text_is_refused() {
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
